# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""isaac_grasp YAML 1.0, as Isaac Sim's Grasp Editor, GraspDataGen and GraspGen write and read it.

Poses are those of the gripper frame in the object frame, orientation w and xyz, joints by name in radians or metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, Signature
from omni_graspd.formats.record import GraspRecord, numbers, scale, text, unit_poses
from omni_graspd.formats.untrusted.plain_yaml import read_yaml
from omni_graspd.plain_text import shortened


def read_isaac_grasp(path: Path) -> list[GraspRecord]:
    """Read a file of grasps of one gripper on one object.

    Raises:
        GraspdError: If it is no such file.
    """
    content = read_yaml(path)
    if not isinstance(content, dict) or content.get("format") != "isaac_grasp":
        raise GraspdError(f"expected 'format: isaac_grasp' in {path}, got another file; name its format with --from")
    grasps = content.get("grasps")
    if not isinstance(grasps, dict) or not all(isinstance(grasp, dict) for grasp in grasps.values()):
        raise GraspdError(f"expected named grasps below 'grasps:' in {path}, got none")
    names = _joint_names(grasps, path)
    quaternions = [_quaternion(grasp, name, path) for name, grasp in grasps.items()]
    pregrasps = [grasp.get("pregrasp_cspace_position") for grasp in grasps.values()]
    frame = text(content.get("object_frame"))
    notes = []
    if frame.strip("/").count("/"):
        notes.append(f"poses are relative to {frame}, taken as the frame of the object's mesh")
    version = str(content.get("format_version", "none"))
    if version != "1.0":
        notes.append(f"format version {shortened(version)}, read as 1.0")
    return [
        GraspRecord(
            hand=text(content.get("gripper_frame")).strip("/").split("/")[0],
            palm_path=text(content.get("gripper_frame")),
            object=frame.strip("/").split("/")[0],
            object_file=text(content.get("object_file")),
            object_scale=scale(content.get("object_scale", 1.0), str(path)),
            joint_names=names,
            T_object_palm=unit_poses([grasp.get("position") for grasp in grasps.values()], quaternions, str(path)),
            joint_positions=_joints([grasp.get("cspace_position") for grasp in grasps.values()], names, path),
            pregrasp_joint_positions=(
                _joints(pregrasps, names, path)
                if names and all(isinstance(p, dict) and set(p) >= set(names) for p in pregrasps)
                else None
            ),
            scores={
                "confidence": numbers(
                    [grasp.get("confidence", 1.0) for grasp in grasps.values()], str(path), "confidence", (None,)
                )
            },
            notes=tuple(notes),
        )
    ]


def _joint_names(grasps: dict[str, Any], path: Path) -> tuple[str, ...]:
    first = next(iter(grasps.values()), {}).get("cspace_position") or {}
    for name, grasp in grasps.items():
        joints = grasp.get("cspace_position") or {}
        if not isinstance(joints, dict) or joints.keys() != first.keys():
            raise GraspdError(f"expected the same joints in all grasps of {path}, got others in {shortened(name)!r}")
    return tuple(first)


def _quaternion(grasp: dict[str, Any], name: str, path: Path) -> list[Any]:
    orientation = grasp.get("orientation")
    if not isinstance(orientation, dict) or not isinstance(orientation.get("xyz"), list) or "w" not in orientation:
        raise GraspdError(
            f"expected 'orientation: {{w: ..., xyz: [...]}}' of grasp {shortened(name)!r} in {path}, got another"
        )
    return [*orientation["xyz"], orientation["w"]]


def _joints(values: Sequence[Any], names: tuple[str, ...], path: Path) -> np.ndarray:
    rows = [[(value or {})[name] for name in names] for value in values]
    return numbers(rows, str(path), "joint positions", (None, len(names)))


def write_isaac_grasp(record: GraspRecord, path: Path) -> None:
    """Write grasps; the pregrasp's joints go along, its pose and the squeeze have no place in this format.

    Poses are relative to the object, as the format has them. Of a scene, ``scene`` says where the object lies in the
    world, in the same terms; those who do not know this key of ours leave it.

    Args:
        record: Grasps; the gripper frame is its ``palm_path``.
        path: File to write, all or nothing.
    """
    confidence = record.scores.get("confidence", np.ones(len(record)))
    lines = [
        "format: isaac_grasp",
        "format_version: 1.0",
        "",
        f"object_frame: {_quoted('/' + (record.object or 'object'))}",
        f"gripper_frame: {_quoted(record.palm_path or '/' + record.hand)}",
    ]
    if record.object_scale != 1.0:
        lines.append(f"object_scale: {_number(record.object_scale)}")
    if record.object_file:
        lines.append(f"object_file: {_quoted(record.object_file)}")
    if record.placement is not None:
        pose = record.placement.T_world_object
        lines += ["", "scene:", f"   name: {_quoted(record.placement.scene)}", *_pose_lines(pose, "   object_")]
    lines += ["", "grasps:" if len(record) else "grasps: {}"]
    for index, (pose, joints) in enumerate(zip(record.T_object_palm, record.joint_positions, strict=True)):
        before = joints if record.pregrasp_joint_positions is None else record.pregrasp_joint_positions[index]
        lines += [
            f'   "grasp_{index}":',
            f"      confidence: {_number(confidence[index])}",
            *_pose_lines(pose, "      "),
            *_joint_lines("cspace_position", record.joint_names, joints),
            *_joint_lines("pregrasp_cspace_position", record.joint_names, before),
            "",
        ]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _pose_lines(pose: np.ndarray, start: str) -> list[str]:
    return [
        f"{start}position: [{', '.join(map(_number, pose[:3]))}]",
        f"{start}orientation: {{w: {_number(pose[6])}, xyz: [{', '.join(map(_number, pose[3:6]))}]}}",
    ]


def _joint_lines(key: str, names: tuple[str, ...], positions: np.ndarray) -> list[str]:
    if not names:
        return [f"      {key}: {{}}"]
    pairs = zip(names, positions, strict=True)
    return [f"      {key}:", *(f"         {_quoted(name)}: {_number(value)}" for name, value in pairs)]


def _number(value: float) -> str:
    """Write all digits; YAML 1.1 takes 1e-05 for text, 1.0e-05 for a number."""
    text = repr(float(value))
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else text


def _quoted(text: str) -> str:
    return text if text.replace("_", "").replace("/", "").isalnum() else f'"{text}"'


def _says_so(head: bytes, content: bytes) -> bool:
    return b"isaac_grasp" in head and head.lstrip()[:1] not in (b"{", b"[")


FORMATS = (
    Format(
        name="isaac_grasp",
        title="Isaac Sim's Grasp Editor, GraspDataGen",
        place=20,
        suffixes=(".yaml", ".yml"),
        signature=Signature(_says_so, "it says 'format: isaac_grasp'", rank=9),
        read=read_isaac_grasp,
        write=write_isaac_grasp,
        has_placement=True,
        lacks=("T_object_pregrasp_palm", "squeeze_joint_positions", "scores"),
    ),
)
