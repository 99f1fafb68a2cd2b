# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What comes before and after a grasp: an open hand clear of the object, and joint targets that press."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints, posed_points
from omni_graspd.ranges import require_not_negative, require_positive
from omni_graspd.synthesis.grasp import Postures
from omni_graspd.synthesis.joint_motion import pressing_steps
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_RETREATS = np.arange(0.0, 0.31, 0.01)


@dataclass(frozen=True, kw_only=True)
class PostureConfig:
    """How pregrasp and squeeze follow from a grasp."""

    clearance: float = 0.005
    """Distance between the open hand and the object before the grasp [m]."""
    press: float = 0.005
    """How far the squeeze's joint targets would move the touching surface into the object [m]."""
    contact_threshold: float = 0.005
    """Hand points closer to the object than this take part in the squeeze [m]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "synthesis.posture", "clearance", "contact_threshold", unit=" m", finite=True)
        require_not_negative(self, "synthesis.posture", "press")


def find_postures(
    hand: Hand,
    points: HandPoints,
    distance: SignedDistance,
    T_object_palm: np.ndarray,
    actuated: np.ndarray,
    config: PostureConfig,
) -> Postures:
    """Derive pregrasp and squeeze from grasps.

    Pregrasp: the joints go to the hand's open posture and the palm retreats against its approach direction in steps of
    1 cm until all hand points are ``clearance`` away from the object; after 30 cm the last is kept, and its clearance
    tells. Squeeze: palm and object stay; actuated joints move, within their limits, such that touching points would
    move ``press`` into the object, in the least-squares sense with couplings.

    Args:
        hand: The hand.
        points: Points on its surface.
        distance: The object's signed distance.
        T_object_palm: Palm poses of the grasps, shape [grasp_count, 7].
        actuated: Actuated positions of the grasps [rad or m], shape [grasp_count, actuated_count].
        config: Distances.
    """
    finite = np.asarray(np.isfinite(T_object_palm).all(axis=1) & np.isfinite(actuated).all(axis=1))
    pregrasp, clearance = T_object_palm.copy(), np.full(len(actuated), np.nan)
    opened = np.where(finite[:, None], hand.open_positions, actuated)
    squeezed = actuated.copy()
    if finite.any():
        pregrasp[finite], clearance[finite] = _retreat(hand, points, distance, T_object_palm[finite], config.clearance)
        squeezed[finite] = _squeeze(hand, points, distance, T_object_palm[finite], actuated[finite], config)
    return Postures(
        T_object_pregrasp_palm=pregrasp,
        pregrasp_joint_positions=hand.joint_positions(opened),
        pregrasp_clearance=clearance,
        squeeze_joint_positions=hand.joint_positions(squeezed),
    )


def _retreat(
    hand: Hand, points: HandPoints, distance: SignedDistance, T_object_palm: np.ndarray, clearance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the open hand's first clear palm poses on the way back, and how clear they are [m].

    Clearances are measured up to twice the one asked for.
    """
    in_palm = posed_points(hand, points, IDENTITY[None], hand.joint_positions(hand.open_positions)[None])[0]
    rotations = pose_to_matrix(T_object_palm)[:, :3, :3]
    placed = np.einsum("gij,pj->gpi", rotations, in_palm) + T_object_palm[:, None, :3]
    back = -rotations @ hand.approach_direction
    result, gaps = T_object_palm.copy(), np.full(len(T_object_palm), -np.inf)
    for retreat in _RETREATS:
        todo = np.flatnonzero(gaps < clearance)
        if not len(todo):
            break
        result[todo, :3] = T_object_palm[todo, :3] + retreat * back[todo]
        near, _ = distance.query((placed[todo] + retreat * back[todo, None]).reshape(-1, 3), 2.0 * clearance)
        gaps[todo] = near.reshape(len(todo), -1).min(axis=1)
    return result, gaps


def _squeeze(
    hand: Hand,
    points: HandPoints,
    distance: SignedDistance,
    T_object_palm: np.ndarray,
    actuated: np.ndarray,
    config: PostureConfig,
) -> np.ndarray:
    """Return actuated positions that press, shape [grasp_count, actuated_count]."""
    step = pressing_steps(
        hand, points, distance, T_object_palm, actuated, threshold=config.contact_threshold, press=config.press
    )
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    return np.clip(actuated + step, np.minimum(lower, actuated), np.maximum(upper, actuated))
