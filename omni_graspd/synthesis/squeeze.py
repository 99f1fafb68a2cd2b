# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How joints press and open: contact motion per joint, and forces in balance that joint targets bring about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import HandPoints, posed_points
from omni_graspd.ranges import require_not_negative, require_positive
from omni_graspd.synthesis.contact_balance import BalanceTask, balance_forces, pressing_contacts
from omni_graspd.synthesis.joint_motion import least_squares_steps, sinking_speeds

_DAMPING = 1e-4
"""Of the least squares that close gaps, against the squared lever of a finger [m2 per point]."""
# Drives of prismatic joints are those of revolute ones over a lever this long [m].
_SLIDE_LEVER = 0.05


@dataclass(frozen=True, kw_only=True)
class SqueezeConfig:
    """Forces that the squeeze of a grasp on a table aims at, and the drives that bring them about."""

    force: float = 25.0
    """Sum of the normal forces on the object [N]."""
    weight: float = 1.0
    """Weight of the object that the forces must carry [N]."""
    friction: float = 0.45
    """Friction coefficient the forces rely on; below the real one, for a margin."""
    stiffness: float = 5.0
    """Stiffness of the joint drives [N m/rad]; for prismatic joints, with a lever of 5 cm."""
    contact_threshold: float = 0.004
    """Hand points closer to the object than this press on it [m]."""
    spread: float = 0.05
    """Weight of spreading forces evenly over contacts, relative to balancing them."""
    max_shift: float = 0.4
    """Largest shift of a joint's target [rad]; for prismatic joints, with a lever of 5 cm."""
    max_imbalance: float = 0.02
    """Largest unbalanced wrench, as a fraction of ``force``; with more, the grasp turns or drops the object."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        positive = ("force", "stiffness", "contact_threshold", "spread", "max_shift")
        require_positive(self, "synthesis.squeeze", *positive, finite=True)
        require_not_negative(self, "synthesis.squeeze", "weight", "friction", "max_imbalance")

    def task(self, up: np.ndarray, length: float) -> BalanceTask:
        """Return what contact forces have to do: ``up`` is the unit direction against gravity, shape [3]."""
        return BalanceTask(self.force, self.weight * np.asarray(up), self.friction, length, self.spread)


@dataclass(frozen=True)
class Squeeze:
    """Joint targets that press objects, and what their contact forces come to."""

    targets: np.ndarray
    """Actuated targets [rad or m], shape [grasp_count, actuated_count]."""
    imbalance: np.ndarray
    """Wrench that is left over, over all forces, torques over a length: 0 is balance, shape [grasp_count]."""
    lever: np.ndarray
    """Horizontal distance of the forces' centre from the centre of mass [m], shape [grasp_count]."""
    height: np.ndarray
    """Height of the forces' centre over the centre of mass [m], shape [grasp_count]."""


def balanced_squeeze(
    hand: Hand,
    points: HandPoints,
    distance: SignedDistance,
    center_of_mass: np.ndarray,
    task: BalanceTask,
    T_object_palm: np.ndarray,
    actuated: np.ndarray,
    config: SqueezeConfig,
) -> Squeeze:
    """Find joint targets that press the object in balance and carry its weight.

    Contact forces inside the friction cones are chosen that sum to ``force``, cancel the weight and one another, and
    are spread over the contacts: non-negative least squares over the edges of the cones. Each joint's target is then
    moved by what brings the pressing surface to the object, and by the torque that the forces ask of it over the
    stiffness of its drive. Targets may lie beyond limits: a joint at its limit still presses.

    Args:
        hand: The hand.
        points: Points on its surface.
        distance: The object.
        center_of_mass: In the object frame [m], shape [3].
        task: What the forces have to do, from :meth:`SqueezeConfig.task`.
        T_object_palm: Palm poses, shape [grasp_count, 7].
        actuated: Actuated positions [rad or m], shape [grasp_count, actuated_count].
        config: Contacts and drives.
    """
    joints = hand.joint_positions(actuated)
    placed = posed_points(hand, points, T_object_palm, joints)
    distances, normals = distance.query(placed.reshape(-1, 3), 2.0 * config.contact_threshold)
    distances, normals = distances.reshape(placed.shape[:2]), normals.reshape(placed.shape).astype(np.float64)
    arms = placed - center_of_mass
    chosen, presses = pressing_contacts(distances, points.link_index, config.contact_threshold)
    rows = np.arange(len(placed))[:, None]
    forces = np.zeros(placed.shape)
    forces[rows, chosen], left = balance_forces(arms[rows, chosen], normals[rows, chosen], task, presses)
    # A force asks as much torque of a joint as its point moves along it per unit of the joint.
    torques = sinking_speeds(hand, points, placed, forces, link_poses(hand, T_object_palm, joints)).sum(axis=1)
    closing = _closing_steps(hand, points, placed, normals, forces, distances, T_object_palm, joints)
    levers = _levers(hand)
    most = config.max_shift * levers
    shifts = np.clip(closing + torques * levers**2 / config.stiffness, -most, most)
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    targets = np.clip(actuated + shifts, lower - most, upper + most)
    up = task.weight / max(float(np.linalg.norm(task.weight)), 1e-12)
    return Squeeze(targets, left, *_force_centers(arms, forces, up))


def _levers(hand: Hand) -> np.ndarray:
    """Return what turns angles of the actuated joints into their positions: 1, or metres where they slide."""
    kinds = {link.joint: link.joint_type for link in hand.links}
    return np.array([_SLIDE_LEVER if kinds[int(joint)] == "prismatic" else 1.0 for joint in hand.actuated])


def _force_centers(arms: np.ndarray, forces: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far beside and how far above the centre of mass the forces act in the mean [m], [grasp_count] each."""
    strength = np.linalg.norm(forces, axis=-1)
    strength = strength / np.maximum(strength.sum(axis=1, keepdims=True), 1e-12)
    center = (strength[..., None] * arms).sum(axis=1)
    height = (center * up).sum(axis=1)
    return np.linalg.norm(center - height[:, None] * up, axis=1), height


def _closing_steps(
    hand: Hand,
    points: HandPoints,
    placed: np.ndarray,
    normals: np.ndarray,
    forces: np.ndarray,
    distances: np.ndarray,
    T_object_palm: np.ndarray,
    joints: np.ndarray,
) -> np.ndarray:
    """Return by how much actuated joints move to bring contacts that carry force to the surface, in least squares."""
    strength = np.linalg.norm(forces, axis=-1)
    weights = strength / np.maximum(strength.max(axis=1, keepdims=True), 1e-9)
    inward = -normals * np.sqrt(weights)[..., None]
    sinking = sinking_speeds(hand, points, placed, inward, link_poses(hand, T_object_palm, joints))
    wanted = np.sqrt(weights) * np.maximum(distances, 0.0)
    damping = _DAMPING * np.maximum(weights.sum(axis=1), 1e-9)
    return least_squares_steps(sinking, np.einsum("gpk,gp->gk", sinking, wanted), damping)
