# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Contacts and metrics of posed hands against closed forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.surface_points import spread_subset
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY


def as_mesh(shape: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


@pytest.fixture(scope="module")
def cube() -> RigidObject:
    """A cube of 10 cm."""
    mesh = as_mesh(trimesh.creation.box((0.1, 0.1, 0.1)).subdivide())
    return RigidObject("cube", Path("cube"), mesh, mesh, Appearance(), True, 0.3, np.zeros(3), np.eye(3) * 5e-4, "cube")


@pytest.fixture(scope="module")
def plate() -> Hand:
    """A hand of one link: a plate of 4 x 4 cm and 1 cm, whose top is the plane z = 0."""
    shape = trimesh.creation.box((0.04, 0.04, 0.01))
    shape.apply_translation((0.0, 0.0, -0.005))
    palm = Link("palm", "/palm", -1, -1, "root", np.array([1.0, 0, 0]), IDENTITY, IDENTITY, as_mesh(shape), 0.1)
    nothing = np.zeros(0)
    return Hand(
        name="plate",
        source=Path("plate"),
        links=(palm,),
        joint_names=(),
        joint_lower=nothing,
        joint_upper=nothing,
        actuated=np.zeros(0, dtype=int),
        coupling=np.zeros((0, 0)),
        coupling_offset=nothing,
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=nothing,
    )


def below_the_cube(distance: float) -> np.ndarray:
    """Pose of the plate with its top ``distance`` below the cube's bottom."""
    return np.array([0.0, 0.0, -0.05 - distance, 0.0, 0.0, 0.0, 1.0])


def test_contact_area_is_the_face_within_the_threshold(plate, cube):
    poses = np.array([below_the_cube(0.002), below_the_cube(0.0049), below_the_cube(0.006)])
    metrics = evaluate_grasps(plate, cube, poses, np.zeros((3, 0)), MetricsConfig(point_count=3000))
    # The top face, and of the four sides the part that is within 5 mm too: 3 mm, then 0.1 mm, of 16 cm around.
    expected = np.array([16.0 + 0.3 * 16.0, 16.0 + 0.01 * 16.0, 0.0])
    np.testing.assert_allclose(1e4 * metrics["contact_area"], expected, atol=0.7)
    assert metrics["contact_count"][2] == 0
    assert not metrics["force_closure"].any()


@pytest.mark.slow
def test_a_spherical_bowl_around_a_sphere_touches_with_its_inner_area(plate):
    inner, outer, ball = 0.042, 0.046, 0.04
    shapes = [
        trimesh.creation.icosphere(subdivisions=4, radius=outer),
        trimesh.creation.icosphere(subdivisions=4, radius=inner),
        trimesh.creation.box(bounds=[[-0.1, -0.1, 0.0], [0.1, 0.1, 0.1]]),
    ]
    bowl = as_mesh(trimesh.boolean.difference(shapes, engine="manifold"))
    hand = replace(plate, links=(replace(plate.links[0], mesh=bowl),))
    sphere = as_mesh(trimesh.creation.icosphere(subdivisions=4, radius=ball))
    ball_object = RigidObject(
        "ball", Path("ball"), sphere, sphere, Appearance(), True, 0.1, np.zeros(3), np.eye(3) * 6.4e-5, "ball"
    )
    for threshold, within in ((0.0025, True), (0.0015, False)):
        config = MetricsConfig(contact_threshold=threshold, point_count=60000)
        area = evaluate_grasps(hand, ball_object, IDENTITY[None], np.zeros((1, 0)), config)["contact_area"][0]
        # Of the rim, what is within the threshold is part of it: a ring.
        rim = np.pi * ((ball + threshold) ** 2 - inner**2)
        assert area == pytest.approx((2.0 * np.pi * inner**2 + rim) * within, rel=0.01)


def test_penetration_is_the_depth_of_the_deepest_point(plate, cube):
    poses = np.array([below_the_cube(-0.003), below_the_cube(0.01)])
    metrics = evaluate_grasps(plate, cube, poses, np.zeros((2, 0)), MetricsConfig(point_count=500))
    np.testing.assert_allclose(metrics["penetration_depth"], [0.003, 0.0], atol=1e-6)


def test_metrics_of_a_grasp_do_not_depend_on_its_neighbours_in_the_batch(plate, cube):
    random = np.random.default_rng(0)
    poses = np.array([below_the_cube(distance) for distance in random.uniform(-0.002, 0.004, size=9)])
    together = evaluate_grasps(plate, cube, poses, np.zeros((9, 0)), MetricsConfig(point_count=777))
    for row in range(9):
        alone = evaluate_grasps(plate, cube, poses[[row]], np.zeros((1, 0)), MetricsConfig(point_count=777))
        assert all(alone[name][0] == together[name][row] for name in together)


@pytest.mark.parametrize(
    "options",
    [{"cone_edges": 0}, {"contact_count": 0}, {"point_count": 0}, {"friction": -0.1}, {"contact_threshold": 0.0}],
)
def test_settings_out_of_range_are_refused(options):
    with pytest.raises(GraspdError, match=f"expected metrics.{next(iter(options))} to be"):
        MetricsConfig(**options)


def test_no_grasps_give_empty_columns(plate, cube):
    metrics = evaluate_grasps(plate, cube, np.zeros((0, 7)), np.zeros((0, 0)), MetricsConfig(point_count=100))
    assert all(len(column) == 0 for column in metrics.values())


def test_a_spread_subset_covers_both_ends_first():
    line = np.stack([np.linspace(0.0, 1.0, 11), np.zeros(11), np.zeros(11)], axis=1)
    np.testing.assert_array_equal(np.sort(spread_subset(line, 3)), [0, 5, 10])
    np.testing.assert_array_equal(spread_subset(line, 20), np.arange(11))
