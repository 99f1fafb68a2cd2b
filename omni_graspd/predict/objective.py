# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What training makes small: the flow's error, and that of the head that looks from the palm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni_graspd.predict import near_units
from omni_graspd.predict.batches import Batch
from omni_graspd.predict.grasp_code import GraspCode
from omni_graspd.predict.network import Parameters, encode, look_from_palm, velocity
from omni_graspd.predict.rotations import turned

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]


def losses(parameters: Parameters, code: GraspCode, batch: Batch) -> dict[str, Tensor]:
    """Return the terms of the loss: ``flow``, ``move``, ``posture`` and ``score``; their sum is made small.

    The flow is to go straight from noise to a grasp. The head sees grasps that are off by some shift, and is to undo it
    where it is small, to tell the postures before and after the grasp, and to tell how large the shift is.

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

    moved, turn, bent = batch.shift.split([3, 3, batch.shift.shape[-1] - 6], dim=-1)
    joints = (batch.rows["joints"] + near_units.JOINTS * bent).clamp(-1.0, 1.0)
    rotations = batch.rotations @ turned(near_units.ROTATION * turn)
    offset = torch.einsum("vgij,vgj->vgi", batch.rotations, near_units.POSITION * moved)
    positions = batch.positions + offset
    said = look_from_palm(parameters, batch.points, batch.cameras, positions, rotations, joints)
    small = (batch.level <= 1.0).float()[..., None]
    wanted = {
        "position": -torch.einsum("vgij,vgi->vgj", rotations, offset) / near_units.POSITION,
        "rotation": -turn,
        "joints": (batch.rows["joints"] - joints) / near_units.JOINTS,
    }
    grasp = batch.rows["joints"]
    postures = {
        "opened": (batch.rows["opened"] - grasp) / near_units.OPENING,
        "squeezed": (batch.rows["squeezed"] - grasp) / near_units.JOINTS,
        "hover": batch.rows["hover"] / near_units.RETREAT,
        "pregrasp": batch.rows["pregrasp"] / near_units.RETREAT,
    }
    weight = small / small.mean().clamp(min=1e-3)
    good = torch.exp(-((batch.level / near_units.GOOD) ** 2))
    return {
        "move": sum((weight * (said[name] - value).square()).mean() for name, value in wanted.items()) / 3.0,
        "posture": sum((weight * (said[name] - value).square()).mean() for name, value in postures.items()) / 4.0,
        "score": torch.nn.functional.binary_cross_entropy_with_logits(said["score"][..., 0], good),
    }
