# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Bodies topple onto faces on which they are stable, and get lower on the way."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from omni_graspd.scenes.toppling import resting_direction, toppled_pose
from omni_graspd.usd.transforms import transform_points


def test_box_on_an_edge_falls_onto_the_nearer_face():
    box = trimesh.creation.box((0.04, 0.06, 0.1))
    for tilt, expected in ((0.5, [0, 0, -1]), (1.3, [0, -1, 0])):
        direction = resting_direction(box.vertices, np.zeros(3), np.array([0.0, -np.sin(tilt), -np.cos(tilt)]))
        np.testing.assert_allclose(direction, expected, atol=1e-12)


def test_leaning_prism_falls_over_from_its_foot():
    lean = np.array([[x + 2.5 * z, y, z] for z in (0.0, 0.1) for y in (-0.02, 0.02) for x in (-0.02, 0.02)])
    direction = resting_direction(lean, lean.mean(axis=0), np.array([0.0, 0.0, -1.0]))
    assert direction[2] > -0.99


@pytest.mark.parametrize("seed", range(10))
def test_random_body_ends_over_the_face_it_lies_on_and_lower(seed: int):
    random = np.random.default_rng(seed)
    body = trimesh.convex.convex_hull(random.normal(size=(30, 3)) * [0.03, 0.05, 0.02])
    pose = np.concatenate([random.normal(size=3), Rotation.random(random_state=seed).as_quat()])
    lying = toppled_pose(body.vertices, body.center_mass, pose)
    middle = transform_points(pose, body.center_mass[None])
    np.testing.assert_allclose(transform_points(lying, body.center_mass[None]), middle, atol=1e-12)
    before, after = (middle[0, 2] - transform_points(p, body.vertices)[:, 2].min() for p in (pose, lying))
    assert after <= before + 1e-12
    points = transform_points(lying, body.vertices)
    touching = points[points[:, 2] < points[:, 2].min() + 1e-9]
    assert len(touching) >= 3
    base = touching[_order(touching[:, :2]), :2]
    edges = np.roll(base, -1, axis=0) - base
    spokes = middle[0, :2] - base
    assert np.all(edges[:, 0] * spokes[:, 1] - edges[:, 1] * spokes[:, 0] > 0.0)


def _order(points: np.ndarray) -> np.ndarray:
    away = points - points.mean(axis=0)
    return np.argsort(np.arctan2(away[:, 1], away[:, 0]))
