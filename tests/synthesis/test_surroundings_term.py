# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How table and obstacles push the hand, against finite differences; nothing where nothing stands around."""

from __future__ import annotations

import numpy as np
import pytest
from box_hands import box_mesh, gripper
from contact_bench import NO_WEIGHTS
from pose_differences import finite_differences
from surroundings_bench import NORMAL, POSE, shard_of, table_at

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import ObjectModel, SurroundingsModel, hand_model
from omni_graspd.synthesis.optimization import Shard
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.usd.transforms import pose_to_matrix

_MARGIN, _WEIGHT = 0.01, 500.0
_TERM_ALONE = {**NO_WEIGHTS, "surroundings_weight": _WEIGHT, "surroundings_margin": _MARGIN}
_TABLE = table_at(-0.004)
# A board, thin enough that no point in it is out of reach of its surface.
_BOARD_HALF, _BOARD_CENTER = np.array([0.03, 0.08, 0.02]), np.array([0.5, -0.28, 0.38])
_BOARD = box_mesh(_BOARD_HALF, _BOARD_CENTER)


def from_table(points: np.ndarray) -> np.ndarray:
    """Height of points [..., 3] over the table [m]."""
    return points @ NORMAL - _TABLE[3]


def from_board(points: np.ndarray) -> np.ndarray:
    """Signed distance of points [..., 3] from the board [m]."""
    beyond = np.abs(points - _BOARD_CENTER) - _BOARD_HALF
    return np.linalg.norm(np.maximum(beyond, 0.0), axis=-1) + np.minimum(beyond.max(axis=-1), 0.0)


_AROUND = {
    "table": (Surroundings(plane=_TABLE), [from_table]),
    "board": (Surroundings(obstacles=(_BOARD,)), [from_board]),
    "both": (Surroundings(_TABLE, (_BOARD,)), [from_table, from_board]),
}


def points_on_links(hand: Hand, per_link: int, scale: float) -> HandPoints:
    """Points about the origins of all links."""
    count = per_link * len(hand.links)
    positions = np.random.default_rng(3).normal(scale=scale, size=(count, 3))
    link_index = np.repeat(np.arange(len(hand.links)), per_link)
    return HandPoints(link_index, positions, np.zeros((count, 3)), np.ones(count))


def gradient_of(shard: Shard) -> list[np.ndarray]:
    """Gradient of the only hand by palm position, palm rotation and actuated joints."""
    state = shard.state
    return [a.numpy()[0] for a in (state.palm_forces, state.palm_torques, state.actuated_gradients)]


@pytest.mark.parametrize("kind", _AROUND)
def test_gradient_equals_finite_differences_of_the_loss(branched_hand, mug, kind):
    around, distances = _AROUND[kind]
    points, actuated = points_on_links(branched_hand, 40, 0.02), np.array([0.4, 0.03])

    def clearances(pose, actuated):
        matrices = pose_to_matrix(link_poses(branched_hand, pose, branched_hand.joint_positions(actuated)))
        frames = matrices[points.link_index]
        placed = np.einsum("pij,pj->pi", frames[:, :3, :3], points.positions) + frames[:, :3, 3]
        return np.array([distance(placed) for distance in distances])

    def loss(pose, actuated):
        near = np.maximum(_MARGIN - clearances(pose, actuated), 0.0)
        return _WEIGHT / (2.0 * len(points.link_index)) * float(np.sum(near**2))

    shard = shard_of(branched_hand, points, mug, around, (POSE[None], actuated[None]), **_TERM_ALONE)
    shard.evaluate()
    at = clearances(POSE, actuated)
    assert (at < -0.002).any() and ((at > 0.0) & (at < _MARGIN)).any() and (at > _MARGIN).any()
    for value, expected in zip(gradient_of(shard), finite_differences(loss, POSE, actuated), strict=True):
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=2e-4 * np.abs(expected).max())
    assert shard.clearances()[0] == pytest.approx(at.min(), abs=1e-6)


def test_a_link_inside_an_obstacle_is_pushed_out(mug):
    """The obstacle's surface is farther away than the link is large, but within reach of all its points."""
    slab = Surroundings(obstacles=(box_mesh((0.1, 0.1, 0.025), POSE[:3] + np.array([0.0, 0.0, 0.005])),))
    point = HandPoints(np.zeros(1, dtype=int), np.zeros((1, 3)), np.zeros((1, 3)), np.ones(1))
    shard = shard_of(gripper(), point, mug, slab, (POSE[None], np.zeros((1, 2))), **_TERM_ALONE)
    shard.evaluate()
    # The bottom of the slab is 20 mm below the only point.
    assert shard.clearances()[0] == pytest.approx(-0.02, abs=1e-6)
    np.testing.assert_allclose(gradient_of(shard)[0], [0.0, 0.0, _WEIGHT * (_MARGIN + 0.02)], atol=1e-4)


@pytest.mark.slow
def test_surroundings_far_away_change_no_bit(hand, mug, started_shard):
    config = SynthesisConfig(iterations=25, point_count=300)
    table, board = np.array([0.0, 0.0, 1.0, -3.0]), box_mesh(np.full(3, 0.1), (3.0, 0.0, 0.0))
    arounds = [Surroundings(), Surroundings(table), Surroundings(obstacles=(board,)), Surroundings(table, (board,))]
    for fused in (True, False):
        results = []
        for around in arounds:
            shard = started_shard(hand, mug, config, count=4, fused=fused, surroundings=around)
            shard.run(0, config.iterations)
            results.append([getattr(shard.state, name).numpy() for name in ("T_object_palm", "actuated")])
            assert (shard.clearances() == np.float32(0.03)).all()
        for values in zip(*results, strict=True):
            for value in values[1:]:
                np.testing.assert_array_equal(value, values[0])


def test_a_table_is_felt_under_its_own_object_alone(hand, mug):
    config = SynthesisConfig(iterations=20, point_count=300)
    target, model = ObjectModel(mug, config.distance, "cpu"), hand_model(hand, config.point_count, "cpu")
    table, nothing = SurroundingsModel(Surroundings(np.array([0.0, 0.0, 1.0, 0.05]))), SurroundingsModel()
    starts = np.array([[0.0, -0.06, 0.05, 0.0, 0.0, 0.0, 1.0]] * 2), np.tile(hand.open_positions, (2, 1))
    palms = []
    for around in ([table, nothing], [nothing, nothing]):
        shard = Shard(model, [target] * 2, np.array([0, 1]), *starts, config, "cpu", surroundings=around)
        shard.run(0, config.iterations)
        palms.append(shard.state.T_object_palm.numpy())
    np.testing.assert_array_equal(palms[0][1], palms[1][1])
    assert palms[0][0, 2] > palms[1][0, 2] + 1e-3
