# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The whole gradient, from the loss to palm and joints, against finite differences in double precision.

The kernels measure distances on a sphere; the reference takes them to first order about the state, and goes through
its own forward kinematics. Which points touch is held fixed: the average over contacts jumps where that changes.
"""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from contact_bench import NO_WEIGHTS
from contact_reference import Contacts, jacobi_step
from pose_differences import Slopes, displaced, slopes

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.surface_points import posed_points
from omni_graspd.library import list_names
from omni_graspd.synthesis.config import SynthesisConfig

_STEP = 1e-7
# Probe and padding are of a size, so that among the contacts are sliding and sticking ones, and some that part.
_OPTIONS = {"iterations": 1, "point_count": 150, "probe": 2e-3, "dilation": 3e-3, "leak": 0.0, **NO_WEIGHTS}


@pytest.fixture(scope="module")
def ball(solid):
    return solid(trimesh.creation.icosphere(subdivisions=4, radius=0.04).apply_translation((0.02, -0.01, 0.03)), "ball")


def random_states(hand: Hand, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Palms that face the ball from a random side, at a random place, with random joints."""
    from scipy.spatial.transform import Rotation

    random = np.random.default_rng(7)
    rotations = Rotation.random(count, random_state=7)
    outward = -rotations.apply(hand.approach_direction)
    tilted = rotations * Rotation.from_rotvec(random.normal(scale=0.2, size=(count, 3)))
    points = np.array([0.02, -0.01, 0.03]) + outward * random.uniform(0.042, 0.055, size=(count, 1))
    positions = points - tilted.apply(hand.approach_point) + random.normal(scale=0.01, size=(count, 3))
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    actuated = random.uniform(lower, upper, size=(count, hand.actuated_count))
    poses = np.concatenate([positions, tilted.as_quat()], axis=1)
    return poses.astype(np.float32).astype(np.float64), actuated.astype(np.float32).astype(np.float64)


class Reference:
    """The loss in double precision about the states of a shard of the split path."""

    def __init__(self, hand: Hand, shard, poses: np.ndarray, actuated: np.ndarray) -> None:
        self.config = shard.config
        names = ("listed_points", "listed_distances", "listed_normals")
        self.listed = [getattr(shard.state, name).numpy().astype(np.float64) for name in names]
        self.inverse_inertia = shard.objects.inverse_inertia.numpy()[0].astype(np.float64)
        self.length = float(shard.objects.rotation_length.numpy()[0])
        moved = [displaced(*state, _STEP) for state in zip(poses, actuated, strict=True)]
        all_poses, all_joints = (np.stack(part).reshape(-1, part[0].shape[-1]) for part in zip(*moved, strict=True))
        placed = posed_points(hand, shard.hand.points, all_poses, hand.joint_positions(all_joints))
        center = shard.objects.center_of_mass.numpy()[0].astype(np.float64)
        self.placed = (placed - center).reshape(len(poses), -1, *placed.shape[1:])

    def slopes(self, grasp: int, *, levers_move: bool = False) -> tuple[Slopes, np.ndarray]:
        """Finite differences of one grasp's loss, and which of its points touch."""
        measured, distances, normals = (column[grasp] for column in self.listed)
        near = np.flatnonzero(normals.any(axis=1) & (distances < self.config.dilation + self.config.probe))
        measured, distances, normals = measured[near], distances[near], normals[near]
        motions, smoothing = self.config.probe_motions(), 0.1 * self.config.probe
        step = (self.config.friction, self.config.dilation, self.inverse_inertia, self.length)
        about = Contacts(measured, distances, normals, *step)
        _, frozen = jacobi_step(about, motions, smoothing=smoothing)
        placed = self.placed[grasp][:, near]
        about.distances = distances + np.einsum("spk,pk->sp", placed - measured, normals)
        if levers_move:
            about.points = placed
        losses = jacobi_step(about, motions, smoothing=smoothing, frozen=frozen)[0].mean(axis=-1)
        return slopes(losses.reshape(2, -1), _STEP), near[frozen.touching.any(axis=0)]


def cosines(values: tuple[np.ndarray, ...], expected: Slopes) -> list[float]:
    """Cosine of each part; NaN where it is zero, as that of the joints where only the palm touches."""
    sizes = [np.linalg.norm(a) * np.linalg.norm(b) for a, b in zip(values, expected, strict=True)]
    return [float(a @ b / size) if size > 1e-9 else np.nan for a, b, size in zip(values, expected, sizes, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("friction", [0.0, 0.5])
@pytest.mark.parametrize("name", list_names("hands"))
def test_the_gradient_points_where_finite_differences_do(started_shard, ball, name, friction):
    hand, count = load_hand(name), 200 if name == "allegro" else 20
    poses, actuated = random_states(hand, count * 5 // 4)  # some do not touch
    config = SynthesisConfig(**_OPTIONS, friction=friction)
    shard = started_shard(hand, ball, config, starts=(poses, actuated), fused=False)
    shard.run(0, 1)
    reference, state = Reference(hand, shard, poses, actuated), shard.state
    columns = [array.numpy() for array in (state.palm_forces, state.palm_torques, state.actuated_gradients)]
    found, moving = [], []
    for grasp in range(len(poses)):
        values = tuple(column[grasp] for column in columns)
        expected, touching = reference.slopes(grasp)
        if len(touching):
            found.append(cosines(values, expected))
            if grasp < 50:
                moving.append(cosines(values, reference.slopes(grasp, levers_move=True)[0]))
    assert len(found) >= count
    assert np.isfinite(found).mean(axis=0).min() > 0.7
    assert np.nanmin(found) >= 0.9999
    # What the adjoint leaves out on purpose: the levers of the contacts move with the points.
    assert np.nanquantile(moving, 0.1, axis=0).min() >= 0.99
