# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A batch of grasps of one object by one hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Trajectory:
    """How the grasps of a batch came about."""

    steps: np.ndarray
    """Gradient steps made before each frame, shape [frame_count]."""
    T_object_palm: np.ndarray
    """Palm poses in the object frame, shape [frame_count, grasp_count, 7]."""
    joint_positions: np.ndarray
    """All joints [rad or m], shape [frame_count, grasp_count, joint_count]."""
    losses: dict[str, np.ndarray]
    """Loss terms of the last step, with the padding and leak of that step, shape [frame_count, grasp_count]."""

    def rows(self, start: int, stop: int) -> Trajectory:
        """Return the grasps ``start`` to ``stop - 1``."""
        part = slice(start, stop)
        losses = {name: values[:, part] for name, values in self.losses.items()}
        return Trajectory(self.steps, self.T_object_palm[:, part], self.joint_positions[:, part], losses)


@dataclass(frozen=True)
class Postures:
    """What comes before and after the grasps of a batch, as robots execute them."""

    T_object_pregrasp_palm: np.ndarray
    """Palm pose of the open hand in front of the object, shape [grasp_count, 7]."""
    pregrasp_joint_positions: np.ndarray
    """All joints of the open hand [rad or m], shape [grasp_count, joint_count]."""
    pregrasp_clearance: np.ndarray
    """Distance between open hand and object [m], shape [grasp_count]; measured up to twice the distance asked for."""
    squeeze_joint_positions: np.ndarray
    """Joint targets that press, with the palm of the grasp [rad or m], shape [grasp_count, joint_count]."""

    def rows(self, part: slice) -> Postures:
        """Return some of the grasps."""
        return Postures(
            self.T_object_pregrasp_palm[part],
            self.pregrasp_joint_positions[part],
            self.pregrasp_clearance[part],
            self.squeeze_joint_positions[part],
        )


@dataclass(frozen=True, repr=False)
class GraspBatch:
    """Grasps in the object frame, one row each; failed ones keep their row."""

    T_object_palm: np.ndarray
    """Palm pose in the object frame, shape [grasp_count, 7]: position [m], quaternion xyzw."""
    joint_positions: np.ndarray
    """All joints, in the order of ``Hand.joint_names`` [rad or m], shape [grasp_count, joint_count]."""
    losses: dict[str, np.ndarray]
    """Loss terms at the end (``stable``, ``range``, ``limit``, ``penetration``, ``self_collision``), and ``escape``,
    by which grasps rank: how far a pushed object gets, relative to the push; shape [grasp_count]."""
    status: tuple[str, ...]
    """``"ok"`` or the reason of the failure, one per grasp."""
    postures: Postures | None = None
    """Pregrasp and squeeze of each grasp."""
    trajectory: Trajectory | None = None
    """How the grasps came about, if that was asked for."""

    @property
    def ok(self) -> np.ndarray:
        """Which grasps did not fail, shape [grasp_count], bool."""
        return np.array([status == "ok" for status in self.status], dtype=bool)

    def __repr__(self) -> str:
        """Say how many grasps there are; all their numbers would fill pages."""
        return f"GraspBatch({len(self.status)} grasps, {self.status.count('ok')} ok)"

    def rows(self, start: int, stop: int) -> GraspBatch:
        """Return the grasps ``start`` to ``stop - 1``."""
        part = slice(start, stop)
        return GraspBatch(
            self.T_object_palm[part],
            self.joint_positions[part],
            {name: values[part] for name, values in self.losses.items()},
            self.status[part],
            self.postures.rows(part) if self.postures else None,
            self.trajectory.rows(start, stop) if self.trajectory else None,
        )


def join_batches(batches: Sequence[GraspBatch]) -> GraspBatch:
    """Return the grasps of several batches in one.

    Args:
        batches: At least one; all with the same losses and, if any, frames of the same steps.
    """
    first = batches[0]
    if len(batches) == 1:
        return first
    postures = [batch.postures for batch in batches if batch.postures]
    trajectories = [batch.trajectory for batch in batches if batch.trajectory]
    return GraspBatch(
        T_object_palm=np.concatenate([batch.T_object_palm for batch in batches]),
        joint_positions=np.concatenate([batch.joint_positions for batch in batches]),
        losses=_join_losses([batch.losses for batch in batches], axis=0),
        status=tuple(status for batch in batches for status in batch.status),
        postures=_join_postures(postures) if postures else None,
        trajectory=_join_trajectories(trajectories) if trajectories else None,
    )


def _join_losses(parts: Sequence[dict[str, np.ndarray]], axis: int) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts], axis=axis) for name in parts[0]}


def _join_postures(parts: Sequence[Postures]) -> Postures:
    columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(Postures)}
    return Postures(**{name: np.concatenate(values) for name, values in columns.items()})


def _join_trajectories(parts: Sequence[Trajectory]) -> Trajectory:
    return Trajectory(
        steps=parts[0].steps,
        T_object_palm=np.concatenate([part.T_object_palm for part in parts], axis=1),
        joint_positions=np.concatenate([part.joint_positions for part in parts], axis=1),
        losses=_join_losses([part.losses for part in parts], axis=1),
    )
