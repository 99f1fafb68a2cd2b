# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Kinematics of a serial chain for many postures at once: pose of its end, and how the joints move it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.usd.transforms import pose_to_matrix


@dataclass(frozen=True, eq=False)
class Step:
    """What connects a link with the one before it."""

    joint_type: str
    """``fixed``, ``revolute`` or ``prismatic``."""
    axis: np.ndarray
    """Axis in the joint frame, shape [3]."""
    T_parent_joint: np.ndarray
    """Joint frame in the frame of the link before, shape [7]."""
    T_link_joint: np.ndarray
    """Joint frame in the link's frame, shape [7]."""
    lower: float = 0.0
    """Lower limit [rad or m]."""
    upper: float = 0.0
    """Upper limit [rad or m]."""


@dataclass(frozen=True, eq=False)
class Chain:
    """A chain of joints. Each joint's own frame has the joint's axis along +z.

    In double precision; results for one posture do not depend on which others are computed with it.
    """

    frames: np.ndarray
    """Each joint's frame in the moved frame of the one before, and the end in the last, [joint_count + 1, 4, 4]."""
    revolute: np.ndarray
    """Whether a joint turns, else it slides, shape [joint_count], bool."""
    lower: np.ndarray
    """Lower limits [rad or m], shape [joint_count]."""
    upper: np.ndarray
    """Upper limits [rad or m], shape [joint_count]."""

    @classmethod
    def of(cls, articulation: Hand, link: int, T_link_end: np.ndarray) -> Chain:
        """Return the chain from link 0 to a pose on a link.

        Args:
            articulation: All links.
            link: Index of the last one.
            T_link_end: The end in its frame, shape [7].
        """
        path = [link]
        while articulation.links[path[0]].parent >= 0:
            path.insert(0, articulation.links[path[0]].parent)
        return cls.along([_step(articulation, index) for index in path[1:]], T_link_end)

    @classmethod
    def along(cls, steps: Sequence[Step], T_link_end: np.ndarray) -> Chain:
        """Return the chain of links that are connected one after the other.

        Args:
            steps: What connects each with the one before.
            T_link_end: The end in the last link's frame, shape [7].
        """
        frames, revolute, limits = [], [], []
        frame = np.eye(4)
        for step in steps:
            frame = frame @ pose_to_matrix(step.T_parent_joint)
            after = np.linalg.inv(pose_to_matrix(step.T_link_joint))
            if step.joint_type == "fixed":
                frame = frame @ after
                continue
            turn = _axis_to_z(step.axis)
            frames.append(frame @ turn)
            frame = turn.T @ after
            revolute.append(step.joint_type == "revolute")
            limits.append((step.lower, step.upper))
        frames.append(frame @ pose_to_matrix(T_link_end))
        lower, upper = np.array(limits).reshape(-1, 2).T
        return cls(np.array(frames), np.array(revolute, dtype=bool), lower, upper)

    @property
    def joint_count(self) -> int:
        """Number of joints."""
        return len(self.revolute)

    def end(self, positions: np.ndarray) -> np.ndarray:
        """Return the pose of the end for each posture, shape [count, 4, 4].

        Args:
            positions: [rad or m], shape [count, joint_count].
        """
        return self._joint_frames(positions)[-1]

    def end_and_jacobian(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the pose of the end, [count, 4, 4], and its derivative, [count, 6, joint_count].

        The derivative's rows are velocity of the end's origin [m] and angular velocity [rad], in the base's frame.

        Args:
            positions: [rad or m], shape [count, joint_count].
        """
        frames = self._joint_frames(positions)
        end = frames[-1]
        jacobian = np.zeros((len(positions), 6, self.joint_count))
        for joint, frame in enumerate(frames[:-1]):
            axis = frame[:, :3, 2]
            if self.revolute[joint]:
                lever = end[:, :3, 3] - frame[:, :3, 3]
                # As np.cross, which takes longer than all else here.
                jacobian[:, :3, joint] = (
                    axis[:, [1, 2, 0]] * lever[:, [2, 0, 1]] - axis[:, [2, 0, 1]] * lever[:, [1, 2, 0]]
                )
                jacobian[:, 3:, joint] = axis
            else:
                jacobian[:, :3, joint] = axis
        return end, jacobian

    def _joint_frames(self, positions: np.ndarray) -> list[np.ndarray]:
        """Return the moved frame of each joint and of the end, each [count, 4, 4]."""
        sine, cosine = np.sin(positions), np.cos(positions)
        frame = np.broadcast_to(np.eye(4), (len(positions), 4, 4))
        frames = []
        for joint, step in enumerate(self.frames[:-1]):
            before = frame @ step
            frame = before.copy()
            if self.revolute[joint]:
                x, y = before[:, :3, 0], before[:, :3, 1]
                c, s = cosine[:, joint, None], sine[:, joint, None]
                frame[:, :3, 0], frame[:, :3, 1] = c * x + s * y, c * y - s * x
            else:
                frame[:, :3, 3] += positions[:, joint, None] * before[:, :3, 2]
            frames.append(frame)
        return [*frames, frame @ self.frames[-1]]


def _step(articulation: Hand, index: int) -> Step:
    link = articulation.links[index]
    frames = link.axis, link.T_parent_joint, link.T_link_joint
    if link.joint < 0:
        return Step("fixed", *frames)
    limits = float(articulation.joint_lower[link.joint]), float(articulation.joint_upper[link.joint])
    return Step("revolute" if link.joint_type == "revolute" else "prismatic", *frames, *limits)


def _axis_to_z(axis: np.ndarray) -> np.ndarray:
    """Return a rotation, shape [4, 4], whose z axis is ``axis``."""
    side = np.cross([0.0, 1.0, 0.0] if abs(axis[1]) < 0.9 else [0.0, 0.0, 1.0], axis)
    side /= np.linalg.norm(side)
    turn = np.eye(4)
    turn[:3, :3] = np.column_stack([side, np.cross(axis, side), axis])
    return turn
