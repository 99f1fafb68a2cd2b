# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Arms that come as USD: where the flange is, and what it moves is switched off."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.arms.arm_drive import DAMPING, LINEAR_DAMPING, LINEAR_STIFFNESS, STIFFNESS
from omni_graspd.arms.source_flange import Frame, find_flange, without_tool
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.importing.source_hand import SourceJoint, SourceLink
from omni_graspd.hands.usd.hand_reader import read_whole_articulation
from omni_graspd.hands.usd.hand_writer import author_drive
from omni_graspd.hands.usd.joint_reader import joint_body, read_joints, without_scale
from omni_graspd.hands.usd.link_reader import owning_body
from omni_graspd.usd.stage import save_layer
from omni_graspd.usd.transforms import compose, invert, local_to_world, matrix_to_pose


def keep_arm(path: Path, flange: str | None, source: Path) -> tuple[Frame, tuple[str, ...]]:
    """Find the flange of an arm in a USD file, and deactivate what moves behind it; drive all joints.

    Args:
        path: One file without references, which is changed.
        flange: Link, or frame on a link, that hands are mounted on; None to find it by its name.
        source: Where it comes from, for errors.

    Returns:
        The flange, and what was guessed or left out, a sentence each.

    Raises:
        GraspdError: If the file is not in metres and Z up, there is no articulation, no such flange, or the arm cannot
            be told from what it carries.
    """
    stage = Usd.Stage.Open(Sdf.Layer.OpenAsAnonymous(str(path)))
    check_units(stage, source)
    articulation = read_whole_articulation(path)
    names = [link.name for link in articulation.links]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise GraspdError(f"expected links of {source} to have names of their own, got {twice!r} twice; rename one")
    links = _source_links(articulation)
    frame, notes = find_flange(links, flange, _frames(stage, articulation), source)
    kept = {link.name for link in without_tool(links, frame, source)[0]}
    lost = [link for link in articulation.links if link.name not in kept]
    if lost:
        deactivate_bodies(stage, [Sdf.Path(link.prim_path) for link in lost], source)
        seen = ", ".join(link.name for link in lost if len(link.mesh.faces))
        notes = (*notes, *([f"left out, since it is moved by the flange: {seen}"] if seen else []))
    driven = _drive(stage, source)
    if driven:
        gains = f"{STIFFNESS:g} N m/rad or {LINEAR_STIFFNESS:g} N/m"
        notes = (*notes, f"gave joints without a drive one of {gains}: {', '.join(driven)}")
    if lost or driven:
        save_layer(stage.GetRootLayer(), path)
    return frame, notes


def check_units(stage: Usd.Stage, source: Path) -> None:
    """Check that a file can be used as it is, without being scaled or turned.

    Raises:
        GraspdError: If it is not in metres and Z up.
    """
    metres, up = UsdGeom.GetStageMetersPerUnit(stage), UsdGeom.GetStageUpAxis(stage)
    if not np.isclose(metres, 1.0) or up != UsdGeom.Tokens.z:
        raise GraspdError(f"expected {source} in metres and Z up, got {metres:g} m and {up} up; export it anew")


def _drive(stage: Usd.Stage, source: Path) -> list[str]:
    """Give joints that have no drive one of an arm; return their names."""
    driven = []
    for joint in read_joints(stage.GetDefaultPrim() or stage.GetPseudoRoot(), source):
        prim = stage.GetPrimAtPath(joint.path)
        if joint.joint_type == "fixed" or prim.IsInstanceProxy():
            continue
        target = float(np.clip(0.0, joint.lower, joint.upper))
        if joint.joint_type == "prismatic" and not prim.HasAPI(UsdPhysics.DriveAPI, "linear"):
            author_drive(prim, "linear", target, LINEAR_STIFFNESS, LINEAR_DAMPING, math.inf)
            driven.append(prim.GetName())
        elif joint.joint_type == "revolute" and not prim.HasAPI(UsdPhysics.DriveAPI, "angular"):
            author_drive(prim, "angular", target, STIFFNESS, DAMPING, math.inf)
            driven.append(prim.GetName())
    return driven


def _source_links(articulation: Hand) -> list[SourceLink]:
    """Return links and joints as other formats have them, without shapes."""
    links = articulation.links
    return [
        SourceLink(
            name=link.name,
            parent=links[link.parent].name if link.parent >= 0 else None,
            T_parent_link=compose(link.T_parent_joint, invert(link.T_link_joint)),
            joint=_source_joint(articulation, number) if link.parent >= 0 else None,
        )
        for number, link in enumerate(links)
    ]


def _source_joint(articulation: Hand, number: int) -> SourceJoint:
    link = articulation.links[number]
    if link.joint < 0:
        return SourceJoint(f"{link.name}_joint", "fixed", link.axis, np.zeros(3))
    kind = "prismatic" if link.joint_type == "prismatic" else "revolute"
    leaders = np.flatnonzero(articulation.coupling[link.joint])
    follows = link.joint not in articulation.actuated
    leader = articulation.joint_names[articulation.actuated[leaders[0]]] if follows and len(leaders) else None
    return SourceJoint(articulation.joint_names[link.joint], kind, link.axis, np.zeros(3), leader=leader)


def _frames(stage: Usd.Stage, articulation: Hand) -> dict[str, Frame]:
    """Return frames without any shape that lie on links, by name."""
    bodies = {link.prim_path: link.name for link in articulation.links}
    metres, cache = UsdGeom.GetStageMetersPerUnit(stage), UsdGeom.XformCache()
    found = {}
    for prim in stage.Traverse():
        body = owning_body(prim)
        if prim.GetTypeName() != "Xform" or prim == body or str(body.GetPath()) not in bodies:
            continue
        if any(child.IsA(UsdGeom.Gprim) for child in Usd.PrimRange(prim)):
            continue
        T_world_body, T_world_frame = (without_scale(local_to_world(one, cache)) for one in (body, prim))
        pose = matrix_to_pose(np.linalg.inv(T_world_body) @ T_world_frame)
        pose[:3] *= metres
        found[prim.GetName()] = Frame(bodies[str(body.GetPath())], pose)
    return found


def deactivate_bodies(stage: Usd.Stage, lost: list[Sdf.Path], source: Path) -> None:
    """Deactivate rigid bodies and the joints that end at them.

    Args:
        stage: The stage, which is changed.
        lost: Paths of the bodies.
        source: Where they come from, for errors.

    Raises:
        GraspdError: If there are bodies below one of them that are to stay.
    """
    bodies = {body.GetPath() for body in stage.Traverse() if body.HasAPI(UsdPhysics.RigidBodyAPI)}
    for path in lost:
        inside = [str(body) for body in bodies if body.HasPrefix(path) and body not in lost]
        if inside:
            raise GraspdError(
                f"expected no links of the arm below {path} of {source}, which is left out, got {inside[0]}; "
                "delete it from the file"
            )
    joints = [prim for prim in stage.Traverse() if prim.IsA(UsdPhysics.Joint)]
    for prim in joints:
        joint = UsdPhysics.Joint(prim)
        ends = [joint_body(stage, rel) for rel in (joint.GetBody0Rel(), joint.GetBody1Rel())]
        if any(end is not None and end.GetPath() in lost for end in ends):
            prim.SetActive(False)
    for path in sorted(lost, reverse=True):  # What is below a deactivated prim is no longer on the stage.
        stage.GetPrimAtPath(path).SetActive(False)
