# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics over contact thresholds, joint margins and diversity against closed forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.metrics.contacts import near_surface_distances, surface_distances
from omni_graspd.metrics.diversity import DiversityConfig, measure_diversity
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps, evaluate_thresholds
from omni_graspd.metrics.joint_margin import joint_limit_margins
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY


def _as_mesh(shape: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


def _object(shape: trimesh.Trimesh) -> RigidObject:
    mesh = _as_mesh(shape)
    return RigidObject("thing", Path("thing"), mesh, mesh, Appearance(), True, 0.3, np.zeros(3), np.eye(3) * 5e-4, "x")


def _hand(shape: trimesh.Trimesh) -> Hand:
    """A hand of one link, its palm along +z, with one idle joint from -1 to 3."""
    palm = Link("palm", "/palm", -1, -1, "root", np.array([1.0, 0, 0]), IDENTITY, IDENTITY, _as_mesh(shape), 0.1)
    return Hand(
        name="shape",
        source=Path("shape"),
        links=(palm,),
        joint_names=("idle",),
        joint_lower=np.array([-1.0]),
        joint_upper=np.array([3.0]),
        actuated=np.array([0]),
        coupling=np.eye(1),
        coupling_offset=np.zeros(1),
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=np.zeros(1),
    )


@pytest.fixture(scope="module")
def shell() -> Hand:
    """A thick spherical shell, its inner radius 43 mm, its outer one 47 mm, cut off 10 mm above its middle."""
    outer = trimesh.creation.icosphere(subdivisions=4, radius=0.047)
    inner = trimesh.creation.icosphere(subdivisions=4, radius=0.043)
    inner.invert()
    bounds = [[-0.1, -0.1, 0.01], [0.1, 0.1, 0.1]]
    half = trimesh.creation.box(bounds=bounds)
    return _hand(trimesh.boolean.difference([trimesh.util.concatenate([outer, inner]), half], engine="manifold"))


@pytest.mark.slow
def test_areas_of_a_bowl_around_a_ball_step_from_inside_to_outside(shell):
    # The ball's radius is 40 mm: the inner wall is 3 mm away, the outer one 7 mm and faces away from the ball.
    ball = _object(trimesh.creation.icosphere(subdivisions=5, radius=0.04))
    config = MetricsConfig(point_count=60000)
    columns = evaluate_thresholds(shell, ball, IDENTITY[None], np.zeros((1, 1)), (0.001, 0.004, 0.009), config)
    # The rim looks up, and so away from the ball.
    inner, outer, rim = (2 * np.pi * 43.0 * 53.0, 2 * np.pi * 47.0 * 57.0, np.pi * (47.0**2 - 43.0**2))
    area = {name: 1e6 * values[0] for name, values in columns.items() if "area" in name}
    assert area["contact_area_1mm"] == area["facing_area_1mm"] == 0.0
    near_rim = np.pi * (44.0**2 - 43.0**2)
    assert area["contact_area_4mm"] == pytest.approx(inner + near_rim, rel=0.01)
    assert area["facing_area_4mm"] == pytest.approx(inner, rel=0.01)
    assert area["contact_area_9mm"] == pytest.approx(inner + outer + rim, rel=0.01)
    assert area["facing_area_9mm"] == pytest.approx(inner, rel=0.01)


@pytest.mark.slow
def test_columns_at_a_threshold_are_those_of_evaluate_grasps(shell):
    ball = _object(trimesh.creation.icosphere(subdivisions=3, radius=0.04))
    poses = np.tile(IDENTITY, (5, 1))
    poses[:, 2] = np.linspace(-0.01, 0.01, 5)
    grasps = (shell, ball, poses, np.zeros((5, 1)))
    config = MetricsConfig(point_count=500, contact_threshold=0.005, volume=True)
    single = evaluate_grasps(*grasps, config)
    many = evaluate_thresholds(*grasps, (0.002, 0.005, 0.0075), config, threads=2)
    for name in ("contact_area", "epsilon", "volume"):
        np.testing.assert_array_equal(many[f"{name}_5mm"], single[name])
    again = evaluate_thresholds(*grasps, (0.002, 0.005, 0.0075), config, known=single)
    assert set(again) == set(many)
    for name, values in many.items():
        np.testing.assert_array_equal(again[name], values)
    assert set(many) == {
        f"{m}_{t}mm" for m in ("contact_area", "facing_area", "epsilon", "volume") for t in (2, 5, 7.5)
    }
    assert (single["epsilon"] > 0.0).any()


def test_near_distances_equal_full_ones_and_deep_points_are_exact():
    ball = _object(trimesh.creation.icosphere(subdivisions=4, radius=0.05))
    exact = SignedDistance.build(ball.mesh, closed=True, device="cpu", config=SignedDistanceConfig(phong_alpha=0.0))
    points = np.random.default_rng(0).uniform(-0.07, 0.07, (1, 4000, 3))
    full, near = surface_distances(points, exact, 1.0), near_surface_distances(points, exact, 0.004)
    seen = full.distances < 0.004
    assert (full.distances[seen] < -0.03).any() and not seen.all()
    np.testing.assert_array_equal(near.distances[seen], full.distances[seen])
    np.testing.assert_array_equal(near.normals[seen], full.normals[seen])
    assert (near.distances[~seen] >= 0.004).all()


def test_joint_margins_are_shares_of_the_range(shell):
    margins = joint_limit_margins(shell, np.array([[1.0], [-1.0], [2.0], [3.4]]))
    np.testing.assert_allclose(margins, [0.5, 0.0, 0.25, -0.1])
    free = replace(shell, joint_lower=np.array([-np.inf]), joint_upper=np.array([np.inf]))
    np.testing.assert_allclose(joint_limit_margins(free, np.zeros((2, 1))), 0.5)


def test_entropies_of_equal_and_of_all_different_grasps(shell):
    ball = _object(trimesh.creation.icosphere(subdivisions=2, radius=0.01))
    config = DiversityConfig(joint_bins=8, direction_bins=64, surface_points=50, hand_points=50)
    same = measure_diversity(shell, ball, np.tile(IDENTITY, (16, 1)), np.zeros((16, 1)), config)
    assert same.joint_entropy == 0.0 and same.direction_entropy == 0.0
    joints = np.linspace(-1.0, 3.0, 16, endpoint=False)[:, None] + 1e-9
    half_turns = np.array([[0, 0, 0, 0, 0, 0, 1.0], [0, 0, 0, 1.0, 0, 0, 0]])
    spread = measure_diversity(shell, ball, np.repeat(half_turns, 8, axis=0), joints, config)
    assert spread.joint_entropy == pytest.approx(np.log(8))
    assert spread.direction_entropy == pytest.approx(np.log(2))
    nothing = measure_diversity(shell, ball, np.zeros((0, 7)), np.zeros((0, 1)), config)
    assert np.isnan(nothing.coverage)


def test_coverage_is_the_share_of_the_surface_that_is_touched():
    # A plate over the top of a cube: one side of six, and on four sides a strip of 5 mm of 100 mm.
    plate = _hand(trimesh.creation.box(bounds=[[-0.05, -0.05, 0.0], [0.05, 0.05, 0.004]]))
    cube = _object(trimesh.creation.box((0.1, 0.1, 0.1)))
    above, below = IDENTITY.copy(), IDENTITY.copy()
    above[2], below[2] = 0.05, -0.054
    strips = 4 * 0.05
    config = DiversityConfig(surface_points=8000, hand_points=8000)
    one = measure_diversity(plate, cube, above[None], np.zeros((1, 1)), config)
    assert one.coverage == pytest.approx((1 + strips) / 6, abs=0.01)
    both = measure_diversity(plate, cube, np.stack([above, below]), np.zeros((2, 1)), config)
    assert both.coverage == pytest.approx(2 * (1 + strips) / 6, abs=0.01)
