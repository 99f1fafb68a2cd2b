# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images of objects at rest on a table, by rays, with a sensor's errors: a hundredth of what rendering costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from omni_graspd.geometry.rays import first_hits
from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.rendering.cameras import CameraConfig, random_view
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import matrix_to_pose, pose_to_matrix, transform_points

_CAMERA = CameraConfig(views=1, stereo=False, width=160, height=120, elevation=(20.0, 80.0))
_REACH = 10.0
_FORWARD = np.diag([1.0, -1.0, -1.0, 1.0])
"""From USD's camera axes to those of images."""


@dataclass(frozen=True, eq=False)
class RestingObject:
    """An object at rest in a world whose table top is z = 0."""

    T_world_object: np.ndarray
    """Where it rests, shape [7]."""
    mesh: TriangleMesh
    """Its surface in the world [m]."""
    closed: bool
    """Whether the surface encloses a volume."""

    @classmethod
    def on(cls, obj: RigidObject, plane: np.ndarray) -> RestingObject:
        """Put an object on a table.

        Args:
            obj: The object.
            plane: The table top in its frame, unit normal and offset [m], shape [4].
        """
        up = np.asarray(plane[:3], dtype=np.float64) / np.linalg.norm(plane[:3])
        ahead = np.eye(3)[int(np.abs(up).argmin())]
        x = ahead - (ahead @ up) * up
        x /= np.linalg.norm(x)
        matrix = np.eye(4)
        matrix[:3, :3] = [x, np.cross(up, x), up]
        matrix[:3, 3] = [0.0, 0.0, -float(plane[3])]
        pose = matrix_to_pose(matrix)
        return cls(pose, TriangleMesh(transform_points(pose, obj.mesh.vertices), obj.mesh.faces), obj.closed)

    @cached_property
    def distance(self) -> SignedDistance:
        """The surface, ready to be asked."""
        return SignedDistance.build(self.mesh, closed=self.closed, device="cpu")


def cast_view(resting: RestingObject, random: np.random.Generator, noise: float) -> DepthImage:
    """Look at an object from somewhere.

    Args:
        resting: The object.
        random: Draws the camera and the errors of its sensor.
        noise: Spread of the errors of distances [m].
    """
    low, high = resting.mesh.vertices.min(axis=0), resting.mesh.vertices.max(axis=0)
    rig = random_view(0.5 * (low + high), 0.5 * float(np.linalg.norm(high - low)), _CAMERA, random)
    T_world_camera = pose_to_matrix(rig) @ _FORWARD
    focal = _CAMERA.focal_length / _CAMERA.horizontal_aperture * _CAMERA.width
    height, width = _CAMERA.height, _CAMERA.width
    intrinsics = np.array([[focal, 0.0, 0.5 * width], [0.0, focal, 0.5 * height], [0.0, 0.0, 1.0]])
    rows, columns = np.indices((height, width))
    before = np.stack([columns + 0.5, rows + 0.5, np.ones((height, width))], axis=-1) @ np.linalg.inv(intrinsics).T
    lengths = np.linalg.norm(before, axis=-1)
    rays = (before / lengths[..., None]) @ T_world_camera[:3, :3].T
    origins = np.broadcast_to(T_world_camera[:3, 3], rays.shape)
    hits, _ = first_hits(resting.distance.mesh, origins, rays, _REACH)
    downward = np.minimum(rays[..., 2], -1e-9)
    table = np.where(rays[..., 2] < -1e-6, -T_world_camera[2, 3] / downward, np.inf)
    mask = (hits >= 0.0) & (hits < table)
    depth = np.where(mask, hits, table) / lengths
    depth = depth + noise * random.standard_normal(depth.shape)
    return DepthImage(depth, intrinsics, mask, T_world_camera)
