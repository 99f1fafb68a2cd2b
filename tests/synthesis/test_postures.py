# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pregrasp and squeeze of real grasps, measured by trimesh and by finite differences."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.postures import PostureConfig, find_postures
from omni_graspd.synthesis.synthesizer import synthesize

_CONFIG = SynthesisConfig(draft=DraftConfig(candidates=1, iterations=0), dilation=0.01, iterations=100, point_count=400)


@pytest.fixture(
    scope="module", params=[*(pytest.param(name, marks=pytest.mark.slow) for name in ("allegro", "shadow")), "barrett"]
)
def grasped(request):
    """A hand, the soup can, its exact distance, and four grasps."""
    hand, obj = load_hand(request.param), load_object("soup_can")
    batch = asyncio.run(synthesize(hand, obj, range(4), _CONFIG, seed=1))
    flat = SignedDistanceConfig(phong_alpha=0.0)
    return hand, obj, SignedDistance.build(obj.mesh, closed=True, device="cpu", config=flat), batch


@pytest.mark.slow
def test_the_open_hand_is_clear_of_the_object(grasped):
    hand, obj, _, batch = grasped
    surface = trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False)
    postures = batch.postures
    for pose, joints in zip(postures.T_object_pregrasp_palm, postures.pregrasp_joint_positions, strict=True):
        mesh = posed_mesh(hand, pose, joints)
        points = trimesh.sample.sample_surface(trimesh.Trimesh(mesh.vertices, mesh.faces), 3000, seed=0)[0]
        assert trimesh.proximity.signed_distance(surface, points).max() < 0.0
    assert (postures.pregrasp_clearance >= 0.005).all()


def test_the_palm_retreats_straight_back(grasped):
    hand, _, _, batch = grasped
    from omni_graspd.usd.transforms import pose_to_matrix

    shift = batch.postures.T_object_pregrasp_palm[:, :3] - batch.T_object_palm[:, :3]
    direction = pose_to_matrix(batch.T_object_palm)[:, :3, :3] @ hand.approach_direction
    np.testing.assert_allclose(np.cross(shift, direction), 0.0, atol=1e-9)
    assert (np.einsum("gi,gi->g", shift, direction) <= 1e-9).all()
    np.testing.assert_array_equal(batch.postures.T_object_pregrasp_palm[:, 3:], batch.T_object_palm[:, 3:])


def test_the_squeeze_presses_what_touches_within_the_limits(grasped):
    hand, _, distance, batch = grasped
    points = sample_surface_points(hand, 2000)
    before, after = (
        distance.query(posed_points(hand, points, batch.T_object_palm, joints).reshape(-1, 3), 0.05)[0].reshape(4, -1)
        for joints in (batch.joint_positions, batch.postures.squeeze_joint_positions)
    )
    touching = (before < 0.005) & (np.abs(before - after) > 1e-6)
    for grasp in range(4):
        sunk = (before - after)[grasp][touching[grasp]]
        # What is asked for is 5 mm everywhere; links that can move come nearer to it than by standing still.
        assert np.mean((sunk - 0.005) ** 2) < 0.005**2
        assert sunk.mean() > 0.0005
    assert (batch.postures.squeeze_joint_positions >= hand.joint_lower - 1e-6).all()
    assert (batch.postures.squeeze_joint_positions <= hand.joint_upper + 1e-6).all()
    couplings = hand.joint_positions(batch.postures.squeeze_joint_positions[:, hand.actuated])
    np.testing.assert_allclose(batch.postures.squeeze_joint_positions, couplings, atol=1e-12)


def test_twice_the_press_moves_joints_twice_as_far(grasped):
    hand, _, distance, batch = grasped
    points = sample_surface_points(hand, 400)
    actuated = batch.joint_positions[:, hand.actuated]
    steps = [
        find_postures(
            hand, points, distance, batch.T_object_palm, actuated, PostureConfig(press=press)
        ).squeeze_joint_positions
        - batch.joint_positions
        for press in (1e-4, 2e-4)
    ]
    squeezed = batch.joint_positions + steps[1]
    free = (squeezed > hand.joint_lower + 1e-6) & (squeezed < hand.joint_upper - 1e-6) & (np.abs(steps[0]) > 1e-9)
    assert free.any()
    np.testing.assert_allclose(steps[1][free], 2.0 * steps[0][free], rtol=1e-6)


def test_without_contact_nothing_squeezes(grasped):
    hand, _, distance, batch = grasped
    far = batch.T_object_palm.copy()
    far[:, :3] += 10.0
    actuated = batch.joint_positions[:, hand.actuated]
    postures = find_postures(hand, sample_surface_points(hand, 400), distance, far, actuated, PostureConfig())
    np.testing.assert_allclose(postures.squeeze_joint_positions, hand.joint_positions(actuated), atol=1e-12)
    np.testing.assert_array_equal(postures.T_object_pregrasp_palm, far)


def test_a_grasp_without_numbers_keeps_its_row(grasped):
    hand, _, distance, batch = grasped
    poses = batch.T_object_palm.copy()
    poses[1] = np.nan
    actuated = batch.joint_positions[:, hand.actuated]
    points = sample_surface_points(hand, 400)
    postures = find_postures(hand, points, distance, poses, actuated, PostureConfig())
    assert np.isnan(postures.T_object_pregrasp_palm[1]).all()
    assert np.isnan(postures.pregrasp_clearance[1])
    assert np.isfinite(postures.pregrasp_clearance[[0, 2, 3]]).all()
