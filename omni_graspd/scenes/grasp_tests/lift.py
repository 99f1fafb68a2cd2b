# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The lift test: a hand comes to an object on a table as its data say, squeezes and lifts; does the object come too?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_decomposition import convex_pieces
from omni_graspd.hands.hand import Hand
from omni_graspd.metrics.walls import passes_through
from omni_graspd.objects.resting_pieces import resting_pieces
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.scenes.grasp_tests.hold import Simulate
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig, LiftNoise
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay, hand_way
from omni_graspd.scenes.grasp_tests.lift_screen import depths_in_object, lowest_on_the_way
from omni_graspd.scenes.grasp_tests.lift_trials import PUSHED_AWAY, SLIPPED, TILTED, LiftOutcome, LiftTest, LiftTrial
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way
from omni_graspd.usd.meshes import TriangleMesh

NOT_USABLE = "not usable"
PENETRATES = "penetrates at the pregrasp"
PIERCED = "the object passes through the hand"
TOUCHED_TABLE = "touched the table"
LIFT_REASONS = (NOT_USABLE, PENETRATES, PIERCED, TOUCHED_TABLE, PUSHED_AWAY, SLIPPED, TILTED)
"""Why an object is not lifted; the first that applies."""


@dataclass(frozen=True)
class LiftResult:
    """What became of each grasp."""

    lifted: np.ndarray
    """Whether the object came along, shape [grasp_count], bool."""
    drift: np.ndarray
    """Distance of the object's centre of mass from where the palm should have brought it [m], the largest one while it
    was watched, shape [grasp_count]; NaN where nothing was simulated."""
    tilt: np.ndarray
    """How far the object has turned [rad], likewise."""
    reasons: tuple[str, ...]
    """Empty where it was lifted, else one of :data:`LIFT_REASONS`. ``not usable``: without a way, or with numbers that
    are not finite."""
    score: np.ndarray | None = None
    """Share of the tries with errors in which the object was lifted, 0 for a grasp that fails before anything is
    simulated and NaN for one that is not usable, shape [grasp_count]; None where none were asked for."""

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The metrics of the lift test by column, ``lift_score`` only if asked for, each [grasp_count]."""
        reasons = np.array(self.reasons, dtype=str)
        score = {} if self.score is None else {"lift_score": self.score}
        return {"lifted": self.lifted, "lift_drift": self.drift, "lift_reason": reasons, **score}


async def measure_lift(
    simulate: Simulate,
    hand: Hand,
    obj: RigidObject,
    batch: GraspBatch,
    config: LiftConfig | None = None,
    *,
    indices: Sequence[int] | None = None,
    object_pieces: Sequence[TriangleMesh] | None = None,
) -> LiftResult:
    """Let each hand go its way, squeeze and lift, and see whether the object comes along.

    The object rests on a table top. The open hand goes from the pregrasp straight to hover; the palm goes on to the
    grasp while the joints move evenly from open to closed; the joints go on to the squeeze posture; the palm rises. The
    palm goes exactly where it should; joints, coupled ones too, are driven, each toward its own target.

    Hands are simulated side by side. What a grasp does depends on its index, which says where on the table it is, but
    not on the other grasps.

    Args:
        simulate: The backend's simulation.
        hand: The hand.
        obj: The object.
        batch: Grasps with postures and a way.
        config: The protocol.
        indices: Number of each grasp, from which errors of the pose and places follow; by default 0, 1, 2, ...
        object_pieces: Convex meshes in the object frame [m]; by default those of
            :func:`~omni_graspd.objects.resting_pieces.resting_pieces`.

    Raises:
        GraspdError: If the batch has no way or no postures, or there are not as many indices as grasps.

    References:
        Chen et al., "BODex" and its benchmark DexGraspBench, 2024.
    """
    config, count = config or LiftConfig(), len(batch.status)
    if batch.way is None or batch.postures is None:
        raise GraspdError(
            f"the lift test needs grasps with a checked approach over a table, and some grasps of {obj.name} have "
            "none; synthesize them over a table"
        )
    numbers = range(count) if indices is None else indices
    if len(numbers) != count:
        raise GraspdError(f"expected one index per grasp ({count}), got {len(numbers)}")
    test = LiftTest(simulate, hand, hand_colliders(hand), *prepared_object(obj, config, object_pieces), config)
    ways = dict(_ways(batch, batch.postures, batch.way, obj))
    reasons = {row: NOT_USABLE for row in range(count) if row not in ways} | _screen(test, batch, ways)
    trials = []
    for row in range(count):
        if row not in reasons:
            errors = _errors(config.noise, hand.name, obj.name, numbers[row])
            tried = [ways[row], *(ways[row].moved_by(error) for error in errors)]
            trials += [LiftTrial(row, numbers[row], way) for way in tried]
    outcomes = {row: [LiftOutcome(np.nan, np.nan, reason)] for row, reason in reasons.items()}
    outcomes |= await test.run(trials)
    found = [outcomes[row][0] for row in range(count)]
    return LiftResult(
        lifted=np.array([not outcome.reason for outcome in found], dtype=bool),
        drift=np.array([outcome.drift for outcome in found], dtype=np.float64),
        tilt=np.array([outcome.tilt for outcome in found], dtype=np.float64),
        reasons=tuple(outcome.reason for outcome in found),
        score=np.array([_score(outcomes[row]) for row in range(count)]) if config.noise.count else None,
    )


def _score(outcomes: Sequence[LiftOutcome]) -> float:
    """Return the share of the tries with errors, all but the first, that lift the object."""
    if len(outcomes) == 1:
        return np.nan if outcomes[0].reason == NOT_USABLE else 0.0
    return float(np.mean([not outcome.reason for outcome in outcomes[1:]]))


def prepared_object(
    obj: RigidObject, config: LiftConfig, object_pieces: Sequence[TriangleMesh] | None = None
) -> tuple[RigidObject, Sequence[TriangleMesh]]:
    """Return an object with the mass that it has in the test, and its convex pieces in its frame [m]."""
    if object_pieces is None:
        pieces = obj.convex_pieces or tuple(convex_pieces(obj.mesh, config.decomposition))
        object_pieces = resting_pieces(dataclasses.replace(obj, convex_pieces=pieces))
    if config.object_mass is not None:
        inertia = obj.inertia * (config.object_mass / obj.mass)
        obj = dataclasses.replace(obj, mass=config.object_mass, inertia=inertia)
    return obj, object_pieces


def _ways(batch: GraspBatch, postures: Postures, way: Way, obj: RigidObject) -> Iterator[tuple[int, HandWay]]:
    """Yield the rows that have a way, and the ways."""
    palms = np.stack([postures.T_object_pregrasp_palm, way.T_object_hover_palm, batch.T_object_palm], axis=1)
    joints = [postures.pregrasp_joint_positions, batch.joint_positions, postures.squeeze_joint_positions]
    for row in range(len(batch.status)):
        plane, up, own = way.table_plane[row], way.lift_direction[row], np.stack([part[row] for part in joints])
        if all(np.isfinite(part).all() for part in (palms[row], own, plane, up)):
            yield row, hand_way(plane, obj.center_of_mass, palms[row], own, up)


def _screen(test: LiftTest, batch: GraspBatch, ways: dict[int, HandWay]) -> dict[int, str]:
    """Return why grasps fail before anything is simulated, by row."""
    if not ways or batch.postures is None:
        return {}
    rows = list(ways)
    opened = batch.postures.pregrasp_joint_positions[rows]
    depths = depths_in_object(test.hand, test.obj, batch.postures.T_object_pregrasp_palm[rows], opened)
    pierced = passes_through(test.hand, test.obj, batch.T_object_palm[rows], batch.joint_positions[rows])
    found = {}
    for row, depth, through in zip(rows, depths, pierced, strict=True):
        if depth > test.config.pregrasp_depth:
            found[row] = PENETRATES
        elif through:
            found[row] = PIERCED
        elif lowest_on_the_way(test.hand, ways[row]) < -test.config.table_depth:
            found[row] = TOUCHED_TABLE
    return found


def _errors(noise: LiftNoise, hand: str, obj: str, index: int) -> np.ndarray:
    """Draw errors of the palm's pose in its own frame, shape [count, 7]."""
    from scipy.spatial.transform import Rotation

    random = random_generator(noise.seed, "lift", hand, obj, index)
    shifts, turns = random.standard_normal((2, noise.count, 3)) / np.sqrt(3.0)
    rotations = Rotation.from_rotvec(noise.angle * turns).as_quat() if noise.count else np.zeros((0, 4))
    return np.concatenate([noise.position * shifts, rotations], axis=1)
