# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A USD camera and an image size as a pinhole: intrinsics, projection, and Replicator's ``camera_params``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pxr import Sdf, Usd, UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.plural import counted
from omni_graspd.usd.stage import file_of
from omni_graspd.usd.stage_time import first_time
from omni_graspd.usd.stage_values import numbers_in
from omni_graspd.usd.transforms import local_to_world


@dataclass(frozen=True)
class PinholeCamera:
    """A pinhole camera with square pixels, in stage units.

    Image coordinates are continuous, x right and y down, with the origin at the upper left corner of the image;
    the centre of pixel (column, row) is (column + 0.5, row + 0.5).
    As in Kit, the vertical aperture follows from the horizontal one and the image's aspect.
    """

    path: str
    """Prim path."""
    T_world_camera: np.ndarray
    """Rigid pose, shape [4, 4], acting on column vectors; the camera looks along its -Z with +Y up."""
    width: int
    """Image width [pixel]."""
    height: int
    """Image height [pixel]."""
    focal_length: float
    """In the unit of the apertures (nominally mm)."""
    aperture: tuple[float, float]
    """Horizontal and vertical aperture (nominally mm)."""
    aperture_offset: tuple[float, float]
    """Horizontal and vertical aperture offset (nominally mm)."""
    near_far: tuple[float, float]
    """Clipping range [stage unit]."""
    focus_distance: float
    """Focus distance [stage unit]; only handed on."""
    f_stop: float
    """Aperture stop; 0 is a pinhole. Only handed on."""
    metres_per_unit: float
    """Length of a stage unit [m]."""
    authored_vertical_aperture: float | None = None
    """As on the prim, where it does not fit the image (nominally mm); only handed on, as Kit does."""

    @property
    def focal_pixels(self) -> float:
        """Focal length [pixel]."""
        return self.focal_length / self.aperture[0] * self.width

    @property
    def principal_point(self) -> np.ndarray:
        """Image point straight ahead [pixel], shape [2]."""
        per_pixel = self.aperture[0] / self.width
        x_offset, y_offset = self.aperture_offset
        return np.array([self.width / 2 - x_offset / per_pixel, self.height / 2 + y_offset / per_pixel])

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Map world points [..., 3] to the camera's frame."""
        rotation, origin = self.T_world_camera[:3, :3], self.T_world_camera[:3, 3]
        return (np.asarray(points, dtype=np.float64) - origin) @ rotation

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project world points [..., 3].

        Returns:
            Image coordinates [..., 2] and distances to the image plane [...]; the former mean nothing where the latter
            is not positive.
        """
        local = self.to_camera(points)
        depth = -local[..., 2]
        safe = np.where(np.abs(depth) > 1e-12, depth, 1e-12)[..., None]
        image = local[..., :2] / safe * self.focal_pixels * [1.0, -1.0] + self.principal_point
        return image, depth

    def view_matrix(self) -> np.ndarray:
        """World-to-camera matrix acting on row vectors, shape [4, 4]."""
        return np.linalg.inv(self.T_world_camera).T

    def projection_matrix(self) -> np.ndarray:
        """Camera-to-clip matrix acting on row vectors, shape [4, 4], with OpenGL's depth range -1 to 1."""
        near, far = self.near_far
        scale = 2.0 * self.focal_pixels / np.array([self.width, self.height])
        center = self.principal_point / [self.width, self.height] * [-2.0, 2.0] + [1.0, -1.0]
        matrix = np.zeros((4, 4))
        matrix[0, 0], matrix[1, 1] = scale
        matrix[2, :2] = center
        matrix[2, 2:] = (near + far) / (near - far), -1.0
        matrix[3, 2] = 2.0 * near * far / (near - far)
        return matrix

    def camera_params(self) -> dict[str, Any]:
        """Return the info of Replicator's ``camera_params``: matrices flattened row by row, acting on row vectors.

        With ``clip = [x y z 1] @ view @ projection`` the image point is ``((clip_x / clip_w + 1) / 2 * width,
        (1 - clip_y / clip_w) / 2 * height)``.
        """
        return {
            "cameraAperture": [self.aperture[0], self.authored_vertical_aperture or self.aperture[1]],
            "cameraApertureOffset": list(self.aperture_offset),
            "cameraFStop": self.f_stop,
            "cameraFisheyeLensP": [],
            "cameraFisheyeLensS": [],
            "cameraFisheyeMaxFOV": 0.0,
            "cameraFisheyeNominalHeight": 0,
            "cameraFisheyeNominalWidth": 0,
            "cameraFisheyeOpticalCentre": [0.0, 0.0],
            "cameraFisheyePolynomial": [0.0] * 5,
            "cameraFocalLength": self.focal_length,
            "cameraFocusDistance": self.focus_distance,
            "cameraModel": "pinhole",
            "cameraNearFar": list(self.near_far),
            "cameraProjection": self.projection_matrix().ravel().tolist(),
            "cameraViewTransform": self.view_matrix().ravel().tolist(),
            "metersPerSceneUnit": self.metres_per_unit,
            "renderProductResolution": [self.width, self.height],
        }


def read_pinhole_camera(stage: Usd.Stage, path: str, width: int, height: int) -> PinholeCamera:
    """Read a perspective UsdGeom.Camera.

    Args:
        stage: The stage.
        path: Prim path of the camera.
        width: Image width [pixel].
        height: Image height [pixel].

    Raises:
        GraspdError: If there is no perspective camera at the path, or what it says is no number.
    """
    prim = stage.GetPrimAtPath(Sdf.Path(path))
    if not prim or not prim.IsA(UsdGeom.Camera):
        cameras = [str(p.GetPath()) for p in stage.Traverse() if p.IsA(UsdGeom.Camera)]
        raise GraspdError(f"there is no camera at {path}; cameras on this stage: {', '.join(cameras)}")
    camera, time = UsdGeom.Camera(prim), first_time(stage)
    if camera.GetProjectionAttr().Get(time) != UsdGeom.Tokens.perspective:
        raise GraspdError(f"expected a perspective camera at {path}, got an orthographic one; change its projection")
    horizontal = _number(camera.GetHorizontalApertureAttr(), time)
    fitting, authored = horizontal * height / width, _number(camera.GetVerticalApertureAttr(), time)
    near, far = _numbers(camera.GetClippingRangeAttr(), time, 2)
    return PinholeCamera(
        path=path,
        T_world_camera=_rigid(local_to_world(prim, UsdGeom.XformCache(time))),
        width=width,
        height=height,
        focal_length=_number(camera.GetFocalLengthAttr(), time),
        aperture=(horizontal, fitting),
        aperture_offset=(
            _number(camera.GetHorizontalApertureOffsetAttr(), time),
            _number(camera.GetVerticalApertureOffsetAttr(), time),
        ),
        near_far=(near, far),
        focus_distance=_number(camera.GetFocusDistanceAttr(), time),
        f_stop=_number(camera.GetFStopAttr(), time),
        metres_per_unit=float(UsdGeom.GetStageMetersPerUnit(stage)),
        authored_vertical_aperture=None if abs(authored - fitting) < 1e-5 * fitting else authored,
    )


def _number(attribute: Usd.Attribute, time: Usd.TimeCode) -> float:
    return _numbers(attribute, time, 1)[0]


def _numbers(attribute: Usd.Attribute, time: Usd.TimeCode, count: int) -> list[float]:
    """Return finite numbers of an attribute, which may be of any type."""
    value = attribute.Get(time)
    numbers = numbers_in(value)
    if numbers.size != count or not np.isfinite(numbers).all():
        raise GraspdError(
            f"expected {counted(count, 'finite number')} in {attribute.GetPath()} of "
            f"{file_of(attribute.GetPrim().GetStage())}, got {shortened(str(value))!r}; mend it"
        )
    return numbers.ravel().tolist()


def _rigid(matrix: np.ndarray) -> np.ndarray:
    # Scale above a camera must not reach its rays: only its position and axes count.
    u, _, vt = np.linalg.svd(matrix[:3, :3])
    rigid = matrix.copy()
    rigid[:3, :3] = u @ vt
    return rigid
