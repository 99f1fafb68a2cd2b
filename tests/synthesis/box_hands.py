# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands made of boxes, whose every point is known in closed form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY

PALM_HALF = np.array([0.02, 0.06, 0.015])
"""Half the sides of a palm, whose frame is in its middle [m]."""
JAW_HALF = np.array([0.01, 0.006, 0.04])
"""Half the sides of a jaw, whose frame is in its middle [m]."""
JAW_OFFSET = 0.006
"""Where the frame of a closed jaw is beside the palm's axis [m]: closed jaws touch."""


def box_mesh(half: np.ndarray, center: np.ndarray | tuple[float, float, float] = (0.0, 0.0, 0.0)) -> TriangleMesh:
    """Return a closed box with sides along the axes [m]."""
    box = trimesh.creation.box(2.0 * np.asarray(half))
    return TriangleMesh(np.array(box.vertices + np.asarray(center), dtype=np.float64), box.faces.astype(np.int32))


def gripper(jaws: int = 2, *, revolute: bool = False) -> Hand:
    """Return a palm with jaws that point along z and open sideways, along y; each moves on its own.

    Sliding jaws open from 0 to 6 cm. Those on hinges at the palm open from 0 to 1 rad.
    """
    fingers = [_jaw(number, revolute) for number in range(jaws)]
    palm = Link("palm", "/palm", -1, -1, "root", np.array([1.0, 0, 0]), IDENTITY, IDENTITY, box_mesh(PALM_HALF), 0.5)
    upper = np.full(jaws, 1.0 if revolute else 0.06)
    return Hand(
        name=f"gripper_{jaws}{'_hinges' if revolute else ''}",
        source=Path("gripper.usda"),
        links=(palm, *fingers),
        joint_names=tuple(link.name for link in fingers),
        joint_lower=np.zeros(jaws),
        joint_upper=upper,
        actuated=np.arange(jaws),
        coupling=np.eye(jaws),
        coupling_offset=np.zeros(jaws),
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.array([0.0, 0.0, PALM_HALF[2]]),
        open_positions=0.8 * upper,
    )


def _jaw(number: int, revolute: bool) -> Link:
    side = 1.0 if number % 2 == 0 else -1.0
    hinge = np.array([0.0, side * JAW_OFFSET, PALM_HALF[2], 0.0, 0.0, 0.0, 1.0])
    from_middle = np.array([0.0, 0.0, -JAW_HALF[2], 0.0, 0.0, 0.0, 1.0])
    # A positive turn about -x carries what is above the hinge to +y.
    axis = np.array([-side, 0.0, 0.0]) if revolute else np.array([0.0, side, 0.0])
    kind = "revolute" if revolute else "prismatic"
    mesh = box_mesh(JAW_HALF)
    return Link(f"jaw_{number}", f"/jaw_{number}", 0, number, kind, axis, hinge, from_middle, mesh, 0.1)


def sliding_jaw_middle(number: int, opening: float) -> np.ndarray:
    """Return where the middle of a sliding jaw is in the palm frame [m], shape [3]."""
    side = 1.0 if number % 2 == 0 else -1.0
    return np.array([0.0, side * (JAW_OFFSET + opening), PALM_HALF[2] + JAW_HALF[2]])


def corner_points(hand: Hand) -> HandPoints:
    """Return the corners of all boxes as the points of a hand."""
    corners = [link.mesh.vertices for link in hand.links]
    count = sum(map(len, corners))
    return HandPoints(
        link_index=np.repeat(np.arange(len(corners)), [len(part) for part in corners]),
        positions=np.concatenate(corners),
        normals=np.concatenate([np.sign(part) / np.sqrt(3.0) for part in corners]),
        areas=np.ones(count),
    )
