# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A bright studio: cameras that see everything as near as can be, soft lights, an even background."""

from __future__ import annotations

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdLux

from omni_graspd.rendering.annotator_data import BACKGROUND_ID
from omni_graspd.rendering.frame import CameraRig, Frame
from omni_graspd.usd.transforms import author_pose, matrix_to_pose, pose_to_matrix

_FOCAL_LENGTH, _APERTURE = 50.0, 20.955
_FILL = 1.06
DRAWN_CHANNELS = ("rgb", "semantic_segmentation")
"""Channels that these pictures need; without boxes they take less time."""
BACKGROUND = (240, 242, 245)
"""Colour of the background, sRGB."""


def camera_pose(points: np.ndarray, back: np.ndarray, *, aspect: float = 1.0) -> np.ndarray:
    """Return the pose of a camera that looks along -back and sees all points, as near as that allows.

    Args:
        points: What it has to see [m], shape [point_count, 3].
        back: Unit direction from the points to the camera, shape [3].
        aspect: Width of the picture by its height.

    Returns:
        T_world_camera, shape [7].
    """
    pose = facing(back)
    axes = pose_to_matrix(pose)[:3, :3]
    local = points @ axes
    slope = 0.5 * _APERTURE / _FOCAL_LENGTH / _FILL * np.array([1.0, 1.0 / aspect])
    # A camera at (x, y, d) sees a point (px, py, pz) if |px - x| <= slope * (d - pz), and the same for y.
    upper = (local[:, :2] + slope * local[:, 2:]).max(axis=0)
    lower = (local[:, :2] - slope * local[:, 2:]).min(axis=0)
    center, distance = 0.5 * (upper + lower), float(((upper - lower) / (2.0 * slope)).max())
    pose[:3] = axes @ np.array([*center, distance])
    return pose


def author_camera(stage: Usd.Stage, name: str, pose: np.ndarray, size: int, height: int | None = None) -> CameraRig:
    """Define a camera.

    Args:
        stage: The stage.
        name: Name of the camera.
        pose: T_world_camera, shape [7].
        size: Width of the pictures [pixel].
        height: Their height [pixel]; by default they are square.
    """
    height = height or size
    camera = UsdGeom.Camera.Define(stage, f"/World/{name}")
    author_pose(camera.GetPrim(), pose)
    camera.CreateFocalLengthAttr(_FOCAL_LENGTH)
    camera.CreateHorizontalApertureAttr(_APERTURE)
    camera.CreateVerticalApertureAttr(_APERTURE * height / size)
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 100.0))
    return CameraRig(name, (str(camera.GetPath()),), size, height)


def project(points: np.ndarray, pose: np.ndarray, size: int) -> np.ndarray:
    """Return where a camera sees points: columns and rows [pixel], shape [point_count, 2].

    Args:
        points: In the world [m], shape [point_count, 3].
        pose: T_world_camera, shape [7].
        size: Edge of the picture [pixel].
    """
    matrix = pose_to_matrix(pose)
    local = (points - matrix[:3, 3]) @ matrix[:3, :3]
    scale = size * _FOCAL_LENGTH / _APERTURE / -local[:, 2:]
    return 0.5 * size + scale * local[:, :2] * [1.0, -1.0]


def cut_out(frame: Frame) -> np.ndarray:
    """Put everything before an even background and halve the picture, which smooths the outline."""
    return halved(before_background(frame))


def halved(picture: np.ndarray) -> np.ndarray:
    """Return a picture of half the width and height, uint8; each pixel is the mean of four."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    return np.rint(picture.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))).astype(np.uint8)


def before_background(frame: Frame) -> np.ndarray:
    """Put everything before an even background: sRGB, shape [height, width, 3], uint8."""
    picture = frame.channels["rgb"].data[..., :3].copy()
    picture[frame.channels["semantic_segmentation"].data == BACKGROUND_ID] = BACKGROUND
    return picture


def author_lights(stage: Usd.Stage, directions: list[np.ndarray]) -> None:
    """Light softly from above, and from behind each camera; little comes from all around."""
    UsdLux.DomeLight.Define(stage, "/World/Dome").CreateIntensityAttr(0.15)
    top = np.array([0.0, 0.0, 1.0])
    for index, (toward_light, intensity) in enumerate([(top, 1.0), *((d + 0.6 * top, 1.0) for d in directions)]):
        light = UsdLux.DistantLight.Define(stage, f"/World/Light_{index}")
        light.CreateIntensityAttr(intensity)
        light.CreateAngleAttr(50.0)
        author_pose(light.GetPrim(), facing(toward_light / np.linalg.norm(toward_light)))


def facing(back: np.ndarray) -> np.ndarray:
    """Return a pose, shape [7], with its +Z along ``back``."""
    side = np.cross([0.0, 0.0, 1.0] if abs(back[2]) < 0.9 else [0.0, 1.0, 0.0], back)
    side /= np.linalg.norm(side)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([side, np.cross(back, side), back])
    return matrix_to_pose(matrix)
