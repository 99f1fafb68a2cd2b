# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""ACRONYM's HDF5: 4 x 4 transforms of a parallel gripper, success in FleX, and the object's file and scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, magic
from omni_graspd.formats.record import GraspRecord, matrix_poses, numbers, scale, text
from omni_graspd.plain_text import shortened

_LARGEST_SIZE, _LONGEST_TEXT = 2**26, 2**16
_LARGEST_RATIO = 50
"""What is larger than these sizes [byte], and so many times as large as the file, is taken for damaged on purpose."""


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
            factor = _dataset(file, "object/scale", path)
            name = _dataset(file, "object/file", path, of_text=True)
    except GraspdError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:  # what h5py throws
        raise GraspdError(f"expected an HDF5 file, got {path} ({shortened(str(error), 120)})") from error
    if transforms is None:
        raise GraspdError(f"expected 'grasps/transforms' in {path}, got another file; name its format with --from")
    poses = matrix_poses(transforms, str(path))
    mesh = name.decode("utf-8", "replace") if isinstance(name, bytes) else text(name)
    return [
        GraspRecord(
            hand="franka_panda",
            object=Path(mesh).stem or path.stem,
            object_file=mesh,
            object_scale=1.0 if factor is None else scale(factor, str(path)),
            joint_names=(),
            T_object_palm=poses,
            joint_positions=np.zeros((len(poses), 0)),
            scores={}
            if success is None
            else {"confidence": numbers(success, str(path), "object_in_gripper", (len(poses),))},
            notes=("no joints in the file",),
        )
    ]


def _dataset(file: Any, name: str, path: Path, *, of_text: bool = False) -> Any:
    """Read numbers, or one text, stored in the file itself and not far larger than the file."""
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
    is_text = h5py.check_string_dtype(entry.dtype) is not None
    if (of_text and not (is_text and entry.size == 1)) or (not of_text and entry.dtype.kind not in "biuf"):
        raise GraspdError(f"expected {name} of {path} to be {'one text' if of_text else 'numbers'}, got {entry.dtype}")
    size, packed = (entry.size or 0) * entry.dtype.itemsize, path.stat().st_size
    if size > (_LONGEST_TEXT if of_text else _LARGEST_SIZE) and size > _LARGEST_RATIO * packed:
        raise GraspdError(
            f"expected {name} of {path} to be about as large as the file, got {size} bytes in {packed}; do not use it"
        )
    value = entry[()]
    return np.ravel(value)[0] if of_text and isinstance(value, np.ndarray) else value


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
