# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""GraspGen's JSON: 4 x 4 transforms of the gripper's base link, and whether each grasp succeeded."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, json_keys
from omni_graspd.formats.record import POSTURES, GraspRecord, matrix_poses, names, numbers, scale, text
from omni_graspd.formats.untrusted.json_file import read_json, write_json
from omni_graspd.usd.transforms import pose_to_matrix


def read_graspgen(path: Path) -> list[GraspRecord]:
    """Read the grasps of one object. The format has no joints; those that we write are read.

    Raises:
        GraspdError: If it is no such file.
    """
    content = read_json(path)
    grasps = content.get("grasps") if isinstance(content, dict) else None
    if not isinstance(grasps, dict) or "transforms" not in grasps:
        raise GraspdError(
            f"expected 'object' and 'grasps' with 'transforms' in {path}, got another file; name its format"
        )
    described = content.get("object")
    described = described if isinstance(described, dict) else {}
    poses = matrix_poses(grasps["transforms"], str(path))
    joint_names = names(grasps.get("joint_names"), str(path))
    joints = grasps.get("joint_positions")
    file = text(described.get("file"))
    success = grasps.get("object_in_gripper")
    return [
        GraspRecord(
            hand=text(content.get("gripper")),
            object=Path(file).stem or path.stem,
            object_file=file,
            object_scale=scale(described.get("scale", 1.0), str(path)),
            joint_names=joint_names,
            T_object_palm=poses,
            joint_positions=numbers(joints, str(path), "joint_positions", (len(poses), len(joint_names)))
            if joint_names
            else np.zeros((len(poses), 0)),
            scores={}
            if success is None
            else {"confidence": numbers(success, str(path), "object_in_gripper", (len(poses),))},
            notes=() if joint_names else ("no joints in the file",),
        )
    ]


def write_graspgen(record: GraspRecord, path: Path) -> None:
    """Write grasps. Joints go along as ``joint_names`` and ``joint_positions``, which GraspGen's readers pass over.

    Args:
        record: Grasps.
        path: File to write, all or nothing.
    """
    success = record.scores.get("confidence", np.ones(len(record))) > 0.5
    write_json(
        {
            "object": {"file": record.object_file or record.object, "scale": record.object_scale},
            "gripper": record.hand,
            "grasps": {
                "transforms": pose_to_matrix(record.T_object_palm).tolist(),
                "object_in_gripper": success.tolist(),
                "joint_names": list(record.joint_names),
                "joint_positions": record.joint_positions.tolist(),
            },
        },
        path,
    )


FORMATS = (
    Format(
        name="graspgen",
        title="GraspGen",
        place=50,
        suffixes=(".json",),
        signature=json_keys("transforms", rank=2),
        read=read_graspgen,
        write=write_graspgen,
        lacks=(*POSTURES, "scores"),
        rotation="matrices",
    ),
)
