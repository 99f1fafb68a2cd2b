# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid transforms in NumPy and at the USD border.

A pose is an array ``[..., 7]``: position x y z [m], then a unit quaternion x y z w (the layout of ``wp.transform``).
``T_a_b`` maps coordinates in frame b to frame a.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    # Imported where it is used: reading a dataset takes no USD.
    from pxr import Gf, Usd, UsdGeom

IDENTITY = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])


def pose_to_matrix(pose: np.ndarray) -> np.ndarray:
    """Convert poses [..., 7] to homogeneous matrices [..., 4, 4] acting on column vectors."""
    pose = np.asarray(pose, dtype=np.float64)
    x, y, z, w = np.moveaxis(pose[..., 3:] / np.linalg.norm(pose[..., 3:], axis=-1, keepdims=True), -1, 0)
    matrix = np.zeros((*pose.shape[:-1], 4, 4))
    matrix[..., 0, :3] = np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], axis=-1)
    matrix[..., 1, :3] = np.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], axis=-1)
    matrix[..., 2, :3] = np.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], axis=-1)
    matrix[..., :3, 3] = pose[..., :3]
    matrix[..., 3, 3] = 1.0
    return matrix


def matrix_to_pose(matrix: np.ndarray) -> np.ndarray:
    """Convert rigid homogeneous matrices [..., 4, 4] to poses [..., 7] with w >= 0."""
    from scipy.spatial.transform import Rotation

    matrix = np.asarray(matrix, dtype=np.float64)
    quat = Rotation.from_matrix(matrix[..., :3, :3].reshape(-1, 3, 3)).as_quat(canonical=True)
    return np.concatenate([matrix[..., :3, 3], quat.reshape(*matrix.shape[:-2], 4)], axis=-1)


def compose(T_a_b: np.ndarray, T_b_c: np.ndarray) -> np.ndarray:
    """Chain poses: T_a_c = T_a_b · T_b_c, with broadcasting."""
    return matrix_to_pose(pose_to_matrix(T_a_b) @ pose_to_matrix(T_b_c))


def invert(T_a_b: np.ndarray) -> np.ndarray:
    """Invert poses: T_b_a."""
    return matrix_to_pose(np.linalg.inv(pose_to_matrix(T_a_b)))


def transform_points(T_a_b: np.ndarray, points_b: np.ndarray) -> np.ndarray:
    """Map points [point_count, 3] from frame b to frame a by one pose [7]."""
    matrix = pose_to_matrix(T_a_b)
    return np.asarray(points_b) @ matrix[:3, :3].T + matrix[:3, 3]


def gf_to_matrix(matrix: Gf.Matrix4d) -> np.ndarray:
    """Convert USD's row-vector matrix to one acting on column vectors, shape [4, 4]; scale is kept."""
    return np.array(matrix).T


def local_to_world(prim: Usd.Prim, cache: UsdGeom.XformCache | None = None) -> np.ndarray:
    """Return the prim's local-to-world matrix in stage units, shape [4, 4], acting on column vectors."""
    from pxr import UsdGeom

    return gf_to_matrix((cache or UsdGeom.XformCache()).GetLocalToWorldTransform(prim))


def author_pose(prim: Usd.Prim, pose: np.ndarray) -> None:
    """Place a prim relative to its parent with one translate and one orient operation, replacing what was there.

    Args:
        prim: A transformable prim.
        pose: T_parent_prim, shape [7], in stage units.
    """
    from pxr import Gf, UsdGeom

    xformable = UsdGeom.Xformable(prim)
    xformable.ClearXformOpOrder()
    x, y, z, w = (float(v) for v in pose[3:])
    xformable.AddTranslateOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Vec3d(*(float(v) for v in pose[:3])))
    xformable.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(w, x, y, z))


def without_jumps(poses: np.ndarray) -> np.ndarray:
    """Return poses [count, 7] with each quaternion on the side of the one before."""
    found = poses.copy()
    for row in range(1, len(found)):
        if found[row, 3:] @ found[row - 1, 3:] < 0.0:
            found[row, 3:] *= -1.0
    return found
