# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where palm and joints are told to go in the lift test: in as the data say, squeeze, up, and shake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.ranges import require_not_negative, require_positive
from omni_graspd.usd.transforms import compose

_SAMPLE_INTERVAL = 1.0 / 60.0
"""Time between two samples of a motion [s]; between them it goes straight on."""


@dataclass(frozen=True, kw_only=True)
class LiftPhases:
    """How long each part of the lift test takes; each starts and ends at rest."""

    approach: float = 0.3
    """The open hand goes straight from the pregrasp to hover [s]."""
    closing: float = 0.4
    """The palm goes to the grasp while the joints move evenly from open to grasp [s]."""
    squeeze: float = 0.4
    """The joints go on to the squeeze posture, and stay there [s]."""
    lift: float = 0.4
    """The palm rises [s]."""
    hold: float = 0.1
    """The palm stays up [s]."""
    shake: float = 0.0
    """The palm swings along x, and then as long along y, growing and fading [s]."""
    lift_height: float = 0.1
    """How far the palm rises [m]."""
    shake_amplitude: float = 0.02
    """How far it swings to either side [m]."""
    shake_frequency: float = 4.0
    """How fast it swings [Hz]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "lift.phases", "approach", "closing", "squeeze", "lift", "lift_height", finite=True)
        require_positive(self, "lift.phases", "shake_frequency", finite=True)
        require_not_negative(self, "lift.phases", "hold", "shake", "shake_amplitude")

    @property
    def starts(self) -> dict[str, float]:
        """When each part begins, and when all is over (``end``) [s]."""
        durations = [self.approach, self.closing, self.squeeze, self.lift, self.hold, self.shake, self.shake]
        names = ("approach", "closing", "squeeze", "lift", "hold", "shake_x", "shake_y", "end")
        return dict(zip(names, np.cumsum([0.0, *durations]).tolist(), strict=True))


@dataclass(frozen=True)
class HandWay:
    """The way of one hand on a table top at z = 0, under the centre of mass of the object at x = y = 0."""

    T_world_object: np.ndarray
    """Pose of the object frame at the start, shape [7]."""
    T_world_palm: np.ndarray
    """Palm at the pregrasp, at hover and in the grasp, shape [3, 7]."""
    joint_positions: np.ndarray
    """All joints at the pregrasp and at hover, in the grasp, and when they squeeze, shape [3, joint_count]."""
    lift_direction: np.ndarray
    """Unit vector, shape [3]."""

    def moved_by(self, T_palm_moved: np.ndarray) -> HandWay:
        """Return the way with all palm poses off by the same pose in the palm's frame, shape [7]."""
        palms = compose(self.T_world_palm, T_palm_moved[None])
        return HandWay(self.T_world_object, palms, self.joint_positions, self.lift_direction)


@dataclass(frozen=True)
class HandMotion:
    """Samples of a motion, between which it goes straight on."""

    times: np.ndarray
    """[s], shape [sample_count]."""
    T_world_palm: np.ndarray
    """Palm poses, shape [sample_count, 7]."""
    joint_positions: np.ndarray
    """Targets of all joints [rad or m], shape [sample_count, joint_count]."""


def hand_way(
    table_plane: np.ndarray,
    center_of_mass: np.ndarray,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    lift_direction: np.ndarray,
) -> HandWay:
    """Put a way that is given in the object frame on the table top z = 0.

    Args:
        table_plane: Table top in the object frame: unit normal and offset [m], shape [4].
        center_of_mass: Of the object, in its frame [m], shape [3].
        T_object_palm: Palm at the pregrasp, at hover and in the grasp, shape [3, 7].
        joint_positions: All joints when open, in the grasp, and when they squeeze, shape [3, joint_count].
        lift_direction: Unit vector in the object frame, shape [3].
    """
    turn = np.concatenate([np.zeros(3), _upright(table_plane[:3])])
    T_world_object = turn.copy()
    T_world_object[:2] = -compose(turn, np.append(center_of_mass, [0, 0, 0, 1]))[:2]
    T_world_object[2] = -table_plane[3]
    lift = compose(turn, np.append(lift_direction, [0, 0, 0, 1]))[:3]
    return HandWay(T_world_object, compose(T_world_object[None], T_object_palm), joint_positions, lift)


def closing_path(way: HandWay, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return commanded palm poses [count, 7] and joints [count, joint_count] from hover to the grasp, both included."""
    share = np.linspace(0.0, 1.0, count)
    opened, closed, _ = way.joint_positions
    _, hover, grasp = way.T_world_palm
    return _between(hover, grasp, share), opened + share[:, None] * (closed - opened)


def hand_motion(way: HandWay, phases: LiftPhases) -> HandMotion:
    """Return the motion along a way; each part of it begins and ends at rest."""
    at = phases.starts
    times, (approach, closing, squeeze, lift) = phase_shares(phases)
    pregrasp, hover, grasp = way.T_world_palm
    coming = (times < at["closing"])[:, None]
    palms = np.where(coming, _between(pregrasp, hover, approach), _between(hover, grasp, closing))
    palms[:, :3] += lift[:, None] * phases.lift_height * way.lift_direction
    palms[:, 0] += _swing(times - at["shake_x"], phases)
    palms[:, 1] += _swing(times - at["shake_y"], phases)
    opened, closed, pressed = way.joint_positions
    joints = opened + closing[:, None] * (closed - opened) + squeeze[:, None] * (pressed - closed)
    return HandMotion(times, palms, joints)


def phase_shares(phases: LiftPhases) -> tuple[np.ndarray, np.ndarray]:
    """Return times [s], [sample_count], and what is done of approach, closing, squeeze and lift, [4, sample_count]."""
    at = phases.starts
    times = np.union1d(np.arange(0.0, at["end"], _SAMPLE_INTERVAL), list(at.values()))
    approach, closing, lift = (_eased((times - at[name]) / getattr(phases, name)) for name in _MOVES)
    # Half of the time to close further, half to press.
    squeeze = _eased((times - at["squeeze"]) / (0.5 * phases.squeeze))
    return times, np.stack([approach, closing, squeeze, lift])


_MOVES = ("approach", "closing", "lift")


def _eased(share: np.ndarray) -> np.ndarray:
    """Begin and end at rest: a half period of a cosine."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0.0, 1.0))


def _swing(times: np.ndarray, phases: LiftPhases) -> np.ndarray:
    inside = (times > 0.0) & (times < phases.shake)
    window = np.sin(np.pi * times / max(phases.shake, 1e-9))
    return np.where(inside, phases.shake_amplitude * window * np.sin(2.0 * np.pi * phases.shake_frequency * times), 0.0)


def _between(first: np.ndarray, last: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return poses [count, 7] on the straight way from one pose to another, turning evenly; shares [count]."""
    from scipy.spatial.transform import Rotation

    start = Rotation.from_quat(first[3:])
    turn = (start.inv() * Rotation.from_quat(last[3:])).as_rotvec()
    turned = start * Rotation.from_rotvec(share[:, None] * turn)
    return np.concatenate([first[:3] + share[:, None] * (last[:3] - first[:3]), turned.as_quat()], axis=1)


def _upright(normal: np.ndarray) -> np.ndarray:
    """Return the shortest rotation that takes a unit vector to Z, as a quaternion xyzw."""
    if normal[2] < -1.0 + 1e-9:
        return np.array([1.0, 0.0, 0.0, 0.0])
    quat = np.array([normal[1], -normal[0], 0.0, 1.0 + normal[2]])
    return quat / np.linalg.norm(quat)
