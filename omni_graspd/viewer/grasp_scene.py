# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One hand at one object in a viser scene, with contacts. Everything is in the object frame, in metres."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import trimesh

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.inspection.grasp_contacts import (
    HEAT_REACH,
    GraspContacts,
    distance_colors,
    friction_cone_lines,
    painted_points,
)
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.viewer.hand_controls import add_link_mesh

if TYPE_CHECKING:
    import viser

_PALM_COLOR, _LINK_COLOR = (70, 74, 82), (150, 156, 166)
_POINT_SIZE = 0.0016
_TABLE_COLOR, _TABLE_RADIUS = (176, 160, 138), 0.2


class GraspScene:
    """What is drawn below one node of the scene."""

    def __init__(self, scene: viser.SceneApi, name: str, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        """Draw nothing yet.

        Args:
            scene: The scene.
            name: The node, for example ``/grasp``.
            shift: Where its origin is [m].
        """
        self._scene, self._name = scene, name
        self._root = scene.add_frame(name, show_axes=False, position=shift)
        self._object: RigidObject | None = None
        self._hand: Hand | None = None
        self._links: list[Any] = []
        self._drawn: dict[str, Any] = {}
        self._table: tuple[float, ...] | None = None
        self.posture: Posture | None = None

    @property
    def link_nodes(self) -> list[Any]:
        """The nodes of the hand's links, in their order."""
        return self._links

    def show(
        self,
        hand: Hand,
        obj: RigidObject,
        posture: Posture,
        table_plane: np.ndarray | None = None,
        lifted: np.ndarray | None = None,
    ) -> None:
        """Draw a hand at an object and the table under it, if any; what is drawn already is moved only.

        Args:
            hand: The hand.
            obj: The object.
            posture: Where the hand is.
            table_plane: Table top: unit normal and offset [m], shape [4].
            lifted: How far the object has been moved from where it lay [m], shape [3].
        """
        self._show_table(table_plane)
        if obj is not self._object:
            self._remove("object", "contacts", "object contacts", "cones")
            self._drawn["object"] = self._add_object(obj)
            self._object = obj
        if hand is not self._hand:
            for node in self._links:
                node.remove()
            self._links = [self._add_link(hand, number) for number in range(len(hand.links))]
            self._hand = hand
        self.move(posture, lifted)

    def move(self, posture: Posture, lifted: np.ndarray | None = None) -> None:
        """Move the hand; contacts, which are those of another posture, go.

        Args:
            posture: Where the hand is.
            lifted: How far the object has been moved from where it lay [m], shape [3]; by default it lies there.
        """
        assert self._hand is not None, "show first"
        self._drawn["object"].position = np.zeros(3) if lifted is None else lifted
        poses = link_poses(self._hand, posture.T_object_palm, posture.joint_positions)
        for node, pose in zip(self._links, poses, strict=True):
            node.position, node.wxyz = pose[:3], pose[[6, 3, 4, 5]]
        self._remove("contacts", "object contacts", "cones")
        self.posture = posture

    def show_contacts(self, contacts: GraspContacts, threshold: float, *, cones: bool) -> None:
        """Paint the hand's and the object's surface by their distance, and draw friction cones.

        Args:
            contacts: Contacts of the posture that is shown.
            threshold: What counts as contact [m].
            cones: Whether to draw the cones and normals.
        """
        assert self._object is not None, "show first"
        self._points("contacts", *painted_points(contacts, threshold))
        points, distances = _near_object_points(self._object, contacts.points, HEAT_REACH * threshold)
        self._points("object contacts", points, distance_colors(distances, threshold))
        self._remove("cones")
        if cones and len(contacts.contact_points):
            starts, ends = friction_cone_lines(contacts)
            normals = contacts.contact_points, contacts.contact_points + 0.02 * contacts.contact_normals
            lines = np.concatenate([np.stack([starts, ends], axis=1), np.stack(normals, axis=1)])
            self._drawn["cones"] = self._scene.add_line_segments(
                f"{self._name}/cones", lines.astype(np.float32), (40, 120, 220), thickness=0.0004
            )

    def draw_only(self, *, hand: bool, obj: bool) -> None:
        """Draw or leave out the hand's and the object's surface; contacts stay."""
        for node in self._links:
            node.visible = hand
        if "object" in self._drawn:
            self._drawn["object"].visible = obj

    def draw_table(self, visible: bool) -> None:
        """Draw the table under the object, or leave it out where a whole scene has one of its own."""
        if "table" in self._drawn:
            self._drawn["table"].visible = visible

    def set_visible(self, visible: bool) -> None:
        """Show or hide everything."""
        self._root.visible = visible

    def remove(self) -> None:
        """Take everything off the scene."""
        self._root.remove()

    def _show_table(self, plane: np.ndarray | None) -> None:
        key = None if plane is None else tuple(plane.tolist())
        if key == self._table:
            return
        self._remove("table")
        self._table = key
        if plane is not None:
            from scipy.spatial.transform import Rotation

            top = trimesh.creation.cylinder(_TABLE_RADIUS, 1e-3, sections=64)
            turn = Rotation.align_vectors(plane[None, :3], [[0.0, 0.0, 1.0]])[0]
            vertices = turn.apply(np.subtract(top.vertices, [0.0, 0.0, 5e-4])) + plane[3] * plane[:3]
            self._drawn["table"] = self._scene.add_mesh_simple(
                f"{self._name}/table", vertices, top.faces, color=_TABLE_COLOR, opacity=0.6
            )

    def _add_object(self, obj: RigidObject) -> Any:
        """Draw an object with its texture, or in its colour."""
        mesh, look, name = obj.visual, obj.appearance, f"{self._name}/object"
        if look.texture is not None and mesh.uvs is not None:
            return self._scene.add_mesh_trimesh(name, textured_mesh(mesh, Path(look.texture)))
        color = (255.0 * np.clip(np.array(look.color), 0.0, 1.0) ** (1.0 / 2.2)).astype(np.uint8)
        vertices, faces = mesh.vertices.astype(np.float32), mesh.faces.astype(np.uint32)
        return self._scene.add_mesh_simple(name, vertices, faces, color=color, flat_shading=True, side="double")

    def _add_link(self, hand: Hand, number: int) -> Any:
        mesh, color = hand.links[number].mesh, _PALM_COLOR if number == 0 else _LINK_COLOR
        return add_link_mesh(self._scene, f"{self._name}/hand/{number:02d}", mesh, color)

    def _points(self, what: str, points: np.ndarray, linear: np.ndarray) -> None:
        self._remove(what)
        if len(points):
            colors = (255.0 * np.clip(linear, 0.0, 1.0) ** (1.0 / 2.2)).astype(np.uint8)
            self._drawn[what] = self._scene.add_point_cloud(
                f"{self._name}/{what.replace(' ', '_')}",
                points.astype(np.float32),
                colors,
                point_size=_POINT_SIZE,
                point_shape="circle",
                precision="float32",
            )

    def _remove(self, *names: str) -> None:
        for name in names:
            if name in self._drawn:
                self._drawn.pop(name).remove()


def textured_mesh(mesh: TriangleMesh, texture: Path) -> trimesh.Trimesh:
    """Return a mesh with its texture as paint: not metal, which would mirror a dark room, and in its own colours.

    Args:
        mesh: Triangles with texture coordinates.
        texture: Picture file.
    """
    from PIL import Image

    # One vertex per corner, since texture coordinates belong to corners.
    corners = mesh.vertices[mesh.faces].reshape(-1, 3)
    paint = trimesh.visual.material.PBRMaterial(
        baseColorTexture=Image.open(texture).convert("RGB"),
        baseColorFactor=[255, 255, 255, 255],
        metallicFactor=0.0,
        roughnessFactor=0.8,
        doubleSided=True,
    )
    drawn = trimesh.Trimesh(corners, np.arange(len(corners)).reshape(-1, 3), process=False)
    drawn.visual = trimesh.visual.TextureVisuals(uv=np.asarray(mesh.uvs).reshape(-1, 2), material=paint)
    return drawn


def _near_object_points(obj: RigidObject, hand_points: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return points on the object nearer to the hand's points than ``reach``, and how far they are from them."""
    from scipy.spatial import cKDTree

    points = obj.mesh.vertices[obj.mesh.faces].mean(axis=1)
    distances, _ = cKDTree(hand_points).query(points, distance_upper_bound=reach)
    near = np.isfinite(distances)
    return points[near], distances[near]
