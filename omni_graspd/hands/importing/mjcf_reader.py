# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""MJCF, compiled by MuJoCo itself: it alone knows its defaults, classes, includes and units."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.mesh_files import linear_color
from omni_graspd.hands.importing.source_hand import SourceJoint, SourceLink, SourceShape, parents_first
from omni_graspd.hands.usd.hand_design import MassDistribution
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_LAST_SEEN_GROUP = 2
"""MuJoCo's viewer shows groups 0 to 2 unless told otherwise; colliders that are not to be seen are in group 3."""


def read_mjcf(path: Path) -> list[SourceLink]:
    """Read an MJCF file's links, parents first; of several top-level bodies, the only one with joints in its tree.

    Raises:
        GraspdError: If MuJoCo is missing or refuses the file, several top-level bodies have joints, or one is a ball.
    """
    model = _compile(path)
    links: list[SourceLink] = []
    names: dict[int, str] = {}
    hand = _hand_body(model, path)
    for body in range(1, model.nbody):
        parent = int(model.body_parentid[body])
        if body == hand or parent in names:
            links += _read_body(model, body, names.get(parent), path)
            names[body] = links[-1].name
    by_name = {link.name: link for link in links}
    for signature in model.exclude_signature:
        first, second = names.get(int(signature) >> 16), names.get(int(signature) & 0xFFFF)
        if first is not None and second is not None:
            by_name[first].never_hits.append(second)
    _couple(model, {link.joint.name: link.joint for link in links if link.joint is not None})
    return parents_first(links, path)


def _compile(path: Path) -> Any:
    try:
        import mujoco
    except ImportError as error:
        raise GraspdError(
            f"expected the package mujoco to read {path}, got none; pip install 'omni-graspd[import]'"
        ) from error
    try:
        return mujoco.MjModel.from_xml_path(str(path))
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise GraspdError(f"expected {path} to be MJCF that MuJoCo can read, got: {reason}; mend it") from error


def _hand_body(model: Any, path: Path) -> int:
    """Return the top-level body that the hand hangs on; free joints do not count."""
    moving = {int(model.body_rootid[model.jnt_bodyid[k]]) for k in range(model.njnt) if model.jnt_type[k] != 0}
    if not moving:
        raise GraspdError(f"expected a hand with movable joints in {path}, got none; give an articulated model")
    if len(moving) > 1:
        names = ", ".join(sorted(_name(model, "body", body) for body in moving))
        raise GraspdError(f"expected one root body in {path}, got {names}; put the hand alone in a file")
    return moving.pop()


def _name(model: Any, kind: str, index: int) -> str:
    return getattr(model, kind)(index).name or f"{kind}_{index}"


def _read_body(model: Any, body: int, parent: str | None, path: Path) -> list[SourceLink]:
    """Return a body's link; with several joints, one empty link comes before it for each joint but the last."""
    name = _name(model, "body", body)
    pose = np.array([*model.body_pos[body], *np.roll(model.body_quat[body], -1)])
    joints = range(model.body_jntadr[body], model.body_jntadr[body] + model.body_jntnum[body])
    moving = [_read_joint(model, joint, path) for joint in joints if model.jnt_type[joint] != 0]
    if parent is None:
        pose = IDENTITY
        if moving:
            raise GraspdError(
                f"expected the root body {name!r} of {path} to have no joints but a free one, got "
                f"{', '.join(joint.name for joint in moving)}; put the hand into a body of its own"
            )
    links = []
    weld = None if parent is None else SourceJoint(f"{name}_weld", "fixed", np.array([1.0, 0.0, 0.0]), np.zeros(3))
    for number, joint in enumerate(moving or [weld]):
        last = number >= len(moving) - 1
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
    name, kind = _name(model, "jnt", index), int(model.jnt_type[index])
    if kind == 1:
        raise GraspdError(f"expected hinges and slides in {path}, got the ball joint {name!r}; use three hinges")
    lower, upper = (float(limit) for limit in model.jnt_range[index])
    if not model.jnt_limited[index]:
        if kind == 2:
            raise GraspdError(f"expected the slide {name!r} of {path} to have limits, got none; add range=")
        lower, upper = -math.pi, math.pi
    # MuJoCo's positions count from ref.
    reference = float(model.qpos0[model.jnt_qposadr[index]])
    if reference != 0.0:
        raise GraspdError(f"expected ref=0 on joint {name!r} of {path}, got {reference:g}; move the body instead")
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
    shape = SourceShape(mesh, Appearance(color=linear_color(*(float(value) for value in rgba[:3]))))
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


def _couple(model: Any, joints: dict[str, SourceJoint]) -> None:
    """Turn couplings into followers: equalities of two joints, and tendons that one actuator pulls.

    A fixed tendon shares its length among its joints in proportion to their coefficients, as equal springs would.
    """
    import mujoco

    for k in range(model.neq):
        pair = (int(model.eq_obj1id[k]), int(model.eq_obj2id[k]))
        if model.eq_type[k] != mujoco.mjtEq.mjEQ_JOINT or min(pair) < 0:
            continue
        follower, leader = (joints.get(_name(model, "jnt", joint)) for joint in pair)
        if follower is not None and leader is not None:
            follower.leader = leader.name
            follower.offset, follower.multiplier = (float(value) for value in model.eq_data[k][:2])
    for actuator in range(model.nu):
        if model.actuator_trntype[actuator] != mujoco.mjtTrn.mjTRN_TENDON:
            continue
        tendon = int(model.actuator_trnid[actuator][0])
        wraps = range(model.tendon_adr[tendon], model.tendon_adr[tendon] + model.tendon_num[tendon])
        if any(model.wrap_type[w] != mujoco.mjtWrap.mjWRAP_JOINT for w in wraps):
            continue
        pulled = [(_name(model, "jnt", int(model.wrap_objid[w])), float(model.wrap_prm[w])) for w in wraps]
        pulled.sort(key=lambda item: list(joints).index(item[0]))
        for name, coefficient in pulled[1:]:
            joints[name].leader, joints[name].multiplier = pulled[0][0], coefficient / pulled[0][1]
