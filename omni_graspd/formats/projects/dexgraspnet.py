# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""DexGraspNet's .npy: a dictionary per grasp with Euler angles, joints by name, and the scale of a normed object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, numpy_key
from omni_graspd.formats.record import POSTURES, GraspRecord, names, numbers, scale, unit_poses
from omni_graspd.formats.untrusted.restricted_pickle import load_npy
from omni_graspd.plain_text import shortened

_POSITION = ("WRJTx", "WRJTy", "WRJTz")
_ROTATION = ("WRJRx", "WRJRy", "WRJRz")


def read_dexgraspnet(path: Path) -> list[GraspRecord]:
    """Read the grasps of one object, one record for each scale of the object.

    Raises:
        GraspdError: If it is no such file, or asks for more than plain data.
    """
    grasps = load_npy(path)
    if (
        not isinstance(grasps, np.ndarray)
        or grasps.ndim != 1
        or not all(isinstance(g, dict) and isinstance(g.get("qpos"), dict) for g in grasps)
    ):
        raise GraspdError(
            f"expected a list of grasps with 'qpos' in {path}, got another file; name its format with --from"
        )
    if not len(grasps):
        raise GraspdError(f"expected grasps in {path}, got an empty list")
    joints_of = [name for name in grasps[0]["qpos"] if name not in (*_POSITION, *_ROTATION)]
    joint_names = names(joints_of, str(path))
    scales = np.array([scale(grasp.get("scale", 1.0), str(path)) for grasp in grasps])
    poses, joints = _posture(grasps, "qpos", joint_names, path)
    scores = {
        name: numbers([grasp[name] for grasp in grasps], str(path), name, (None,))
        for name, value in grasps[0].items()
        if isinstance(name, str)
        and isinstance(value, int | float)
        and name != "scale"
        and all(name in grasp for grasp in grasps)
    }
    records = []
    for size in np.unique(scales):
        record = GraspRecord(
            hand="",
            object=path.stem,
            object_scale=float(size),
            joint_names=joint_names,
            T_object_palm=poses,
            joint_positions=joints,
            scores=scores,
        )
        records.append(record.rows(scales == size))
    return records


def _posture(grasps: Any, key: str, names: tuple[str, ...], path: Path) -> tuple[np.ndarray, np.ndarray]:
    from scipy.spatial.transform import Rotation

    try:
        rows = [[grasp[key][name] for name in (*_POSITION, *_ROTATION, *names)] for grasp in grasps]
    except KeyError as error:
        raise GraspdError(f"expected {shortened(str(error))} in the {key} of each grasp of {path}, got none") from error
    values = numbers(rows, str(path), key, (None, 6 + len(names)))
    # 'sxyz': about fixed axes, x first; SciPy's lower case letters mean the same.
    quaternions = Rotation.from_euler("xyz", values[:, 3:6]).as_quat()
    return unit_poses(values[:, :3], quaternions, str(path)), values[:, 6:]


def write_dexgraspnet(record: GraspRecord, path: Path) -> None:
    """Write grasps; pregrasp and squeeze have no place in this format, nor have scores that are not finite.

    Args:
        record: Grasps of the format's hand model.
        path: File to write, all or nothing.
    """
    import warnings

    from scipy.spatial.transform import Rotation

    with warnings.catch_warnings():  # at a gimbal lock SciPy picks one of the equal answers and says so
        warnings.simplefilter("ignore", UserWarning)
        angles = Rotation.from_quat(record.T_object_palm[:, 3:]).as_euler("xyz") if len(record) else np.zeros((0, 3))
    content = np.empty(len(record), dtype=object)
    for index in range(len(record)):
        values = (*record.T_object_palm[index, :3], *angles[index], *record.joint_positions[index])
        content[index] = {
            "qpos": dict(zip((*_POSITION, *_ROTATION, *record.joint_names), map(float, values), strict=True)),
            "scale": float(record.object_scale),
            **{name: float(column[index]) for name, column in record.scores.items() if np.isfinite(column[index])},
        }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, content, allow_pickle=True)


FORMATS = (
    Format(
        name="dexgraspnet",
        title="DexGraspNet",
        place=30,
        suffixes=(".npy",),
        signature=numpy_key("qpos", rank=2),  # part of DexGraspBench's 'grasp_qpos'
        read=read_dexgraspnet,
        write=write_dexgraspnet,
        lacks=(*POSTURES, "object_file"),
        rotation="angles",
    ),
)
