# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Clearances by kernels that pass over what cannot count, against every point and every vertex."""

from __future__ import annotations

import numpy as np
import pytest
from random_hands import random_hands

from omni_graspd.geometry.signed_distance import SignedDistanceConfig
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.hands.lowest_point import link_heights, link_hulls, lowest_heights
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.clearance import REACH, HandClearance
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import object_model

_TABLE = np.array([0.0, 0.0, 1.0, -0.05])


@pytest.mark.parametrize(
    "name", ["allegro", *(pytest.param(name, marks=pytest.mark.slow) for name in ("barrett", "shadow"))]
)
@pytest.mark.parametrize(
    ("source", "phong_alpha", "tolerance"),
    # Where faces meet at a crease the smoothed distance is that of either, which differ by hundredths of a millimetre.
    [("soup_can", 0.0, 1e-6), ("soup_can", 0.5, 1e-4), ("mug", 0.5, 1e-4), ("card_box", 0.0, 1e-6)],
)
def test_gaps_are_those_of_the_nearest_of_all_points(name, source, phong_alpha, tolerance):
    hand = load_hand(name)
    distance = object_model(load_object(source), SignedDistanceConfig(phong_alpha=phong_alpha), "cpu").distance
    points = sample_surface_points(hand, 400)
    clearance = HandClearance(hand, points, distance, _TABLE)
    poses, joints = random_hands(hand, 120, near=0.02, far=0.2)
    placed = clearance.place(poses, joints)

    def nearest(positions: np.ndarray) -> np.ndarray:
        found, _ = distance.query(positions.reshape(-1, 3), REACH)
        return found.reshape(len(poses), -1).min(axis=1)

    expected = nearest(posed_points(hand, points, poses, joints))
    assert (expected < -0.002).sum() > 20
    assert ((expected > 0.0) & (expected < REACH)).sum() > 10
    np.testing.assert_allclose(clearance.object_gaps(placed), expected, atol=tolerance)
    matrices = link_matrices(hand, poses, joints)
    corners = [
        np.einsum("gij,pj->gpi", matrices[:, link, :3, :3], vertices) + matrices[:, link, None, :3, 3]
        for link, vertices in enumerate(link_hulls(hand))
        if len(vertices)
    ]
    np.testing.assert_allclose(clearance.corner_gaps(placed), nearest(np.concatenate(corners, axis=1)), atol=tolerance)


@pytest.mark.parametrize("name", ["allegro", "barrett", "shadow"])
def test_heights_are_those_of_all_vertices(name):
    hand = load_hand(name)
    distance = object_model(load_object("soup_can"), SynthesisConfig().distance, "cpu").distance
    clearance = HandClearance(hand, sample_surface_points(hand, 100), distance, _TABLE)
    poses, joints = random_hands(hand, 200, near=0.02, far=0.2)
    placed = clearance.place(poses, joints)
    np.testing.assert_allclose(clearance.heights(placed), lowest_heights(hand, _TABLE, poses, joints), atol=2e-7)
    np.testing.assert_allclose(clearance.link_heights(placed), link_heights(hand, _TABLE, poses, joints), atol=2e-7)


@pytest.mark.slow
def test_a_hand_is_measured_alone_as_among_others():
    hand = load_hand("shadow")
    distance = object_model(load_object("mug"), SynthesisConfig().distance, "cpu").distance
    clearance = HandClearance(hand, sample_surface_points(hand, 400), distance, _TABLE, thin_walled=True)
    poses, joints = random_hands(hand, 30, near=0.02, far=0.2)
    measures = (clearance.depths, clearance.heights, clearance.corner_gaps, clearance.pierced)
    together = [measure(clearance.place(poses, joints)) for measure in measures]
    for row in range(30):
        alone = clearance.place(poses[row : row + 1], joints[row : row + 1])
        assert [measure(alone)[0] for measure in measures] == [values[row] for values in together]
