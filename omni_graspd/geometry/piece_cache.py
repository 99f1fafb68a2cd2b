# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Convex pieces of surfaces seen before, in files named by content, in the user's cache folder."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.user_folders import cache_folder

_FOLDER = "convex_pieces"
_PACKAGES = ("coacd", "manifold3d", "scipy", "trimesh")


def cached_pieces(
    mesh: TriangleMesh, recipe: str, make: Callable[[], tuple[TriangleMesh, ...]]
) -> tuple[TriangleMesh, ...]:
    """Return the pieces kept for a surface, or make and keep them; the very same bits either way.

    A folder that cannot be written, or a file that cannot be read, costs time and nothing else.

    Args:
        mesh: The surface. Its content, the recipe and the versions of the packages that do the work name the file.
        recipe: What was asked for: all settings, and the version of the method.
        make: Makes the pieces.
    """
    path = cache_folder(_FOLDER) / f"{_digest(mesh, recipe)}.npz"
    kept = _read(path)
    if kept is not None:
        return kept
    pieces = make()
    _write(path, pieces)
    return pieces


def _digest(mesh: TriangleMesh, recipe: str) -> str:
    versions = [f"{name} {_version(name)}" for name in _PACKAGES]
    digest = hashlib.sha256("\n".join([recipe, *versions]).encode())
    for array, dtype in ((mesh.vertices, np.float64), (mesh.faces, np.int64)):
        digest.update(f"<{array.shape}>".encode())
        digest.update(np.ascontiguousarray(array, dtype=dtype).tobytes())
    return digest.hexdigest()[:32]


def _version(package: str) -> str:
    """Return the version of a package; not all are there in Isaac Sim's Python, nor needed for every object."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _read(path: Path) -> tuple[TriangleMesh, ...] | None:
    try:
        with np.load(path) as arrays:
            flat = [arrays[f"arr_{index}"] for index in range(len(arrays))]
        return tuple(TriangleMesh(*pair) for pair in zip(flat[::2], flat[1::2], strict=True))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, pieces: tuple[TriangleMesh, ...]) -> None:
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, *(array for piece in pieces for array in (piece.vertices, piece.faces)))
    except OSError:
        return
