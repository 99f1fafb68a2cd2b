# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""BODex's and DexGraspBench's .npy: a dictionary with pregrasp, grasp and squeeze as root pose (wxyz) and joints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, numpy_key
from omni_graspd.formats.record import GraspRecord, floats, names, numbers, scale, text, unit_poses
from omni_graspd.formats.untrusted.restricted_pickle import load_npy
from omni_graspd.usd.transforms import compose, invert

_WXYZ = [4, 5, 6, 3]


def read_bodex(path: Path) -> list[GraspRecord]:
    """Read the grasps that BODex wrote for one scene: 3 postures each, joints by name.

    Raises:
        GraspdError: If it is no such file.
    """
    content = _dictionary(path, "robot_pose")
    poses = numbers(content["robot_pose"], str(path), "robot_pose", (1, None, None, None))[0]
    if poses.shape[1] != 3 or poses.shape[2] < 8:
        raise GraspdError(
            f"expected pregrasp, grasp and squeeze (3 postures of 7 numbers and joints) in robot_pose of {path}, got "
            f"{poses.shape[1]} of {poses.shape[2]}; files with an arm are not read"
        )
    joints = names(content.get("joint_names"), str(path))
    pose, size, file, name, notes = _bodex_object(content, path)
    scores = {}
    for key in ("grasp_error", "dist_error", "pene_error"):
        values = floats(content.get(key, ()), str(path), key)
        if values.ndim >= 2 and values.shape[:2] == (1, len(poses)) and values.size:
            scores[key] = values[0].reshape(len(poses), -1).max(axis=1)
    return [_record(poses, pose, path, object=name, scale=size, file=file, names=joints, scores=scores, notes=notes)]


def _bodex_object(content: dict[str, Any], path: Path) -> tuple[np.ndarray, float, str, str, tuple[str, ...]]:
    """Return pose in the world, scale, file and name of the object, and notes."""
    meshes = _meshes(content)
    manipulated = content.get("manip_name", ())
    wanted = names((manipulated,) if isinstance(manipulated, str) else manipulated, str(path), "the names of objects")
    name = next((key for key in meshes if key in wanted), next(iter(meshes), ""))
    if not name:
        identity = np.array([0.0, 0, 0, 0, 0, 0, 1.0])
        return identity, 1.0, "", path.stem, ("no object in the file: taken to lie at the origin, scale 1",)
    mesh = meshes[name]
    pose = numbers([mesh.get("pose", [0, 0, 0, 1, 0, 0, 0])], str(path), "object pose", (1, 7))
    size = scale(mesh.get("scale", 1.0), str(path))
    return unit_poses(pose[:, :3], pose[:, _WXYZ], str(path))[0], size, text(mesh.get("file_path")), name, ()


def _meshes(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the meshes of the first world by name; none where the file has no such table."""
    worlds = content.get("world_cfg")
    world = worlds[0] if isinstance(worlds, list | tuple) and worlds else {}
    meshes = world.get("mesh") if isinstance(world, dict) else {}
    listed = meshes.items() if isinstance(meshes, dict) else ()
    return {name: mesh for name, mesh in listed if isinstance(name, str) and isinstance(mesh, dict)}


def read_dexgraspbench(path: Path) -> list[GraspRecord]:
    """Read one grasp (or several) in DexGraspBench's format; joints in the order of its MuJoCo models.

    Raises:
        GraspdError: If it is no such file.
    """
    content = _dictionary(path, "grasp_qpos")
    postures = []
    for key in ("pregrasp_qpos", "grasp_qpos", "squeeze_qpos"):
        values = floats(content.get(key, content["grasp_qpos"]), str(path), key)
        postures.append(numbers(np.atleast_2d(values), str(path), key, (None, None)))
    if len({posture.shape for posture in postures}) > 1 or postures[0].shape[1] < 8:
        raise GraspdError(f"expected pregrasp, grasp and squeeze of 7 numbers and joints in {path}, got other lengths")
    placed = floats(content.get("obj_pose", [0, 0, 0, 1, 0, 0, 0]), str(path), "obj_pose")
    pose = numbers(placed.reshape(1, -1), str(path), "obj_pose", (1, 7))
    return [
        _record(
            np.stack(postures, axis=1),
            unit_poses(pose[:, :3], pose[:, _WXYZ], str(path))[0],
            path,
            object=Path(text(content.get("obj_path")) or path.parent.name).name,
            scale=scale(content.get("obj_scale", 1.0), str(path)),
            file=text(content.get("obj_path")),
            names=(),
            scores={},
            notes=(),
        )
    ]


def _dictionary(path: Path, key: str) -> dict[str, Any]:
    content = load_npy(path)
    if not isinstance(content, dict) or key not in content:
        raise GraspdError(
            f"expected a dictionary with {key!r} in {path}, got another file; name its format with --from"
        )
    return content


def _record(
    postures: np.ndarray,
    T_world_object: np.ndarray,
    path: Path,
    *,
    object: str,
    scale: float,
    file: str,
    names: tuple[str, ...],
    scores: dict[str, np.ndarray],
    notes: tuple[str, ...],
) -> GraspRecord:
    """Build a record of postures [grasp_count, 3, 7 + joint_count] with poses in the world."""
    T_object_world = invert(T_world_object)

    def palms(which: int) -> np.ndarray:
        pose = unit_poses(postures[:, which, :3], postures[:, which, _WXYZ], str(path))
        return compose(T_object_world, pose) if len(pose) else pose

    if not np.allclose(palms(1), palms(2), atol=1e-4):
        notes += ("the palm moves from grasp to squeeze in the file; its pose in the grasp is kept",)
    return GraspRecord(
        hand="",
        object=object,
        object_scale=scale,
        object_file=file,
        joint_names=names,
        T_object_palm=palms(1),
        joint_positions=postures[:, 1, 7:],
        T_object_pregrasp_palm=palms(0),
        pregrasp_joint_positions=postures[:, 0, 7:],
        squeeze_joint_positions=postures[:, 2, 7:],
        scores=scores,
        notes=notes,
    )


FORMATS = (
    Format(
        name="bodex",
        title="BODex",
        place=60,
        suffixes=(".npy",),
        signature=numpy_key("robot_pose", rank=0),
        read=read_bodex,
    ),
    Format(
        name="dexgraspbench",
        title="DexGraspBench",
        place=70,
        suffixes=(".npy",),
        signature=numpy_key("grasp_qpos", rank=1),
        read=read_dexgraspbench,
    ),
)
