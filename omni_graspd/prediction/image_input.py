# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a user points at, as something to predict grasps of: a view of a dataset, or a depth image in a file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from omni_graspd.array_file import read_array
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.picture import loaded_picture
from omni_graspd.plain_text import shortened
from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.prediction.view_input import DatasetView, is_view, read_view
from omni_graspd.usd.transforms import pose_to_matrix

_MILLIMETRE = 1e-3


def read_source(
    path: Path,
    intrinsics: Sequence[float] | None = None,
    mask: Path | None = None,
    camera_pose: Sequence[float] | None = None,
) -> DatasetView | DepthImage:
    """Read a view of a dataset, or a depth image.

    Args:
        path: Folder of a view, or a depth image: ``.npy`` in metres along the camera's axis, or a 16-bit PNG in
            millimetres.
        intrinsics: Focal lengths and principal point of an image, fx, fy, cx, cy [pixel].
        mask: Image of the same size, above 0 where the object is.
        camera_pose: T_world_camera as x, y, z, qx, qy, qz, qw; the world has Z up and the table top at z = 0.

    Raises:
        GraspdError: If nothing of the kind is there, or something is missing or too much.
    """
    if is_view(path):
        if intrinsics or mask or camera_pose:
            raise GraspdError(
                f"the dataset knows camera and mask of {path}; leave out --intrinsics, --mask and --camera-pose"
            )
        return read_view(path)
    if not path.is_file():
        raise GraspdError(
            "expected a view of a dataset (renders/mug/scene_0000/view_0000) or a depth image (.npy in metres, .png in "
            f"millimetres), got {path}"
        )
    if not intrinsics:
        raise GraspdError(f"{path} does not say what its camera is; add --intrinsics FX FY CX CY, in pixels")
    fx, fy, cx, cy = intrinsics
    return DepthImage(
        depth=_read_depth(path),
        intrinsics=np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]]),
        mask=None if mask is None else _read_mask(mask),
        T_world_camera=_pose(camera_pose) if camera_pose else None,
    )


def _read_depth(path: Path) -> np.ndarray:
    pixels = _read_pixels(path)
    if path.suffix.lower() == ".npy":
        if pixels.ndim != 2 or pixels.dtype.kind != "f":
            raise GraspdError(
                f"expected an array [height, width] of metres in {path}, got shape {list(pixels.shape)} of "
                f"{pixels.dtype}"
            )
        return pixels.astype(np.float64)
    if pixels.ndim != 2 or pixels.dtype == np.uint8:
        raise GraspdError(
            f"expected a 16-bit grey image of millimetres in {path}, got another; save it as .npy in metres"
        )
    return pixels.astype(np.float64) * _MILLIMETRE


def _read_mask(path: Path) -> np.ndarray:
    pixels = _read_pixels(path)
    if pixels.ndim == 3:
        pixels = pixels[..., :3].max(axis=-1)
    if pixels.ndim != 2:
        raise GraspdError(f"expected a mask [height, width] in {path}, got shape {list(pixels.shape)}")
    return pixels > 0


def _read_pixels(path: Path) -> np.ndarray:
    """Read an array of plain numbers, or a picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        if path.suffix.lower() == ".npy":
            pixels = read_array(path)
            if pixels.dtype.kind not in "fiub":
                raise ValueError(f"an array of {pixels.dtype}")
            return pixels
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(path.read_bytes())) as image:
                loaded = loaded_picture(image)
                if isinstance(loaded, str):
                    raise ValueError(loaded)
                return np.asarray(loaded)
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise GraspdError(
            f"cannot read the image {path}: {shortened(str(error), 160)}; save it as .npy or .png"
        ) from error


def _pose(numbers: Sequence[float]) -> np.ndarray:
    pose = np.asarray(numbers, dtype=np.float64)
    if pose.shape != (7,) or not np.isfinite(pose).all() or abs(np.linalg.norm(pose[3:]) - 1.0) > 1e-3:
        raise GraspdError(
            f"expected --camera-pose X Y Z QX QY QZ QW with a unit quaternion, got {' '.join(f'{n:g}' for n in pose)}"
        )
    return pose_to_matrix(pose)
