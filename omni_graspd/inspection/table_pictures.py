# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of hands at an object as it rests on a table: up is up, and one stage serves a whole way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import trimesh
from pxr import Usd, UsdGeom

from omni_graspd.backend import Backend
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.posed_hand import author_posed_hand, move_posed_hand, posed_mesh
from omni_graspd.inspection.studio import (
    DRAWN_CHANNELS,
    author_camera,
    author_lights,
    before_background,
    camera_pose,
)
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.scenes.way_stations import LIFT_HEIGHT
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import author_pose, compose, matrix_to_pose, pose_to_matrix, transform_points

_HAND, _OBJECT = "/World/Hand", "/World/Object"
_TABLE_LOOK = Appearance(color=(0.5, 0.5, 0.49), roughness=0.8)
_TABLE_THICKNESS, _TABLE_MARGIN = 0.006, 1.08
_FROM_ABOVE = 0.35


@dataclass(frozen=True)
class Moment:
    """Hand and object at one place of the way."""

    T_object_palm: np.ndarray
    """Palm pose in the object frame, shape [7]."""
    joint_positions: np.ndarray
    """All joints [rad or m], shape [joint_count]."""
    lifted: float = 0.0
    """How high the object is above where it rests [m]; the hand goes with it."""


@dataclass(frozen=True, eq=False)
class View:
    """From where a moment is drawn."""

    direction: np.ndarray
    """Unit direction to the camera, shape [3]."""
    size: tuple[int, int]
    """Width and height of the picture [pixel]."""
    framed: np.ndarray | None = None
    """Points that fill the picture [m], shape [point_count, 3]; None: hand and object."""


def way_moments(grasps: GraspBatch, row: int) -> dict[str, Moment]:
    """Return what is shown of the way of a grasp, with captions: pregrasp, hover, grasp, lifted.

    Args:
        grasps: Grasps with postures and ways.
        row: Which of them.

    Raises:
        ValueError: If they have none.
    """
    postures, way = grasps.postures, grasps.way
    if postures is None or way is None:
        raise ValueError(
            "these pictures need grasps made on a table, with postures and ways; these grasps are of floating objects"
        )
    opened, palm = postures.pregrasp_joint_positions[row], grasps.T_object_palm[row]
    return {
        "pregrasp": Moment(postures.T_object_pregrasp_palm[row], opened),
        "hover": Moment(way.T_object_hover_palm[row], opened),
        "grasp": Moment(palm, grasps.joint_positions[row]),
        f"lifted {100 * LIFT_HEIGHT:.0f} cm": Moment(palm, postures.squeeze_joint_positions[row], LIFT_HEIGHT),
    }


def rest_on_table(table_plane: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Return where an object stands in a picture: the table top is z = 0, the object's middle above the origin.

    Args:
        table_plane: Table top in the object frame, unit normal and offset [m], shape [4].
        vertices: Of the object [m], shape [vertex_count, 3].

    Returns:
        T_world_object, shape [7].
    """
    normal = table_plane[:3] / np.linalg.norm(table_plane[:3])
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(trimesh.geometry.align_vectors(normal, [0.0, 0.0, 1.0]))[:3, :3]
    placed = vertices @ matrix[:3, :3].T
    middle = 0.5 * (placed.min(axis=0) + placed.max(axis=0))
    matrix[:3, 3] = [-middle[0], -middle[1], -table_plane[3]]
    return matrix_to_pose(matrix)


def table_views(hand: Hand, T_world_palm: np.ndarray) -> list[np.ndarray]:
    """Return two unit directions to cameras: to both sides of where the hand comes from, from beyond, from above.

    Args:
        hand: The hand.
        T_world_palm: Palm pose of the grasp, shape [7].
    """
    axes, up = pose_to_matrix(T_world_palm)[:3, :3], np.array([0.0, 0.0, 1.0])
    ahead = axes @ hand.approach_direction
    if np.linalg.norm(ahead[:2]) < _FROM_ABOVE:
        # A hand that comes from above faces nowhere: an axis of the palm stands in.
        ahead = axes[:, int(np.argmin(np.abs(axes[2])))]
    ahead = np.append(ahead[:2], 0.0) / np.linalg.norm(ahead[:2])
    side = np.cross(up, ahead)
    directions = [sign * 0.9 * side + 0.35 * ahead + 0.42 * up for sign in (1.0, -1.0)]
    return [direction / np.linalg.norm(direction) for direction in directions]


class TableStudio:
    """A stage with an object, a table top under it, and a hand that moves from picture to picture."""

    def __init__(
        self, backend: Backend, hand: Hand, obj: RigidObject, object_usd: Path, table_plane: np.ndarray, grasp: Moment
    ) -> None:
        """Set up the stage.

        Args:
            backend: What renders.
            hand: The hand.
            obj: The object.
            object_usd: The object's USD file.
            table_plane: Table top in the object frame, shape [4].
            grasp: The grasp; cameras and lights stand to both sides of it.
        """
        self._backend, self._hand, self._obj = backend, hand, obj
        self._T_world_object = rest_on_table(table_plane, obj.mesh.vertices)
        T_world_palm = compose(self._T_world_object, grasp.T_object_palm)
        self.sides = table_views(hand, T_world_palm)
        """Unit directions to the cameras at both sides of the grasp, each [3]."""
        self._stage = create_stage("World")
        reference = UsdGeom.Xform.Define(self._stage, _OBJECT).GetPrim().GetReferences()
        reference.AddReference(str(object_usd.absolute()))
        author_posed_hand(self._stage, _HAND, hand, T_world_palm, grasp.joint_positions)
        _author_table(self._stage, _TABLE_MARGIN * float(np.linalg.norm(self.points(grasp)[:, :2], axis=1).max()))
        author_lights(self._stage, self.sides)
        self._shown = 0

    def points(self, moment: Moment) -> np.ndarray:
        """Return all vertices of hand and object at a moment, in the world [m], shape [point_count, 3]."""
        T_world_object = self._placed(moment)
        T_world_palm = compose(T_world_object, moment.T_object_palm)
        links = posed_mesh(self._hand, T_world_palm, moment.joint_positions).vertices
        return np.concatenate([transform_points(T_world_object, self._obj.mesh.vertices), links])

    async def draw(self, moment: Moment, views: Sequence[View], config: RenderConfig) -> list[np.ndarray]:
        """Draw a moment.

        Args:
            moment: What to draw.
            views: From where.
            config: Rendering; the channels are chosen here.

        Returns:
            An sRGB picture for each view, [height, width, 3], uint8.
        """
        T_world_object, rigs = self._placed(moment), []
        author_pose(self._stage.GetPrimAtPath(_OBJECT), T_world_object)
        palm = compose(T_world_object, moment.T_object_palm)
        move_posed_hand(self._stage, _HAND, self._hand, palm, moment.joint_positions)
        for view in views:
            points = self.points(moment) if view.framed is None else view.framed
            pose = camera_pose(points, view.direction, aspect=view.size[0] / view.size[1])
            rigs.append(author_camera(self._stage, f"shown_{self._shown}", pose, *view.size))
            self._shown += 1
        frames = self._backend.render(self._stage, rigs, replace(config, annotators=DRAWN_CHANNELS))
        return [before_background(frame) async for frame in frames]

    def _placed(self, moment: Moment) -> np.ndarray:
        placed = self._T_world_object.copy()
        placed[2] += moment.lifted
        return placed


def _author_table(stage: Usd.Stage, radius: float) -> None:
    """Put a round table top under z = 0."""
    disc = trimesh.creation.cylinder(radius, _TABLE_THICKNESS, sections=128)
    vertices = np.asarray(disc.vertices) - [0.0, 0.0, 0.5 * _TABLE_THICKNESS]
    prim = author_mesh(stage, "/World/Table", TriangleMesh(vertices, np.asarray(disc.faces, dtype=np.int32))).GetPrim()
    bind_material(prim, author_material(stage, "/World/Table_look", _TABLE_LOOK))
