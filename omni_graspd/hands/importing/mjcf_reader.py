# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""MJCF, compiled by MuJoCo itself: it alone knows its defaults, classes, includes and units."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.mesh_files import linear_color
from omni_graspd.hands.importing.mjcf_couplings import MjcfCouplings, joint_reference
from omni_graspd.hands.importing.mjcf_model import compile_mjcf, name_of
from omni_graspd.hands.importing.source_hand import SourceJoint, SourceLink, SourceShape, displaced, parents_first
from omni_graspd.hands.importing.source_palm import links_above_palm
from omni_graspd.hands.usd.hand_design import MassDistribution
from omni_graspd.plural import counted
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_FREE_SLIDE = 1.0
"""Limit of slides above the palm that have none [m]."""
_WORLD = "world"
"""What MuJoCo calls the body of all that is welded to nothing."""
_LARGEST_PALM = 0.4
"""What is larger is no palm but a table [m]."""
_PALM_MARGIN = 0.05
"""How far from the box around a palm its digits may begin [m]."""
_LAST_SEEN_GROUP = 2
"""MuJoCo's viewer shows groups 0 to 2 unless told otherwise; colliders that are not to be seen are in group 3."""


def read_mjcf(path: Path, *, is_hand: bool = True, scale: float = 1.0) -> list[SourceLink]:
    """Read an MJCF file's links, parents first; of several top-level bodies, the only one with joints in its tree.

    Args:
        path: The file.
        is_hand: Whether its palm may be a part of the world, and joints of digits that no actuator moves are held
            where they rest. Not so for arms: those whose file drives a gripper or wheels, but leaves the arm's own
            drives to others, have joints all the same.
        scale: Metres per unit of length of the file, to tell a palm from a table.

    Raises:
        GraspdError: If MuJoCo is missing or refuses the file, several top-level bodies have joints, one is a ball, or a
            coupling cannot be honoured.
    """
    model = compile_mjcf(path)
    links: list[SourceLink] = []
    names: dict[int, str] = {}
    roots = _moving_roots(model, path)
    if len(roots) > 1:
        palm = _read_world(model)
        if not (is_hand and _is_palm(model, palm, roots, scale)):
            found = ", ".join(sorted(name_of(model, "body", body) for body in roots))
            raise GraspdError(f"expected one root body in {path}, got {found}; put the robot alone in a file")
        links, names = [palm], {0: _WORLD}
    for body in range(1, model.nbody):
        parent = int(model.body_parentid[body])
        if body in roots or (parent > 0 and parent in names):
            links += _read_body(model, body, names.get(parent), path)
            names[body] = links[-1].name
    by_name = {link.name: link for link in links}
    for signature in model.exclude_signature:
        first, second = names.get(int(signature) >> 16), names.get(int(signature) & 0xFFFF)
        if first is not None and second is not None:
            by_name[first].never_hits.append(second)
    joints = {k: name_of(model, "jnt", k) for k in range(model.njnt) if int(model.jnt_bodyid[k]) in names}
    joints = {k: name for k, name in joints.items() if model.jnt_type[k] != 0}
    couplings = MjcfCouplings(model, joints, names, path)
    links = parents_first(links, path)
    if is_hand:
        _hold_passive_joints(model, links, joints, couplings)
    links = couplings.relations.applied(links)
    _check_slides(links, path)
    return links


def read_sites(path: Path) -> dict[str, tuple[str, np.ndarray]]:
    """Return the named sites of an MJCF file: the body that each is on, and its pose there, shape [7].

    Raises:
        GraspdError: If MuJoCo is missing or refuses the file.
    """
    model = compile_mjcf(path)
    return {
        model.site(k).name: (
            name_of(model, "body", int(model.site_bodyid[k])),
            np.array([*model.site_pos[k], *np.roll(model.site_quat[k], -1)]),
        )
        for k in range(model.nsite)
        if model.site(k).name
    }


def _hold_passive_joints(
    model: Any, links: Sequence[SourceLink], joints: Mapping[int, str], couplings: MjcfCouplings
) -> None:
    """Hold joints below the palm that no actuator moves where their springs rest, and note it: nothing closes them."""
    above, undriven = links_above_palm(links), set(couplings.undriven())
    held: dict[str, float] = {}
    for number, name in joints.items():
        link = next(link for link in links if link.joint is not None and link.joint.name == name)
        if name in undriven and link.name not in above and link.joint is not None:
            rest = joint_reference(model, number)
            if model.jnt_stiffness[number]:
                rest = float(model.qpos_spring[model.jnt_qposadr[number]])
            held[name] = float(np.clip(rest, link.joint.lower, link.joint.upper))
            couplings.relations.add({name: 1.0}, held[name], f"joint {name} without actuator")
    if held:
        positions = ", ".join(f"{name} at {rest:.4g}" for name, rest in held.items())
        links[0].notes.append(
            f"held where they rest, since no actuator moves them: {positions}; if they follow others, couple them "
            "(<equality><joint joint1= joint2= polycoef=>)"
        )


def _check_slides(links: Sequence[SourceLink], path: Path) -> None:
    """Refuse slides without limits below the palm; above it they are left out anyway.

    Raises:
        GraspdError: If there is one.
    """
    above = links_above_palm(links)
    for link in links:
        joint = link.joint
        if joint is not None and not math.isfinite(joint.upper - joint.lower):
            if link.name not in above:
                raise GraspdError(f"expected the slide {joint.name!r} of {path} to have limits, got none; add range=")
            joint.lower, joint.upper = -_FREE_SLIDE, _FREE_SLIDE


def _moving_roots(model: Any, path: Path) -> set[int]:
    """Return the top-level bodies with joints in their trees; free joints do not count."""
    moving = {int(model.body_rootid[model.jnt_bodyid[k]]) for k in range(model.njnt) if model.jnt_type[k] != 0}
    if not moving:
        raise GraspdError(f"expected movable joints in {path}, got none; give an articulated model")
    return moving


def _is_palm(model: Any, world: SourceLink, roots: set[int], scale: float) -> bool:
    """Tell whether the world's meshes are a palm, and the top-level bodies its digits.

    MuJoCo writes them so where it converts URDF: what is welded to the world has no body. Robots on a table look alike,
    but for the size of the table.
    """
    shapes = (*world.visuals, *world.colliders)
    if not shapes or not all(_is_chain(model, body) for body in roots):
        return False
    corners = scale * np.concatenate([shape.mesh.bounds for shape in shapes])
    lower, upper = corners.min(axis=0), corners.max(axis=0)
    begin = scale * model.body_pos[sorted(roots)]
    is_near = (begin > lower - _PALM_MARGIN) & (begin < upper + _PALM_MARGIN)
    return bool((upper - lower).max() < _LARGEST_PALM and is_near.all())


def _is_chain(model: Any, root: int) -> bool:
    """Tell whether bodies hang on each other one by one, as those of a digit do."""
    parents = [int(model.body_parentid[body]) for body in range(1, model.nbody) if model.body_rootid[body] == root]
    return max(Counter(parents).values()) == 1


def _read_world(model: Any) -> SourceLink:
    """Return the world's meshes as a link; planes and simple shapes may be floors and tables."""
    import mujoco

    link = SourceLink(_WORLD, None, IDENTITY, None)
    left_out = 0
    for geom in range(model.body_geomnum[0]):
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH:
            _read_geom(model, geom, link)
        elif _surface(model, geom) is not None:
            left_out += 1
    note = "took the world's meshes as the palm, since the digits hang on no body"
    link.notes.append(note + (f"; left out {counted(left_out, 'simple shape')} of the world" if left_out else ""))
    return link


def _read_body(model: Any, body: int, parent: str | None, path: Path) -> list[SourceLink]:
    """Return a body's link; with several joints, one empty link comes before it for each joint but the last.

    A root body that moves gets an empty link above it.
    """
    name = name_of(model, "body", body)
    pose = np.array([*model.body_pos[body], *np.roll(model.body_quat[body], -1)])
    numbers = range(model.body_jntadr[body], model.body_jntadr[body] + model.body_jntnum[body])
    numbers = [number for number in numbers if model.jnt_type[number] != 0]
    moving = [_read_joint(model, number, path) for number in numbers]
    links: list[SourceLink] = []
    if parent is None:
        pose = IDENTITY
        if moving:
            # A floating hand on joints of its root body, as datasets have it: they end up above the palm.
            parent = f"{name}_base"
            links.append(SourceLink(parent, None, IDENTITY, None))
    weld = None if parent is None else SourceJoint(f"{name}_weld", "fixed", np.array([1.0, 0.0, 0.0]), np.zeros(3))
    for number, joint in enumerate(moving or [weld]):
        last = number >= len(moving) - 1
        if moving:
            # The file places the body where its joints are at ref=, we where they are at 0.
            pose = displaced(pose, moving[number], -joint_reference(model, numbers[number]))
        links.append(SourceLink(name if last or joint is None else f"{name}_{joint.name}", parent, pose, joint))
        parent, pose = links[-1].name, IDENTITY
    link = links[-1]
    link.mass = float(model.body_mass[body])
    turn = pose_to_matrix(np.array([0.0, 0.0, 0.0, *np.roll(model.body_iquat[body], -1)]))[:3, :3]
    link.distribution = MassDistribution(model.body_ipos[body].copy(), turn * model.body_inertia[body] @ turn.T)
    for geom in range(model.body_geomadr[body], model.body_geomadr[body] + model.body_geomnum[body]):
        _read_geom(model, geom, link)
    return links


def _read_joint(model: Any, index: int, path: Path) -> SourceJoint:
    name, kind = name_of(model, "jnt", index), int(model.jnt_type[index])
    if kind == 1:
        raise GraspdError(f"expected hinges and slides in {path}, got the ball joint {name!r}; use three hinges")
    lower, upper = (float(limit) for limit in model.jnt_range[index])
    if not model.jnt_limited[index]:
        lower, upper = (-math.inf, math.inf) if kind == 2 else (-math.pi, math.pi)
    axis, anchor = model.jnt_axis[index].copy(), model.jnt_pos[index].copy()
    return SourceJoint(name, "prismatic" if kind == 2 else "revolute", axis, anchor, lower, upper)


def _read_geom(model: Any, geom: int, link: SourceLink) -> None:
    """Add a shape to what collides, by its contact bits, and to what is seen, by its group, as MuJoCo's viewer does."""
    mesh = _surface(model, geom)
    if mesh is None:
        return
    mesh.apply_transform(pose_to_matrix(np.array([*model.geom_pos[geom], *np.roll(model.geom_quat[geom], -1)])))
    material = int(model.geom_matid[geom])
    rgba = model.geom_rgba[geom] if material < 0 else model.mat_rgba[material]
    look = Appearance(color=linear_color(*(float(value) for value in rgba[:3])))
    shape = SourceShape(mesh, look, is_simple=int(model.geom_dataid[geom]) < 0)
    collides = model.geom_contype[geom] or model.geom_conaffinity[geom]
    if collides:
        link.colliders.append(shape)
    if not collides or model.geom_group[geom] <= _LAST_SEEN_GROUP:
        link.visuals.append(shape)


def _surface(model: Any, geom: int) -> trimesh.Trimesh | None:
    import mujoco

    kind, size = int(model.geom_type[geom]), [float(value) for value in model.geom_size[geom]]
    types = mujoco.mjtGeom
    if kind == types.mjGEOM_MESH:
        mesh = int(model.geom_dataid[geom])
        first, face = int(model.mesh_vertadr[mesh]), int(model.mesh_faceadr[mesh])
        vertices = model.mesh_vert[first : first + model.mesh_vertnum[mesh]]
        faces = model.mesh_face[face : face + model.mesh_facenum[mesh]]
        return trimesh.Trimesh(vertices.astype(np.float64), faces.copy(), process=False)
    if kind == types.mjGEOM_BOX:
        return trimesh.creation.box([2.0 * value for value in size])
    if kind in (types.mjGEOM_SPHERE, types.mjGEOM_ELLIPSOID):
        ball = trimesh.creation.icosphere(subdivisions=2)
        ball.apply_transform(np.diag([*(size if kind == types.mjGEOM_ELLIPSOID else 3 * [size[0]]), 1.0]))
        return ball
    if kind == types.mjGEOM_CYLINDER:
        return trimesh.creation.cylinder(radius=size[0], height=2.0 * size[1], sections=24)
    if kind == types.mjGEOM_CAPSULE:
        capsule = trimesh.creation.capsule(height=2.0 * size[1], radius=size[0], count=[12, 12])
        capsule.apply_translation(-capsule.bounds.mean(axis=0))
        return capsule
    return None
