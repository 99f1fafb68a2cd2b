# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Signed distance to an object's surface through a bounding volume hierarchy."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import warp as wp

from omni_graspd.geometry.corner_normals import surface_normals
from omni_graspd.geometry.signed_distance_kernels import SIGN_FROM_NORMALS, SIGN_FROM_WINDING_NUMBER, query_kernel
from omni_graspd.ranges import require_within
from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True, kw_only=True)
class SignedDistanceConfig:
    """How the surface is smoothed."""

    phong_alpha: float = 0.5
    """Blend from flat (0) to curved (1) Phong triangles: 0 gives the exact distance to the mesh; 0.5 matches a sphere
    to second order; the paper's released script uses 0.75, which bulges half as much again."""
    crease_angle: float = math.radians(40.0)
    """Edges whose face normals differ by more than this stay sharp [rad]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_within(self, "synthesis.distance", 0.0, 1.0, "phong_alpha")
        require_within(self, "synthesis.distance", 0.0, math.pi, "crease_angle")


@dataclass(frozen=True, eq=False)
class SignedDistance:
    """A surface on a device, ready for :func:`~omni_graspd.geometry.signed_distance_kernels.signed_distance`."""

    mesh: wp.Mesh
    """The triangles in the object frame [m]."""
    corner_normals: wp.array
    """What :func:`~omni_graspd.geometry.corner_normals.surface_normals` gives, ``wp.vec3``, shape [9 * face_count]."""
    sign_mode: int
    """Where the sign comes from, a constant of the kernel module."""
    phong_alpha: float
    """Weight of the curved triangle."""

    @classmethod
    def build(
        cls, mesh: TriangleMesh, *, closed: bool, device: str, config: SignedDistanceConfig | None = None
    ) -> SignedDistance:
        """Put a mesh on a device.

        Args:
            mesh: A welded mesh, oriented outward [m].
            closed: Whether it encloses a volume; otherwise inside and outside come from winding numbers.
            device: Warp device, for example ``"cpu"`` or ``"cuda:0"``.
            config: How the surface is smoothed.
        """
        config = config or SignedDistanceConfig()
        normals = surface_normals(mesh, crease_angle=config.crease_angle)
        all_clear = closed and bool(normals[:, 3:].any(axis=(1, 2)).all())
        return cls(
            mesh=wp.Mesh(
                points=wp.array(mesh.vertices.astype(np.float32), dtype=wp.vec3, device=device),
                indices=wp.array(mesh.faces.astype(np.int32).ravel(), dtype=wp.int32, device=device),
                support_winding_number=not all_clear,
            ),
            corner_normals=wp.array(normals.reshape(-1, 3).astype(np.float32), dtype=wp.vec3, device=device),
            sign_mode=int(SIGN_FROM_NORMALS if closed else SIGN_FROM_WINDING_NUMBER),
            phong_alpha=config.phong_alpha,
        )

    @property
    def device(self) -> str:
        """Warp device that it is on."""
        return str(self.mesh.device)

    @functools.cached_property
    def bounds(self) -> tuple[wp.vec3, wp.vec3]:
        """Lowest and highest corner of the box about the mesh [m]."""
        points: np.ndarray = self.mesh.points.numpy()
        return wp.vec3(*points.min(axis=0)), wp.vec3(*points.max(axis=0))

    def query(self, points: np.ndarray, max_distance: float) -> tuple[np.ndarray, np.ndarray]:
        """Compute signed distances of many points.

        Args:
            points: Points in the object frame [m], shape [point_count, 3].
            max_distance: Surface farther than this is not looked for [m].

        Returns:
            Signed distances [m], negative inside, ``max_distance`` where nothing is near, shape [point_count]; and
            unit gradients pointing out of the object, zero where nothing is near, shape [point_count, 3].
        """
        device = self.device
        device_points = wp.array(np.asarray(points, dtype=np.float32).reshape(-1, 3), dtype=wp.vec3, device=device)
        distances = wp.empty(len(device_points), dtype=float, device=device)
        normals = wp.empty_like(device_points)
        wp.launch(
            query_kernel,
            dim=len(device_points),
            inputs=[self.mesh.id, self.corner_normals, device_points, max_distance, self.sign_mode, self.phong_alpha],
            outputs=[distances, normals],
            device=device,
        )
        return distances.numpy(), normals.numpy()
