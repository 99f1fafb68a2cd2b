# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand frozen in one posture: as prims for pictures and scenes, and as one mesh."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.still_stage import open_still
from omni_graspd.usd.transforms import local_to_world, pose_to_matrix, transform_points


def posed_mesh(hand: Hand, T_world_palm: np.ndarray, joint_positions: np.ndarray) -> TriangleMesh:
    """Merge the surfaces of all links in one posture.

    Args:
        hand: The hand.
        T_world_palm: Palm pose, shape [7].
        joint_positions: All joints [rad or m], shape [joint_count].

    Returns:
        The surface in the world frame [m]; links stay separate shells.
    """
    poses = link_poses(hand, T_world_palm, joint_positions)
    offsets = np.cumsum([0, *(len(link.mesh.vertices) for link in hand.links)])
    vertices = [transform_points(pose, link.mesh.vertices) for pose, link in zip(poses, hand.links, strict=True)]
    faces = [link.mesh.faces + offset for link, offset in zip(hand.links, offsets[:-1], strict=True)]
    return TriangleMesh(np.concatenate(vertices), np.concatenate(faces).astype(np.int32))


def author_posed_hand(
    stage: Usd.Stage, path: str, hand: Hand, T_world_palm: np.ndarray, joint_positions: np.ndarray
) -> Usd.Prim:
    """Put a hand on a stage, in one posture and without physics.

    The hand's USD file is referenced and its link transforms are overridden. Links that the hand leaves out (a forearm)
    keep their place relative to the palm.

    Args:
        stage: The stage.
        path: Path of the new prim; its parents must not be scaled or moved afterwards.
        hand: The hand.
        T_world_palm: Palm pose [m], shape [7].
        joint_positions: All joints [rad or m], shape [joint_count].

    Returns:
        The hand's prim.
    """
    prim = UsdGeom.Xform.Define(stage, path).GetPrim()
    prim.GetReferences().AddReference(str(hand.source.absolute()), _source_frames(hand).root)
    move_posed_hand(stage, path, hand, T_world_palm, joint_positions)
    switch_physics_off(prim)
    return prim


def move_posed_hand(
    stage: Usd.Stage, path: str, hand: Hand, T_world_palm: np.ndarray, joint_positions: np.ndarray
) -> None:
    """Bring a hand that is on a stage into another posture; milliseconds, for hands that move.

    Args:
        stage: The stage.
        path: Path given to :func:`author_posed_hand`.
        hand: The same hand.
        T_world_palm: Palm pose [m], shape [7].
        joint_positions: All joints [rad or m], shape [joint_count].
    """
    frames, prim = _source_frames(hand), stage.GetPrimAtPath(path)
    units = UsdGeom.GetStageMetersPerUnit(stage)
    poses = link_poses(hand, T_world_palm, joint_positions)
    matrices = {
        link.prim_path: _link_matrix(pose, scale, units)
        for link, pose, scale in zip(hand.links, poses, frames.scales, strict=True)
    }
    _place(prim, matrices[hand.links[0].prim_path] @ frames.T_palm_root)
    for prim_path in sorted(matrices, key=lambda p: Sdf.Path(p).pathElementCount):
        if Sdf.Path(prim_path) != frames.root:
            link_path = Sdf.Path(prim_path).ReplacePrefix(frames.root, prim.GetPath())
            _place(stage.GetPrimAtPath(link_path), matrices[prim_path])


def animate_posed_hand(
    stage: Usd.Stage,
    path: str,
    hand: Hand,
    T_world_palm: np.ndarray,
    joint_positions: np.ndarray,
    codes: np.ndarray,
) -> None:
    """Give a hand that is on a stage a posture at each of some times; at the default time it stays as it is.

    Args:
        stage: The stage.
        path: Path given to :func:`author_posed_hand`.
        hand: The same hand.
        T_world_palm: Palm poses [m], shape [code_count, 7].
        joint_positions: All joints [rad or m], shape [code_count, joint_count].
        codes: Time codes, shape [code_count].
    """
    root = _source_frames(hand).root
    paths = [stage.GetPrimAtPath(path).GetPath()]
    paths += [Sdf.Path(link.prim_path).ReplacePrefix(root, paths[0]) for link in hand.links]
    places = [stage.GetPrimAtPath(moved).GetAttribute("xformOp:transform") for moved in dict.fromkeys(paths)]
    still = [place.Get() for place in places]
    moving = []
    for palm, joints in zip(T_world_palm, joint_positions, strict=True):
        move_posed_hand(stage, path, hand, palm, joints)
        moving.append([place.Get() for place in places])
    for place, at_rest, column in zip(places, still, zip(*moving, strict=True), strict=True):
        place.Set(at_rest)
        for code, matrix in zip(codes.tolist(), column, strict=True):
            place.Set(matrix, code)


@dataclass(frozen=True, eq=False)
class _SourceFrames:
    """What of a hand's file its placing needs."""

    root: Sdf.Path
    T_palm_root: np.ndarray
    scales: tuple[np.ndarray, ...]


@functools.lru_cache(maxsize=16)
def _source_frames(hand: Hand) -> _SourceFrames:
    source = open_still(hand.source)
    root = Sdf.Path(hand.links[0].prim_path).GetPrefixes()[0]
    links = [local_to_world(source.GetPrimAtPath(link.prim_path)) for link in hand.links]
    units = UsdGeom.GetStageMetersPerUnit(source)
    T_palm_root = np.linalg.inv(links[0]) @ local_to_world(source.GetPrimAtPath(root))
    return _SourceFrames(root, T_palm_root, tuple(units * np.linalg.norm(link[:3, :3], axis=0) for link in links))


def _link_matrix(pose: np.ndarray, scale: np.ndarray, units: float) -> np.ndarray:
    """Return the local-to-world matrix, shape [4, 4], that shows a link at a pose, in a stage's units [m].

    Args:
        pose: Of the link, shape [7].
        scale: Metres per unit of the link's own coordinates, shape [3].
        units: Metres per unit of the stage.
    """
    matrix = pose_to_matrix(pose)
    matrix[:3, 3] /= units
    matrix[:3, :3] *= scale / units
    return matrix


def _place(prim: Usd.Prim, T_world_prim: np.ndarray) -> None:
    xformable = UsdGeom.Xformable(prim)
    parent_to_world = np.eye(4) if xformable.GetResetXformStack() else local_to_world(prim.GetParent())
    local = np.linalg.inv(parent_to_world) @ T_world_prim
    xformable.MakeMatrixXform().Set(Gf.Matrix4d(local.T))


def switch_physics_off(root: Usd.Prim) -> None:
    """Have simulations leave out all bodies, colliders and joints below a prim: it is there to be looked at.

    Args:
        root: The prim; overrides go to the stage's edit target.
    """
    for prim in Usd.PrimRange(root):
        if prim.HasAPI(UsdPhysics.RigidBodyAPI):
            UsdPhysics.RigidBodyAPI(prim).CreateRigidBodyEnabledAttr(False)
        if prim.HasAPI(UsdPhysics.CollisionAPI):
            UsdPhysics.CollisionAPI(prim).CreateCollisionEnabledAttr(False)
        if prim.IsA(UsdPhysics.Joint):
            UsdPhysics.Joint(prim).CreateJointEnabledAttr(False)
        if prim.HasAPI(UsdPhysics.ArticulationRootAPI):
            prim.CreateAttribute("physxArticulation:articulationEnabled", Sdf.ValueTypeNames.Bool).Set(False)
