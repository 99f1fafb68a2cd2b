# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps as they stand between all formats: joints by name, metres, radians, quaternions xyzw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.placement import Placement
from omni_graspd.hands.hand import Hand
from omni_graspd.plain_text import shortened
from omni_graspd.synthesis.grasp import Way, join_ways

POSTURES = ("T_object_pregrasp_palm", "pregrasp_joint_positions", "squeeze_joint_positions")
"""Fields of a record that say what comes before and after the grasp."""
_NORM_TOLERANCE = 1e-3
_LARGEST_NUMBER = 1e30
"""Products of larger numbers overflow."""
_SMALLEST_SCALE, _LARGEST_SCALE = 1e-6, 1e6


@dataclass(frozen=True, eq=False)
class GraspRecord:
    """Grasps of one object by one hand.

    As a reader returns it, poses and joints are those of the file's own hand model; after
    :func:`omni_graspd.formats.hand_conventions.to_hand` they are those of our hand.
    """

    hand: str
    """Name of the hand; empty where the file has none."""
    object: str
    """Name of the object; empty where the file has none."""
    joint_names: tuple[str, ...]
    """Names of the joints in the order of the joint positions; empty where the file has none."""
    T_object_palm: np.ndarray
    """Poses of the palm in the object frame, shape [grasp_count, 7]: position [m], unit quaternion xyzw."""
    joint_positions: np.ndarray
    """Joint positions [rad or m], shape [grasp_count, joint_count]."""
    object_scale: float = 1.0
    """Factor by which the object's mesh file has to be multiplied to be the object that is grasped."""
    object_file: str = ""
    """Mesh of the object as the file names it."""
    palm_path: str = ""
    """Path of the palm's prim in the hand's USD file; empty where there is none."""
    T_object_pregrasp_palm: np.ndarray | None = None
    """Poses of the palm before the grasp, shape [grasp_count, 7]."""
    pregrasp_joint_positions: np.ndarray | None = None
    """Joint positions before the grasp [rad or m], shape [grasp_count, joint_count]."""
    squeeze_joint_positions: np.ndarray | None = None
    """Joint targets that press [rad or m], shape [grasp_count, joint_count]."""
    pregrasp_clearance: np.ndarray | None = None
    """Distance of the open hand from the object before the grasp [m], shape [grasp_count]."""
    way: Way | None = None
    """How the hand gets to each grasp past a table, and out again; None where that is not known."""
    rest_poses: np.ndarray | None = None
    """Rest pose of the object for which each grasp is made, shape [grasp_count], int32; None where it floats."""
    scores: dict[str, np.ndarray] = field(default_factory=dict)
    """Numbers by which grasps are judged, each [grasp_count]; ``confidence`` is 1 for good grasps, 0 for bad ones."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else our own tables say of each grasp, to choose by: values by name, each [grasp_count], or one for all."""
    placement: Placement | None = None
    """Where the object lies; None where the grasps are of an object for itself."""
    notes: tuple[str, ...] = ()
    """What reading guessed or left out, one sentence each."""

    def __len__(self) -> int:
        """Return how many grasps there are."""
        return len(self.T_object_palm)

    def rows(self, part: np.ndarray | slice) -> GraspRecord:
        """Return some of the grasps."""

        def of(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[part]

        return replace(
            self,
            T_object_palm=self.T_object_palm[part],
            joint_positions=self.joint_positions[part],
            T_object_pregrasp_palm=of(self.T_object_pregrasp_palm),
            pregrasp_joint_positions=of(self.pregrasp_joint_positions),
            squeeze_joint_positions=of(self.squeeze_joint_positions),
            pregrasp_clearance=of(self.pregrasp_clearance),
            way=None if self.way is None else self.way.rows(part),
            rest_poses=of(self.rest_poses),
            scores={name: values[part] for name, values in self.scores.items()},
            facts={name: values if isinstance(values, str) else values[part] for name, values in self.facts.items()},
        )


def ordered_joints(record: GraspRecord, hand: Hand) -> GraspRecord:
    """Bring the joints of a record into the order of a hand.

    Raises:
        GraspdError: If joints are missing or unknown.
    """
    if record.joint_names == hand.joint_names:
        return record
    missing = [name for name in hand.joint_names if name not in record.joint_names]
    unknown = [name for name in record.joint_names if name not in hand.joint_names]
    if missing or unknown:
        what = f"missing {', '.join(missing)}" if missing else f"unknown {', '.join(unknown)}"
        raise GraspdError(
            f"expected the joints of {hand.name}: {', '.join(hand.joint_names)}; {what}; "
            "name the right hand with --hand"
        )
    order = [record.joint_names.index(name) for name in hand.joint_names]

    def of(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[:, order]

    return replace(
        record,
        joint_names=hand.joint_names,
        joint_positions=record.joint_positions[:, order],
        pregrasp_joint_positions=of(record.pregrasp_joint_positions),
        squeeze_joint_positions=of(record.squeeze_joint_positions),
    )


def unit_poses(position: object, quaternion_xyzw: object, source: str) -> np.ndarray:
    """Join positions and quaternions, checked and normalized.

    Args:
        position: Positions [m], shape [grasp_count, 3].
        quaternion_xyzw: Quaternions, shape [grasp_count, 4].
        source: What is read, for messages.

    Returns:
        Poses, shape [grasp_count, 7].

    Raises:
        GraspdError: If numbers are not finite, or a quaternion is not of unit length.
    """
    position = numbers(position, source, "positions", (None, 3))
    quaternion = numbers(quaternion_xyzw, source, "quaternions", (len(position), 4))
    norm = np.linalg.norm(quaternion, axis=1, keepdims=True)
    wrong = np.flatnonzero(np.abs(norm[:, 0] - 1.0) > _NORM_TOLERANCE)
    if len(wrong):
        raise GraspdError(
            f"expected unit quaternions in {source}, got {quaternion[wrong[0]].round(4).tolist()} of length "
            f"{norm[wrong[0], 0]:.4g} in grasp {wrong[0]}; these numbers are no quaternion, or cut off"
        )
    return np.concatenate([position, quaternion / norm], axis=1)


def matrix_poses(matrices: object, source: str) -> np.ndarray:
    """Turn homogeneous matrices [grasp_count, 4, 4] that act on column vectors into poses [grasp_count, 7].

    Raises:
        GraspdError: If one is no rigid transform.
    """
    from omni_graspd.usd.transforms import matrix_to_pose

    matrix = numbers(matrices, source, "transforms", (None, 4, 4))
    if not len(matrix):
        return np.zeros((0, 7))
    rotation = matrix[:, :3, :3]
    skew = np.abs(rotation @ rotation.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2)) > _NORM_TOLERANCE
    wrong = np.flatnonzero(
        skew | (np.linalg.det(rotation) < 0.0) | (np.abs(matrix[:, 3] - [0, 0, 0, 1]).max(axis=1) > _NORM_TOLERANCE)
    )
    if len(wrong):
        raise GraspdError(
            f"expected rigid 4 x 4 transforms with the last row 0 0 0 1 in {source}, got another in grasp {wrong[0]}; "
            "matrices for row vectors have to be transposed"
        )
    return matrix_to_pose(matrix)


def numbers(values: object, source: str, what: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """Turn nested lists or arrays into finite float64 numbers of a shape; None in ``shape`` fits any length.

    Raises:
        GraspdError: If that cannot be.
    """
    array = floats(values, source, what)
    if array.size == 0 and shape[0] in (None, 0):
        array = array.reshape(0, *(n or 0 for n in shape[1:]))
    fits = array.ndim == len(shape) and all(want in (None, got) for got, want in zip(array.shape, shape, strict=True))
    if not fits:
        wanted = " x ".join("n" if n is None else str(n) for n in shape)
        raise GraspdError(
            f"expected {what} in {source} to be {wanted} numbers, got {' x '.join(map(str, array.shape))}"
        )
    if not np.isfinite(array).all():
        raise GraspdError(f"expected finite {what} in {source}, got NaN or infinity; leave those grasps out")
    if (np.abs(array) > _LARGEST_NUMBER).any():
        raise GraspdError(
            f"expected {what} in {source} to be at most {_LARGEST_NUMBER:g}, got {np.abs(array).max():g}; "
            "leave those grasps out"
        )
    return array


def floats(values: object, source: str, what: str) -> np.ndarray:
    """Turn nested lists or arrays into float64 numbers of whatever shape they have.

    Raises:
        GraspdError: If they are no numbers, or lists of different lengths.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise GraspdError(f"expected {what} in {source} to be numbers, got {shortened(str(error), 160)}") from error


def scale(value: object, source: str) -> float:
    """Return the factor by which an object is scaled: a number, or the first of several.

    Raises:
        GraspdError: If it is no number that a scale can be.
    """
    found = floats(value, source, "the scale of the object").ravel()[:1]
    if not len(found) or not _SMALLEST_SCALE <= found[0] <= _LARGEST_SCALE:
        got = f"{found[0]:g}" if len(found) else "none"
        raise GraspdError(
            f"expected a scale of the object between {_SMALLEST_SCALE:g} and {_LARGEST_SCALE:g} in {source}, got "
            f"{got}; mend the file"
        )
    return float(found[0])


def names(value: object, source: str, what: str = "the names of joints") -> tuple[str, ...]:
    """Return names that differ, or none where there are none.

    Raises:
        GraspdError: If it is no list of such.
    """
    if value is None:
        return ()
    listed = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(name, str) for name in listed):
        raise GraspdError(f"expected {what} in {source} to be a list of texts, got something else; mend the file")
    if len(set(listed)) < len(listed):
        raise GraspdError(f"expected {what} in {source} to differ, got some twice; mend the file")
    return tuple(listed)


def text(value: object) -> str:
    """Return a name or path that a file states; empty where it states none, or something that is no text."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def joined_records(records: Sequence[GraspRecord]) -> GraspRecord:
    """Join grasps of the same hand, object and scale; postures and scores that some lack are left out.

    Args:
        records: At least one; all with the same joints in the same order.
    """
    first = records[0]
    if len(records) == 1:
        return first

    def of(name: str) -> np.ndarray | None:
        arrays = [getattr(record, name) for record in records]
        return None if any(array is None for array in arrays) else np.concatenate(arrays)

    names = [name for name in first.scores if all(name in record.scores for record in records)]
    ways = [record.way for record in records if record.way is not None]
    return replace(
        first,
        T_object_palm=np.concatenate([record.T_object_palm for record in records]),
        joint_positions=np.concatenate([record.joint_positions for record in records]),
        T_object_pregrasp_palm=of("T_object_pregrasp_palm"),
        pregrasp_joint_positions=of("pregrasp_joint_positions"),
        squeeze_joint_positions=of("squeeze_joint_positions"),
        pregrasp_clearance=of("pregrasp_clearance"),
        way=join_ways(ways) if len(ways) == len(records) else None,
        rest_poses=of("rest_poses"),
        scores={name: np.concatenate([record.scores[name] for record in records]) for name in names},
        facts={},
        notes=tuple(dict.fromkeys(note for record in records for note in record.notes)),
    )
