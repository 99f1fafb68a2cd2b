# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Physics schemas on prims. PhysX-only schemas are applied by name, since plain USD does not carry them."""

from __future__ import annotations

import numpy as np
from pxr import Gf, Sdf, Usd, UsdPhysics, UsdShade

from omni_graspd.usd.meshes import to_gf


def apply_rigid_body(prim: Usd.Prim, *, mass: float, center_of_mass: np.ndarray, inertia: np.ndarray) -> None:
    """Make a prim a rigid body with explicit mass properties.

    Args:
        prim: The body's Xform.
        mass: Mass [kg].
        center_of_mass: In the prim's frame [m], shape [3].
        inertia: About the centre of mass, along the prim's axes [kg m2], shape [3, 3].
    """
    UsdPhysics.RigidBodyAPI.Apply(prim)
    diagonal, quat_xyzw = principal_inertia(inertia)
    api = UsdPhysics.MassAPI.Apply(prim)
    api.CreateMassAttr(float(mass))
    api.CreateCenterOfMassAttr(to_gf(center_of_mass))
    api.CreateDiagonalInertiaAttr(to_gf(diagonal))
    x, y, z, w = (float(v) for v in quat_xyzw)
    api.CreatePrincipalAxesAttr(Gf.Quatf(w, x, y, z))


def principal_inertia(inertia: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Diagonalise an inertia tensor [3, 3].

    Returns:
        Principal moments [kg m2], shape [3], and the rotation of the principal axes as a quaternion xyzw, shape [4].
    """
    from scipy.spatial.transform import Rotation

    moments, axes = np.linalg.eigh(np.asarray(inertia, dtype=np.float64))
    if np.linalg.det(axes) < 0:
        axes[:, 0] *= -1.0
    return moments, Rotation.from_matrix(axes).as_quat(canonical=True)


def apply_collider(prim: Usd.Prim, *, approximation: str | None = "convexHull") -> None:
    """Make a shape a collider; meshes need an ``approximation`` (``none``: exact triangles, static only)."""
    UsdPhysics.CollisionAPI.Apply(prim)
    if approximation is not None:
        UsdPhysics.MeshCollisionAPI.Apply(prim).CreateApproximationAttr(approximation)


def author_physics_material(stage: Usd.Stage, path: str, *, friction: float, restitution: float) -> UsdShade.Material:
    """Define a material for contacts with equal static and dynamic friction."""
    material = UsdShade.Material.Define(stage, path)
    api = UsdPhysics.MaterialAPI.Apply(material.GetPrim())
    api.CreateStaticFrictionAttr(friction)
    api.CreateDynamicFrictionAttr(friction)
    api.CreateRestitutionAttr(restitution)
    return material


def bind_physics_material(prim: Usd.Prim, material: UsdShade.Material) -> None:
    """Bind a contact material to a collider and everything below it."""
    UsdShade.MaterialBindingAPI.Apply(prim).Bind(material, UsdShade.Tokens.weakerThanDescendants, "physics")


def apply_physx(prim: Usd.Prim, schema: str, attributes: dict[str, bool | int | float]) -> None:
    """Apply a PhysX schema by name and set its attributes.

    Args:
        prim: The prim.
        schema: For example ``"PhysxRigidBodyAPI"``.
        attributes: Full attribute names and values, for example ``{"physxRigidBody:linearDamping": 0.0}``.
    """
    prim.AddAppliedSchema(schema)
    types = {bool: Sdf.ValueTypeNames.Bool, int: Sdf.ValueTypeNames.Int, float: Sdf.ValueTypeNames.Float}
    for name, value in attributes.items():
        prim.CreateAttribute(name, types[type(value)]).Set(value)
