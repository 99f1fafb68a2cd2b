# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stage on which an object is dropped: an endless table top at z = 0 and the object's colliders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdPhysics

from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.physics import (
    apply_collider,
    apply_physx,
    apply_rigid_body,
    author_physics_material,
    bind_physics_material,
)
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import author_pose

OBJECT_PATH = "/World/Object"
METERS_PER_UNIT = 0.01
"""PhysX drops hull vertices that stand out by less than 0.7 thousandths of a stage unit. In metres a lying can sinks
in by up to 0.6 mm, in centimetres by micrometres."""


@dataclass(frozen=True, kw_only=True)
class DropPhysics:
    """How the drop is simulated."""

    gravity: float = 9.81
    """Acceleration toward -Z [m/s2]."""
    friction: float = 0.5
    """Coulomb friction between object and table, static and dynamic."""
    restitution: float = 0.0
    """0: no bounce, 1: elastic."""
    linear_damping: float = 0.5
    """Decay rate of the linear speed [1/s]. With ``angular_damping`` it stands in for rolling resistance, which rigid
    bodies lack: without it a ball rolls for ever. A fall from 0.1 m ends 3 % slower."""
    angular_damping: float = 2.0
    """Decay rate of the angular speed [1/s]."""
    sleep_energy: float = 2e-6
    """Kinetic energy per mass below which PhysX freezes the body [m2/s2]: 2 mm/s. PhysX's own default, 0.1 m/s, would
    freeze bodies that are still tipping over."""
    contact_offset: float = 0.01
    """Distance at which contacts begin to be computed [m]; they act at distance 0."""


def author_drop_stage(
    obj: RigidObject, colliders: tuple[TriangleMesh, ...], T_world_object: np.ndarray, physics: DropPhysics
) -> Usd.Stage:
    """Author a stage, in memory and in centimetres, with one dynamic body over an endless table top.

    Args:
        obj: The object; its mass properties are used.
        colliders: Convex meshes in the object frame [m], from :func:`~omni_graspd.scenes.hull_cells.hull_cells`.
        T_world_object: Pose at the start, shape [7].
        physics: Gravity, contact and damping.
    """
    stage = create_stage("World")
    UsdGeom.SetStageMetersPerUnit(stage, METERS_PER_UNIT)
    scale = 1.0 / METERS_PER_UNIT
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    scene.CreateGravityMagnitudeAttr(physics.gravity * scale)
    material = author_physics_material(
        stage, "/World/ContactMaterial", friction=physics.friction, restitution=physics.restitution
    )
    table = UsdGeom.Plane.Define(stage, "/World/Table")
    table.CreateAxisAttr(UsdGeom.Tokens.z)
    apply_collider(table.GetPrim(), approximation=None)
    _set_offsets(table.GetPrim(), physics.contact_offset * scale)
    bind_physics_material(table.GetPrim(), material)

    body = UsdGeom.Xform.Define(stage, OBJECT_PATH).GetPrim()
    author_pose(body, np.concatenate([np.asarray(T_world_object[:3]) * scale, T_world_object[3:]]))
    _author_body(body, obj, physics, scale)
    bind_physics_material(body, material)
    for index, collider_mesh in enumerate(colliders):
        mesh = TriangleMesh(collider_mesh.vertices * scale, collider_mesh.faces)
        collider = author_mesh(stage, f"{OBJECT_PATH}/collider_{index}", mesh, purpose="guide").GetPrim()
        apply_collider(collider)
        _set_offsets(collider, physics.contact_offset * scale)
    return stage


def _author_body(body: Usd.Prim, obj: RigidObject, physics: DropPhysics, scale: float) -> None:
    apply_rigid_body(
        body, mass=obj.mass, center_of_mass=obj.center_of_mass * scale, inertia=obj.inertia * scale * scale
    )
    apply_physx(
        body,
        "PhysxRigidBodyAPI",
        {
            "physxRigidBody:linearDamping": physics.linear_damping,
            "physxRigidBody:angularDamping": physics.angular_damping,
            "physxRigidBody:sleepThreshold": physics.sleep_energy * scale * scale,
            "physxRigidBody:stabilizationThreshold": 0.0,
        },
    )


def _set_offsets(collider: Usd.Prim, contact_offset: float) -> None:
    offsets = {"physxCollision:contactOffset": contact_offset, "physxCollision:restOffset": 0.0}
    apply_physx(collider, "PhysxCollisionAPI", offsets)
