# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Intersection volume: how much of the object the hand would have to displace."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.geometry.filled_solid import filled_solid
from omni_graspd.geometry.winding_distance import winding_distances
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_positive
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import invert, pose_to_matrix, transform_points

if TYPE_CHECKING:
    from manifold3d import Manifold


@dataclass(frozen=True, kw_only=True)
class IntersectionVolumeConfig:
    """How meshes are measured that do not bound a solid."""

    voxel_size: float = 0.001
    """Voxel size for meshes without an exact boolean intersection [m]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "intersection_volume", "voxel_size", unit=" m", finite=True)


def intersection_volumes(
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: IntersectionVolumeConfig | None = None,
) -> np.ndarray:
    """Measure the volume that the object shares with the union of the hand's links, hollow links filled.

    Exact for the given meshes, by boolean operations. Where the object or a link that may touch it is no closed
    manifold, voxels are counted whose centres lie inside both, by winding numbers.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        config: Fallback.

    Returns:
        Volumes [m3], shape [grasp_count].
    """
    config = config or IntersectionVolumeConfig()
    solids = [filled_solid(link.mesh) for link in hand.links]
    body = filled_solid(obj.mesh)
    T_object_link = link_poses(hand, T_object_palm, joint_positions)
    meet = _boxes_meet(hand, obj.mesh, T_object_link)
    volumes = np.zeros(len(T_object_palm))
    for grasp, poses in enumerate(T_object_link):
        near = np.flatnonzero(meet[grasp])
        exact = [solid for link in near if (solid := solids[link]) is not None]
        if body is None or len(exact) < len(near):
            volumes[grasp] = _voxel_volume(hand, obj.mesh, near, poses, config.voxel_size)
        else:
            volumes[grasp] = _exact_volume(body, exact, poses[near])
    return volumes


def _boxes_meet(hand: Hand, mesh: TriangleMesh, T_object_link: np.ndarray) -> np.ndarray:
    """Tell which links' bounding boxes meet the object's, in either's frame, shape [grasp_count, link_count], bool."""
    meet = np.zeros(T_object_link.shape[:2], dtype=bool)
    matrices = pose_to_matrix(T_object_link)
    box = _box_corners(mesh.vertices)
    for index, link in enumerate(hand.links):
        if not len(link.mesh.faces):
            continue
        rotation, position = matrices[:, index, :3, :3], matrices[:, index, None, :3, 3]
        link_box = _box_corners(link.mesh.vertices)
        in_object = np.einsum("gij,pj->gpi", rotation, link_box) + position
        in_link = np.einsum("gji,gpj->gpi", rotation, box - position)
        meet[:, index] = _overlap(in_object, box) & _overlap(in_link, link_box)
    return meet


def _box_corners(points: np.ndarray) -> np.ndarray:
    return np.array(list(itertools.product(*np.stack([points.min(axis=0), points.max(axis=0)], axis=-1))))


def _overlap(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Tell which sets of points [..., point_count, 3] have a bounding box that meets that of ``box``."""
    above = points.max(axis=-2) >= box.min(axis=0)
    below = points.min(axis=-2) <= box.max(axis=0)
    return (above & below).all(axis=-1)


def _exact_volume(body: Manifold, solids: list[Manifold], poses: np.ndarray) -> float:
    """Unite what each link shares with the object: those pieces are small, and uniting the links first is slow."""
    import manifold3d

    shared = [body ^ solid.transform(pose_to_matrix(pose)[:3]) for solid, pose in zip(solids, poses, strict=True)]
    return float(manifold3d.Manifold.batch_boolean(shared, manifold3d.OpType.Add).volume()) if shared else 0.0


def _voxel_volume(hand: Hand, mesh: TriangleMesh, near: np.ndarray, poses: np.ndarray, size: float) -> float:
    """Count the voxels whose centres lie inside the object and inside one of the ``near`` links."""
    inside = [np.zeros((0, 3), dtype=np.int64)]
    for link in near:
        surface = hand.links[link].mesh
        posed = transform_points(poses[link], surface.vertices)
        low = np.maximum(posed.min(axis=0), mesh.vertices.min(axis=0))
        high = np.minimum(posed.max(axis=0), mesh.vertices.max(axis=0))
        ranges = [np.arange(np.floor(a / size), np.ceil(b / size)) for a, b in zip(low, high, strict=True)]
        cells = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int64)
        centers = transform_points(invert(poses[link]), (cells + 0.5) * size)
        inside.append(cells[_enclosed(surface, centers)])
    cells = np.unique(np.concatenate(inside), axis=0)
    return float(_enclosed(mesh, (cells + 0.5) * size).sum()) * size**3


def _enclosed(mesh: TriangleMesh, points: np.ndarray) -> np.ndarray:
    if not len(points):
        return np.zeros(0, dtype=bool)
    reach = float(np.linalg.norm(np.ptp(np.concatenate([mesh.vertices, points]), axis=0)))
    return winding_distances(mesh, points, reach) < 0.0
