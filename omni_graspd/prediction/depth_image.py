# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a predictor looks at: a depth image, its camera, and what is known besides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.errors import GraspdError

_FEWEST_PIXELS = 32
_ROTATION_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class DepthImage:
    """A depth image of an object on a table. Cameras have OpenCV's axes: x right, y down, z forward."""

    depth: np.ndarray
    """Distances to the image plane [m], shape [height, width]; infinite, NaN or 0 where nothing was measured."""
    intrinsics: np.ndarray
    """Camera matrix [pixel], shape [3, 3]; the origin is the upper left corner of the image."""
    mask: np.ndarray | None = None
    """Which pixels show the object, bool, shape [height, width]; None: it is what stands on the table."""
    T_world_camera: np.ndarray | None = None
    """Pose of the camera in a world with Z up whose table top is z = 0, shape [4, 4]; None: the table is found in the
    image, as the plane on which most pixels lie."""

    def __post_init__(self) -> None:
        """Check shapes and ranges."""
        depth, matrix = np.shape(self.depth), np.asarray(self.intrinsics, dtype=np.float64)
        if len(depth) != 2 or not np.issubdtype(np.asarray(self.depth).dtype, np.floating):
            raise GraspdError(
                f"expected a depth image of shape [height, width] in metres, got shape {list(depth)} of "
                f"{np.asarray(self.depth).dtype}"
            )
        usual = matrix.shape == (3, 3) and np.isfinite(matrix).all() and matrix[0, 0] > 0.0 and matrix[1, 1] > 0.0
        if not usual or np.abs(matrix[2] - [0.0, 0.0, 1.0]).max() > 1e-9:
            raise GraspdError(
                f"expected a camera matrix [[fx, s, cx], [0, fy, cy], [0, 0, 1]] in pixels, got {matrix.tolist()}"
            )
        if self.mask is not None and np.shape(self.mask) != depth:
            raise GraspdError(f"expected a mask as large as the image, {list(depth)}, got {list(np.shape(self.mask))}")
        if self.T_world_camera is not None:
            _check_pose(np.asarray(self.T_world_camera, dtype=np.float64))

    @property
    def measured(self) -> np.ndarray:
        """Which pixels have a distance, bool, shape [height, width]."""
        return np.isfinite(self.depth) & (self.depth > 0.0)

    def object_pixels(self) -> np.ndarray:
        """Return which pixels show the object and have a distance, bool, shape [height, width].

        Raises:
            GraspdError: If there is no mask, or it has too few such pixels.
        """
        if self.mask is None:
            raise GraspdError("expected a mask of the object, got none; pass one, or let the table be found first")
        seen = np.asarray(self.mask, dtype=bool) & self.measured
        if int(seen.sum()) < _FEWEST_PIXELS:
            raise GraspdError(
                f"expected at least {_FEWEST_PIXELS} pixels with a distance in the mask of the object, got "
                f"{int(seen.sum())}; check that mask and image belong together"
            )
        return seen


def _check_pose(matrix: np.ndarray) -> None:
    rigid = matrix.shape == (4, 4) and np.isfinite(matrix).all()
    if rigid:
        skew = np.abs(matrix[:3, :3] @ matrix[:3, :3].T - np.eye(3)).max()
        rigid = skew < _ROTATION_TOLERANCE and np.linalg.det(matrix[:3, :3]) > 0.0
        rigid = bool(rigid and np.abs(matrix[3] - [0.0, 0.0, 0.0, 1.0]).max() < _ROTATION_TOLERANCE)
    if not rigid:
        raise GraspdError(f"expected the camera's pose as a rigid 4 x 4 matrix T_world_camera, got {matrix.tolist()}")
