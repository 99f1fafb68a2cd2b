# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of single grasps: the hand on the object in a bright studio, from two sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdLux

from omni_graspd.backend import Backend
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.posed_hand import author_posed_hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.annotators import BACKGROUND_ID
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import author_pose, matrix_to_pose, pose_to_matrix

_FOCAL_LENGTH, _APERTURE = 50.0, 20.955
_FILL = 1.06
_BACKGROUND = (240, 242, 245)


async def render_grasp(
    backend: Backend,
    hand: Hand,
    obj: RigidObject,
    object_usd: Path,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    *,
    size: int,
    config: RenderConfig,
) -> list[np.ndarray]:
    """Render one grasp from the left and from the right of the palm's approach, both looking back at the palm.

    Args:
        backend: What renders.
        hand: The hand.
        obj: The object.
        object_usd: The object's USD file.
        T_object_palm: Palm pose in the object frame, shape [7].
        joint_positions: All joints [rad or m], shape [joint_count].
        size: Edge of the pictures [pixel].
        config: Rendering.

    Returns:
        Two sRGB pictures, each [size, size, 3], uint8.
    """
    stage = create_stage("World")
    UsdGeom.Xform.Define(stage, "/World/Object").GetPrim().GetReferences().AddReference(str(object_usd.absolute()))
    author_posed_hand(stage, "/World/Hand", hand, T_object_palm, joint_positions)
    points = _all_points(hand, obj, T_object_palm, joint_positions)
    approach = pose_to_matrix(T_object_palm)[:3, :3] @ hand.approach_direction
    rigs = [
        _author_camera(stage, f"side_{index}", points, direction, 2 * size)
        for index, direction in enumerate(_view_directions(approach))
    ]
    _author_lights(stage, _view_directions(approach))
    return [_cut_out(frame) async for frame in backend.render(stage, rigs, config)]


def _cut_out(frame: Frame) -> np.ndarray:
    """Put everything before an even background and halve the picture, which smooths the outline."""
    picture = frame.channels["rgb"].data[..., :3].astype(np.float64)
    picture[frame.channels["semantic_segmentation"].data == BACKGROUND_ID] = _BACKGROUND
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    return np.rint(picture.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))).astype(np.uint8)


def _all_points(hand: Hand, obj: RigidObject, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    T_object_link = pose_to_matrix(link_poses(hand, T_object_palm[None], joint_positions[None])[0])
    points = [link.mesh.vertices @ T[:3, :3].T + T[:3, 3] for link, T in zip(hand.links, T_object_link, strict=True)]
    return np.concatenate([obj.mesh.vertices, *points])


def _view_directions(approach: np.ndarray) -> list[np.ndarray]:
    """Return two directions from the object to the camera: to both sides of the approach, beyond the object, above."""
    up = np.array([0.0, 0.0, 1.0])
    side = np.cross(up, approach)
    side = side / np.linalg.norm(side) if np.linalg.norm(side) > 0.2 else np.array([1.0, 0.0, 0.0])
    directions = [sign * 0.9 * side + 0.35 * approach + 0.4 * up for sign in (1.0, -1.0)]
    return [direction / np.linalg.norm(direction) for direction in directions]


def _author_camera(stage: Usd.Stage, name: str, points: np.ndarray, back: np.ndarray, size: int) -> CameraRig:
    """Define a camera that looks along -back and sees all points, as near as that allows."""
    pose = _facing(back)
    axes = pose_to_matrix(pose)[:3, :3]
    local = points @ axes
    slope = 0.5 * _APERTURE / _FOCAL_LENGTH / _FILL
    # A camera at (x, y, d) sees a point (px, py, pz) if |px - x| <= slope * (d - pz), and the same for y.
    upper = (local[:, :2] + slope * local[:, 2:]).max(axis=0)
    lower = (local[:, :2] - slope * local[:, 2:]).min(axis=0)
    center, distance = 0.5 * (upper + lower), float((upper - lower).max() / (2.0 * slope))
    pose[:3] = axes @ np.array([*center, distance])
    camera = UsdGeom.Camera.Define(stage, f"/World/{name}")
    author_pose(camera.GetPrim(), pose)
    camera.CreateFocalLengthAttr(_FOCAL_LENGTH)
    camera.CreateHorizontalApertureAttr(_APERTURE)
    camera.CreateVerticalApertureAttr(_APERTURE)
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 100.0))
    return CameraRig(name, (str(camera.GetPath()),), size, size)


def _author_lights(stage: Usd.Stage, directions: list[np.ndarray]) -> None:
    """Light softly from above, and from behind each camera; little comes from all around."""
    UsdLux.DomeLight.Define(stage, "/World/Dome").CreateIntensityAttr(0.15)
    top = np.array([0.0, 0.0, 1.0])
    for index, (toward_light, intensity) in enumerate([(top, 1.0), *((d + 0.6 * top, 1.0) for d in directions)]):
        light = UsdLux.DistantLight.Define(stage, f"/World/Light_{index}")
        light.CreateIntensityAttr(intensity)
        light.CreateAngleAttr(50.0)
        author_pose(light.GetPrim(), _facing(toward_light / np.linalg.norm(toward_light)))


def _facing(back: np.ndarray) -> np.ndarray:
    """Return a pose, shape [7], with its +Z along ``back``."""
    side = np.cross([0.0, 0.0, 1.0] if abs(back[2]) < 0.9 else [0.0, 1.0, 0.0], back)
    side /= np.linalg.norm(side)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([side, np.cross(back, side), back])
    return matrix_to_pose(matrix)
