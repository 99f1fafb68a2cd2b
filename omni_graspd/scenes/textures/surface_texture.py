# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a procedural texture consists of, and its PNG files in the terms of UsdPreviewSurface."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.atomic import atomic_path

Color = tuple[float, float, float]
"""sRGB values, 0 to 1."""


@dataclass(frozen=True)
class SurfaceTexture:
    """A square piece of a surface that repeats without a seam."""

    color: np.ndarray
    """sRGB values, shape [size, size, 3], 0 to 1."""
    roughness: np.ndarray | None = None
    """0 mirror, 1 matt, shape [size, size]; None where it is the same everywhere."""
    slopes: tuple[np.ndarray, np.ndarray] | None = None
    """How the surface rises to the right and to the top of the image, each shape [size, size]; None: flat."""


@dataclass(frozen=True)
class TextureFiles:
    """Files of a texture."""

    color: Path
    """sRGB colours."""
    roughness: Path | None
    """Grey values."""
    normal: Path | None
    """Tangent-space normals, 0 to 255 for -1 to 1."""


def mix(low: Color | np.ndarray, high: Color | np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return colours between ``low`` (share 0) and ``high`` (share 1), shape [..., 3]."""
    weight = np.clip(share, 0.0, 1.0)[..., None]
    return np.asarray(low, np.float32) * (1.0 - weight) + np.asarray(high, np.float32) * weight


def texture_files(name: str, folder: Path, *, rough: bool, bumpy: bool) -> TextureFiles:
    """Return where the files of a texture lie in a folder; nothing is touched."""
    return TextureFiles(
        folder / f"{name}.png",
        folder / f"{name}_roughness.png" if rough else None,
        folder / f"{name}_normal.png" if bumpy else None,
    )


def write_texture(texture: SurfaceTexture, files: TextureFiles) -> None:
    """Write the files of a texture, the colours last: where they are, the others are, too."""
    from PIL import Image

    images = []
    if texture.slopes is not None and files.normal is not None:
        images.append((files.normal, _normals(texture.slopes)))
    if texture.roughness is not None and files.roughness is not None:
        images.append((files.roughness, texture.roughness))
    for path, values in [*images, (files.color, texture.color)]:
        with atomic_path(path) as temporary:
            pixels = np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
            Image.fromarray(pixels).save(temporary, format="PNG", compress_level=3)


def _normals(slopes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    normals = np.stack([-slopes[0], -slopes[1], np.ones_like(slopes[0])], axis=-1)
    return 0.5 + 0.5 * normals / np.linalg.norm(normals, axis=-1, keepdims=True)
