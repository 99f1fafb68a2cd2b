# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Lists of one planner's grasps as JSON: root pose in the object frame (wxyz), joints by name, the planner's figures.

Runs of DexGraspNet, GraspQP and FRoGGeR are kept so, each with its own hand model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, json_keys
from omni_graspd.formats.record import GraspRecord, names, numbers, text, unit_poses
from omni_graspd.formats.untrusted.json_file import read_json

_OTHER_MODELS = {"graspqp": "GraspQP's Allegro has joints of our names, but its links end up to 32 mm elsewhere"}
"""Planners whose joint names do not tell their hand from ours, by the middle of their name."""


def read_planner_list(path: Path) -> list[GraspRecord]:
    """Read the grasps of one hand on one object.

    Raises:
        GraspdError: If it is no such file.
    """
    content = read_json(path)
    grasps = content.get("grasps") if isinstance(content, dict) else None
    if not isinstance(grasps, list) or not all(isinstance(grasp, dict) and "root_pos" in grasp for grasp in grasps):
        raise GraspdError(f"expected 'grasps' with 'root_pos' in {path}, got another file; name its format with --from")
    if not grasps:
        raise GraspdError(f"expected grasps in {path}, got an empty list")
    joint_names = names(grasps[0].get("joint_names"), str(path))
    if any(names(grasp.get("joint_names"), str(path)) != joint_names for grasp in grasps):
        raise GraspdError(f"expected the same joints in all grasps of {path}, got different ones")
    source = str(path)
    quaternion = numbers([g.get("root_quat_wxyz") for g in grasps], source, "root_quat_wxyz", (None, 4))
    system = text(content.get("system"))
    planner = next((name for name in _OTHER_MODELS if name in system.lower()), "")
    hand = text(content.get("hand")).partition(" ")[0]
    return [
        GraspRecord(
            hand=f"{planner}_{hand}" if planner else hand,
            object=Path(text(content.get("object_mesh")) or path.stem).stem,
            object_file=text(content.get("object_mesh")),
            joint_names=joint_names,
            T_object_palm=unit_poses([g["root_pos"] for g in grasps], quaternion[:, [1, 2, 3, 0]], source),
            joint_positions=numbers(
                [g.get("joint_values") for g in grasps], source, "joint_values", (len(grasps), len(joint_names))
            ),
            scores=_scores(grasps, path),
            notes=(_OTHER_MODELS[planner],) if planner else (),
        )
    ]


def _scores(grasps: list[dict[str, Any]], path: Path) -> dict[str, Any]:
    """Return the planner's own figures, those that all grasps have; its success is the confidence."""
    figures = [grasp["metrics"] if isinstance(grasp.get("metrics"), dict) else {} for grasp in grasps]
    measured = [name for name, value in figures[0].items() if isinstance(value, int | float)]
    scores = {}
    for name in measured:
        column = [figure.get(name) for figure in figures]
        if all(isinstance(value, int | float) for value in column):
            scores["confidence" if name == "success" else name] = numbers(column, str(path), name, (len(grasps),))
    return scores


FORMATS = (
    Format(
        name="planner_list",
        title="lists of another planner's grasps",
        place=110,
        suffixes=(".json",),
        signature=json_keys("root_pos", rank=1),
        read=read_planner_list,
    ),
)
