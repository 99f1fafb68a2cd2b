# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations of starts: as SciPy's, but the same to the last bit for one alone as among others."""

from __future__ import annotations

import numpy as np

from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import hand_model, object_model
from omni_graspd.synthesis.start_geometry import rotated, rotations_between
from omni_graspd.synthesis.starts import sample_starts


def random_directions(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_rotations_turn_what_they_should_into_what_they_should():
    a, b = random_directions(50, 0), random_directions(50, 1)
    rotations = rotations_between(a, b)
    np.testing.assert_allclose(rotated(rotations, a), b, atol=1e-12)
    vector = np.array([0.1, -0.2, 0.3])
    np.testing.assert_allclose(rotated(rotations, vector), rotations.apply(vector), atol=1e-12)


def test_a_vector_is_turned_alike_alone_and_among_others():
    rotations, vectors = rotations_between(random_directions(50, 2), random_directions(50, 3)), random_directions(50, 4)
    together = rotated(rotations, vectors)
    for row in range(50):
        np.testing.assert_array_equal(rotated(rotations[row : row + 1], vectors[row : row + 1])[0], together[row])


def test_a_start_without_a_table_is_the_same_alone_and_among_others(hand, mug):
    config = SynthesisConfig()
    distance = object_model(mug, config.distance, "cpu").distance
    options = {"candidates": 1, "points": hand_model(hand, 400, "cpu").points, "distance": distance, "seed": 0}
    poses, actuated = sample_starts(hand, mug, range(30), config.start, **options)
    for row in range(30):
        alone = sample_starts(hand, mug, [row], config.start, **options)
        np.testing.assert_array_equal(alone[0][0], poses[row])
        np.testing.assert_array_equal(alone[1][0], actuated[row])
