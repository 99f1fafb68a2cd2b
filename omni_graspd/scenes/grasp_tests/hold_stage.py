# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stage on which a grasp is put to the test: a fixed hand, and in it a free object for each direction of gravity.

All objects are copies in the same place. They do not see each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.physics import (
    apply_collider,
    apply_physx,
    apply_rigid_body,
    author_physics_material,
    bind_physics_material,
)
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import IDENTITY, author_pose

METERS_PER_UNIT = 0.01
"""Centimetres, for the reason that :mod:`omni_graspd.scenes.drop_stage` gives."""

_SCALE = 1.0 / METERS_PER_UNIT


@dataclass(frozen=True, kw_only=True)
class HoldPhysics:
    """How contacts between a fixed hand and a free object are simulated."""

    gravity: float = 9.81
    """Acceleration in each direction [m/s2]."""
    friction: float = 0.5
    """Coulomb friction between hand and object, static and dynamic."""
    max_depenetration_speed: float = 0.1
    """Speed at which overlap at the start is pushed out [m/s]; without a limit it throws the object."""
    contact_offset: float = 0.002
    """Distance at which contacts begin to be computed [m]; they act at distance 0."""
    position_iterations: int = 16
    """Position iterations of the contact solver (TGS) in a step."""
    velocity_iterations: int = 1
    """Velocity iterations of the contact solver in a step."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "hold", "gravity", "max_depenetration_speed", "contact_offset", finite=True)
        require_not_negative(self, "hold", "friction")
        require_at_least(self, "hold", 1, "position_iterations")
        require_at_least(self, "hold", 0, "velocity_iterations")


def author_hold_stage(
    hand_pieces: Sequence[Sequence[TriangleMesh]],
    obj: RigidObject,
    object_pieces: Sequence[TriangleMesh],
    directions: np.ndarray,
    physics: HoldPhysics,
) -> Usd.Stage:
    """Author the stage in memory and in centimetres, the links still in a heap; see :func:`place_links`.

    The world is the object frame moved to the centre of mass. Gravity is an acceleration of each body.

    Args:
        hand_pieces: Convex meshes of each link, in its frame [m].
        obj: The object; its mass properties are used.
        object_pieces: Convex meshes in the object frame [m].
        directions: Unit directions of gravity in the object frame, shape [direction_count, 3].
        physics: Gravity and contact.

    Returns:
        The stage; its dynamic bodies are ``/World/object_<direction>``.
    """
    stage = create_stage("World")
    UsdGeom.SetStageMetersPerUnit(stage, METERS_PER_UNIT)
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    scene.CreateGravityMagnitudeAttr(0.0)
    material = author_physics_material(stage, "/World/Contact", friction=physics.friction, restitution=0.0)
    bind_physics_material(stage.GetDefaultPrim(), material)
    for link, pieces in enumerate(hand_pieces):
        if pieces:
            author_pieces(stage, _link_path(link), pieces, physics)
    centred = [TriangleMesh(piece.vertices - obj.center_of_mass, piece.faces) for piece in object_pieces]
    bodies = []
    for index, direction in enumerate(directions):
        body = author_pieces(stage, f"/World/object_{index}", centred, physics)
        author_motion(body, obj, direction, physics)
        bodies.append(body.GetPath())
    group = UsdPhysics.CollisionGroup.Define(stage, "/World/Objects")
    group.CreateFilteredGroupsRel().SetTargets([group.GetPath()])
    group.GetCollidersCollectionAPI().CreateIncludesRel().SetTargets(bodies)
    return stage


def place_links(stage: Usd.Stage, obj: RigidObject, T_object_link: np.ndarray) -> None:
    """Put the links of the hand where a grasp has them.

    Args:
        stage: From :func:`author_hold_stage`; it is changed.
        obj: The object.
        T_object_link: Poses of the links in the object frame, shape [link_count, 7].
    """
    for link, pose in enumerate(T_object_link):
        prim = stage.GetPrimAtPath(_link_path(link))
        if prim:
            author_pose(prim, np.concatenate([(pose[:3] - obj.center_of_mass) * _SCALE, pose[3:]]))


def _link_path(link: int) -> str:
    return f"/World/link_{link}"


def author_pieces(stage: Usd.Stage, path: str, pieces: Sequence[TriangleMesh], physics: HoldPhysics) -> Usd.Prim:
    """Define a prim at the origin with convex colliders below it; the stage is in centimetres, the pieces in metres."""
    prim = UsdGeom.Xform.Define(stage, path).GetPrim()
    author_pose(prim, IDENTITY)
    offsets = {"physxCollision:contactOffset": physics.contact_offset * _SCALE, "physxCollision:restOffset": 0.0}
    for index, piece in enumerate(pieces):
        scaled = TriangleMesh(piece.vertices * _SCALE, piece.faces)
        collider = author_mesh(stage, f"{path}/piece_{index}", scaled, purpose="guide").GetPrim()
        apply_collider(collider)
        apply_physx(collider, "PhysxCollisionAPI", offsets)
    return prim


def author_motion(body: Usd.Prim, obj: RigidObject, direction: np.ndarray, physics: HoldPhysics) -> None:
    """Make a prim at the object's centre of mass the object's body, which a force pulls along a direction."""
    author_free_body(body, obj, physics)
    # Acts at the origin of the body, which is its centre of mass.
    apply_physx(body, "PhysxForceAPI", {"physxForce:worldFrameEnabled": True})
    acceleration = Gf.Vec3f(*(float(v) * physics.gravity * _SCALE for v in direction))
    body.CreateAttribute("physxForce:force", Sdf.ValueTypeNames.Vector3f).Set(acceleration)
    mode = body.CreateAttribute("physxForce:mode", Sdf.ValueTypeNames.Token, False, Sdf.VariabilityUniform)
    mode.Set("acceleration")


def author_free_body(body: Usd.Prim, obj: RigidObject, physics: HoldPhysics) -> None:
    """Make a prim at the object's centre of mass the object's body, undamped."""
    apply_rigid_body(body, mass=obj.mass, center_of_mass=np.zeros(3), inertia=obj.inertia * _SCALE**2)
    apply_physx(
        body,
        "PhysxRigidBodyAPI",
        {
            "physxRigidBody:linearDamping": 0.0,
            "physxRigidBody:angularDamping": 0.0,
            # Never asleep: a body that is put down without motion would seem to hold.
            "physxRigidBody:sleepThreshold": 0.0,
            "physxRigidBody:stabilizationThreshold": 0.0,
            "physxRigidBody:maxDepenetrationVelocity": physics.max_depenetration_speed * _SCALE,
            "physxRigidBody:solverPositionIterationCount": physics.position_iterations,
            "physxRigidBody:solverVelocityIterationCount": physics.velocity_iterations,
        },
    )
