# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One hand and one object: grasps in each of its rest poses, and what becomes of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from mujoco_lift import DEXGRASPBENCH, LiftProtocol, lift_batch
from table_cases import TableCase
from table_check import WayCheck

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.metrics.intersection_volume import intersection_volumes
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.transfer import transfer_grasps
from omni_graspd.seeding import random_generator
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings, table_under
from omni_graspd.synthesis.synthesizer import synthesize

QUALITY = ("CA cm2", "eps", "IV cm3")
# Each rest pose has grasps of its own: indices are this far apart.
_STRIDE = 1_000_000
_WARM_UP = _STRIDE - 1


@dataclass(frozen=True, kw_only=True)
class PairOptions:
    """What is made and measured."""

    grasps: int = 16
    """Grasps that are asked for in each rest pose."""
    seed: int = 0
    """Seed of starts and of the choice of those that are checked."""
    config: SynthesisConfig = field(default_factory=SynthesisConfig)
    """Settings of the synthesis."""
    protocol: LiftProtocol = DEXGRASPBENCH
    """The lift test."""
    lift_threads: int = 1
    """Grasps that are lifted at a time."""
    quality: bool = False
    """Whether contact area, epsilon and intersection volume are measured."""
    physx: bool = False
    """Whether grasps are lifted in PhysX, too."""


@dataclass(frozen=True)
class PoseResult:
    """Grasps of one hand, object and rest pose; columns hold a number per grasp that was asked for."""

    hand: str
    """Name of the hand."""
    label: str
    """The object."""
    pose: int
    """Number of the rest pose."""
    drops: int
    """How many drops ended in it."""
    height: float
    """Height of the object [m]."""
    cpu: float
    """CPU time of the synthesis [s]."""
    columns: dict[str, np.ndarray]
    """``usable``, ``tries``, ``lifted``, ``escape``, ``imbalance``, and what else was asked for."""
    status: tuple[str, ...] = ()
    """Of the grasps, ``ok`` or the reason of the failure."""
    rejected: tuple[str, ...] = ()
    """Why the tries before were dropped, ``"; "`` between them."""
    reasons: tuple[str, ...] = ()
    """Why usable grasps did not lift the object; empty where they did, and for the others."""
    checked: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Faults that the independent check found, by row."""


def measure_pair(hand_name: str, case: TableCase, options: PairOptions, check: int = 0) -> list[PoseResult]:
    """Make and measure grasps in each rest pose.

    Args:
        hand_name: The hand.
        case: The object and how it lies.
        options: What is made and measured.
        check: How many usable grasps are checked, drawn at random over all rest poses.
    """
    hand, obj = load_hand(hand_name), load_object(case.source)
    around = [table_under(T_world_object) for T_world_object in case.T_world_object]
    # Compiles kernels, prepares hand and object.
    make_grasps(hand, obj, [_WARM_UP], replace(options.config, tries=1), options.seed, around[0])
    results, batches = [], []
    for pose, surroundings in enumerate(around):
        indices = range(pose * _STRIDE, pose * _STRIDE + options.grasps)
        batch, seconds = make_grasps(hand, obj, indices, options.config, options.seed, surroundings)
        results.append(_measure_pose(hand, obj, case, pose, batch, seconds, options))
        batches.append(batch)
    if check:
        _check(hand, obj, case, batches, results, check, options.seed)
    return results


def make_grasps(
    hand: Hand,
    obj: RigidObject,
    indices: Sequence[int],
    config: SynthesisConfig,
    seed: int,
    surroundings: Surroundings = NOTHING,
) -> tuple[GraspBatch, float]:
    """Return grasps made in one thread, and the CPU time that they took [s]."""
    start = time.process_time()
    batch = asyncio.run(synthesize(hand, obj, indices, config, seed=seed, surroundings=surroundings, threads=1))
    return batch, time.process_time() - start


def measure_free(hand_name: str, case: TableCase, options: PairOptions) -> list[PoseResult]:
    """Make grasps of the floating object and carry them over to each rest pose: the same ones to all.

    Columns: ``clear`` tells which hands stay above the table in the grasp, ``usable`` which do so on the straight way
    of the open hand, too.
    """
    hand, obj = load_hand(hand_name), load_object(case.source)
    make_grasps(hand, obj, [_WARM_UP], options.config, options.seed)
    batch, seconds = make_grasps(hand, obj, range(options.grasps), options.config, options.seed)
    results = []
    for pose, T_world_object in enumerate(case.T_world_object):
        placed = transfer_grasps(hand, batch, T_world_object)
        clear = ~placed.collides & batch.ok
        columns = {"clear": clear, "usable": clear & (placed.approach_clearance >= 0.0)}
        results.append(_pose_result(hand, case, pose, seconds, columns))
    return results


def _measure_pose(
    hand: Hand,
    obj: RigidObject,
    case: TableCase,
    pose: int,
    batch: GraspBatch,
    seconds: float,
    options: PairOptions,
) -> PoseResult:
    assert batch.way is not None
    rows = np.flatnonzero(batch.usable)
    test = {"rows": rows.tolist(), "threads": options.lift_threads}
    outcomes = lift_batch(hand, obj, case.pieces, batch, options.protocol, **test) if len(rows) else []
    lifted, reasons = np.zeros(len(batch.status), dtype=bool), [""] * len(batch.status)
    for row, outcome in zip(rows, outcomes, strict=True):
        lifted[row], reasons[row] = outcome.lifted, outcome.reason
    columns = {
        "usable": batch.usable,
        "tries": batch.way.tries,
        "lifted": lifted,
        "escape": batch.losses["escape"],
        "imbalance": batch.losses["imbalance"],
    }
    if options.physx:
        columns["physx"] = _lifted_in_physx(hand, obj, case, batch)
    if options.quality:
        columns |= _quality(hand, obj, batch)
    texts = {"status": batch.status, "rejected": batch.way.rejected, "reasons": tuple(reasons)}
    return _pose_result(hand, case, pose, seconds, columns, **texts)


def _pose_result(
    hand: Hand, case: TableCase, pose: int, seconds: float, columns: dict[str, np.ndarray], **texts: tuple[str, ...]
) -> PoseResult:
    rest = int(case.drops[pose]), float(case.heights[pose])
    return PoseResult(hand.name, case.label, pose, *rest, seconds, columns, **texts)


def _lifted_in_physx(hand: Hand, obj: RigidObject, case: TableCase, batch: GraspBatch) -> np.ndarray:
    from omni_graspd.scenes.grasp_tests.lift import measure_lift

    return asyncio.run(measure_lift(simulate, hand, obj, batch, object_pieces=case.pieces)).lifted & batch.usable


def _quality(hand: Hand, obj: RigidObject, batch: GraspBatch) -> dict[str, np.ndarray]:
    grasps = (hand, obj, batch.T_object_palm, batch.joint_positions)
    metrics = evaluate_grasps(*grasps, MetricsConfig())
    values = 1e4 * metrics["contact_area"], metrics["epsilon"], 1e6 * intersection_volumes(*grasps)
    return dict(zip(QUALITY, values, strict=True))


def _check(
    hand: Hand,
    obj: RigidObject,
    case: TableCase,
    batches: Sequence[GraspBatch],
    results: list[PoseResult],
    count: int,
    seed: int,
) -> None:
    """Put what the check finds into the results of some of the usable grasps."""
    usable = [(pose, int(row)) for pose, batch in enumerate(batches) for row in np.flatnonzero(batch.usable)]
    random = random_generator(seed, "checked grasps", hand.name, case.label)
    check = WayCheck(hand, obj)
    for number in sorted(random.permutation(len(usable))[:count]):
        pose, row = usable[number]
        results[pose].checked[row] = tuple(check.faults(case.T_world_object[pose], batches[pose], row))
