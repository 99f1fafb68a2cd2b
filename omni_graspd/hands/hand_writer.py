# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands as USD articulations: flat links, joints with drives, convex colliders, materials by face."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import trimesh
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade, Vt

from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh, to_gf
from omni_graspd.usd.physics import (
    apply_collider,
    apply_physx,
    apply_rigid_body,
    author_physics_material,
    bind_physics_material,
)
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage, save_stage
from omni_graspd.usd.transforms import IDENTITY, author_pose, compose, transform_points

_JOINT_SCHEMAS = {
    "revolute": UsdPhysics.RevoluteJoint,
    "prismatic": UsdPhysics.PrismaticJoint,
    "fixed": UsdPhysics.FixedJoint,
}


@dataclass(frozen=True)
class LinkShape:
    """What a link looks like and collides with, in its frame."""

    mesh: TriangleMesh
    """Closed surface [m]."""
    normals: np.ndarray
    """Unit normals per face corner, shape [face_count, 3, 3]."""
    looks: tuple[str, ...]
    """Name of each face's material, face_count of them."""
    convex_pieces: tuple[TriangleMesh, ...]
    """Convex surfaces to collide with [m]."""


@dataclass(frozen=True)
class JointDesign:
    """A joint, revolute unless it says otherwise."""

    name: str
    """Name of the joint."""
    T_parent_link: np.ndarray
    """Pose of the link in its parent at joint position 0, shape [7]."""
    axis: tuple[float, float, float]
    """Unit axis in the link's frame."""
    lower: float
    """Lower limit [rad or m]."""
    upper: float
    """Upper limit [rad or m]."""
    leader: str | None = None
    """Name of the joint that this one follows; None for a driven joint."""
    multiplier: float = 1.0
    """Factor on the leader's position."""
    coupling_frequency: float = 0.0
    """Natural frequency of a springy coupling to the leader [1/s]; 0 is rigid. A joint that meets its limit before its
    leader does needs one, or the two constraints fight."""
    offset: float = 0.0
    """Position while the leader is at 0 [rad or m]."""
    joint_type: Literal["revolute", "prismatic", "fixed"] = "revolute"
    """How the link moves against its parent."""
    anchor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """A point of the axis, in the link's frame [m]."""


@dataclass(frozen=True)
class MassDistribution:
    """How a link's mass is spread."""

    center_of_mass: np.ndarray
    """In the link's frame [m], shape [3]."""
    inertia: np.ndarray
    """About the centre of mass, along the link's axes [kg m2], shape [3, 3]."""


@dataclass(frozen=True)
class LinkDesign:
    """A link and how it hangs on its parent."""

    name: str
    """Name of the link."""
    parent: str | None
    """Name of the parent; None for the palm, which comes first."""
    joint: JointDesign | None
    """Joint to the parent; None for the palm."""
    shape: LinkShape | None
    """Surface and colliders; None for a link without any."""
    mass: float
    """Mass [kg]."""
    distribution: MassDistribution | None = None
    """How the mass is spread; None is evenly over the enclosed volume, which needs a closed surface."""


@dataclass(frozen=True)
class HandDesign:
    """A hand to be written."""

    name: str
    """Name of the hand and of its default prim."""
    label: str
    """Semantic class."""
    links: tuple[LinkDesign, ...]
    """Links, parents first."""
    looks: Mapping[str, Appearance]
    """Materials by name."""
    friction: float = 0.8
    """Coulomb friction of all links."""
    stiffness: float = 3.0
    """Stiffness of the joint drives [N m/rad]."""
    damping: float = 0.1
    """Damping of the joint drives [N m s/rad]."""
    max_torque: float = 0.7
    """Largest torque of the joint drives [N m]."""
    linear_stiffness: float = 3000.0
    """Stiffness of the drives of prismatic joints [N/m]."""
    linear_damping: float = 100.0
    """Damping of the drives of prismatic joints [N s/m]."""
    max_force: float = 40.0
    """Largest force of the drives of prismatic joints [N]."""


def write_hand(design: HandDesign, path: Path, posture: Mapping[str, float]) -> None:
    """Write a hand with a free base as one USD file.

    Args:
        design: The hand.
        path: The file to write.
        posture: Joint positions that the links are placed at and the drives hold, by joint name [rad]; others are 0.
    """
    stage = create_stage(design.name, path)
    root = stage.GetDefaultPrim()
    apply_label(root, design.label)
    UsdPhysics.ArticulationRootAPI.Apply(root)
    # Links that the joints bring close together overlap in their hinges.
    apply_physx(root, "PhysxArticulationAPI", {"physxArticulation:enabledSelfCollisions": False})
    UsdGeom.Scope.Define(stage, f"/{design.name}/Looks")
    materials = {
        name: author_material(stage, f"/{design.name}/Looks/{name}", look) for name, look in design.looks.items()
    }
    contact = author_physics_material(stage, f"/{design.name}/Looks/contact", friction=design.friction, restitution=0.0)
    poses: dict[str, np.ndarray] = {}
    for link in design.links:
        poses[link.name] = _posed(link, poses, posture)
        _author_link(stage, f"/{design.name}/{link.name}", link, poses[link.name], materials, contact)
    UsdGeom.Scope.Define(stage, f"/{design.name}/joints")
    for link in design.links:
        if link.joint is not None:
            _author_joint(stage, design, link, link.joint, posture.get(link.joint.name, 0.0))
    save_stage(stage, path)


def _posed(link: LinkDesign, poses: Mapping[str, np.ndarray], posture: Mapping[str, float]) -> np.ndarray:
    """Return the pose of a link in the palm frame, shape [7]."""
    if link.joint is None or link.parent is None:
        return IDENTITY
    half = 0.5 * posture.get(link.joint.name, 0.0)
    if link.joint.joint_type == "revolute":
        turn = np.array([0.0, 0.0, 0.0, *(math.sin(half) * a for a in link.joint.axis), math.cos(half)])
        turn[:3] = np.array(link.joint.anchor) - transform_points(turn, np.array([link.joint.anchor]))[0]
    else:
        turn = np.array([*(2.0 * half * a for a in link.joint.axis), 0.0, 0.0, 0.0, 1.0])
    return compose(compose(poses[link.parent], link.joint.T_parent_link), turn)


def _author_link(
    stage: Usd.Stage,
    path: str,
    link: LinkDesign,
    pose: np.ndarray,
    materials: Mapping[str, UsdShade.Material],
    contact: UsdShade.Material,
) -> None:
    prim = UsdGeom.Xform.Define(stage, path).GetPrim()
    # Rounded, so that the last bit of a sine does not differ from machine to machine.
    author_pose(prim, np.round(pose, 9) + 0.0)
    spread = link.distribution or _even_distribution(link)
    apply_rigid_body(
        prim,
        mass=link.mass,
        center_of_mass=np.round(spread.center_of_mass, 6) + 0.0,
        inertia=np.round(spread.inertia, 12),
    )
    if link.shape is not None:
        _author_shape(stage, path, link.shape, materials, contact)


def _even_distribution(link: LinkDesign) -> MassDistribution:
    """Spread a link's mass evenly over the volume that its surface encloses."""
    if link.shape is None:
        raise ValueError(f"{link.name} has no surface: its distribution of mass must be given")
    body = trimesh.Trimesh(link.shape.mesh.vertices, link.shape.mesh.faces, process=False)
    body.density = link.mass / body.volume
    return MassDistribution(np.asarray(body.center_mass), np.asarray(body.moment_inertia))


def _author_shape(
    stage: Usd.Stage,
    path: str,
    shape: LinkShape,
    materials: Mapping[str, UsdShade.Material],
    contact: UsdShade.Material,
) -> None:
    if len(shape.mesh.faces):
        visuals = author_mesh(stage, f"{path}/visuals", shape.mesh, normals=_short(shape.normals))
        _bind_looks(visuals.GetPrim(), shape.looks, materials)
    collisions = UsdGeom.Xform.Define(stage, f"{path}/collisions")
    collisions.CreatePurposeAttr(UsdGeom.Tokens.guide)
    bind_physics_material(collisions.GetPrim(), contact)
    for index, piece in enumerate(shape.convex_pieces):
        normals = trimesh.Trimesh(piece.vertices, piece.faces, process=False).face_normals[:, None].repeat(3, axis=1)
        name = f"{path}/collisions/piece_{index}"
        mesh = author_mesh(stage, name, piece, purpose="guide", normals=_short(normals))
        apply_collider(mesh.GetPrim(), approximation="convexHull")


def _short(normals: np.ndarray) -> np.ndarray:
    """Round to two digits, which shading does not show: normals are most of the file."""
    return np.round(normals, 2) + 0.0


def _bind_looks(prim: Usd.Prim, looks: tuple[str, ...], materials: Mapping[str, UsdShade.Material]) -> None:
    """Bind one material to the mesh, and one to each group of faces where there are several."""
    names = sorted(set(looks))
    bind_material(prim, materials[max(names, key=looks.count)])
    if len(names) == 1:
        return
    api = UsdShade.MaterialBindingAPI(prim)
    for name in names:
        faces = np.flatnonzero(np.array(looks) == name).astype(np.int32)
        subset = api.CreateMaterialBindSubset(name, Vt.IntArray.FromNumpy(faces))
        bind_material(subset.GetPrim(), materials[name])
    api.SetMaterialBindSubsetsFamilyType(UsdGeom.Tokens.partition)


def _author_joint(stage: Usd.Stage, design: HandDesign, link: LinkDesign, joint: JointDesign, target: float) -> None:
    prim = _JOINT_SCHEMAS[joint.joint_type].Define(stage, f"/{design.name}/joints/{joint.name}")
    prim.CreateBody0Rel().SetTargets([Sdf.Path(f"/{design.name}/{link.parent}")])
    prim.CreateBody1Rel().SetTargets([Sdf.Path(f"/{design.name}/{link.name}")])
    index = int(np.argmax(np.abs(joint.axis)))
    T_link_joint = _joint_frame(joint.axis, index)
    T_link_joint[:3] = joint.anchor
    for number, pose in enumerate((compose(joint.T_parent_link, T_link_joint), T_link_joint)):
        x, y, z, w = (float(v) for v in np.round(pose[3:], 9) + 0.0)
        getattr(prim, f"CreateLocalPos{number}Attr")(to_gf(np.round(pose[:3], 9) + 0.0))
        getattr(prim, f"CreateLocalRot{number}Attr")(Gf.Quatf(w, x, y, z))
    if joint.joint_type == "fixed":
        return
    kind, to_usd = ("angular", math.degrees) if joint.joint_type == "revolute" else ("linear", float)
    prim.CreateAxisAttr("XYZ"[index])
    prim.CreateLowerLimitAttr(to_usd(joint.lower))
    prim.CreateUpperLimitAttr(to_usd(joint.upper))
    # Without it PhysX starts articulations at 0, wherever the links are placed.
    apply_physx(prim.GetPrim(), f"PhysicsJointStateAPI:{kind}", {f"state:{kind}:physics:position": to_usd(target)})
    if joint.leader is not None:
        leader = Sdf.Path(f"/{design.name}/joints/{joint.leader}")
        _author_mimic(prim.GetPrim(), f"{'rot' if kind == 'angular' else 'trans'}{'XYZ'[index]}", leader, joint)
        return
    drive = UsdPhysics.DriveAPI.Apply(prim.GetPrim(), kind)
    drive.CreateTypeAttr("force")
    drive.CreateTargetPositionAttr(to_usd(target))
    turns = kind == "angular"
    drive.CreateStiffnessAttr(math.radians(design.stiffness) if turns else design.linear_stiffness)
    drive.CreateDampingAttr(math.radians(design.damping) if turns else design.linear_damping)
    drive.CreateMaxForceAttr(design.max_torque if turns else design.max_force)


def _joint_frame(axis: tuple[float, float, float], index: int) -> np.ndarray:
    """Return the pose of a joint frame in the link whose positive axis number ``index`` is ``axis``, shape [7].

    USD's axes are positive axes of the joint frame: others need a turned frame.
    """
    pose = IDENTITY.copy()
    positive = np.eye(3)[index]
    cosine = float(positive @ axis)
    if np.count_nonzero(axis) == 1:
        if cosine < 0.0:
            # Half a turn about another axis.
            pose[3:] = [*np.roll([0.0, 1.0, 0.0], index), 0.0]
        return pose
    pose[3:] = [*np.cross(positive, axis), 1.0 + cosine]
    pose[3:] /= np.linalg.norm(pose[3:])
    return pose


def _author_mimic(prim: Usd.Prim, axis: str, leader: Sdf.Path, joint: JointDesign) -> None:
    """Author PhysX's mimic constraint: position + gearing * leader's position + offset = 0."""
    name = f"physxMimicJoint:{axis}"
    # Not -0.0 for couplings without one.
    offset = 0.0 - (math.degrees(joint.offset) if joint.joint_type == "revolute" else joint.offset)
    values = {f"{name}:gearing": -joint.multiplier, f"{name}:offset": offset}
    if joint.coupling_frequency > 0.0:
        values |= {f"{name}:naturalFrequency": joint.coupling_frequency, f"{name}:dampingRatio": 1.0}
    apply_physx(prim, f"PhysxMimicJointAPI:{axis}", values)
    prim.CreateAttribute(f"{name}:referenceJointAxis", Sdf.ValueTypeNames.Token).Set(axis)
    prim.CreateRelationship(f"{name}:referenceJoint").SetTargets([leader])
