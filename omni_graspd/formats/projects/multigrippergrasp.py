# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""MultiGripperGrasp's JSON: poses of the gripper in the object frame (xyz, wxyz), joints in Isaac Sim's order."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, json_keys
from omni_graspd.formats.record import POSTURES, GraspRecord, names, numbers, scale, text, unit_poses
from omni_graspd.formats.untrusted.json_file import read_json, write_json


def read_multigrippergrasp(path: Path) -> list[GraspRecord]:
    """Read the grasps of one gripper on one object; those after the test, where the file has them.

    Raises:
        GraspdError: If it is no such file.
    """
    content = read_json(path)
    if not isinstance(content, dict) or "pose" not in content:
        raise GraspdError(f"expected 'gripper', 'object_ID' and 'pose' in {path}, got another file; name its format")
    poses = numbers(content["pose"], str(path), "pose", (None, 7))
    joints = content.get("final_dofs") or content.get("dofs")
    listed = content.get("dof_names")
    scores = {}
    for key, name in (("result", "confidence"), ("result_time", "result_time")):
        if isinstance(content.get(key), list):
            scores[name] = numbers(content[key], str(path), key, (len(poses),))
    if joints is None:
        positions, notes = np.zeros((len(poses), 0)), ("no joints in the file",)
    else:
        positions, notes = numbers(joints, str(path), "dofs", (len(poses), None)), ()
    return [
        GraspRecord(
            hand=text(content.get("gripper")),
            object=text(content.get("object_ID")),
            object_scale=scale(content.get("object_scale", 1.0), str(path)),
            joint_names=names(listed, str(path)),
            T_object_palm=unit_poses(poses[:, :3], poses[:, [4, 5, 6, 3]], str(path)),
            joint_positions=positions,
            scores=scores,
            notes=notes,
        )
    ]


def write_multigrippergrasp(record: GraspRecord, path: Path) -> None:
    """Write grasps, and besides ``dof_names`` and, unless it is 1, ``object_scale``, which the toolkit passes on.

    Args:
        record: Grasps of the format's hand model.
        path: File to write, all or nothing.
    """
    content = {
        "gripper": record.hand,
        "object_ID": record.object,
        "pose": record.T_object_palm[:, [0, 1, 2, 6, 3, 4, 5]].tolist(),
        "dofs": record.joint_positions.tolist(),
        "dof_names": list(record.joint_names),
    }
    if record.object_scale != 1.0:
        content["object_scale"] = record.object_scale
    if "confidence" in record.scores:
        content["result"] = [int(value > 0.5) for value in record.scores["confidence"]]
    write_json(content, path)


FORMATS = (
    Format(
        name="multigrippergrasp",
        title="MultiGripperGrasp",
        place=40,
        suffixes=(".json",),
        signature=json_keys("pose", "gripper", rank=3),
        read=read_multigrippergrasp,
        write=write_multigrippergrasp,
        lacks=(*POSTURES, "object_file", "scores"),
    ),
)
