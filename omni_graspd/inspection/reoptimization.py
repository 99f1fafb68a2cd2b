# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A grasp formed anew from a given pose, in slices between which a user interface lives on.

The draft over several starts is left out: the pose is the start. The result is never worse than the start. A hand that
the object passes through is drawn back and opened before its grasp is formed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import SurroundingsModel, hand_model, object_model
from omni_graspd.synthesis.optimization import Shard, load_kernels
from omni_graspd.synthesis.passes import DEEP, PIERCED_PENALTY
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings
from omni_graspd.synthesis.walls import pierced_links
from omni_graspd.usd.transforms import pose_to_matrix

_RETREATS = np.arange(0.0, 0.3, 0.005)
_STEPS_PER_SLICE = 10
_LIVE_STEPS = 8


@dataclass(frozen=True, eq=False)
class Posture:
    """A hand at the object, with its ranking score."""

    T_object_palm: np.ndarray
    """Pose of the palm in the object frame, shape [7]."""
    joint_positions: np.ndarray
    """All joints [rad or m], shape [joint_count]."""
    score: float
    """How far a pushed object gets, relative to the push, plus 1 if the hand is deeper than 4 mm and 2 if the object
    passes through it; small is good."""
    step: int = 0
    """Gradient steps made."""
    losses: dict[str, float] | None = None
    """Loss terms at that step; None where they were not computed."""


def prepare(hand: Hand, obj: RigidObject, config: SynthesisConfig, device: str = "cpu") -> None:
    """Sample the hand, build the object's distances and compile kernels; seconds the first time, nothing after.

    Args:
        hand: The hand.
        obj: The object.
        config: Settings.
        device: Warp device.
    """
    hand_model(hand, config.point_count, device)
    object_model(obj, config.distance, device)
    load_kernels(config, device)
    # Launches once what the first slice would have to load.
    middle = np.array([[0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 1.0]])
    shard = _shard(hand, obj, middle, hand.open_positions[None], replace(config, iterations=1), device)
    shard.run(0, 1)
    shard.evaluate()
    shard.escape()


def ranking_scores(
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: SynthesisConfig,
    device: str = "cpu",
    surroundings: Surroundings = NOTHING,
) -> np.ndarray:
    """Return the score by which grasps rank, small is good, infinite where it cannot be computed.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        config: Settings.
        device: Warp device.
        surroundings: What stands around the object; hands that reach into it rank behind all others.

    Returns:
        Scores, shape [grasp_count].
    """
    usable = np.isfinite(T_object_palm).all(axis=1) & np.isfinite(joint_positions).all(axis=1)
    usable &= np.linalg.norm(T_object_palm[:, 3:], axis=1) > 0.5
    poses = np.where(usable[:, None], T_object_palm, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    actuated = np.where(usable[:, None], joint_positions[:, hand.actuated], hand.open_positions)
    shard = _shard(hand, obj, poses, actuated, replace(config, iterations=1), device, surroundings)
    shard.evaluate()
    depths = shard.depths()
    scores = shard.escape().astype(np.float64) + np.where(depths > DEEP, 1.0, 0.0)
    scores = scores + np.where(shard.clearances() < 0.0, 1.0, 0.0)
    scores = scores + np.where(_is_pierced(hand, obj, poses, actuated, config, device), PIERCED_PENALTY, 0.0)
    return np.where(usable & np.isfinite(scores), scores, np.inf)


def reoptimize(
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: SynthesisConfig,
    *,
    device: str = "cpu",
    surroundings: Surroundings = NOTHING,
    steps_per_slice: int = _STEPS_PER_SLICE,
) -> Iterator[Posture]:
    """Form a grasp from a pose, slice by slice; to cancel, stop iterating.

    Args:
        hand: The hand.
        obj: The object; any, also another than that the pose was made for.
        T_object_palm: Palm pose from which to start, shape [7]; its quaternion is normalised.
        joint_positions: All joints from which to start [rad or m], shape [joint_count]; brought within limits.
        config: Settings; the draft is left out.
        device: Warp device.
        surroundings: What stands around the object.
        steps_per_slice: Gradient steps between two frames.

    Yields:
        The start, a frame after each slice (their score is NaN), and last the better of start and end, with its score.

    Raises:
        GraspdError: If the pose is not finite.
    """
    pose, actuated = _start(hand, T_object_palm, joint_positions)
    start = Posture(pose, hand.joint_positions(actuated), float("nan"))
    yield start
    if _is_pierced(hand, obj, pose[None], actuated[None], config, device)[0]:
        pose, actuated = _drawn_back(hand, obj, pose, config, device)
        start = Posture(pose, hand.joint_positions(actuated), float("nan"))
    shard = _shard(hand, obj, pose[None], actuated[None], config, device, surroundings)
    for done in range(0, config.iterations, steps_per_slice):
        stop = min(done + steps_per_slice, config.iterations)
        shard.run(done, stop)
        frame = _frame(hand, shard, stop)
        yield frame
    yield _better(hand, obj, start, frame, config, device, surroundings)


def _better(
    hand: Hand,
    obj: RigidObject,
    start: Posture,
    end: Posture,
    config: SynthesisConfig,
    device: str,
    surroundings: Surroundings,
) -> Posture:
    poses = np.stack([start.T_object_palm, end.T_object_palm])
    joints = np.stack([start.joint_positions, end.joint_positions])
    scores = ranking_scores(hand, obj, poses, joints, config, device, surroundings)
    kept = end if scores[1] <= scores[0] and np.isfinite(scores[1]) else start
    return replace(kept, score=float(scores.min()), step=end.step, losses=end.losses if kept is end else None)


def _is_pierced(
    hand: Hand, obj: RigidObject, poses: np.ndarray, actuated: np.ndarray, config: SynthesisConfig, device: str
) -> np.ndarray:
    """Tell which hands the object passes through, shape [grasp_count], bool."""
    distance = object_model(obj, config.distance, device).distance
    hands = PlacedHands.of(hand, poses, hand.joint_positions(actuated), device)
    return np.asarray(pierced_links(hands, distance).any(axis=1))


def _drawn_back(
    hand: Hand, obj: RigidObject, pose: np.ndarray, config: SynthesisConfig, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """Open a hand and draw it back against its approach until nothing passes through it; at most 30 cm."""
    approach = pose_to_matrix(pose)[:3, :3] @ hand.approach_direction
    poses = np.tile(pose, (len(_RETREATS), 1))
    poses[:, :3] -= _RETREATS[:, None] * approach
    actuated = np.tile(hand.open_positions, (len(_RETREATS), 1))
    free = ~_is_pierced(hand, obj, poses, actuated, config, device)
    nearest = int(np.argmax(free)) if free.any() else len(_RETREATS) - 1
    return poses[nearest], actuated[nearest]


def form_fingers(
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: SynthesisConfig,
    *,
    device: str = "cpu",
    surroundings: Surroundings = NOTHING,
    steps: int = _LIVE_STEPS,
) -> Posture:
    """Let the fingers follow while the palm is held by the cursor: a few steps of the joints alone.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm pose as dragged, shape [7]; kept.
        joint_positions: All joints as they were before [rad or m], shape [joint_count].
        config: Settings.
        device: Warp device.
        surroundings: What stands around the object; the fingers keep off it, the palm goes where it is dragged.
        steps: Gradient steps.

    Returns:
        The hand, with the score NaN: to compute it would double the time.
    """
    pose, actuated = _start(hand, T_object_palm, joint_positions)
    held = replace(
        config,
        iterations=steps,
        dilation=0.0,
        rate_decay=0.0,
        translation_rate=0.0,
        rotation_rate=0.0,
        joint_rate=0.03,
        rise_rate=0.0,
    )
    shard = _shard(hand, obj, pose[None], actuated[None], held, device, surroundings)
    shard.run(0, steps)
    frame = _frame(hand, shard, steps)
    return replace(frame, T_object_palm=pose)


def _start(hand: Hand, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pose = np.array(T_object_palm, dtype=np.float64)
    joints = np.asarray(joint_positions, dtype=np.float64)
    norm = np.linalg.norm(pose[3:]) if pose.shape == (7,) else np.nan
    if not (np.isfinite(pose).all() and np.isfinite(joints).all() and norm > 1e-6):
        raise GraspdError(
            "expected a palm pose of 7 finite numbers and finite joint positions, got others; drag the palm again"
        )
    if joints.shape != (hand.joint_count,):
        raise GraspdError(f"expected {hand.joint_count} joint positions for {hand.name}, got {joints.size}")
    pose[3:] /= norm
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    return pose, np.clip(joints[hand.actuated], lower, upper)


def _shard(
    hand: Hand,
    obj: RigidObject,
    poses: np.ndarray,
    actuated: np.ndarray,
    config: SynthesisConfig,
    device: str,
    surroundings: Surroundings = NOTHING,
) -> Shard:
    points, model = hand_model(hand, config.point_count, device), object_model(obj, config.distance, device)
    around = [SurroundingsModel(surroundings, device)]
    return Shard(points, [model], np.zeros(len(poses), dtype=int), poses, actuated, config, device, surroundings=around)


def _frame(hand: Hand, shard: Shard, step: int) -> Posture:
    pose = shard.state.T_object_palm.numpy()[0].astype(np.float64)
    pose[3:] /= np.linalg.norm(pose[3:])
    joints = hand.joint_positions(shard.state.actuated.numpy()[0].astype(np.float64))
    losses = {name: float(values[0]) for name, values in shard.losses().items()}
    return Posture(pose, joints, float("nan"), step, losses)
