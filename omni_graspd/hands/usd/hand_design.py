# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand before it is written: links, joints, shapes, masses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose, transform_points


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
    filtered_pairs: tuple[tuple[str, str], ...] = ()
    """Names of links that never collide with each other, besides those that a joint connects."""


def with_followers(design: HandDesign, positions: Mapping[str, float]) -> dict[str, float]:
    """Add the joints that follow, by joint name, to positions of the others [rad or m].

    Joints follow in chains that end at one of those that are given.
    """
    joints = {link.joint.name: link.joint for link in design.links if link.joint is not None}

    def position(joint: JointDesign) -> float:
        if joint.leader is None:
            return positions[joint.name]
        return joint.multiplier * position(joints[joint.leader]) + joint.offset

    followers = [joint for joint in joints.values() if joint.leader is not None and joint.joint_type != "fixed"]
    return {**positions, **{joint.name: position(joint) for joint in followers}}


def pose_links(design: HandDesign, posture: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Return T_palm_link of each link by name, shape [7].

    Args:
        design: The hand.
        posture: Joint positions by joint name [rad or m]; others are 0.
    """
    poses: dict[str, np.ndarray] = {}
    for link in design.links:
        poses[link.name] = _posed(link, poses, posture)
    return poses


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
