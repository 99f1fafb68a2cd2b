# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""ACRONYM's HDF5: 4 x 4 transforms of a parallel gripper, success in FleX, and the object's file and scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, magic
from omni_graspd.formats.record import GraspRecord, matrix_poses, numbers

_MOST_NUMBERS = 10**8


def read_acronym(path: Path) -> list[GraspRecord]:
    """Read the grasps of one object; needs h5py.

    Raises:
        GraspdError: If h5py is missing, or it is no such file.
    """
    try:
        import h5py  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise GraspdError(
            f"expected h5py for {path}, got none; install it with: pip install 'omni-graspd[convert]'"
        ) from error
    try:
        with h5py.File(path, "r") as file:
            transforms = _dataset(file, "grasps/transforms", path)
            success = _dataset(file, "grasps/qualities/flex/object_in_gripper", path)
            scale = _dataset(file, "object/scale", path)
            name = _dataset(file, "object/file", path)
    except (OSError, RuntimeError) as error:
        raise GraspdError(f"expected an HDF5 file, got {path} ({' '.join(str(error).split())[:120]})") from error
    if transforms is None:
        raise GraspdError(f"expected 'grasps/transforms' in {path}, got another file; name its format with --from")
    poses = matrix_poses(transforms, str(path))
    mesh = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name or "")
    return [
        GraspRecord(
            hand="franka_panda",
            object=Path(mesh).stem or path.stem,
            object_file=mesh,
            object_scale=1.0
            if scale is None
            else float(np.ravel(numbers(np.ravel(scale), str(path), "scale", (None,)))[0]),
            joint_names=(),
            T_object_palm=poses,
            joint_positions=np.zeros((len(poses), 0)),
            scores={}
            if success is None
            else {"confidence": numbers(success, str(path), "object_in_gripper", (len(poses),))},
            notes=("no joints in the file",),
        )
    ]


def _dataset(file: Any, name: str, path: Path) -> Any:
    """Read one entry that is stored in the file itself and not too large."""
    import h5py  # pyright: ignore[reportMissingImports]

    # A link may lead into any other file of this machine.
    parts = name.split("/")
    for depth in range(1, len(parts) + 1):
        link = file.get("/".join(parts[:depth]), getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise GraspdError(f"expected {name} to lie in {path} itself, got a link; copy what it leads to")
    entry = file[name]
    if not isinstance(entry, h5py.Dataset) or entry.is_virtual or entry.external:
        raise GraspdError(f"expected {name} to lie in {path} itself, got something else")
    if entry.size is not None and entry.size > _MOST_NUMBERS:
        raise GraspdError(f"expected at most {_MOST_NUMBERS} numbers in {name} of {path}, got {entry.size}; split it")
    return entry[()]


FORMATS = (
    Format(
        name="acronym",
        title="ACRONYM",
        place=90,
        suffixes=(".h5",),
        signature=magic(b"\x89HDF", "an HDF5 file"),
        read=read_acronym,
        rotation="matrices",
    ),
)
