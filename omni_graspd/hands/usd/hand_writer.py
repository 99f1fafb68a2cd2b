# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands as USD articulations: flat links, joints with drives, convex colliders, materials by face."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import trimesh
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade, Vt

from omni_graspd.hands.usd.filtered_pairs import overlapping_pairs
from omni_graspd.hands.usd.hand_design import (
    HandDesign,
    JointDesign,
    LinkDesign,
    LinkShape,
    MassDistribution,
    pose_links,
)
from omni_graspd.usd.materials import author_material, bind_material
from omni_graspd.usd.meshes import author_mesh, to_gf
from omni_graspd.usd.physics import (
    apply_collider,
    apply_physx,
    apply_rigid_body,
    author_physics_material,
    bind_physics_material,
)
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage, save_stage
from omni_graspd.usd.transforms import IDENTITY, author_pose, compose

_JOINT_SCHEMAS = {
    "revolute": UsdPhysics.RevoluteJoint,
    "prismatic": UsdPhysics.PrismaticJoint,
    "fixed": UsdPhysics.FixedJoint,
}


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
    # As in most hands' files: fingers rarely meet in a grasp. Who switches it on needs the filtered pairs.
    apply_physx(root, "PhysxArticulationAPI", {"physxArticulation:enabledSelfCollisions": False})
    UsdGeom.Scope.Define(stage, f"/{design.name}/Looks")
    materials = {
        name: author_material(stage, f"/{design.name}/Looks/{name}", look) for name, look in design.looks.items()
    }
    contact = author_physics_material(stage, f"/{design.name}/Looks/contact", friction=design.friction, restitution=0.0)
    poses = pose_links(design, posture)
    for link in design.links:
        _author_link(stage, f"/{design.name}/{link.name}", link, poses[link.name], materials, contact)
    _filter_pairs(stage, design, posture)
    UsdGeom.Scope.Define(stage, f"/{design.name}/joints")
    for link in design.links:
        if link.joint is not None:
            _author_joint(stage, design, link, link.joint, posture.get(link.joint.name, 0.0))
    save_stage(stage, path)


def _filter_pairs(stage: Usd.Stage, design: HandDesign, posture: Mapping[str, float]) -> None:
    """Let links that overlap whatever the joints do, and those that the design names, never collide."""
    partners: dict[str, list[Sdf.Path]] = {}
    for a, b in dict.fromkeys((*design.filtered_pairs, *overlapping_pairs(design, posture))):
        partners.setdefault(a, []).append(Sdf.Path(f"/{design.name}/{b}"))
    for name, paths in partners.items():
        prim = stage.GetPrimAtPath(f"/{design.name}/{name}")
        UsdPhysics.FilteredPairsAPI.Apply(prim).CreateFilteredPairsRel().SetTargets(paths)


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
    if kind == "angular":
        author_drive(prim.GetPrim(), kind, target, design.stiffness, design.damping, design.max_torque)
    else:
        author_drive(prim.GetPrim(), kind, target, design.linear_stiffness, design.linear_damping, design.max_force)


def author_drive(
    prim: Usd.Prim,
    kind: Literal["angular", "linear"],
    target: float,
    stiffness: float,
    damping: float,
    max_force: float,
) -> None:
    """Give a joint a position drive, on a stage in metres.

    Args:
        prim: The joint.
        kind: Whether it turns or slides.
        target: Where it is driven to [rad or m].
        stiffness: [N m/rad or N/m].
        damping: [N m s/rad or N s/m].
        max_force: Largest torque or force [N m or N]; may be infinite.
    """
    drive = UsdPhysics.DriveAPI.Apply(prim, kind)
    drive.CreateTypeAttr("force")
    turns = kind == "angular"  # USD measures angles in degrees.
    drive.CreateTargetPositionAttr(math.degrees(target) if turns else target)
    drive.CreateStiffnessAttr(math.radians(stiffness) if turns else stiffness)
    drive.CreateDampingAttr(math.radians(damping) if turns else damping)
    drive.CreateMaxForceAttr(max_force)


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
