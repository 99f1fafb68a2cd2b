# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""An arm with a hand as one USD articulation."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.usd_arm import check_units, deactivate_bodies
from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.usd.joint_reader import joint_body, without_scale
from omni_graspd.usd.meshes import to_gf
from omni_graspd.usd.physics import apply_physx
from omni_graspd.usd.self_contained import write_self_contained
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage, open_stage, save_layer, save_stage
from omni_graspd.usd.transforms import IDENTITY, author_pose, compose, invert, local_to_world, matrix_to_pose

_ROBOT, _ARM, _HAND = "/robot", "/robot/arm", "/robot/hand"
_ROOT_SCHEMAS = ("PhysicsArticulationRootAPI", "PhysxArticulationAPI")


def write_robot_usd(arm: Arm, hand: Hand, T_flange_palm: np.ndarray, T_world_base: np.ndarray, path: Path) -> None:
    """Write an arm that holds a hand as one articulation in one USD file, with textures beside it.

    Links, joints, drives, colliders and looks are those of the arm's and the hand's files, below ``/robot/arm`` and
    ``/robot/hand``. A fixed joint holds the base to ``/robot``, another one the palm to the flange. Gravity does not
    act on the links, as if it were compensated; links do not collide with each other.

    Args:
        arm: The arm.
        hand: The hand. What is above its palm in its file, such as a forearm, is left out.
        T_flange_palm: The palm in the frame of the flange, shape [7].
        T_world_base: Where the arm stands in the frame of ``/robot``, shape [7].
        path: USD file to write, all or nothing.

    Raises:
        GraspdError: If a file is not in metres and Z up, is scaled, or has no default prim.
    """
    stage = create_stage("robot")
    robot = stage.GetDefaultPrim()
    apply_label(robot, "robot")
    arm_links = _add(stage, _ARM, arm.articulation)
    hand_links = _add(stage, _HAND, hand)
    base, flange = stage.GetPrimAtPath(arm_links[0]), stage.GetPrimAtPath(arm_links[arm.flange_link])
    palm = stage.GetPrimAtPath(hand_links[0])
    author_pose(stage.GetPrimAtPath(_ARM), compose(T_world_base, invert(_pose_in(base, _ARM))))
    T_link_palm = compose(arm.T_link_flange, T_flange_palm)
    T_robot_palm = compose(_pose_in(flange, _ROBOT), T_link_palm)
    author_pose(stage.GetPrimAtPath(_HAND), compose(T_robot_palm, invert(_pose_in(palm, _HAND))))
    _hold(stage, f"{_ROBOT}/stand", robot, base, T_world_base)
    _hold(stage, f"{_ROBOT}/mount", flange, palm, T_link_palm)
    for link in (*arm_links, *hand_links):
        apply_physx(stage.GetPrimAtPath(link), "PhysxRigidBodyAPI", {"physxRigidBody:disableGravity": True})
    with tempfile.TemporaryDirectory() as folder:
        composed = Path(folder) / "composed.usda"
        save_stage(stage, composed)
        with atomic_path(path) as whole:
            write_self_contained(composed, whole)
            save_layer(_with_one_root(whole), whole)


def _add(stage: Usd.Stage, path: str, articulation: Hand) -> list[str]:
    """Reference an articulation where it is not placed yet; return the paths of its links."""
    top = _check(articulation.source)
    prim = UsdGeom.Xform.Define(stage, path).GetPrim()
    prim.GetReferences().AddReference(str(articulation.source.absolute()))
    author_pose(prim, IDENTITY)
    links = [path + link.prim_path.removeprefix(str(top)) for link in articulation.links]
    _leave_out(stage, prim, links, articulation.source)
    return links


def _check(source: Path) -> Sdf.Path:
    """Return the path of the default prim of a file that can be referenced without being scaled or turned."""
    stage = open_stage(source)
    prim = stage.GetDefaultPrim()
    if not prim:
        raise GraspdError(f"expected a default prim in {source}, got none; set one")
    check_units(stage, source)
    scale = np.linalg.norm(local_to_world(prim)[:3, :3], axis=0)
    if not np.allclose(scale, 1.0, atol=1e-5):
        raise GraspdError(f"expected {prim.GetPath()} of {source} without a scale, got {scale}; apply it to its links")
    return prim.GetPath()


def _leave_out(stage: Usd.Stage, top: Usd.Prim, links: Sequence[str], source: Path) -> None:
    """Deactivate bodies that are no links, and joints to the world: what is held, and where, is said anew."""
    prims = list(Usd.PrimRange(top))
    bodies = [prim.GetPath() for prim in prims if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    joints = [prim for prim in prims if prim.IsA(UsdPhysics.Joint)]
    deactivate_bodies(stage, [body for body in bodies if str(body) not in links], source)
    for prim in joints:
        joint = UsdPhysics.Joint(prim)
        if prim and any(joint_body(stage, rel) is None for rel in (joint.GetBody0Rel(), joint.GetBody1Rel())):
            prim.SetActive(False)


def _pose_in(prim: Usd.Prim, top: str) -> np.ndarray:
    """Return the pose of a prim in the frame of one above it, shape [7]."""
    above, below = (without_scale(local_to_world(one)) for one in (prim.GetStage().GetPrimAtPath(top), prim))
    return matrix_to_pose(np.linalg.inv(above) @ below)


def _hold(stage: Usd.Stage, path: str, first: Usd.Prim, second: Usd.Prim, T_first_second: np.ndarray) -> None:
    """Connect two prims by a fixed joint; the pose is in metres, positions of joints are in units of their prim."""
    scale = np.linalg.norm(local_to_world(first)[:3, :3], axis=0)
    joint = UsdPhysics.FixedJoint.Define(stage, path)
    joint.CreateBody0Rel().SetTargets([first.GetPath()])
    joint.CreateBody1Rel().SetTargets([second.GetPath()])
    x, y, z, w = (float(value) for value in T_first_second[3:])
    joint.CreateLocalPos0Attr(to_gf(T_first_second[:3] / scale))
    joint.CreateLocalRot0Attr(Gf.Quatf(w, x, y, z))
    joint.CreateLocalPos1Attr(Gf.Vec3f(0.0))
    joint.CreateLocalRot1Attr(Gf.Quatf(1.0))


def _with_one_root(path: Path) -> Sdf.Layer:
    """Return a file's layer with the robot as its only articulation."""
    layer = Sdf.Layer.OpenAsAnonymous(str(path))
    stage = Usd.Stage.Open(layer)
    for prim in stage.TraverseAll():
        for schema in _ROOT_SCHEMAS:
            if schema in prim.GetAppliedSchemas() or schema in _listed(prim):
                prim.RemoveAppliedSchema(schema)
        for name in [each.GetName() for each in prim.GetAuthoredAttributes()]:
            if name.startswith("physxArticulation:"):
                prim.RemoveProperty(name)
    robot = stage.GetDefaultPrim()
    UsdPhysics.ArticulationRootAPI.Apply(robot)
    apply_physx(robot, "PhysxArticulationAPI", {"physxArticulation:enabledSelfCollisions": False})
    return layer


def _listed(prim: Usd.Prim) -> list[str]:
    """Return the schemas that a prim lists, those that plain OpenUSD does not know included."""
    listed = prim.GetMetadata("apiSchemas")
    return list(listed.GetAddedOrExplicitItems()) if listed else []
