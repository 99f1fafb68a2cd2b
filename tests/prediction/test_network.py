# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The network's parts against plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from omni_graspd.prediction.completion import complete
from omni_graspd.prediction.grasp_code import GraspCode, from_unit, to_unit
from omni_graspd.prediction.network import _nearness, initial_parameters, look_from_palm, velocity
from omni_graspd.prediction.network_config import NetworkConfig, near_sizes, parameter_shapes
from omni_graspd.prediction.rotations import from_columns, to_columns, turned
from omni_graspd.prediction.shape_grid import DEEP, SIDE, GridPlace, ShapeGrids

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[predict]'")


@pytest.fixture(scope="module")
def parameters(hand, config):
    random = np.random.default_rng(0)
    drawn = initial_parameters(config.network, hand, seed=0)
    # Layers begin at zero where they end: then all outputs would be equal.
    moved = {
        name: values + 0.1 * random.standard_normal(values.shape) * ("basis" not in name)
        for name, values in drawn.items()
    }
    return {name: torch.tensor(values, dtype=torch.float64) for name, values in moved.items()}


def test_turns_are_those_of_scipy():
    vectors = np.random.default_rng(0).standard_normal((50, 3))
    np.testing.assert_allclose(turned(torch.tensor(vectors)), Rotation.from_rotvec(vectors).as_matrix(), atol=1e-12)


def test_rotations_survive_their_columns_and_anything_becomes_a_rotation():
    rotations = torch.tensor(Rotation.random(50, random_state=0).as_matrix())
    np.testing.assert_allclose(from_columns(to_columns(rotations)), rotations, atol=1e-12)
    found = from_columns(torch.randn(50, 6, dtype=torch.float64))
    np.testing.assert_allclose(found @ found.transpose(1, 2), np.tile(np.eye(3), (50, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(torch.linalg.det(found), 1.0, atol=1e-12)


def test_grasps_survive_their_code_and_joints_stay_within_limits(hand):
    code = GraspCode.of(np.random.default_rng(0).standard_normal((20, 3)))
    rotations = torch.tensor(Rotation.random(8, random_state=0).as_matrix())
    positions, joints = torch.randn(8, 3, dtype=torch.float64), torch.rand(8, 4, dtype=torch.float64) * 2.0 - 1.0
    back = code.decode(code.encode(positions, rotations, joints))
    for found, given in zip(back, (positions, rotations, joints), strict=True):
        np.testing.assert_allclose(found, given, atol=1e-9)
    _, _, bent = code.decode(torch.full((1, 13), 9.0, dtype=torch.float64))
    actuated = from_unit(hand, bent.numpy())
    np.testing.assert_allclose(actuated[0], hand.joint_upper[hand.actuated])
    np.testing.assert_allclose(to_unit(hand, actuated), 1.0)


def test_nearness_is_that_of_the_nearest_point():
    random = np.random.default_rng(0)
    basis, points = random.uniform(-0.1, 0.1, (2, 40, 3)), random.uniform(-0.1, 0.1, (2, 30, 3))
    expected = [1.0 - np.minimum(cdist(b, p).min(axis=1), 0.1) / 0.1 for b, p in zip(basis, points, strict=True)]
    np.testing.assert_allclose(_nearness(torch.tensor(basis), torch.tensor(points)), expected, atol=1e-9)


def test_parameters_have_the_shapes_that_files_are_held_to(hand):
    for network in (NetworkConfig(), NetworkConfig(width=16, blocks=1, basis=8, near_basis=8)):
        drawn = initial_parameters(network, hand, seed=0)
        assert {name: values.shape for name, values in drawn.items()} == parameter_shapes(network, hand.actuated_count)
        assert all(values.dtype == np.float32 for values in drawn.values())


def test_each_grasp_moves_by_itself(parameters, config):
    """The flow of one grasp does not depend on the others, nor on their order."""
    seen = torch.randn(2, config.network.width, dtype=torch.float64)
    grasps, time = torch.randn(2, 5, 13, dtype=torch.float64), torch.rand(2, 5, dtype=torch.float64)
    whole = velocity(parameters, seen, grasps, time)
    np.testing.assert_allclose(velocity(parameters, seen, grasps[:, 3:], time[:, 3:]), whole[:, 3:], atol=1e-12)
    assert float(whole.std()) > 0.01


def test_the_head_sees_no_turn_about_the_vertical(parameters, hand):
    """What it says is in the palm's frame: scene and grasp turned together are the same to it."""
    random = np.random.default_rng(0)
    turn = Rotation.from_rotvec([0.0, 0.0, 1.1]).as_matrix()
    points, camera = random.uniform(-0.05, 0.05, (1, 60, 3)), np.array([[-0.6, 0.0, 0.8]])
    positions, joints = random.uniform(-0.05, 0.1, (1, 4, 3)), random.uniform(-1, 1, (1, 4, hand.actuated_count))
    rotations = Rotation.random(4, random_state=1).as_matrix()[None]

    def said(by: np.ndarray) -> dict:
        arrays = (points @ by.T, camera @ by.T, positions @ by.T, by @ rotations, joints)
        points_, camera_, *grasps = (torch.tensor(array) for array in arrays)
        return look_from_palm(parameters, points_, camera_, ball, *grasps)

    # Turning a ball changes nothing but how voxels fall on it.
    ball = _ball()
    straight, turned_about = said(np.eye(3)), said(turn)
    assert {name: values.shape[-1] for name, values in straight.items()} == near_sizes(hand.actuated_count)
    for name, values in straight.items():
        np.testing.assert_allclose(turned_about[name], values, atol=0.02 * float(values.abs().max()))
    assert float(straight["score"].std()) > 1e-3


def _ball(radius: float = 0.05) -> ShapeGrids:
    """Return a ball on the table, 1 cm voxels."""
    place = GridPlace(np.array([-0.115, -0.115, 0.0]), 0.01)
    values = (np.linalg.norm(place.points - [0.0, 0.0, radius], axis=-1) - radius) / place.spacing
    values = torch.tensor(values)[None].clamp(-DEEP, DEEP)
    return ShapeGrids(values, torch.tensor(place.origin)[None], torch.tensor([place.spacing]))


def test_distances_between_voxels_are_those_of_a_ball():
    points = np.random.default_rng(0).uniform([-0.08, -0.08, 0.0], [0.08, 0.08, 0.12], (1, 500, 3))
    exact = np.linalg.norm(points[0] - [0.0, 0.0, 0.05], axis=-1) - 0.05
    found = _ball().distances(torch.tensor(points))[0].numpy()
    near = (np.abs(exact) < 0.03) & (exact > -0.02)  # trilinear distances are wrong at the middle of a ball
    np.testing.assert_allclose(found[near], exact[near], atol=1e-3)
    far = _ball().distances(torch.tensor([[[0.5, 0.0, 0.05], [0.0, 0.0, -0.4]]]).double())[0]
    np.testing.assert_allclose(far, DEEP * 0.01)


def test_each_view_is_guessed_by_itself(parameters):
    seen = torch.rand(3, 2, SIDE, SIDE, SIDE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole = complete(parameters, seen)
    assert whole.shape == (3, SIDE, SIDE, SIDE) and float(whole.std()) > 1e-3
    np.testing.assert_allclose(complete(parameters, seen[1:2]), whole[1:2], atol=1e-9)
    # In single precision one view goes straight to oneDNN.
    single = {name: values.float() for name, values in parameters.items()}
    np.testing.assert_allclose(complete(single, seen[1:2].float()), whole[1:2], atol=1e-4)
