# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What training makes small: the flow's error, and that of the head that looks from the palm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni_graspd.prediction import near_units
from omni_graspd.prediction.batches import Batch
from omni_graspd.prediction.grasp_code import GraspCode
from omni_graspd.prediction.network import Parameters, encode, look_from_palm, velocity
from omni_graspd.prediction.rotations import turned

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]


def losses(parameters: Parameters, code: GraspCode, batch: Batch) -> dict[str, Tensor]:
    """Return the terms of the loss: ``flow``, ``posture`` and ``score``; their sum is made small.

    The flow is to go straight from noise to a grasp. The head sees grasps that are spoilt more or less; it is to say
    how good they are, and the postures before and after them.

    Args:
        parameters: The network.
        code: How grasps are coded.
        batch: Views and grasps.
    """
    seen = encode(parameters, batch.points, batch.cameras)
    return {"flow": _flow(parameters, seen, code, batch)} | _near(parameters, batch)


def _flow(parameters: Parameters, seen: Tensor, code: GraspCode, batch: Batch) -> Tensor:
    grasps = code.encode(batch.positions, batch.rotations, batch.rows["joints"])
    time = batch.times[..., None]
    error = velocity(parameters, seen, (1.0 - time) * batch.noise + time * grasps, batch.times)
    error = (error - (grasps - batch.noise)).square()
    # A hand of many joints has no less need of its palm.
    return (error[..., :3].mean() + error[..., 3:9].mean() + error[..., 9:].mean()) / 3.0


def _near(parameters: Parameters, batch: Batch) -> dict[str, Tensor]:
    import torch  # pyright: ignore[reportMissingImports]

    moved, turn, bent = batch.spoilt.split([3, 3, batch.spoilt.shape[-1] - 6], dim=-1)
    grasp = batch.rows["joints"]
    joints = (grasp + near_units.BEND * bent).clamp(-1.0, 1.0)
    rotations = batch.rotations @ turned(near_units.TURN * turn)
    positions = batch.positions + near_units.SHIFT * moved
    said = look_from_palm(parameters, batch.points, batch.cameras, positions, rotations, joints)
    wanted = {
        "opened": (batch.rows["opened"] - grasp) / near_units.OPENING,
        "squeezed": (batch.rows["squeezed"] - grasp) / near_units.PRESSING,
        "hover": batch.rows["hover"] / near_units.RETREAT,
        "pregrasp": batch.rows["pregrasp"] / near_units.RETREAT,
    }
    # The postures of a grasp that is far off are not those of the grasp it was.
    weight = (batch.level <= 1.0).float()[..., None]
    weight = weight / weight.mean().clamp(min=1e-3)
    errors = [(weight * (said[name] - value).square()).mean() for name, value in wanted.items()]
    good = torch.exp(-((batch.level / near_units.GOOD) ** 2))
    return {
        "posture": torch.stack(errors).mean(),
        "score": torch.nn.functional.binary_cross_entropy_with_logits(said["score"][..., 0], good),
    }
