# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Arm and hand as bodies of a MuJoCo model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.full_install import require_extra
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import compose, invert, pose_to_matrix

ARM, HAND = "arm/", "hand/"
"""What the names of an arm's and a hand's bodies, joints and geometry begin with."""
_LEAST_MASS = 1e-3  # kg


def new_spec() -> Any:
    """Return an empty model without gravity, in metres and radians.

    Raises:
        GraspdError: If MuJoCo is not installed.
    """
    require_extra("mujoco", "arms", "arms")
    import mujoco

    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.gravity = [0.0, 0.0, 0.0]
    return spec


def add_robot(
    spec: Any,
    arm: Arm,
    hand: Hand,
    T_flange_palm: np.ndarray,
    T_world_base: np.ndarray,
    *,
    arm_geometry: dict[str, Any],
    hand_geometry: dict[str, Any],
) -> None:
    """Add an arm that stands in the world, and a hand welded to its flange.

    Bodies and joints are named as in the files, with ``arm/`` or ``hand/`` before the name. Links collide as convex
    pieces.

    Args:
        spec: A model's description (``mujoco.MjSpec``).
        arm: The arm.
        hand: The hand.
        T_flange_palm: The palm in the frame of the flange, shape [7].
        T_world_base: Where the arm stands, shape [7].
        arm_geometry: Properties of the arm's geometry, such as ``contype``.
        hand_geometry: Those of the hand's.
    """
    bodies = add_articulation(spec, spec.worldbody, arm.articulation, ARM, T_world_base, arm_geometry)
    T_link_palm = compose(arm.T_link_flange, T_flange_palm)
    add_articulation(spec, bodies[arm.flange_link], hand, HAND, T_link_palm, hand_geometry)


def add_articulation(
    spec: Any, parent: Any, articulation: Hand, prefix: str, T_parent_root: np.ndarray, geometry: dict[str, Any]
) -> list[Any]:
    """Add the links of an articulation, its root welded to a body; return their bodies.

    Args:
        spec: The model's description.
        parent: Body that the root is welded to.
        articulation: Links and joints.
        prefix: Before all names.
        T_parent_root: Pose of the root in the parent's frame, shape [7].
        geometry: Properties of all geometry.
    """
    bodies: list[Any] = []
    for link, pieces in zip(articulation.links, hand_colliders(articulation), strict=True):
        pose = T_parent_root if link.parent < 0 else compose(link.T_parent_joint, invert(link.T_link_joint))
        above = parent if link.parent < 0 else bodies[link.parent]
        body = above.add_body(name=f"{prefix}{link.name}", pos=pose[:3], quat=pose[[6, 3, 4, 5]])
        if link.joint >= 0:
            _add_joint(body, link, articulation, prefix)
        mass = max(link.mass, _LEAST_MASS)
        add_pieces(spec, body, f"{prefix}{link.name}", pieces, mass=mass, **geometry)
        if not pieces:
            # A file has an inertia only where its middle is known, too.
            body.mass, body.inertia, body.ipos, body.explicitinertial = mass, [1e-4 * mass] * 3, [0.0, 0.0, 0.0], True
        bodies.append(body)
    return bodies


def add_pieces(
    spec: Any, body: Any, name: str, pieces: Sequence[TriangleMesh], *, mass: float = 1.0, **geometry: Any
) -> None:
    """Add convex meshes to a body; they share the mass evenly.

    Args:
        spec: The model's description.
        body: The body.
        name: What the names of the pieces begin with.
        pieces: Convex meshes in the body's frame [m].
        mass: Of all pieces together [kg].
        geometry: Properties of the geometry.
    """
    import mujoco

    for number, piece in enumerate(pieces):
        own = f"{name}_{number}"
        mesh = spec.add_mesh(name=own, uservert=np.asarray(piece.vertices, dtype=np.float64).ravel().tolist())
        mesh.inertia, mesh.maxhullvert = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX, 64
        share = mass / len(pieces)
        body.add_geom(name=own, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=own, mass=share, **geometry)


def _add_joint(body: Any, link: Link, articulation: Hand, prefix: str) -> None:
    import mujoco

    lower, upper = articulation.joint_lower[link.joint], articulation.joint_upper[link.joint]
    limited = bool(np.isfinite([lower, upper]).all() and lower < upper)
    slides = link.joint_type == "prismatic"
    body.add_joint(
        name=f"{prefix}{articulation.joint_names[link.joint]}",
        type=mujoco.mjtJoint.mjJNT_SLIDE if slides else mujoco.mjtJoint.mjJNT_HINGE,
        pos=link.T_link_joint[:3],
        axis=pose_to_matrix(link.T_link_joint)[:3, :3] @ link.axis,
        limited=mujoco.mjtLimited.mjLIMITED_TRUE if limited else mujoco.mjtLimited.mjLIMITED_FALSE,
        range=[lower, upper] if limited else [0.0, 0.0],
    )
