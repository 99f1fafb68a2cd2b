# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where an arm stands on someone's stage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pxr import Usd, UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.hands.usd.joint_reader import read_joints
from omni_graspd.usd.prim_export import standing_pose
from omni_graspd.usd.transforms import pose_to_matrix

_UPRIGHT = 0.9999
"""Cosine of the largest tilt of a base that counts as upright, 0.8 degrees."""


def stage_base(stage: Usd.Stage, path: str) -> tuple[float, float, float, float]:
    """Return the place of an arm's base in the stage's world: x, y, z [m], and its turn about the vertical [degrees].

    The base is the body that no joint of the arm moves.

    Args:
        stage: The stage; it is not changed.
        path: The arm, or the robot that it is part of.

    Raises:
        GraspdError: If there is no arm, its base cannot be told or does not stand upright, or z is not up.
    """
    root = stage.GetPrimAtPath(path)
    if not root or root.IsPseudoRoot():
        raise GraspdError(f"expected the arm's prim, got {path!r}; select the arm on the stage")
    joints = read_joints(root, Path(path))
    if all(joint.joint_type == "fixed" for joint in joints):
        raise GraspdError(f"expected an arm at {path}, got no joints below it; select the whole robot on the stage")
    if UsdGeom.GetStageUpAxis(stage) != UsdGeom.Tokens.z:
        raise GraspdError("expected a stage whose up axis is Z, got Y; type the base by hand")
    moved = {joint.body_1 for joint in joints}
    bases = sorted({joint.body_0 for joint in joints} - moved)
    if len(bases) != 1:
        names = ", ".join(base.name for base in bases) or "none"
        raise GraspdError(f"expected one link of {path} that no joint moves, got {names}; select a single robot")
    pose = standing_pose(stage.GetPrimAtPath(bases[0]))
    T_world_base = pose_to_matrix(pose)
    if T_world_base[2, 2] < _UPRIGHT:
        raise GraspdError(f"expected {bases[0]} to stand upright, got it tilted; grasps are for arms that stand")
    x, y, z = (float(value) for value in pose[:3])
    return x, y, z, float(np.degrees(np.arctan2(T_world_base[1, 0], T_world_base[0, 0])))
