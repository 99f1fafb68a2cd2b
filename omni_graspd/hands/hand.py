# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand as the simulator sees it: a tree of links with meshes, joints with limits and linear couplings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from omni_graspd.plural import counted
from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True)
class Link:
    """A rigid link and the joint that connects it to its parent."""

    name: str
    """Name of the link's prim."""
    prim_path: str
    """Path of the link's prim in the hand's USD file."""
    parent: int
    """Index of the parent link; -1 for the palm, which is link 0. Parents come before their children."""
    joint: int
    """Index into the joint positions; -1 for the palm and for links welded to their parent."""
    joint_type: Literal["root", "fixed", "revolute", "prismatic"]
    """How the link moves against its parent."""
    axis: np.ndarray
    """Unit axis of the joint in the joint frame, shape [3]."""
    T_parent_joint: np.ndarray
    """Pose of the joint frame in the parent link's frame, shape [7]."""
    T_link_joint: np.ndarray
    """Pose of the joint frame in this link's frame at joint position 0, shape [7]."""
    mesh: TriangleMesh
    """Visible surface in the link's frame [m]."""
    mass: float
    """Mass [kg]."""


@dataclass(frozen=True, eq=False)
class Hand:
    """A hand: links, joints, couplings, and how it approaches and opens.

    Joint positions are affine in the actuated ones:
    ``joint_positions = coupling @ actuated_positions + coupling_offset``.
    """

    name: str
    """Name of the hand, a valid file name."""
    source: Path
    """USD file it was read from."""
    links: tuple[Link, ...]
    """All links; link 0 is the palm."""
    joint_names: tuple[str, ...]
    """Names of the movable joints; all joint arrays follow this order."""
    joint_lower: np.ndarray
    """Lower limits [rad or m], shape [joint_count]."""
    joint_upper: np.ndarray
    """Upper limits [rad or m], shape [joint_count]."""
    actuated: np.ndarray
    """Indices of the actuated joints, shape [actuated_count]."""
    coupling: np.ndarray
    """Matrix from actuated to all joint positions, shape [joint_count, actuated_count]."""
    coupling_offset: np.ndarray
    """Constant part of the coupling, shape [joint_count]."""
    approach_direction: np.ndarray
    """Unit direction in the palm frame that points out of the palm, toward the object, shape [3]."""
    approach_point: np.ndarray
    """Point in the palm frame that is brought in front of the object [m], shape [3]."""
    open_positions: np.ndarray
    """Actuated positions of the open hand [rad or m], shape [actuated_count]."""

    def __repr__(self) -> str:
        """Say what hand it is; all its meshes would fill pages."""
        links, joints = counted(len(self.links), "link"), counted(self.joint_count, "joint")
        return f"Hand({self.name}, {links}, {joints}, {self.actuated_count} actuated, {self.source})"

    @property
    def joint_count(self) -> int:
        """Number of movable joints."""
        return len(self.joint_names)

    @property
    def actuated_count(self) -> int:
        """Number of actuated joints."""
        return len(self.actuated)

    def joint_positions(self, actuated_positions: np.ndarray) -> np.ndarray:
        """Expand actuated positions [..., actuated_count] to all joint positions [..., joint_count]."""
        # Not a matrix product: its sums would depend on how many grasps there are.
        products = np.asarray(actuated_positions)[..., None, :] * self.coupling
        return products.sum(axis=-1) + self.coupling_offset
