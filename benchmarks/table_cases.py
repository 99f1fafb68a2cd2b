# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects as they lie on a table: their most frequent rest poses, from drops with PhysX."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from synthesis_quality import collision_pieces

from omni_graspd.library import list_names
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.drop import DropConfig, drop_objects
from omni_graspd.scenes.rest_poses import cluster_rest_poses, down_directions
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import transform_points


@dataclass(frozen=True)
class TableCase:
    """An object and how it lies."""

    source: str
    """Name of a built-in object, or a file."""
    label: str
    """What it is called in tables."""
    T_world_object: np.ndarray
    """Rest poses on the table top z = 0, the most frequent first, shape [pose_count, 7]."""
    drops: np.ndarray
    """How many drops ended in each, shape [pose_count]."""
    heights: np.ndarray
    """Height of the object in each [m], shape [pose_count]."""
    pieces: tuple[TriangleMesh, ...]
    """Convex meshes that it collides with [m]."""


def object_sources(folder: Path | None, only: list[str]) -> list[str]:
    """Return the built-in objects and the mesh files below a folder whose name or path holds one of ``only``."""
    files = [] if folder is None else [p for p in folder.rglob("*") if p.suffix in {".ply", ".obj", ".stl", ".glb"}]
    sources = [*list_names("objects"), *sorted(str(file) for file in files)]
    return [source for source in sources if not only or any(name in source for name in only)]


def find_case(source: str, poses: int, drops: int, seed: int) -> TableCase:
    """Drop an object and return how it lies.

    Args:
        source: Name of a built-in object, or a file.
        poses: How many rest poses to keep at most.
        drops: How often it is dropped.
        seed: Seed of the drops.
    """
    obj = load_object(source)
    dropped = asyncio.run(drop_objects(obj, range(drops), DropConfig(), seed, simulate))
    found = np.array([drop.T_world_object for drop in dropped])
    clusters = cluster_rest_poses(down_directions(found))
    first = [int(np.flatnonzero(clusters.labels == label)[0]) for label in range(min(poses, len(clusters.counts)))]
    kept = found[first]
    return TableCase(
        source=source,
        label=label_of(source),
        T_world_object=kept,
        drops=clusters.counts[: len(kept)],
        heights=np.array([np.ptp(transform_points(pose, obj.mesh.vertices)[:, 2]) for pose in kept]),
        pieces=collision_pieces(obj),
    )


def label_of(source: str) -> str:
    """Return a short name of an object; that of a file says in which folder it is, too."""
    path = Path(source)
    return "/".join(path.with_suffix("").parts[-2:])
