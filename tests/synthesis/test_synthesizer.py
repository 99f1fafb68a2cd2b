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
from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.hands.surface_points import sample_surface_points
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.starts import StartConfig, sample_starts
from omni_graspd.synthesis.synthesizer import synthesize
from omni_graspd.usd.transforms import pose_to_matrix, transform_points


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


@pytest.mark.slow
def test_the_optimisation_brings_fingers_to_the_object(hand, mug):
    areas = []
    for iterations in (1, 300):
        batch = run(hand, mug, range(4), iterations=iterations, point_count=500, tries=1)
        metrics = evaluate_grasps(hand, mug, batch.T_object_palm, batch.joint_positions, MetricsConfig())
        areas.append(metrics["contact_area"])
    before, after = areas
    assert (after > before + 10e-4).all()


def test_reused_distances_stay_close_to_measured_ones(hand, mug, started_shard):
    schedules = {"dilation": 0.02, "dilation_end": 0.9, "leak": 0.02, "closing_weight": 6.0, "closing_distance": 5e-3}
    options = {"iterations": 100, "point_count": 500, "wall_weight": 0.0, **schedules}
    config = SynthesisConfig(**options, reuse_distance=2e-4, reuse_share=0.15)
    reusing = started_shard(hand, mug, config, count=8, fused=False)
    reusing.run(0, 75)
    queries = reusing.state.query_count.numpy().sum()
    states = reusing.state.T_object_palm.numpy(), reusing.state.actuated.numpy()
    measuring = started_shard(hand, mug, config, starts=states, fused=False)
    for shard in (reusing, measuring):
        shard.run(75, 76)
    assert reusing.state.query_count.numpy().sum() - queries < 0.3 * measuring.state.query_count.numpy().sum()
    reused, measured = (shard.state.listed_distances.numpy() for shard in (reusing, measuring))
    known = reusing.state.listed_normals.numpy().any(axis=-1)
    near = known & (np.abs(measured) < 5e-3)
    # What was left alone has a lower bound, but for what smoothing adds to the change of a distance on the way.
    # What was out of reach is looked for again after a share of the reach.
    found = reusing.state.measured_normals.numpy().any(axis=-1)
    assert (reused - measured)[~known & found].max() < 2e-4
    assert (reused - measured)[~known].max() < config.reuse_share * config.reach
    assert near.sum() > 20
    error = np.abs(reused - measured)[near]
    assert np.median(error) < 2e-5
    assert np.quantile(error, 0.99) < 3e-4


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
