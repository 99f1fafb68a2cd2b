# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The space around a seen object in voxels: what the camera knows of it, and signed distances to the whole object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.prediction.depth_image import DepthImage

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]

SIDE = 24
"""Voxels along each edge."""
DEEP = 4.0
"""Distances are told up to so many voxels."""
_LEAST_SPACING = 0.004
_HIDDEN = 1.35
"""The object is thought to be so much longer than what is seen of it, at most."""
_SHIFTED = 0.1
"""Of that, so much lies behind."""


@dataclass(frozen=True, eq=False)
class GridPlace:
    """Where voxels are: ``origin`` is the first one's middle; they follow the axes of the crop frame."""

    origin: np.ndarray
    """In the crop frame [m], shape [3]; its height is that of the table top, 0."""
    spacing: float
    """Edge of a voxel [m]."""

    @classmethod
    def around(cls, points: np.ndarray) -> GridPlace:
        """Choose voxels that hold an object of which some points are seen.

        Args:
            points: Points in the crop frame [m], shape [point_count, 3].
        """
        low, high = np.quantile(points, (0.01, 0.99), axis=0)
        along = float((high - low)[:2].max())
        spacing = max(_HIDDEN * along / (SIDE - 4), float(high[2]) / (SIDE - 3), _LEAST_SPACING)
        middle = 0.5 * (low + high)[:2] + [_SHIFTED * along, 0.0]
        return cls(np.append(middle - 0.5 * (SIDE - 1) * spacing, 0.0), spacing)

    @property
    def points(self) -> np.ndarray:
        """Middles of all voxels in the crop frame [m], shape [SIDE, SIDE, SIDE, 3]."""
        return self.origin + self.spacing * np.moveaxis(np.indices((SIDE, SIDE, SIDE)), 0, -1)


def seen_grid(image: DepthImage, place: GridPlace, T_camera_crop: np.ndarray) -> np.ndarray:
    """Tell for each voxel what the camera knows of it.

    Args:
        image: The image, with a mask.
        place: Where the voxels are.
        T_camera_crop: The crop frame before the camera, shape [4, 4].

    Returns:
        Shape [2, SIDE, SIDE, SIDE], float32: how far the voxel is before what its pixel shows, in voxels, negative
        behind it; and 1 where that pixel shows the object. What no pixel shows counts as hidden.
    """
    assert image.mask is not None
    before = place.points.reshape(-1, 3) @ T_camera_crop[:3, :3].T + T_camera_crop[:3, 3]
    depth = before[:, 2]
    pixels = before @ np.asarray(image.intrinsics, dtype=np.float64).T
    height, width = np.shape(image.depth)
    columns, rows = np.floor(pixels[:, :2] / np.maximum(pixels[:, 2:], 1e-6)).T
    inside = (depth > 0.0) & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    flat = np.where(inside, rows * width + columns, 0).astype(np.int64)
    shown = np.where(image.measured, image.depth, np.nan).ravel()[flat]
    ahead = np.where(inside, (shown - depth) / place.spacing, np.nan)
    ahead = np.clip(np.nan_to_num(ahead, nan=-DEEP, posinf=DEEP, neginf=-DEEP), -DEEP, DEEP)
    mask = inside & np.asarray(image.mask, dtype=bool).ravel()[flat]
    return np.stack([ahead, mask]).reshape(2, SIDE, SIDE, SIDE).astype(np.float32)


@dataclass(frozen=True, eq=False)
class ShapeGrids:
    """Signed distances in the voxels of V views."""

    values: Tensor
    """In voxels, negative inside, shape [V, SIDE, SIDE, SIDE]."""
    origins: Tensor
    """Of the voxels in the crop frames [m], shape [V, 3]."""
    spacings: Tensor
    """Edges of the voxels [m], shape [V]."""

    def distances(self, points: Tensor) -> Tensor:
        """Return signed distances [m] between voxels, and, outside of them, at least how far away they are.

        Args:
            points: In the crop frames [m], shape [V, ..., 3].

        Returns:
            Shape [V, ...]; true up to ``DEEP`` voxels.
        """
        import torch  # pyright: ignore[reportMissingImports]

        views, shape = len(points), points.shape[:-1]
        flat = points.reshape(views, -1, 3)
        index = (flat - self.origins[:, None]) / self.spacings[:, None, None]
        kept = index.clamp(0.0, SIDE - 1.0)
        beyond = (index - kept).norm(dim=-1)
        # The last axis of the voxels is the first coordinate there.
        asked = (2.0 / (SIDE - 1.0) * kept - 1.0).flip(-1)[:, :, None, None]
        found = torch.nn.functional.grid_sample(
            self.values[:, None], asked, mode="bilinear", padding_mode="border", align_corners=True
        )[:, 0, :, 0, 0]
        return ((found + beyond).clamp(max=DEEP) * self.spacings[:, None]).reshape(shape)
