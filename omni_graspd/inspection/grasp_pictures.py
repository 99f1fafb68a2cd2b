# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of single grasps: the hand on the object in a bright studio, from two sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pxr import UsdGeom

from omni_graspd.backend import Backend
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.posed_hand import author_posed_hand
from omni_graspd.inspection.studio import author_camera, author_lights, camera_pose, cut_out, halved
from omni_graspd.inspection.table_pictures import Moment, TableStudio, View
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import pose_to_matrix


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
    table_plane: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Render one grasp from the left and from the right of the palm's approach, both looking back at the palm.

    On a table, up is up; without one, the object floats as its mesh stands.

    Args:
        backend: What renders.
        hand: The hand.
        obj: The object.
        object_usd: The object's USD file.
        T_object_palm: Palm pose in the object frame, shape [7].
        joint_positions: All joints [rad or m], shape [joint_count].
        size: Edge of the pictures [pixel].
        config: Rendering.
        table_plane: Table top in the object frame, unit normal and offset [m], shape [4]; None or NaN: there is none.

    Returns:
        Two sRGB pictures, each [size, size, 3], uint8.
    """
    if table_plane is not None and np.isfinite(table_plane).all():
        grasp = Moment(T_object_palm, joint_positions)
        studio = TableStudio(backend, hand, obj, object_usd, table_plane, grasp)
        views = [View(side, (2 * size, 2 * size)) for side in studio.sides]
        return [halved(picture) for picture in await studio.draw(grasp, views, config)]
    stage = create_stage("World")
    UsdGeom.Xform.Define(stage, "/World/Object").GetPrim().GetReferences().AddReference(str(object_usd.absolute()))
    author_posed_hand(stage, "/World/Hand", hand, T_object_palm, joint_positions)
    points = _all_points(hand, obj, T_object_palm, joint_positions)
    approach = pose_to_matrix(T_object_palm)[:3, :3] @ hand.approach_direction
    rigs = [
        author_camera(stage, f"side_{index}", camera_pose(points, direction), 2 * size)
        for index, direction in enumerate(_view_directions(approach))
    ]
    author_lights(stage, _view_directions(approach))
    return [cut_out(frame) async for frame in backend.render(stage, rigs, config)]


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
