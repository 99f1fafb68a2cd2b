# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a hand's USD does not say, inferred from its geometry and kinematics: palm, approach, open posture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY


def infer_palm(parents: Sequence[int]) -> int:
    """Return the link that the most digits branch from; the one nearest to the root if there are several.

    Args:
        parents: Parent of each link, -1 for the root; parents come first.
    """
    children = np.bincount([p for p in parents if p >= 0], minlength=len(parents))
    return int(np.argmax(children))


def infer_open_positions(joint_lower: np.ndarray, joint_upper: np.ndarray) -> np.ndarray:
    """Return the straight hand: every joint at zero, or at the limit nearest to it."""
    return np.clip(0.0, joint_lower, joint_upper)


def infer_approach_direction(hand: Hand) -> np.ndarray:
    """Return the axis of the palm frame along which fingertips move most when the hand closes, as a unit vector [3].

    Closing takes every joint from the open posture a quarter of the way to its farther limit.
    """
    open_positions = hand.joint_positions(hand.open_positions)
    far = np.where(
        hand.joint_upper - open_positions >= open_positions - hand.joint_lower, hand.joint_upper, hand.joint_lower
    )
    closed = hand.joint_positions((open_positions + 0.25 * (far - open_positions))[hand.actuated])
    tips = sorted(set(range(len(hand.links))) - {link.parent for link in hand.links})
    travel = _link_centers(hand, closed)[tips] - _link_centers(hand, open_positions)[tips]
    mean = travel.mean(axis=0)
    axis = int(np.argmax(np.abs(mean)))
    return np.sign(mean[axis]) * np.eye(3)[axis] if mean[axis] != 0.0 else np.array([0.0, 0.0, 1.0])


def infer_approach_point(hand: Hand) -> np.ndarray:
    """Return the point on the palm's surface in front of the middle of its mesh, in the palm frame [m], shape [3]."""
    vertices = hand.links[0].mesh.vertices
    if not len(vertices):
        return np.zeros(3)
    center = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
    direction = hand.approach_direction
    return center + direction * float(((vertices - center) @ direction).max())


def _link_centers(hand: Hand, joint_positions: np.ndarray) -> np.ndarray:
    """Return a material point of each link, the middle of its mesh, in the palm frame, shape [link_count, 3]."""
    from omni_graspd.usd.transforms import transform_points

    poses = link_poses(hand, IDENTITY, joint_positions)
    middles = [link.mesh.vertices.mean(axis=0) if len(link.mesh.vertices) else np.zeros(3) for link in hand.links]
    return np.array([transform_points(pose, middle[None])[0] for pose, middle in zip(poses, middles, strict=True)])
