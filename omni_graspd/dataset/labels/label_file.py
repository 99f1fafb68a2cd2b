# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Label files: one for each eye and hand, beside the eye's images; NumPy's ``.npz``, read with ``numpy.load``."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from omni_graspd.array_file import read_header
from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened

_ARRAYS = {
    "graspness": ("f", "height", "width"),
    "nearest_grasp": ("i", "height", "width"),
    "points": ("f", "point", 3),
    "point_graspness": ("f", "point"),
    "point_nearest_grasp": ("i", "point"),
    "grasp_index": ("i", "grasp"),
    "visibility": ("f", "grasp"),
}
"""Arrays that samples take from a file: what kind of numbers they hold, and their shapes."""
_LARGEST = 1 << 30
"""Most bytes that the arrays of a file may take."""


def label_path(eye_folder: Path, hand: str) -> Path:
    """Return where the labels of an eye lie for a hand."""
    return eye_folder / f"grasp_labels_{hand}_0000.npz"


def write_labels(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Write a label file; the same arrays give the same bytes.

    Args:
        arrays: Arrays by name.
        path: The file.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]


def read_labels(path: Path) -> dict[str, np.ndarray]:
    """Read a label file.

    Raises:
        GraspdError: If it is missing, damaged, or declares more than a label file holds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _LARGEST:
                raise ValueError(f"more than {_LARGEST} bytes of arrays")
            for member in archive.infolist():
                with archive.open(member) as file:
                    shape, dtype = read_header(file)
                if dtype.hasobject or int(np.prod(shape, dtype=object)) * dtype.itemsize > member.file_size:
                    raise ValueError(f"an array {member.filename} that is not as large as it says")
        with np.load(path, allow_pickle=False) as arrays:
            labels = {name: arrays[name] for name in arrays.files}
        _check_arrays(labels)
        return labels
    except FileNotFoundError as error:
        raise GraspdError(f"there are no grasp labels in {path.parent}; run `graspd label` on the dataset") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise GraspdError(
            f"cannot read the grasp labels {path}: {shortened(str(error), 160)}; delete the file and run `graspd label`"
        ) from error


def _check_arrays(labels: Mapping[str, np.ndarray]) -> None:
    """Check that what samples take is there, of its kind, and as long as what belongs to it.

    Raises:
        ValueError: If it is not.
    """
    lengths: dict[str | int, int] = {3: 3}
    for name, (kind, *shape) in _ARRAYS.items():
        array = labels.get(name)
        if array is None:
            raise ValueError(f"no array {name}")
        is_alike = array.dtype.kind == kind and array.ndim == len(shape)
        if not is_alike or any(lengths.setdefault(n, m) != m for n, m in zip(shape, array.shape, strict=True)):
            raise ValueError(f"an array {name} of {array.dtype} and shape {array.shape}")
