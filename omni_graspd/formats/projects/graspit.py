# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Lists of GraspIt! grasps as JSON: pose of the palm in the object frame (wxyz), joints, contacts, epsilon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, json_keys
from omni_graspd.formats.record import GraspRecord, numbers, text, unit_poses
from omni_graspd.formats.untrusted.json_file import read_json
from omni_graspd.plain_text import shortened

_BARRETT = (
    "finger_1_spread_joint",
    "finger_1_inner_joint",
    "finger_1_outer_joint",
    "finger_2_spread_joint",
    "finger_2_inner_joint",
    "finger_2_outer_joint",
    "finger_3_inner_joint",
    "finger_3_outer_joint",
)


def read_graspit(path: Path) -> list[GraspRecord]:
    """Read lists of grasps, one record for each hand and object.

    Raises:
        GraspdError: If it is no such file.
    """
    content = read_json(path)
    if not isinstance(content, list) or not all(
        isinstance(e, dict) and isinstance(e.get("grasps"), list) for e in content
    ):
        raise GraspdError(
            f"expected a list of hands, objects and 'grasps' in {path}, got another file; name its format"
        )
    return [_record(entry, path) for entry in content if entry["grasps"]]


def _record(entry: dict[str, Any], path: Path) -> GraspRecord:
    grasps = entry["grasps"]
    try:
        positions = [grasp["hand_in_object"]["p"] for grasp in grasps]
        quaternions = [grasp["hand_in_object"]["q_wxyz"] for grasp in grasps]
        joints = [grasp["joint_rad"] for grasp in grasps]
    except (KeyError, TypeError) as error:
        raise GraspdError(
            f"expected 'hand_in_object' with 'p' and 'q_wxyz', and 'joint_rad' in {path}, got {shortened(str(error))}"
        ) from error
    hand = text(entry.get("hand"))
    scores = {}
    for name, key in (("epsilon", "epsilon_pcwf"), ("energy", "energy")):
        if all(key in grasp for grasp in grasps):
            scores[name] = numbers([grasp[key] for grasp in grasps], str(path), key, (None,))
    quaternion = numbers(quaternions, str(path), "q_wxyz", (None, 4))
    return GraspRecord(
        hand=hand,
        object=text(entry.get("object")),
        object_file=text(entry.get("mesh")),
        joint_names=_BARRETT if hand == "Barrett" else (),
        T_object_palm=unit_poses(positions, quaternion[:, [1, 2, 3, 0]], str(path)),
        joint_positions=numbers(
            joints, str(path), "joint_rad", (len(grasps), len(_BARRETT) if hand == "Barrett" else None)
        ),
        scores=scores,
    )


FORMATS = (
    Format(
        name="graspit",
        title="lists of GraspIt! grasps",
        place=100,
        suffixes=(".json",),
        signature=json_keys("hand_in_object", rank=0),
        read=read_graspit,
    ),
)
