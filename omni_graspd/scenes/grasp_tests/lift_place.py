# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One place of the lift test: an object on a table top, and a hand whose palm moves and whose joints are driven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from omni_graspd.usd.transforms import compose

_SCALE = 1.0 / METERS_PER_UNIT


@dataclass(frozen=True, eq=False)
class LiftPlace:
    """What is below one prim of a stage in centimetres."""

    stage: Usd.Stage
    """The stage."""
    folder: str
    """Path of the prim."""
    hand: Hand
    """The hand. It has no weight."""
    center_of_mass: np.ndarray
    """Of the object, in its frame [m], shape [3]."""

    @property
    def object_path(self) -> str:
        """Path of the object; its origin is the centre of mass."""
        return f"{self.folder}/object"

    @property
    def link_paths(self) -> list[str]:
        """Paths of the links of the hand."""
        return [link_path(self.folder, index) for index in range(len(self.hand.links))]

    @property
    def zero(self) -> np.ndarray:
        """Positions from which the joints are counted, shape [joint_count]: no joint gets near half a turn."""
        return 0.5 * (self.hand.joint_lower + self.hand.joint_upper)

    def author(
        self,
        hand_pieces: Sequence[Sequence[TriangleMesh]],
        obj: RigidObject,
        object_pieces: Sequence[TriangleMesh],
        physics: HoldPhysics,
        drive: DrivePhysics,
    ) -> None:
        """Author object and hand in a heap; :meth:`values` says where they are.

        Args:
            hand_pieces: Convex meshes of each link, in its frame [m].
            obj: The object; its mass properties are used.
            object_pieces: Convex meshes in the object frame [m].
            physics: Gravity and contact.
            drive: Gains of the joints.
        """
        UsdGeom.Xform.Define(self.stage, self.folder)
        centred = [TriangleMesh(piece.vertices - obj.center_of_mass, piece.faces) for piece in object_pieces]
        author_free_body(author_pieces(self.stage, self.object_path, centred, physics), obj, physics)
        hand = (self.hand, hand_pieces, self.zero, physics, drive)
        for link in author_driven_hand(self.stage, self.folder, *hand, "kinematic"):
            apply_physx(link, "PhysxRigidBodyAPI", {"physxRigidBody:disableGravity": True})

    def values(
        self, T_world_object: np.ndarray, motion: HandMotion, offset: np.ndarray
    ) -> Iterator[tuple[Sdf.Path, list, bool]]:
        """Yield the attributes that say where all is, with their values: one, or one for each time of the motion.

        Args:
            T_world_object: Pose of the object frame at the start, shape [7].
            motion: Motion of the hand.
            offset: What is added to all poses [m], shape [7].

        Yields:
            Path of the attribute, values, and whether they are those of the motion.
        """
        body = compose(T_world_object, np.append(self.center_of_mass, [0, 0, 0, 1]))
        links = link_poses(self.hand, motion.T_world_palm[0], motion.joint_positions[0])
        targets = motion.joint_positions - self.zero
        yield from _pose_values(self.object_path, (body + offset)[None], moves=False)
        for path, pose in zip(self.link_paths[1:], links[1:], strict=True):
            yield from _pose_values(path, (pose + offset)[None], moves=False)
        yield from _pose_values(self.link_paths[0], motion.T_world_palm + offset, moves=True)
        for index, link in enumerate(self.hand.links):
            if link.joint >= 0:
                attribute = target_attribute(self.stage, self.folder, index, link)
                yield attribute.GetPath(), [target_value(link, target) for target in targets[:, link.joint]], True


def _pose_values(path: str, poses: np.ndarray, *, moves: bool) -> Iterator[tuple[Sdf.Path, list, bool]]:
    """Yield where a prim is, or moves [m]."""
    positions = [Gf.Vec3d(*position) for position in (poses[:, :3] * _SCALE).tolist()]
    rotations = [Gf.Quatd(w, x, y, z) for x, y, z, w in poses[:, 3:].tolist()]
    yield Sdf.Path(f"{path}.xformOp:translate"), positions, moves
    yield Sdf.Path(f"{path}.xformOp:orient"), rotations, moves


def author_table_top(stage: Usd.Stage, physics: HoldPhysics, gravity_time: float = 0.0) -> None:
    """Put gravity and an endless table top on an empty stage, and make it one in centimetres.

    Args:
        stage: The stage; its default prim is ``/World``.
        physics: Gravity and contact.
        gravity_time: When gravity sets in, in time codes.
    """
    UsdGeom.SetStageMetersPerUnit(stage, METERS_PER_UNIT)
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


def make_blind(stage: Usd.Stage, places: Sequence[LiftPlace]) -> None:
    """Let a hand collide with the table and the object of its place only, and not with itself."""
    hands, objects = [], []
    for number, place in enumerate(places):
        for groups, name, members in (
            (hands, "Hand", place.link_paths),
            (objects, "Object", [place.object_path]),
        ):
            group = UsdPhysics.CollisionGroup.Define(stage, f"/World/{name}_{number}")
            group.GetCollidersCollectionAPI().CreateIncludesRel().SetTargets(members)
            groups.append(group)
    for hand, obj in zip(hands, objects, strict=True):
        others = [group.GetPath() for group in (*hands, *objects) if group not in (hand, obj)]
        hand.CreateFilteredGroupsRel().SetTargets([hand.GetPath(), *others])
        obj.CreateFilteredGroupsRel().SetTargets(others)
