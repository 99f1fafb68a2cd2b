# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands made of bars on joints, for what is inferred from geometry and kinematics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import trimesh
from scipy.spatial.transform import Rotation

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY


def solid(mesh: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int32))


def bar(length: float) -> TriangleMesh:
    """A bar from the joint along +Z."""
    mesh = trimesh.creation.box((0.014, 0.014, length)).subdivide()
    mesh.apply_translation((0.0, 0.0, 0.5 * length))
    return solid(mesh)


@dataclass(frozen=True)
class BarJoint:
    """A joint and the link behind it."""

    name: str
    parent: str
    axis: tuple[float, float, float]
    limits: tuple[float, float]
    pose: np.ndarray
    mesh: TriangleMesh
    joint_type: Literal["fixed", "revolute", "prismatic"] = "revolute"


def bar_hand(palm: TriangleMesh, joints: list[BarJoint], followers: dict[str, tuple[str, float]] | None = None) -> Hand:
    followers = followers or {}
    names = [joint.name for joint in joints]
    order = ["palm", *names]
    links = [Link("palm", "/palm", -1, -1, "root", np.array([1.0, 0.0, 0.0]), IDENTITY, IDENTITY, palm, 0.5)]
    for k, joint in enumerate(joints):
        axis = np.array(joint.axis)
        place = (f"/{joint.name}", order.index(joint.parent), k, joint.joint_type, axis, joint.pose, IDENTITY)
        links.append(Link(joint.name, *place, joint.mesh, 0.05))
    actuated = np.array([k for k, name in enumerate(names) if name not in followers])
    coupling = np.zeros((len(names), len(actuated)))
    for k, name in enumerate(names):
        leader, factor = followers.get(name, (name, 1.0))
        coupling[k, list(actuated).index(names.index(leader))] = factor
    return Hand(
        name="toy",
        source=Path("toy.usda"),
        links=tuple(links),
        joint_names=tuple(names),
        joint_lower=np.array([joint.limits[0] for joint in joints]),
        joint_upper=np.array([joint.limits[1] for joint in joints]),
        actuated=actuated,
        coupling=coupling,
        coupling_offset=np.zeros(len(names)),
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=np.zeros(len(actuated)),
    )


def about_z(angle: float, position: tuple[float, float, float]) -> np.ndarray:
    rotation = Rotation.from_rotvec([0.0, 0.0, angle])
    return np.concatenate([rotation.apply(position), rotation.as_quat()])
