# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stage of the lift test: a table top, and on it places, each with an object and a hand that comes and goes.

The order in which PhysX solves contacts follows from the prims of a stage, all of them. So there is always the same
number of places; what happens in one then does not depend on the others, down to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.driven_hand import (
    DrivePhysics,
    author_driven_hand,
    link_path,
    target_attribute,
    target_value,
)
from omni_graspd.scenes.grasp_tests.hold_stage import METERS_PER_UNIT, HoldPhysics, author_free_body, author_pieces
from omni_graspd.scenes.grasp_tests.lift_motion import HandMotion
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.physics import apply_collider, apply_physx, author_physics_material, bind_physics_material
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import compose

PLACES = np.array([(1.5 * (column - 1.5), 1.5 * (row - 0.5)) for row in range(2) for column in range(4)])
"""Where each place is on the table [m], shape [place_count, 2]."""

_SCALE = 1.0 / METERS_PER_UNIT


def object_path(place: int) -> str:
    """Return the path of the object in a place; its origin is the centre of mass."""
    return f"{_folder(place)}/object"


def _folder(place: int) -> str:
    return f"/World/place_{place}"


class LiftStage:
    """A stage in memory and in centimetres, for one hand and one object."""

    def __init__(
        self,
        hand: Hand,
        hand_pieces: Sequence[Sequence[TriangleMesh]],
        obj: RigidObject,
        object_pieces: Sequence[TriangleMesh],
        physics: HoldPhysics,
        drive: DrivePhysics,
        gravity_time: float = 0.0,
    ) -> None:
        """Author the stage, all places in a heap; see :meth:`put`.

        Args:
            hand: The hand. It has no weight, and its links do not see each other.
            hand_pieces: Convex meshes of each link, in its frame [m].
            obj: The object; its mass properties are used.
            object_pieces: Convex meshes in the object frame [m].
            physics: Gravity and contact.
            drive: Gains of the joints.
            gravity_time: When gravity sets in [s].
        """
        self.stage = _table_top(physics, gravity_time)
        self._hand, self._center_of_mass = hand, obj.center_of_mass
        # In the middle of their ranges, so that no joint gets near half a turn.
        self._zero = 0.5 * (hand.joint_lower + hand.joint_upper)
        UsdGeom.Xform.Define(self.stage, _folder(0))
        centred = [TriangleMesh(piece.vertices - obj.center_of_mass, piece.faces) for piece in object_pieces]
        author_free_body(author_pieces(self.stage, object_path(0), centred, physics), obj, physics)
        links = author_driven_hand(self.stage, _folder(0), hand, hand_pieces, self._zero, physics, drive, "kinematic")
        for link in links:
            apply_physx(link, "PhysxRigidBodyAPI", {"physxRigidBody:disableGravity": True})
        layer = self.stage.GetRootLayer()
        with Sdf.ChangeBlock():
            for place in range(1, len(PLACES)):
                Sdf.CopySpec(layer, _folder(0), layer, _folder(place))
        _make_blind(self.stage, len(hand.links))

    def put(self, place: int, T_world_object: np.ndarray, motion: HandMotion) -> None:
        """Put the object and a hand that moves into a place.

        Args:
            place: Which place.
            T_world_object: Pose of the object frame at the start, shape [7], as if the place were at the origin.
            motion: Motion of the hand, likewise.
        """
        offset = np.append(PLACES[place], [0, 0, 0, 0, 0])
        body = compose(T_world_object, np.append(self._center_of_mass, [0, 0, 0, 1]))
        links = link_poses(self._hand, motion.T_world_palm[0], motion.joint_positions[0])
        targets = motion.joint_positions - self._zero
        with Sdf.ChangeBlock():
            self._move(object_path(place), (body + offset)[None])
            for index, pose in enumerate(links[1:], start=1):
                self._move(link_path(_folder(place), index), (pose + offset)[None])
            self._move(link_path(_folder(place), 0), motion.T_world_palm + offset, motion.times)
            for index, link in enumerate(self._hand.links):
                if link.joint >= 0:
                    attribute = target_attribute(self.stage, _folder(place), index, link)
                    values = [target_value(link, target) for target in targets[:, link.joint]]
                    self._set(attribute.GetPath(), values, motion.times)

    def _move(self, path: str, poses: np.ndarray, times: np.ndarray | None = None) -> None:
        """Set where a prim is, or moves [m]."""
        positions = [Gf.Vec3d(*position) for position in (poses[:, :3] * _SCALE).tolist()]
        rotations = [Gf.Quatd(w, x, y, z) for x, y, z, w in poses[:, 3:].tolist()]
        self._set(Sdf.Path(f"{path}.xformOp:translate"), positions, times)
        self._set(Sdf.Path(f"{path}.xformOp:orient"), rotations, times)

    def _set(self, path: Sdf.Path, values: list, times: np.ndarray | None) -> None:
        """Set an attribute to the first value, and to all of them as samples."""
        layer = self.stage.GetRootLayer()
        spec = layer.GetAttributeAtPath(path)
        spec.default = values[0]
        if times is not None:
            spec.ClearInfo("timeSamples")
            for time, value in zip(times.tolist(), values, strict=True):
                layer.SetTimeSample(path, time, value)


def _table_top(physics: HoldPhysics, gravity_time: float) -> Usd.Stage:
    """Author a stage with gravity and an endless table top; its time codes are seconds."""
    stage = create_stage("World")
    UsdGeom.SetStageMetersPerUnit(stage, METERS_PER_UNIT)
    stage.SetTimeCodesPerSecond(1.0)
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    magnitude = scene.CreateGravityMagnitudeAttr(physics.gravity * _SCALE)
    if gravity_time > 0.0:
        magnitude.Set(0.0)
        for time, value in ((gravity_time - 1e-6, 0.0), (gravity_time, physics.gravity * _SCALE)):
            magnitude.Set(value, time)
    apply_physx(scene.GetPrim(), "PhysxSceneAPI", {"physxScene:enableEnhancedDeterminism": True})
    material = author_physics_material(stage, "/World/Contact", friction=physics.friction, restitution=0.0)
    bind_physics_material(stage.GetDefaultPrim(), material)
    table = UsdGeom.Plane.Define(stage, "/World/Table")
    table.CreateAxisAttr(UsdGeom.Tokens.z)
    apply_collider(table.GetPrim(), approximation=None)
    offsets = {"physxCollision:contactOffset": physics.contact_offset * _SCALE, "physxCollision:restOffset": 0.0}
    apply_physx(table.GetPrim(), "PhysxCollisionAPI", offsets)
    return stage


def _make_blind(stage: Usd.Stage, link_count: int) -> None:
    """Let a hand collide with the table and the object of its place only."""
    hands, objects = [], []
    for place in range(len(PLACES)):
        links = [link_path(_folder(place), index) for index in range(link_count)]
        for groups, name, members in ((hands, "Hand", links), (objects, "Object", [object_path(place)])):
            group = UsdPhysics.CollisionGroup.Define(stage, f"/World/{name}_{place}")
            group.GetCollidersCollectionAPI().CreateIncludesRel().SetTargets(members)
            groups.append(group)
    for hand, obj in zip(hands, objects, strict=True):
        others = [group.GetPath() for group in (*hands, *objects) if group not in (hand, obj)]
        hand.CreateFilteredGroupsRel().SetTargets([hand.GetPath(), *others])
        obj.CreateFilteredGroupsRel().SetTargets(others)
