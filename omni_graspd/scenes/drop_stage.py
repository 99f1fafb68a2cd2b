# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stage on which an object is dropped: an endless table top at z = 0 and copies of the object, side by side.

The copies do not see each other, and PhysX is asked for results that do not depend on what else is in the stage, down
to the last bit. Only where a copy starts matters to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_not_negative, require_positive, require_within
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.physics import (
    apply_collider,
    apply_physx,
    apply_rigid_body,
    author_physics_material,
    bind_physics_material,
)
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import author_pose, transform_points

METERS_PER_UNIT = 0.01
"""PhysX drops hull vertices that stand out by less than 0.7 thousandths of a stage unit. In metres a lying can sinks
in by up to 0.6 mm, in centimetres by micrometres."""

_TABLE_SIZE = 20.0
"""Edge length of the box that is the table of a plain stage [m]."""
_REACH = 0.02
"""On a plain stage, colliders that are higher over the table are left out [m]."""


@dataclass(frozen=True, kw_only=True)
class DropPhysics:
    """How the drop is simulated."""

    gravity: float = 9.81
    """Acceleration toward -Z [m/s2]."""
    friction: float = 0.5
    """Coulomb friction between object and table, static and dynamic."""
    restitution: float = 0.0
    """Restitution; 0: no bounce, 1: elastic."""
    linear_damping: float = 0.5
    """Decay rate of the linear speed [1/s]. With ``angular_damping``, it stands in for rolling resistance, which rigid
    bodies lack: without it, a ball rolls forever. A fall from 0.1 m ends 3 % slower."""
    angular_damping: float = 2.0
    """Decay rate of the angular speed [1/s]."""
    sleep_energy: float = 2e-6
    """Kinetic energy per mass below which PhysX puts the body to sleep [m2/s2], here at 2 mm/s. PhysX's default,
    0.1 m/s, would freeze bodies that are still tipping over."""
    contact_offset: float = 0.012
    """Distance at which contact generation starts [m], about one step of free fall; contacts act at distance 0."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "drop.physics", "gravity", "contact_offset", finite=True)
        require_not_negative(self, "drop.physics", "friction", "linear_damping", "angular_damping", "sleep_energy")
        require_within(self, "drop.physics", 0.0, 1.0, "restitution")


def body_path(index: int) -> str:
    """Return the path of a body on a drop stage."""
    return f"/World/object_{index}"


def author_drop_stage(
    obj: RigidObject,
    colliders: tuple[TriangleMesh, ...],
    T_world_object: np.ndarray,
    physics: DropPhysics,
    *,
    plain: bool = False,
) -> Usd.Stage:
    """Author a stage, in memory, with dynamic copies of an object over an endless table top.

    A plain stage is for bodies that lie on the table: colliders high above it are left out. Nothing helps bodies to
    rest there: no damping, PhysX's own way to find contacts, a box for a table, and metres, as in the scenes that are
    written (the meshes of the colliders are in centimetres on both).
    The plane and the SAT of the other stage calm bodies down; on them round ones stay balanced on an edge.

    Args:
        obj: The object; its mass properties are used.
        colliders: Convex meshes in the object frame [m], from :func:`~omni_graspd.geometry.hull_cells.hull_cells`.
        T_world_object: Pose of each copy at the start, shape [body_count, 7].
        physics: Gravity, contact and damping.
        plain: Whether to leave out what helps bodies to rest.

    Returns:
        The stage; its bodies are at :func:`body_path`.
    """
    stage = create_stage("World")
    unit = 1.0 if plain else METERS_PER_UNIT
    UsdGeom.SetStageMetersPerUnit(stage, unit)
    scale = 1.0 / unit
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    scene.CreateGravityMagnitudeAttr(physics.gravity * scale)
    apply_physx(scene.GetPrim(), "PhysxSceneAPI", {"physxScene:enableEnhancedDeterminism": True})
    if plain:
        physics = replace(physics, linear_damping=0.0, angular_damping=0.0)
    else:
        # With the default, PCM, bodies of a dozen convex shapes rock for ever.
        scene.GetPrim().CreateAttribute("physxScene:collisionSystem", Sdf.ValueTypeNames.Token).Set("SAT")
    material = author_physics_material(
        stage, "/World/ContactMaterial", friction=physics.friction, restitution=physics.restitution
    )
    bind_physics_material(stage.GetDefaultPrim(), material)
    _author_table(stage, physics, scale, plain=plain)

    first = UsdGeom.Xform.Define(stage, body_path(0)).GetPrim()
    _author_body(first, obj, physics, scale)
    for index, collider_mesh in enumerate(colliders):
        mesh = TriangleMesh(collider_mesh.vertices / METERS_PER_UNIT, collider_mesh.faces)
        collider = author_mesh(stage, f"{body_path(0)}/collider_{index}", mesh, purpose="guide")
        apply_collider(collider.GetPrim())
        if plain:
            collider.AddScaleOp().Set(Gf.Vec3f(METERS_PER_UNIT, METERS_PER_UNIT, METERS_PER_UNIT))
        else:
            _set_offsets(collider.GetPrim(), physics.contact_offset * scale)
    _copy_and_place(stage, np.asarray(T_world_object), scale)
    if plain:
        _remove_high_colliders(stage, colliders, T_world_object)
    return stage


def _remove_high_colliders(stage: Usd.Stage, colliders: tuple[TriangleMesh, ...], T_world_object: np.ndarray) -> None:
    """Leave out what a body that stays where it lies does not touch the table with; loading takes most of the time."""
    vertices = np.concatenate([mesh.vertices for mesh in colliders])
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in colliders[:-1])])
    for index, pose in enumerate(T_world_object):
        lowest = np.minimum.reduceat(transform_points(pose, vertices)[:, 2], starts)
        children = stage.GetRootLayer().GetPrimAtPath(body_path(index)).nameChildren
        for number in np.flatnonzero(lowest > _REACH):
            del children[f"collider_{number}"]


def _author_table(stage: Usd.Stage, physics: DropPhysics, scale: float, *, plain: bool) -> None:
    if plain:
        table = UsdGeom.Cube.Define(stage, "/World/Table")
        table.CreateSizeAttr(_TABLE_SIZE * scale)
        table.AddTranslateOp().Set(Gf.Vec3d(0.0, 0.0, -0.5 * _TABLE_SIZE * scale))
    else:
        table = UsdGeom.Plane.Define(stage, "/World/Table")
        table.CreateAxisAttr(UsdGeom.Tokens.z)
        _set_offsets(table.GetPrim(), physics.contact_offset * scale)
    apply_collider(table.GetPrim(), approximation=None)


def _copy_and_place(stage: Usd.Stage, T_world_object: np.ndarray, scale: float) -> None:
    """Copy the first body as often as there are poses, place the copies and make them blind to each other."""
    layer = stage.GetRootLayer()
    with Sdf.ChangeBlock():
        for index in range(1, len(T_world_object)):
            Sdf.CopySpec(layer, body_path(0), layer, body_path(index))
    for index, pose in enumerate(T_world_object):
        author_pose(stage.GetPrimAtPath(body_path(index)), np.concatenate([pose[:3] * scale, pose[3:]]))
    group = UsdPhysics.CollisionGroup.Define(stage, "/World/Objects")
    group.CreateFilteredGroupsRel().SetTargets([group.GetPath()])
    bodies = [body_path(index) for index in range(len(T_world_object))]
    group.GetCollidersCollectionAPI().CreateIncludesRel().SetTargets(bodies)


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
