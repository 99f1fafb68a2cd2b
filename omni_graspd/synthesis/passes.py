# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Draft and main pass from given starts, in one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.contact_balance import balance_forces, pressing_contacts
from omni_graspd.synthesis.crossed_links import crossing_pairs
from omni_graspd.synthesis.grasp import CROSSED, PIERCED, GraspBatch, Trajectory
from omni_graspd.synthesis.models import HandModel, hand_model
from omni_graspd.synthesis.optimization import Shard
from omni_graspd.synthesis.request import Wanted
from omni_graspd.synthesis.walls import pierced_links

_STEPS_BETWEEN_REPORTS = 20
# A hand farther than this from the object does not grasp it [m].
_TOUCHING = 5e-3
DEEP = 4e-3
"""A hand deeper than this in the object ranks behind all that are not [m]; it is caught there."""
PIERCED_PENALTY = 2.0
"""How much a hand that the object passes through counts against escaping."""
# How much one that passes through itself does.
_CROSSED = 1.0
# How much a wrench that is left over, as a share of the contact forces, counts against escaping.
_UNBALANCED = 4.0

State = tuple[np.ndarray, np.ndarray]
"""Palm poses and actuated positions."""


def run_passes(
    hand: Hand, wanted: Sequence[Wanted], config: SynthesisConfig, starts: State, recorder: Recorder, device: str
) -> list[tuple[GraspBatch, np.ndarray]]:
    """Run both passes from given starts.

    Args:
        hand: The hand.
        wanted: Objects, and the grasps to find of each.
        config: Settings.
        starts: Palm poses and actuated positions of all candidates, as many for each grasp; one without a draft.
        recorder: Counts steps.
        device: Warp device.

    Returns:
        Per entry of ``wanted`` its grasps, without postures, and how deep each hand reaches into the object [m], shape
        [grasp_count].
    """
    models, around = [part.model for part in wanted], [part.around for part in wanted]
    owner = np.repeat(np.arange(len(wanted)), [len(part.request.indices) for part in wanted])
    state = starts
    if config.draft.iterations:
        draft, candidates = config.draft_pass(), max(len(starts[0]) // max(len(owner), 1), 1)
        drafted = np.repeat(owner, candidates)
        points = hand_model(hand, draft.point_count, device)
        shard = Shard(points, models, drafted, *state, draft, device, surroundings=around)
        _optimize(shard, recorder)
        poses, actuated = _positions(shard)
        pierced = _pierced(hand, wanted, drafted, poses, actuated).any(axis=1)
        crossed = _crossing(hand, actuated, device).any(axis=(1, 2))
        penalties = np.where(pierced, PIERCED_PENALTY, 0.0) + np.where(crossed, _CROSSED, 0.0)
        best = _most_promising(shard, candidates, _imbalances(shard, wanted, drafted, points, config), penalties)
        state = poses[best], actuated[best]
        recorder.keep(best)
    points = hand_model(hand, config.point_count, device)
    shard = Shard(points, models, owner, *state, config, device, surroundings=around)
    _optimize(shard, recorder)
    poses, actuated = _positions(shard)
    pierced, crossing = _pierced(hand, wanted, owner, poses, actuated), _crossing(hand, actuated, device)
    whole, depths = _collect(hand, shard, _statuses(hand, shard, pierced, crossing), recorder), shard.depths()
    counts = [len(part.request.indices) for part in wanted]
    ends = np.cumsum(counts)
    return [(whole.rows(end - count, end), depths[end - count : end]) for count, end in zip(counts, ends, strict=True)]


class Recorder:
    """Counts gradient steps over both passes, reports them and keeps frames."""

    def __init__(self, every: int, report: Callable[[int], None]) -> None:
        self.done, self.every, self.report = 0, every, report
        self.frames: list[tuple[int, State, dict[str, np.ndarray]]] = []

    def of_try(self, attempt: int) -> Recorder:
        """Return what counts and keeps the steps of one try; further tries do not count as progress."""
        if attempt == 0:
            return self
        return Recorder(self.every, lambda _: self.report(self.done))

    def steps_to_go(self, limit: int) -> int:
        """Return how many steps to make before the next look, at most ``limit``."""
        limit = min(limit, _STEPS_BETWEEN_REPORTS)
        return min(limit, self.every - self.done % self.every) if self.every else limit

    def advance(self, steps: int, shard: Shard) -> None:
        """Count steps that a shard has made, and keep a frame of it where one is due."""
        self.done += steps
        if self.every and self.done % self.every == 0:
            self.frames.append((self.done, _positions(shard), shard.losses()))
        self.report(self.done)

    def keep(self, rows: np.ndarray) -> None:
        """Drop all grasps but ``rows`` from the frames."""
        self.frames = [
            (step, (poses[rows], actuated[rows]), {name: values[rows] for name, values in losses.items()})
            for step, (poses, actuated), losses in self.frames
        ]

    def trajectory(self, hand: Hand) -> Trajectory | None:
        """Return the frames, if any were to be kept."""
        if not self.frames:
            return None
        steps, states, losses = zip(*self.frames, strict=True)
        return Trajectory(
            steps=np.array(steps),
            T_object_palm=np.stack([poses for poses, _ in states]),
            joint_positions=hand.joint_positions(np.stack([actuated for _, actuated in states])),
            losses={name: np.stack([part[name] for part in losses]) for name in losses[0]},
        )


def _optimize(shard: Shard, recorder: Recorder) -> None:
    """Run a shard to the end and evaluate it there."""
    done, iterations = 0, shard.config.iterations
    while done < iterations:
        steps = recorder.steps_to_go(iterations - done)
        shard.run(done, done + steps)
        done += steps
        recorder.advance(steps, shard)
    shard.evaluate()


def _positions(shard: Shard) -> State:
    """Return palm poses and actuated positions as they are now."""
    poses = shard.state.T_object_palm.numpy().astype(np.float64)
    poses[:, 3:] /= np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    return poses, shard.state.actuated.numpy().astype(np.float64)


def _imbalances(
    shard: Shard, wanted: Sequence[Wanted], owner: np.ndarray, points: HandModel, config: SynthesisConfig
) -> np.ndarray:
    """Return how far from balance contact forces of each candidate are, 0 where nothing stands around its object."""
    result, threshold = np.zeros(len(owner)), config.squeeze.contact_threshold
    around = [number for number, part in enumerate(wanted) if not part.request.surroundings.is_empty]
    if not around:
        return result
    distances, places, normals = shard.contacts()
    chosen, presses = pressing_contacts(distances, points.points.link_index, threshold)
    for number in around:
        part = wanted[number]
        task = config.squeeze.task(part.request.surroundings.upward, part.model.gyration_radius)
        own = np.flatnonzero(owner == number)
        at = own[:, None], chosen[own]
        result[own] = balance_forces(places[at], normals[at], task, presses[own])[1]
    return result


def _pierced(
    hand: Hand, wanted: Sequence[Wanted], owner: np.ndarray, poses: np.ndarray, actuated: np.ndarray
) -> np.ndarray:
    """Tell which links the objects pass through, shape [grasp_count, link_count], bool."""
    pierced = np.zeros((len(owner), len(hand.links)), dtype=bool)
    finite = np.isfinite(poses).all(axis=1) & np.isfinite(actuated).all(axis=1)
    for number, part in enumerate(wanted):
        rows = np.flatnonzero((owner == number) & finite)
        if len(rows):
            distance = part.model.distance
            hands = PlacedHands.of(hand, poses[rows], hand.joint_positions(actuated[rows]), distance.device)
            pierced[rows] = pierced_links(hands, distance)
    return pierced


def _crossing(hand: Hand, actuated: np.ndarray, device: str) -> np.ndarray:
    """Tell which links pass through which others, shape [grasp_count, link_count, link_count], bool."""
    crossing = np.zeros((len(actuated), len(hand.links), len(hand.links)), dtype=bool)
    finite = np.flatnonzero(np.isfinite(actuated).all(axis=1))
    if len(finite):
        crossing[finite] = crossing_pairs(hand, hand.joint_positions(actuated[finite]), device)
    return crossing


def _most_promising(shard: Shard, candidates: int, imbalances: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return the row of each grasp's candidate from which a pushed object escapes least.

    Those that are deep in the object, in the table, out of balance, or have penalties for other reasons come last.
    """
    shape = (-1, candidates)
    escapes, depths = shard.escape().reshape(shape), shard.depths().reshape(shape)
    failed = shard.state.failed.numpy().reshape(shape)
    escapes = escapes + np.where(depths > DEEP, 1.0, 0.0)
    escapes = escapes + penalties.reshape(shape)
    escapes = escapes + np.where(shard.clearances().reshape(shape) < 0.0, 1.0, 0.0)
    escapes = escapes + _UNBALANCED * imbalances.reshape(shape)
    ranked = np.where((failed != 0) | ~np.isfinite(escapes), np.inf, escapes)
    return np.arange(len(ranked)) * candidates + ranked.argmin(axis=1)


def _collect(hand: Hand, shard: Shard, statuses: tuple[str, ...], recorder: Recorder) -> GraspBatch:
    poses, actuated = _positions(shard)
    losses = {**shard.losses(), "penetration": shard.penetration(), "escape": shard.escape()}
    joints = hand.joint_positions(actuated)
    return GraspBatch(poses, joints, losses, statuses, trajectory=recorder.trajectory(hand))


def _statuses(hand: Hand, shard: Shard, pierced: np.ndarray, crossing: np.ndarray) -> tuple[str, ...]:
    """Say of each evaluated grasp whether it is one."""
    statuses = []
    for failed, gap, links, pairs in zip(shard.state.failed.numpy(), shard.gaps(), pierced, crossing, strict=True):
        status = "ok" if gap <= _TOUCHING else f"apart: the hand ends {1e3 * gap:.0f} mm from the object"
        if pairs.any():
            status = f"{CROSSED}: {_crossing_names(hand, pairs)}"
        if links.any():
            names = ", ".join(hand.links[link].name for link in np.flatnonzero(links))
            status = f"{PIERCED}: the object passes through {names}"
        statuses.append("diverged: the gradient is not finite" if failed else status)
    return tuple(statuses)


def _crossing_names(hand: Hand, pairs: np.ndarray) -> str:
    """Say which links pass through which others, each pair once; ``pairs`` has shape [link_count, link_count]."""
    crossed = np.argwhere(np.triu(pairs | pairs.T))
    return ", ".join(f"{hand.links[other].name} passes through {hand.links[link].name}" for link, other in crossed)
