# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands from USD: any UsdPhysics articulation, ours or anyone's, with plain OpenUSD."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.inference.hand_inference import infer_grasping
from omni_graspd.hands.inference.palm_inference import infer_palm
from omni_graspd.hands.inference.separate_hands import separate_palms
from omni_graspd.hands.usd.coupling import linear_coupling
from omni_graspd.hands.usd.hand_settings import HandSettings, hand_settings_path, read_hand_settings
from omni_graspd.hands.usd.joint_reader import JointPrim, read_joints, turned
from omni_graspd.hands.usd.link_reader import owning_body, read_link_mass, read_link_mesh
from omni_graspd.usd.meshes import mesh_prims
from omni_graspd.usd.stage import reading_usd
from omni_graspd.usd.still_stage import open_still
from omni_graspd.usd.transforms import IDENTITY, local_to_world

# Limits are written in degrees; a position in radians that is meant to lie on one may miss it by rounding [rad or m].
_ROUNDING = 1e-4


def read_hand(path: Path) -> Hand:
    """Read a hand from a USD file; ``<name>.toml`` or ``hand.toml`` beside it overrides what is inferred.

    Links above the palm (a forearm, a wrist) and excluded links are left out, so that the palm is the root.

    Raises:
        GraspdError: If the file is missing or not USD, has no articulated rigid bodies, if its joints close a loop, or
            if a name in ``hand.toml`` does not exist.
    """
    settings = read_hand_settings(hand_settings_path(path))
    return _with_settings(_read_articulation(path, settings), settings, path)


def read_articulation(path: Path) -> Hand:
    """Read links and joints as :func:`read_hand` does, without inferring how the hand approaches and opens.

    That takes most of the time. Approach and open posture are Z and the joints next to 0.

    Raises:
        GraspdError: As :func:`read_hand`.
    """
    return _read_articulation(path, read_hand_settings(hand_settings_path(path)))


def read_whole_articulation(path: Path) -> Hand:
    """Read all links and joints of an articulation, from its root on: of a robot that is no hand.

    Raises:
        GraspdError: If the file is missing or not USD, has no articulated rigid bodies, or its joints close a loop.
    """
    return _read_articulation(path, None)


def _read_articulation(path: Path, settings: HandSettings | None) -> Hand:
    with reading_usd(path):
        return _read_links_and_joints(open_still(path), settings, path)


def _read_links_and_joints(stage: Usd.Stage, settings: HandSettings | None, path: Path) -> Hand:
    root = stage.GetDefaultPrim() or stage.GetPseudoRoot()
    joints = read_joints(root, path)
    if not joints:
        raise GraspdError(
            f"expected a UsdPhysics articulation in {path}, got no joint between rigid bodies; "
            "give a USD with UsdPhysics joints"
        )
    _check_no_instancer(root, path)
    tree = _grow_tree(joints, _root_body(root, joints), path)
    if settings is not None:
        tree = _subtree(stage, tree, settings, path)
    movable = [joint for _, joint in tree if joint is not None and joint.joint_type != "fixed"]
    actuated, coupling, offset = linear_coupling(movable, path)
    lower = np.array([joint.lower for joint in movable])
    upper = np.array([joint.upper for joint in movable])
    return Hand(
        name=path.stem,
        source=path,
        links=_read_links(stage, tree, movable),
        joint_names=tuple(joint.path.name for joint in movable),
        joint_lower=lower,
        joint_upper=upper,
        actuated=actuated,
        coupling=coupling,
        coupling_offset=offset,
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=np.clip(0.0, lower, upper)[actuated],
    )


Branch = tuple[Sdf.Path, JointPrim | None]
"""A body and the joint to its parent; the joint's first body is the parent."""


def _check_no_instancer(root: Usd.Prim, path: Path) -> None:
    for prim in Usd.PrimRange(root, Usd.TraverseInstanceProxies()):
        if prim.IsA(UsdGeom.PointInstancer) and not owning_body(prim).IsPseudoRoot():
            raise GraspdError(
                f"expected meshes on the links of {path}, got the PointInstancer {prim.GetPath()}; make its copies "
                "meshes before the export"
            )


def _root_body(root: Usd.Prim, joints: Sequence[JointPrim]) -> Sdf.Path:
    """Return the body that carries the articulation root, else the one that no joint has as its second body."""
    bodies = list(dict.fromkeys(body for joint in joints for body in (joint.body_0, joint.body_1)))
    for prim in Usd.PrimRange(root, Usd.TraverseInstanceProxies()):
        if prim.HasAPI(UsdPhysics.ArticulationRootAPI) and prim.GetPath() in bodies:
            return prim.GetPath()
    children = {joint.body_1 for joint in joints}
    return next((body for body in bodies if body not in children), bodies[0])


def _grow_tree(joints: Sequence[JointPrim], root: Sdf.Path, path: Path) -> list[Branch]:
    """Order bodies depth first from the root, each with the joint to its parent; joints that point up are turned."""
    neighbours: dict[Sdf.Path, list[JointPrim]] = {}
    for joint in joints:
        neighbours.setdefault(joint.body_0, []).append(joint)
        neighbours.setdefault(joint.body_1, []).append(turned(joint))
    tree: list[Branch] = []
    seen = {root}
    stack: list[Branch] = [(root, None)]
    while stack:
        body, joint = stack.pop()
        tree.append((body, joint))
        for next_joint in reversed(neighbours.get(body, [])):
            if next_joint.body_1 not in seen:
                seen.add(next_joint.body_1)
                stack.append((next_joint.body_1, next_joint))
    _check_no_loop(joints, tree, path)
    return tree


def _check_no_loop(joints: Sequence[JointPrim], tree: list[Branch], path: Path) -> None:
    bodies = {body for body, _ in tree}
    used = {joint.path for _, joint in tree if joint is not None}
    closing = [str(joint.path) for joint in joints if joint.path not in used and joint.body_0 in bodies]
    if closing:
        raise GraspdError(
            f"expected a tree of joints in {path}, got a loop, which {', '.join(closing)} closes; "
            "set physics:excludeFromArticulation on the joint where the loop is to be cut"
        )


def _subtree(stage: Usd.Stage, tree: list[Branch], settings: HandSettings, path: Path) -> list[Branch]:
    """Keep the palm and what hangs on it, without excluded links and what hangs on those."""
    names = [body.name for body, _ in tree]
    for name in (*settings.excluded_links, *([] if settings.palm is None else [settings.palm])):
        if name not in names:
            raise GraspdError(f"expected a link of {path} in hand.toml, got {name!r}; links: {', '.join(names)}")
    index = {body: k for k, (body, _) in enumerate(tree)}
    parents = [-1 if joint is None else index[joint.body_0] for _, joint in tree]
    if settings.palm is None:
        movable = [joint is not None and joint.lower < joint.upper for _, joint in tree]
        purposes = ("default", "render", "guide", "proxy")
        bodies = {owning_body(prim).GetPath() for prim in mesh_prims(stage.GetPseudoRoot(), purposes)}
        surfaced = [body in bodies for body, _ in tree]
        palm = infer_palm(parents, movable, surfaced)
        positions, radii = _extents(stage, tree)
        palms = separate_palms(parents, movable, surfaced, positions, radii, palm)
        if palms:
            raise GraspdError(
                f"expected one hand in {path}, got {len(palms)}, with the palms {', '.join(names[k] for k in palms)}; "
                f'choose one by palm = "{names[palms[0]]}" in a hand.toml beside it'
            )
    else:
        palm = names.index(settings.palm)
    if names[palm] in settings.excluded_links:
        raise GraspdError(
            f"expected {names[palm]!r}, the palm, to take part in grasping, got it in excluded_links of {path}; "
            "take it off that list or name another palm"
        )
    kept = {palm}
    for k in range(palm + 1, len(tree)):
        if parents[k] in kept and names[k] not in settings.excluded_links:
            kept.add(k)
    return [(tree[palm][0], None), *(tree[k] for k in sorted(kept - {palm}))]


def _extents(stage: Usd.Stage, tree: list[Branch]) -> tuple[np.ndarray, np.ndarray]:
    """Return where the file places links [m], shape [link_count, 3], and how far they reach from there [m]."""
    metres = UsdGeom.GetStageMetersPerUnit(stage)
    cache = UsdGeom.BBoxCache(Usd.TimeCode.Default(), ["default", "render", "guide", "proxy"])
    origins, radii = [], []
    for body, joint in tree:
        prim = stage.GetPrimAtPath(body)
        origin = local_to_world(prim)[:3, 3]
        box = cache.ComputeWorldBound(prim).ComputeAlignedRange()
        corners = np.array([box.GetCorner(k) for k in range(8)]) if not box.IsEmpty() else origin[None]
        slide = joint.upper - joint.lower if joint is not None and joint.joint_type == "prismatic" else 0.0
        origins.append(metres * origin)
        radii.append(metres * float(np.linalg.norm(corners - origin, axis=1).max()) + slide)
    return np.array(origins), np.array(radii)


def _read_links(stage: Usd.Stage, tree: list[Branch], movable: Sequence[JointPrim]) -> tuple[Link, ...]:
    index = {body: k for k, (body, _) in enumerate(tree)}
    joint_index = {joint.path: k for k, joint in enumerate(movable)}
    links = []
    for body, joint in tree:
        prim = stage.GetPrimAtPath(body)
        mesh = read_link_mesh(prim)
        links.append(
            Link(
                name=body.name,
                prim_path=str(body),
                parent=-1 if joint is None else index[joint.body_0],
                joint=-1 if joint is None else joint_index.get(joint.path, -1),
                joint_type="root" if joint is None else joint.joint_type,
                axis=np.array([1.0, 0.0, 0.0]) if joint is None else joint.axis,
                T_parent_joint=IDENTITY if joint is None else joint.T_body_0_joint,
                T_link_joint=IDENTITY if joint is None else joint.T_body_1_joint,
                mesh=mesh,
                mass=read_link_mass(prim, mesh),
            )
        )
    return tuple(links)


def _with_settings(hand: Hand, settings: HandSettings, path: Path) -> Hand:
    """Take what the settings say and infer the rest."""
    for name, position in settings.open_positions.items():
        _check_open_position(hand, name, position, path)
    direction = None
    if settings.approach_direction is not None:
        length = float(np.linalg.norm(settings.approach_direction))
        if not length > 0.0:
            raise GraspdError(
                f"expected approach_direction in {path} to have a length, got {settings.approach_direction}"
            )
        direction = np.array(settings.approach_direction) / length
    hand = infer_grasping(
        hand,
        direction=direction,
        point=None if settings.approach_point is None else np.array(settings.approach_point),
        posture_known=all(hand.joint_names[joint] in settings.open_positions for joint in hand.actuated),
    )
    named = [settings.open_positions.get(hand.joint_names[joint]) for joint in hand.actuated]
    inferred = zip(named, hand.open_positions, strict=True)
    positions = np.array([position if given is None else given for given, position in inferred])
    positions = np.clip(positions, hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated])
    return dataclasses.replace(hand, open_positions=positions)


def _check_open_position(hand: Hand, name: str, position: float, path: Path) -> None:
    if name not in hand.joint_names:
        raise GraspdError(
            f"expected a joint of {path} in [open_positions], got {name!r}; joints: {', '.join(hand.joint_names)}"
        )
    k = hand.joint_names.index(name)
    if not hand.joint_lower[k] - _ROUNDING <= position <= hand.joint_upper[k] + _ROUNDING:
        raise GraspdError(
            f"expected {name} in [open_positions] of {path} to be within "
            f"{hand.joint_lower[k]:.4g} to {hand.joint_upper[k]:.4g}, got {position:g}"
        )
