# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""PhysX takes the hand as one articulation, and its drives bring the links where our forward kinematics says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Gf, UsdGeom, UsdPhysics

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.standalone.simulate import _attached
from omni_graspd.usd.stage import create_stage, save_stage

_STEP = 1.0 / 240.0


def _link_states(physx: Any) -> dict[str, np.ndarray]:
    """Return T_world_link [7] by link name."""
    from ovphysx.types import ObjectScope, SimObjectType

    columns: dict[str, dict[str, np.ndarray]] = {}
    attributes = ("position", "orientation")
    with physx.read_sync(SimObjectType.ARTICULATION_LINK, attributes, scope=ObjectScope.ALL) as result:
        for group in result.groups:
            attribute = result.dictionary.token_to_string(group.attribute)
            paths = result.dictionary.get_path_strings(group.prim_list)
            for path, value in zip(paths, group.tensors[0].numpy(), strict=True):
                columns.setdefault(path.rpartition("/")[2], {})[attribute] = value.astype(np.float64)
    return {name: np.concatenate([column[a] for a in attributes]) for name, column in columns.items()}


def test_drives_move_the_links_as_forward_kinematics_says(tmp_path: Path) -> None:
    hand = load_hand("allegro")
    stage = create_stage("World", tmp_path / "hand_in_space.usda")
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    scene.CreateGravityMagnitudeAttr(0.0)
    prim = UsdGeom.Xform.Define(stage, "/World/Hand").GetPrim()
    prim.GetReferences().AddReference(str(hand.source))
    targets = hand.joint_lower + 0.6 * (hand.joint_upper - hand.joint_lower)
    for name, target in zip(hand.joint_names, targets, strict=True):
        drive = UsdPhysics.DriveAPI(stage.GetPrimAtPath(f"/World/Hand/joints/{name}"), "angular")
        drive.GetTargetPositionAttr().Set(math.degrees(target))
    save_stage(stage, tmp_path / "hand_in_space.usda")
    with _attached(tmp_path / "hand_in_space.usda") as physx:
        before = _link_states(physx)
        for _ in range(round(3.0 / _STEP)):
            physx.step_sync(_STEP)
        after = _link_states(physx)
    assert sorted(after) == sorted(link.name for link in hand.links)
    rest = np.clip(0.0, hand.joint_lower, hand.joint_upper)
    for states, positions, tolerance in ((before, rest, 1e-6), (after, targets, 1e-4)):
        expected = link_poses(hand, states["palm"], positions)
        for link, pose in zip(hand.links, expected, strict=True):
            np.testing.assert_allclose(states[link.name][:3], pose[:3], atol=tolerance, err_msg=link.name)
    # The base is free: the fingers' motion moved the palm.
    assert np.linalg.norm(after["palm"][:3] - before["palm"][:3]) > 1e-3
