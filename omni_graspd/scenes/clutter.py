# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Clutter: further objects at rest around the one that is grasped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.drop import DropConfig, Simulate, drop_object
from omni_graspd.seeding import random_generator
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import compose, invert, transform_points

GAP = 0.005
"""Least distance between the outlines of two objects seen from above [m]: far enough to settle apart."""

SPREAD = 0.15
"""How much farther than next to the others an object may be put [m]."""

_STEP = 0.005
"""How finely distances from the grasped object are tried [m]."""
_DIRECTIONS = 64
"""Directions to try before the table counts as full."""
_DROPS = 2**16
"""Rest poses to draw from."""


@dataclass(frozen=True)
class Neighbour:
    """An object that lies beside the grasped one."""

    obj: RigidObject
    """The object."""
    T_world_object: np.ndarray
    """Rest pose, shape [7]."""


def obstacles_around(T_world_object: np.ndarray, neighbours: Sequence[Neighbour]) -> tuple[TriangleMesh, ...]:
    """Return the meshes of neighbours in the frame of the object that is grasped.

    Args:
        T_world_object: Its rest pose, shape [7].
        neighbours: What lies beside it.
    """
    T_object_world = invert(T_world_object)
    return tuple(
        TriangleMesh(
            transform_points(compose(T_object_world, neighbour.T_world_object), neighbour.obj.mesh.vertices),
            neighbour.obj.mesh.faces,
        )
        for neighbour in neighbours
    )


async def scatter_neighbours(
    obj: RigidObject,
    T_world_object: np.ndarray,
    candidates: Sequence[RigidObject],
    count: int,
    index: int,
    table_size: Sequence[float],
    drop: DropConfig,
    seed: int,
    simulate: Simulate,
) -> tuple[Neighbour, ...]:
    """Put objects around the one that is grasped, each in a rest pose of its own, close but not in touch.

    Each neighbour is drawn from the candidates, dropped, turned about the vertical, and moved outward from the grasped
    object in a random direction until its outline is clear of all others, and a random distance on. Since none touches
    another, each rests as it did when it was dropped alone.

    Args:
        obj: The object that is grasped.
        T_world_object: Its rest pose, shape [7].
        candidates: Objects to draw from; the grasped one is drawn only where there is no other.
        count: Number of neighbours.
        index: Number of the scene among the object's.
        table_size: Length and width of the table [m]; all neighbours lie on it.
        drop: How neighbours are dropped.
        seed: Seed of the run.
        simulate: The backend's simulation.

    Raises:
        GraspdError: If there is no room on the table, or a neighbour does not come to rest.
    """
    random = random_generator(seed, "clutter", obj.name, index)
    others = [candidate for candidate in candidates if candidate.name != obj.name] or [obj]
    outlines = [_outline(transform_points(T_world_object, obj.mesh.vertices))]
    neighbours: list[Neighbour] = []
    for _ in range(count):
        other = others[int(random.integers(len(others)))]
        rest = (await drop_object(other, int(random.integers(_DROPS)), drop, seed, simulate)).T_world_object
        turn = float(random.uniform(0.0, np.pi))
        pose = compose(np.array([0.0, 0.0, 0.0, 0.0, 0.0, np.sin(turn), np.cos(turn)]), rest)
        outline = _outline(transform_points(pose, other.mesh.vertices))
        shift = _free_shift(outline, outlines, np.asarray(table_size[:2]), random)
        if shift is None:
            raise GraspdError(
                f"expected room for {count} objects beside {obj.name} on a table of {table_size[0]:g} x "
                f"{table_size[1]:g} m, found room for {len(neighbours)}; lower scene.clutter or enlarge "
                "scene.table_size"
            )
        outlines.append(outline + shift)
        neighbours.append(Neighbour(other, pose + np.array([*shift, 0.0, 0.0, 0.0, 0.0, 0.0])))
    return tuple(neighbours)


def _outline(points: np.ndarray) -> np.ndarray:
    """Return the convex outline seen from above, counter-clockwise, shape [corner_count, 2]."""
    from scipy.spatial import ConvexHull

    return points[ConvexHull(points[:, :2]).vertices, :2]


def _free_shift(
    outline: np.ndarray, outlines: list[np.ndarray], table: np.ndarray, random: np.random.Generator
) -> np.ndarray | None:
    """Return the shift in x and y that brings an outline next to the others; None where the table is full."""
    origin, middle = outlines[0].mean(axis=0), outline.mean(axis=0)
    for _ in range(_DIRECTIONS):
        angle = float(random.uniform(0.0, 2.0 * np.pi))
        on = float(random.uniform(0.0, SPREAD))
        direction = np.array([np.cos(angle), np.sin(angle)])
        near = None
        for distance in np.arange(_STEP, float(np.linalg.norm(table)), _STEP):
            shift = origin + distance * direction - middle
            moved = outline + shift
            if np.any(np.abs(moved) > 0.5 * table):
                break
            if all(_apart(moved, other) for other in outlines):
                near = distance if near is None else near
                if distance >= near + on:
                    return shift
    return None


def _apart(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether a line along an edge of one of two convex outlines separates them by the gap."""
    for outline in (one, other):
        edges = np.roll(outline, -1, axis=0) - outline
        normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1) / np.linalg.norm(edges, axis=1, keepdims=True)
        a, b = one @ normals.T, other @ normals.T
        gaps = np.maximum(b.min(axis=0) - a.max(axis=0), a.min(axis=0) - b.max(axis=0))
        if gaps.max() >= GAP:
            return True
    return False
