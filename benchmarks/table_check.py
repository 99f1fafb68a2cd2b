# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The way of a hand over a table once more, with trimesh and NumPy: nothing is shared with the code that found it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import trimesh
from scipy.spatial import cKDTree
from trimesh.transformations import quaternion_matrix, quaternion_slerp, rotation_matrix

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.meshes import TriangleMesh

APPROACH = np.linspace(0.0, 1.0, 9)
"""Shares of the way from pregrasp to hover that are looked at."""
CLOSING = np.linspace(0.0, 1.0, 8)[1:]
"""Shares of the way from hover to grasp; others than those at which the way was planned."""
LIFT = 0.05
"""How high the closed hand is lifted [m]."""
PREGRASP_DISTANCE = 0.01 - 0.0005
"""Least distance of the pregrasp from the object [m]: 1 cm was asked for, measured between points."""

# Heights are rounded to this [m].
_ROUNDING = 1e-6
# Edges of surfaces between which distances are measured are no longer than this [m].
_EDGE = 0.004
_BATCH = 2_000_000


class Surface:
    """A mesh with what is asked of it over and over."""

    def __init__(self, mesh: TriangleMesh) -> None:
        """Build search trees."""
        self.mesh = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
        self.edges = self.mesh.edges_unique
        self.points, _ = trimesh.remesh.subdivide_to_size(self.mesh.vertices, self.mesh.faces, _EDGE, max_iter=12)
        self.tree = cKDTree(self.points)

    def near(self, points: np.ndarray, margin: float = 0.0) -> np.ndarray:
        """Tell which points are in the bounding box grown by a margin, shape [point_count], bool."""
        lower, upper = self.mesh.bounds
        return ((points >= lower - margin) & (points <= upper + margin)).all(axis=1)

    def has_inside(self, points: np.ndarray) -> bool:
        """Tell whether any of the points is inside: by rays where the mesh is closed, and always by winding numbers."""
        points = points[self.near(points)]
        if len(points) and self.mesh.is_watertight:
            points = points[self.mesh.ray.contains_points(points)]
        return bool(len(points) and (winding_numbers(self.mesh.triangles, points) > 0.5).any())

    def is_crossed(self, starts: np.ndarray, ends: np.ndarray) -> bool:
        """Tell whether any of the straight lines crosses the surface."""
        lower, upper = self.mesh.bounds
        meet = ((np.minimum(starts, ends) <= upper) & (np.maximum(starts, ends) >= lower)).all(axis=1)
        starts, ends = starts[meet], ends[meet]
        lengths = np.linalg.norm(ends - starts, axis=1)
        keep = lengths > 1e-9
        starts, lengths = starts[keep], lengths[keep]
        if not len(starts):
            return False
        directions = (ends[keep] - starts) / lengths[:, None]
        places, rays, _ = self.mesh.ray.intersects_location(starts, directions, multiple_hits=False)
        return bool((np.linalg.norm(places - starts[rays], axis=1) < lengths[rays]).any())

    def distance(self, points: np.ndarray, reach: float) -> float:
        """Return the least distance of the points from the surface, at most ``reach`` [m]."""
        points = points[self.near(points, reach)]
        if not len(points):
            return reach
        # No point of the surface is farther from the tree's points than an edge is long.
        least, _ = self.tree.query(points)
        points = points[least < reach + _EDGE]
        if not len(points):
            return reach
        _, distances, _ = trimesh.proximity.closest_point(self.mesh, points)
        return min(reach, float(distances.min()))


@dataclass(frozen=True)
class Station:
    """A moment on the way."""

    name: str
    """Where on the way."""
    T_world_palm: np.ndarray
    """Shape [4, 4]."""
    joints: np.ndarray
    """All joints [rad or m], shape [joint_count]."""
    is_open: bool
    """Whether the hand must not touch the object."""


class WayCheck:
    """A hand and an object on the table top z = 0."""

    def __init__(self, hand: Hand, obj: RigidObject) -> None:
        """Prepare the surfaces."""
        self.hand, self.object, self.links = hand, Surface(obj.mesh), _link_surfaces(hand)

    def faults(self, T_world_object: np.ndarray, batch: GraspBatch, row: int) -> list[str]:
        """Return what is wrong with the way of a grasp, one line each; nothing if it passes.

        No vertex of a link may be below the table at any of the stations. Between pregrasp and hover the hand may not
        touch the object: no vertex of one inside the other, no edge of one through the other's surface. At the pregrasp
        its distance must be what was asked for.

        Args:
            T_world_object: Rest pose, shape [7].
            batch: Grasps with postures and a way.
            row: Which of them.
        """
        faults = []
        T_object_world = np.linalg.inv(_matrix(T_world_object))
        for number, station in enumerate(_stations(_matrix(T_world_object), batch, row)):
            links = link_matrices(self.hand, station.T_world_palm, station.joints)
            faults += self._below_table(station, links)
            if station.is_open:
                T_object_link = T_object_world @ links
                faults += [
                    f"{link.name} touches the object at {station.name}"
                    for link, surface, matrix in zip(self.hand.links, self.links, T_object_link, strict=True)
                    if surface and self._touches(surface, matrix)
                ]
                if number == 0:
                    faults += self._too_near(T_object_link)
        return faults

    def _below_table(self, station: Station, links: np.ndarray) -> list[str]:
        faults = []
        for link, matrix in zip(self.hand.links, links, strict=True):
            if len(link.mesh.vertices):
                height = float((link.mesh.vertices @ matrix[2, :3]).min() + matrix[2, 3])
                if not height >= -_ROUNDING:
                    faults.append(f"{link.name} {-1e3 * height:.3f} mm below the table at {station.name}")
        return faults

    def _touches(self, link: Surface, T_object_link: np.ndarray) -> bool:
        in_object = _moved(T_object_link, link.mesh.vertices)
        lower, upper = self.object.mesh.bounds
        if (in_object.max(axis=0) < lower).any() or (in_object.min(axis=0) > upper).any():
            return False
        in_link = _moved(np.linalg.inv(T_object_link), self.object.mesh.vertices)
        return (
            self.object.has_inside(in_object)
            or link.has_inside(in_link)
            or self.object.is_crossed(*np.swapaxes(in_object[link.edges], 0, 1))
            or link.is_crossed(*np.swapaxes(in_link[self.object.edges], 0, 1))
        )

    def _too_near(self, T_object_link: np.ndarray) -> list[str]:
        faults = []
        for link, surface, matrix in zip(self.hand.links, self.links, T_object_link, strict=True):
            if surface is None:
                continue
            distance = self.object.distance(_moved(matrix, surface.points), PREGRASP_DISTANCE)
            distance = surface.distance(_moved(np.linalg.inv(matrix), self.object.points), distance)
            if distance < PREGRASP_DISTANCE:
                faults.append(f"{link.name} {1e3 * distance:.2f} mm from the object at the pregrasp")
        return faults


def link_matrices(hand: Hand, T_world_palm: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return the poses of all links from the hand's description alone, shape [link_count, 4, 4].

    Args:
        hand: The hand.
        T_world_palm: Shape [4, 4].
        joints: All joints [rad or m], shape [joint_count].
    """
    matrices: list[np.ndarray] = []
    for link in hand.links:
        if link.parent < 0:
            matrices.append(T_world_palm)
            continue
        joint_link = np.linalg.inv(_matrix(link.T_link_joint))
        matrices.append(matrices[link.parent] @ _matrix(link.T_parent_joint) @ _motion(link, joints) @ joint_link)
    return np.array(matrices)


def winding_numbers(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return how often a surface winds about each point, shape [point_count].

    Args:
        triangles: Corners, shape [face_count, 3, 3].
        points: Shape [point_count, 3].

    References:
        Van Oosterom and Strackee, "The Solid Angle of a Plane Triangle", 1983.
    """
    result = np.zeros(len(points))
    step = max(1, _BATCH // len(triangles))
    for start in range(0, len(points), step):
        a, b, c = np.moveaxis(triangles[None] - points[start : start + step, None, None], 2, 0)
        la, lb, lc = (np.linalg.norm(corner, axis=-1) for corner in (a, b, c))
        volume = (a * np.cross(b, c)).sum(axis=-1)
        rest = la * lb * lc + (a * b).sum(axis=-1) * lc + (b * c).sum(axis=-1) * la + (c * a).sum(axis=-1) * lb
        result[start : start + step] = np.arctan2(volume, rest).sum(axis=1) / (2.0 * np.pi)
    return result


@functools.lru_cache(maxsize=8)
def _link_surfaces(hand: Hand) -> tuple[Surface | None, ...]:
    return tuple(Surface(link.mesh) if len(link.mesh.faces) else None for link in hand.links)


def _stations(T_world_object: np.ndarray, batch: GraspBatch, row: int) -> Iterator[Station]:
    assert batch.way is not None and batch.postures is not None
    way, postures = batch.way, batch.postures
    opened, closed = postures.pregrasp_joint_positions[row], batch.joint_positions[row]
    squeeze = postures.squeeze_joint_positions[row]
    pregrasp, hover, grasp = (
        T_world_object @ _matrix(pose)
        for pose in (
            postures.T_object_pregrasp_palm[row],
            way.T_object_hover_palm[row],
            batch.T_object_palm[row],
        )
    )
    for share in APPROACH:
        yield Station(f"approach {share:.2f}", _between(pregrasp, hover, share), opened, True)
    for share in CLOSING:
        joints = opened + share * (closed - opened)
        yield Station(f"closing {share:.2f}", _between(hover, grasp, share), joints, False)
    yield Station("squeeze", grasp, squeeze, False)
    lifted = grasp.copy()
    lifted[:3, 3] += LIFT * (T_world_object[:3, :3] @ way.lift_direction[row])
    yield Station("lift", lifted, squeeze, False)


def _motion(link: Link, joints: np.ndarray) -> np.ndarray:
    if link.joint < 0:
        return np.eye(4)
    if link.joint_type == "revolute":
        return rotation_matrix(joints[link.joint], link.axis)
    matrix = np.eye(4)
    matrix[:3, 3] = joints[link.joint] * link.axis
    return matrix


def _matrix(pose: np.ndarray) -> np.ndarray:
    matrix = quaternion_matrix(np.asarray(pose, dtype=np.float64)[[6, 3, 4, 5]])
    matrix[:3, 3] = pose[:3]
    return matrix


def _between(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    turns = [trimesh.transformations.quaternion_from_matrix(matrix) for matrix in (start, end)]
    matrix = quaternion_matrix(quaternion_slerp(*turns, share))
    matrix[:3, 3] = start[:3, 3] + share * (end[:3, 3] - start[:3, 3])
    return matrix


def _moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]
