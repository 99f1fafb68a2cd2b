# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What training makes small: the errors of the guessed shape, the flow, and the head that looks from the palm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from omni_graspd.prediction import near_units
from omni_graspd.prediction.batches import Batch
from omni_graspd.prediction.completion import complete
from omni_graspd.prediction.grasp_code import GraspCode
from omni_graspd.prediction.network import Parameters, encode, look_from_palm, velocity
from omni_graspd.prediction.rotations import turned
from omni_graspd.prediction.shape_grid import DEEP, ShapeGrids

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]


def losses(parameters: Parameters, code: GraspCode, batch: Batch) -> dict[str, Tensor]:
    """Return the terms of the loss, ``shape``, ``flow``, ``posture``, ``mending``, ``score``; their sum is made small.

    The object is to be guessed from what is seen of it. The flow is to go straight from noise to a grasp. The head sees
    grasps that are spoilt more or less; it is to say how good they are, what would mend them, and the postures before
    and after them. Flow and head know the object as it is guessed at that time; they do not change the guess.

    Args:
        parameters: The network.
        code: How grasps are coded.
        batch: Views and grasps.
    """
    guess = complete(parameters, batch.seen)
    shapes = replace(batch.shapes, values=guess.detach().clamp(-DEEP, DEEP))
    seen = encode(parameters, batch.points, batch.cameras, shapes)
    shape = {"shape": (guess - batch.shapes.values).abs().mean()}
    return shape | {"flow": _flow(parameters, seen, code, batch)} | _near(parameters, shapes, batch)


def _flow(parameters: Parameters, seen: Tensor, code: GraspCode, batch: Batch) -> Tensor:
    grasps = code.encode(batch.positions, batch.rotations, batch.rows["joints"])
    time = batch.times[..., None]
    error = velocity(parameters, seen, (1.0 - time) * batch.noise + time * grasps, batch.times)
    error = (error - (grasps - batch.noise)).square()
    # A hand of many joints has no less need of its palm.
    return (error[..., :3].mean() + error[..., 3:9].mean() + error[..., 9:].mean()) / 3.0


def _near(parameters: Parameters, shapes: ShapeGrids, batch: Batch) -> dict[str, Tensor]:
    import torch  # pyright: ignore[reportMissingImports]

    moved, turn, bent = batch.spoilt.split([3, 3, batch.spoilt.shape[-1] - 6], dim=-1)
    grasp = batch.rows["joints"]
    joints = (grasp + near_units.BEND * bent).clamp(-1.0, 1.0)
    rotations = batch.rotations @ turned(near_units.TURN * turn)
    positions = batch.positions + near_units.SHIFT * moved
    said = look_from_palm(parameters, batch.points, batch.cameras, shapes, positions, rotations, joints)
    postures = {
        "opened": (batch.rows["opened"] - grasp) / near_units.OPENING,
        "squeezed": (batch.rows["squeezed"] - grasp) / near_units.PRESSING,
        "hover": batch.rows["hover"] / near_units.RETREAT,
        "pregrasp": batch.rows["pregrasp"] / near_units.RETREAT,
    }
    mending = {
        "shift": -torch.einsum("vgij,vgi->vgj", rotations, moved),
        "turn": -turn,
        "bend": (grasp - joints) / near_units.BEND,
    }
    # The postures of a grasp that is far off are not those of the grasp it was; nor is it known how to mend it.
    near = (batch.level <= 1.0).float()[..., None]
    near = near / near.mean().clamp(min=1e-3)
    mendable = 1.0 / (0.1 + batch.level[..., None] ** 2)
    good = torch.exp(-((batch.level / near_units.GOOD) ** 2))
    return {
        "posture": _weighted(said, postures, near),
        "mending": _weighted(said, mending, mendable),
        "score": torch.nn.functional.binary_cross_entropy_with_logits(said["score"][..., 0], good),
    }


def _weighted(said: dict[str, Tensor], wanted: dict[str, Tensor], weight: Tensor) -> Tensor:
    """Return the mean squared error of what was said, all names counting alike."""
    import torch  # pyright: ignore[reportMissingImports]

    return torch.stack([(weight * (said[name] - value).square()).mean() for name, value in wanted.items()]).mean()
