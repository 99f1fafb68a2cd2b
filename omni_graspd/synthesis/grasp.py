# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A batch of grasps of one object by one hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

PIERCED = "pierced"
"""Status of grasps whose hand the object passes through; the links follow."""
CROSSED = "crossed"
"""Status of grasps of which a link passes through another; the links follow."""


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

    def rows(self, part: slice | np.ndarray) -> Trajectory:
        """Return some of the grasps."""
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

    def rows(self, part: slice | np.ndarray) -> Postures:
        """Return some of the grasps."""
        return Postures(
            self.T_object_pregrasp_palm[part],
            self.pregrasp_joint_positions[part],
            self.pregrasp_clearance[part],
            self.squeeze_joint_positions[part],
        )


@dataclass(frozen=True)
class Way:
    """How a hand gets to the grasps of a batch past what stands around the object, and out again with it.

    The way is: pregrasp (open hand), straight to hover (still open), then the palm descends to the grasp while the
    joints move evenly from open to grasp, then squeeze, then a straight lift. Clearances are distances of the hand from
    the surroundings, from the object too where the hand is still open [m]; negative where it reaches into them.
    """

    table_plane: np.ndarray
    """Table top in the object frame: unit normal and offset [m], shape [grasp_count, 4]; NaN without a table."""
    T_object_hover_palm: np.ndarray
    """Palm pose over the grasp where the open hand begins to close, shape [grasp_count, 7]."""
    lift_direction: np.ndarray
    """Unit direction of the lift in the object frame, shape [grasp_count, 3]."""
    approach_clearance: np.ndarray
    """Least clearance of the open hand from object and surroundings between pregrasp and hover, [grasp_count]."""
    closing_clearance: np.ndarray
    """Least clearance from the surroundings between hover and grasp, the latter left out, shape [grasp_count]."""
    grasp_clearance: np.ndarray
    """Clearance from the surroundings in the grasp, shape [grasp_count]."""
    squeeze_clearance: np.ndarray
    """Clearance from the surroundings in the squeeze posture, shape [grasp_count]."""
    lift_clearance: np.ndarray
    """Least clearance from obstacles during the lift, shape [grasp_count]."""
    usable: np.ndarray
    """Whether the grasp is one and the whole way is clear, shape [grasp_count], bool."""
    tries: np.ndarray
    """How often the grasp was tried, the one that is kept included, shape [grasp_count], int32."""
    rejected: tuple[str, ...]
    """Why the tries before were dropped, ``"; "`` between them, one per grasp."""

    def rows(self, part: slice | np.ndarray) -> Way:
        """Return some of the grasps."""
        columns = {field.name: getattr(self, field.name) for field in fields(Way)}
        rejected = _texts(columns.pop("rejected"), part)
        return Way(**{name: values[part] for name, values in columns.items()}, rejected=rejected)


@dataclass(frozen=True, repr=False)
class GraspBatch:
    """Grasps in the object frame, one row each; failed ones keep their row."""

    T_object_palm: np.ndarray
    """Palm pose in the object frame, shape [grasp_count, 7]: position [m], quaternion xyzw."""
    joint_positions: np.ndarray
    """All joints, in the order of ``Hand.joint_names`` [rad or m], shape [grasp_count, joint_count]."""
    losses: dict[str, np.ndarray]
    """Loss terms at the end and the scores by which grasps rank, by the names of
    :data:`~omni_graspd.synthesis.losses.LOSS_TERMS`, shape [grasp_count] each."""
    status: tuple[str, ...]
    """``"ok"`` or the reason of the failure, one per grasp."""
    postures: Postures | None = None
    """Pregrasp and squeeze of each grasp."""
    trajectory: Trajectory | None = None
    """How the grasps came about, if that was asked for."""
    way: Way | None = None
    """The way in past what stands around the object; None where nothing does."""

    @property
    def ranking(self) -> np.ndarray | None:
        """Score by which the grasps rank, low first, shape [grasp_count]: ``drop`` on a table, else ``escape``.

        None where there is neither, as in grasps of other planners.
        """
        return self.losses.get("drop", self.losses.get("escape"))

    @property
    def usable(self) -> np.ndarray:
        """Which grasps can be carried out where the object rests, shape [grasp_count], bool."""
        return np.zeros(len(self.status), dtype=bool) if self.way is None else self.way.usable

    @property
    def pierced(self) -> np.ndarray:
        """Which hands the object passes through, shape [grasp_count], bool."""
        return np.array([status.startswith(PIERCED) for status in self.status], dtype=bool)

    @property
    def crossed(self) -> np.ndarray:
        """Which hands pass through themselves and not through the object, shape [grasp_count], bool."""
        return np.array([status.startswith(CROSSED) for status in self.status], dtype=bool)

    @property
    def ok(self) -> np.ndarray:
        """Which grasps did not fail, shape [grasp_count], bool."""
        return np.array([status == "ok" for status in self.status], dtype=bool)

    def __repr__(self) -> str:
        """Say how many grasps there are; all their numbers would fill pages."""
        return f"GraspBatch({len(self.status)} grasps, {self.status.count('ok')} ok)"

    def rows(self, start: int, stop: int) -> GraspBatch:
        """Return the grasps ``start`` to ``stop - 1``."""
        return self.take(slice(start, stop))

    def take(self, part: slice | np.ndarray) -> GraspBatch:
        """Return some of the grasps: a slice, row numbers, or a mask."""
        return GraspBatch(
            self.T_object_palm[part],
            self.joint_positions[part],
            {name: values[part] for name, values in self.losses.items()},
            _texts(self.status, part),
            self.postures.rows(part) if self.postures else None,
            self.trajectory.rows(part) if self.trajectory else None,
            self.way.rows(part) if self.way else None,
        )


def _texts(texts: tuple[str, ...], part: slice | np.ndarray) -> tuple[str, ...]:
    """Return some of the texts; of a slice at the cost of the slice."""
    return texts[part] if isinstance(part, slice) else tuple(np.array(texts, dtype=object)[part])


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
    ways = [batch.way for batch in batches if batch.way]
    return GraspBatch(
        T_object_palm=np.concatenate([batch.T_object_palm for batch in batches]),
        joint_positions=np.concatenate([batch.joint_positions for batch in batches]),
        losses=_join_losses([batch.losses for batch in batches], axis=0),
        status=tuple(status for batch in batches for status in batch.status),
        postures=_join_postures(postures) if postures else None,
        trajectory=_join_trajectories(trajectories) if trajectories else None,
        way=join_ways(ways) if ways else None,
    )


def join_ways(parts: Sequence[Way]) -> Way:
    """Return the ways of several batches, at least one, in one."""
    columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(Way)}
    rejected = tuple(reason for part in columns.pop("rejected") for reason in part)
    return Way(**{name: np.concatenate(values) for name, values in columns.items()}, rejected=rejected)


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
