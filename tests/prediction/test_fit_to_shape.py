# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands fitted to a guessed ball: measured on the ball itself, with the hand's own meshes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from omni_graspd.hands.filling_spheres import filling_spheres
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.prediction.predictor import Prediction
from omni_graspd.prediction.shape_grid import DEEP, GridPlace

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[predict]'")

from omni_graspd.prediction.fit_to_shape import fit_to_shape  # noqa: E402
from omni_graspd.prediction.part_gaps import hand_parts, part_gaps  # noqa: E402
from omni_graspd.prediction.shape_grid import ShapeGrids  # noqa: E402

_MIDDLE, _RADIUS = np.array([0.0, 0.0, 0.1]), 0.035


def _ball() -> ShapeGrids:
    place = GridPlace(np.array([-0.092, -0.092, 0.0]), 0.008)
    values = (np.linalg.norm(place.points - _MIDDLE, axis=-1) - _RADIUS) / place.spacing
    values = torch.tensor(values, dtype=torch.float32)[None].clamp(-DEEP, DEEP)
    return ShapeGrids(values, torch.tensor(place.origin, dtype=torch.float32)[None], torch.tensor([0.008]))


def _above(hand, height: float, share: float) -> Prediction:
    """Return a hand that looks down at the ball, closed by a share of its range."""
    turn, _ = Rotation.align_vectors([[0.0, 0.0, -1.0]], [hand.approach_direction])
    point = turn.apply(hand.approach_point)
    above = _MIDDLE + np.array([0.0, 0.0, height])
    palm = np.concatenate([above - point, turn.as_quat()])[None]
    opened = hand.open_positions[None]
    closed = opened + share * (hand.joint_upper[hand.actuated] - opened) * (hand_parts(hand).of_joint > 0)
    return Prediction(palm, closed, opened, closed + 0.2, palm, palm, np.ones(1))


def _depth(hand, palm: np.ndarray, actuated: np.ndarray) -> float:
    vertices = posed_mesh(hand, palm, hand.joint_positions(actuated)).vertices
    return float(_RADIUS - np.linalg.norm(vertices - _MIDDLE, axis=1).min())


def test_a_palm_in_the_ball_backs_off_and_fingers_stop_at_it():
    hand = load_hand("barrett")
    deep = _above(hand, 0.01, 0.7)
    assert _depth(hand, deep.T_crop_palm[0], deep.actuated[0]) > 0.01
    found, good = fit_to_shape(hand, deep, _ball())
    back = found.T_crop_palm[0, :3] - deep.T_crop_palm[0, :3]
    assert back[2] > 0.01 and np.abs(back[:2]).max() < 1e-9
    np.testing.assert_allclose(found.T_crop_hover[0, :3] - deep.T_crop_hover[0, :3], back)
    depth = _depth(hand, found.T_crop_palm[0], found.actuated[0])
    assert depth < 0.004 and depth > -0.003, "it is at the ball, no deeper than spheres come to the surface"
    assert good[0]
    np.testing.assert_allclose(found.squeezed - found.actuated, deep.squeezed - deep.actuated)


def test_fingers_stop_2_mm_before_the_guessed_object():
    hand, grids = load_hand("barrett"), _ball()
    found, _ = fit_to_shape(hand, _above(hand, 0.05, 0.7), grids)
    placed = PlacedHands.of(hand, found.T_crop_palm, hand.joint_positions(found.actuated))
    np.testing.assert_allclose(part_gaps(placed, grids)[0, 1:], 0.002, atol=5e-4)


def test_gaps_are_those_of_spheres_between_voxels_and_beyond():
    hand, grids = load_hand("allegro"), _ball()
    random = np.random.default_rng(0)
    turns = Rotation.random(20, random_state=1).as_quat()
    palms = np.concatenate([_MIDDLE + random.uniform(-0.25, 0.25, (20, 3)), turns], axis=1)
    joints = random.uniform(hand.joint_lower, hand.joint_upper, (20, hand.joint_count))
    gaps = part_gaps(PlacedHands.of(hand, palms, joints), grids)
    spheres, matrices = filling_spheres(hand), link_matrices(hand, palms, joints)[:, :, :3]
    frames = matrices[:, spheres.link_index]
    centers = np.einsum("gsij,sj->gsi", frames[..., :3], spheres.centers) + frames[..., 3]
    distances = grids.distances(torch.tensor(centers.reshape(1, -1, 3), dtype=torch.float32)).numpy()
    of_sphere = hand_parts(hand).of_sphere.numpy()
    for part in range(gaps.shape[1]):
        wanted = (distances.reshape(20, -1) - spheres.radii)[:, of_sphere == part].min(axis=1)
        np.testing.assert_allclose(gaps[:, part], wanted, atol=2e-6)


def test_a_hand_far_away_stays_as_it_is():
    hand = load_hand("barrett")
    away = _above(hand, 0.2, 0.5)
    found, good = fit_to_shape(hand, away, _ball())
    np.testing.assert_allclose(found.T_crop_palm, away.T_crop_palm)
    np.testing.assert_allclose(found.actuated, away.actuated)
    assert not good[0], "it touches nothing"


def test_joints_of_one_digit_close_with_it_and_shared_ones_stay():
    barrett, allegro = hand_parts(load_hand("barrett")), hand_parts(load_hand("allegro"))
    assert sorted(barrett.of_joint.tolist()) == [0, 1, 2, 3], "the spread moves two fingers"
    assert sorted(allegro.of_joint.tolist()) == [digit for digit in (1, 2, 3, 4) for _ in range(4)]
