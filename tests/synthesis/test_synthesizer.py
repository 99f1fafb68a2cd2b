# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whole grasps on real geometry: quality measured independently, and independence of batch, order and threads."""

from __future__ import annotations

import asyncio
import dataclasses

import numpy as np
import pytest
import trimesh
import warp as wp

from omni_graspd.errors import GraspdError
from omni_graspd.hands.collision_spheres import self_collision_spheres
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.hands.surface_points import sample_surface_points
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.signed_distance import SignedDistance
from omni_graspd.synthesis import synthesizer
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.optimization import HandModel, ObjectModel, Shard
from omni_graspd.synthesis.starts import StartConfig, sample_starts
from omni_graspd.synthesis.synthesizer import synthesize
from omni_graspd.usd.transforms import pose_to_matrix, transform_points


@pytest.fixture(scope="module")
def hand():
    return load_hand("allegro")


@pytest.fixture(scope="module")
def mug():
    return load_object("mug")


def run(hand, obj, indices, *, seed=0, **options):
    return asyncio.run(synthesize(hand, obj, indices, SynthesisConfig(**options), seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mug", "card_box"])
def test_unfiltered_grasps_close_and_stay_out_of_the_object(hand, name):
    obj = load_object(name)
    batch = run(hand, obj, range(6), seed=3)
    assert np.isfinite(batch.T_object_palm).all()
    assert np.isfinite(batch.joint_positions).all()
    assert set(batch.status) == {"ok"}
    assert (batch.joint_positions >= hand.joint_lower - 1e-6).all()
    assert (batch.joint_positions <= hand.joint_upper + 1e-6).all()
    metrics = evaluate_grasps(hand, obj, batch.T_object_palm, batch.joint_positions, MetricsConfig())
    assert metrics["force_closure"].mean() >= 0.7
    assert (metrics["contact_area"] > 15e-4).all()
    mesh = trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False)
    for pose, joints in zip(batch.T_object_palm, batch.joint_positions, strict=True):
        posed = posed_mesh(hand, pose, joints)
        points = trimesh.sample.sample_surface(trimesh.Trimesh(posed.vertices, posed.faces), 4000, seed=0)[0]
        near = points[np.all((points > mesh.bounds[0]) & (points < mesh.bounds[1]), axis=1)]
        assert trimesh.proximity.signed_distance(mesh, near).max() < 0.005


def test_the_optimisation_brings_fingers_to_the_object(hand, mug):
    areas = []
    for iterations in (1, 300):
        batch = run(hand, mug, range(4), iterations=iterations, point_count=500)
        metrics = evaluate_grasps(hand, mug, batch.T_object_palm, batch.joint_positions, MetricsConfig())
        areas.append(metrics["contact_area"])
    before, after = areas
    assert (after > before + 10e-4).all()


def test_a_grasp_depends_on_seed_and_index_only(hand, mug, monkeypatch):
    together = run(hand, mug, [0, 1, 2, 5], iterations=30, point_count=300)
    alone = run(hand, mug, [2], iterations=30, point_count=300)
    monkeypatch.setattr(synthesizer.os, "cpu_count", lambda: 1)
    one_thread = run(hand, mug, [5, 2], iterations=30, point_count=300)
    np.testing.assert_array_equal(alone.T_object_palm[0], together.T_object_palm[2])
    np.testing.assert_array_equal(one_thread.T_object_palm[0], together.T_object_palm[3])
    np.testing.assert_array_equal(one_thread.joint_positions[1], together.joint_positions[2])
    other_seed = run(hand, mug, [2], seed=1, iterations=30, point_count=300)
    assert not np.array_equal(alone.T_object_palm, other_seed.T_object_palm)


def test_reused_distances_stay_close_to_measured_ones(hand, mug):
    config = SynthesisConfig(iterations=100, point_count=500)
    points = sample_surface_points(hand, config.point_count)
    obj = ObjectModel(mug, config.distance, "cpu")
    starts = sample_starts(hand, mug, range(4), config.start, points=points, distance=obj.distance, seed=0)
    shard = Shard(HandModel(hand, points, self_collision_spheres(hand), "cpu"), obj, *starts, config, "cpu")
    shard.run(0, 100)
    shard.place_points(exact=False)
    reused = shard.distances.numpy().copy()
    shard.place_points(exact=True)
    measured = shard.distances.numpy()
    assert 0.0 < (reused != measured).mean() < 1.0
    near = np.abs(measured) < 5e-3
    assert near.sum() > 20
    error = np.abs(reused - measured)[near]
    assert np.median(error) < 2e-5
    assert np.quantile(error, 0.99) < 3e-4


def test_a_grasp_whose_gradient_is_not_finite_costs_that_grasp_alone(hand, mug, monkeypatch):
    healthy = run(hand, mug, [0, 1], iterations=10, point_count=300)

    def broken_starts(*arguments, **options):
        poses, actuated = sample_starts(*arguments, **options)
        poses[0, 0] = np.nan
        return poses, actuated

    monkeypatch.setattr(synthesizer, "sample_starts", broken_starts)
    batch = run(hand, mug, [0, 1], iterations=10, point_count=300)
    assert batch.status[0].startswith("diverged")
    assert batch.status[1] == "ok"
    np.testing.assert_array_equal(batch.T_object_palm[1], healthy.T_object_palm[1])


def test_starts_face_the_object_from_outside(hand, mug):
    points, config = sample_surface_points(hand, 300), StartConfig()
    distance = SignedDistance.build(mug.mesh, closed=True, device="cpu")
    poses, actuated = sample_starts(hand, mug, range(20), config, points=points, distance=distance, seed=0)
    hull = trimesh.Trimesh(mug.mesh.vertices, mug.mesh.faces).convex_hull
    for pose in poses:
        palm = transform_points(pose, hand.approach_point[None])
        assert not hull.contains(palm)[0]
        assert abs(trimesh.proximity.signed_distance(hull, palm)[0]) <= config.gap + 1e-9
        direction = pose_to_matrix(pose)[:3, :3] @ hand.approach_direction
        assert direction @ (mug.center_of_mass - palm[0]) > -0.02
    assert (actuated >= hand.joint_lower[hand.actuated]).all()
    assert (actuated <= hand.joint_upper[hand.actuated]).all()


def test_the_event_loop_gets_turns_and_progress_ends_at_the_total(hand, mug):
    calls = []
    asyncio.run(
        synthesize(
            hand,
            mug,
            [0],
            SynthesisConfig(iterations=45, point_count=200),
            seed=0,
            progress=lambda done, total: calls.append((done, total)),
        )
    )
    assert calls == [(0, 45), (1, 45), (21, 45), (41, 45), (45, 45)]


def test_no_grasps_give_an_empty_batch(hand, mug):
    batch = run(hand, mug, [], iterations=2, point_count=200)
    assert batch.T_object_palm.shape == (0, 7)
    assert batch.joint_positions.shape == (0, 16)


@pytest.mark.cuda
@pytest.mark.skipif(not wp.get_cuda_devices(), reason="needs a CUDA device")
def test_grasps_made_on_a_gpu_close_too(hand, mug):
    batch = asyncio.run(synthesize(hand, mug, range(6), SynthesisConfig(), seed=3, device="cuda:0"))
    metrics = evaluate_grasps(hand, mug, batch.T_object_palm, batch.joint_positions, MetricsConfig())
    assert set(batch.status) == {"ok"}
    assert metrics["force_closure"].mean() >= 0.7
    assert metrics["penetration_depth"].max() < 0.005


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iterations": 0}, "iterations to be at least 1"),
        ({"friction": -1.0}, "friction to be 0 or more"),
        ({"friction": float("nan")}, "friction to be 0 or more"),
        ({"probe": 0.0}, "probe to be above 0"),
        ({"dilation_end": 0.0}, "in \\(0, 1\\]"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(GraspdError, match=message):
        SynthesisConfig(**options)


def test_schedules_start_at_the_setting_and_end_at_zero():
    config = SynthesisConfig(iterations=100)
    assert config.dilation_radius(0) == config.dilation
    assert config.dilation_radius(45) == pytest.approx(config.dilation / 2)
    assert config.dilation_radius(90) == 0.0
    assert config.rate_scale(0) == 1.0
    assert config.rate_scale(90) == pytest.approx(0.5)
    assert dataclasses.replace(config, rate_decay=0.0).rate_scale(99) == 1.0
