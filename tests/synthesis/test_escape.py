# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How far a pushed object gets: almost nowhere in a cage, all the way past a single point."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from contact_bench import NO_WEIGHTS
from contact_reference import unit_or_zero

from omni_graspd.hands.collision_spheres import CollisionSpheres
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import HandModel, ObjectModel
from omni_graspd.synthesis.optimization import Shard
from omni_graspd.usd.transforms import IDENTITY

_RADIUS = 0.04


@pytest.fixture(scope="module")
def ball(solid):
    return solid(trimesh.creation.icosphere(subdivisions=4, radius=_RADIUS), "ball")


@pytest.fixture
def escape(branched_hand, ball):
    """Score of points on the palm, at a distance from the ball's surface in given directions."""

    def score(directions: np.ndarray, *, gap: float = -1e-5, friction: float = 0.5) -> float:
        directions = unit_or_zero(np.atleast_2d(np.asarray(directions, dtype=np.float64)))
        count = len(directions)
        points = HandPoints(np.zeros(count, dtype=int), directions * (_RADIUS + gap), directions, np.ones(count))
        ignored = np.ones((len(branched_hand.links),) * 2, dtype=bool)
        spheres = CollisionSpheres(np.zeros(0, dtype=int), np.zeros((0, 3)), np.zeros(0), ignored)
        config = SynthesisConfig(iterations=1, friction=friction, **NO_WEIGHTS)
        shard = Shard(
            HandModel(branched_hand, points, spheres, "cpu"),
            [ObjectModel(ball, config.distance, "cpu")],
            np.zeros(1, dtype=int),
            IDENTITY[None],
            branched_hand.open_positions[None],
            config,
            "cpu",
        )
        return float(shard.escape()[0])

    return score


def around(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 3))


def cone(angle: float) -> np.ndarray:
    """Twelve directions that enclose an angle with +z."""
    turns = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    return np.stack([np.sin(angle) * np.cos(turns), np.sin(angle) * np.sin(turns), np.full(12, np.cos(angle))], axis=-1)


def test_a_caged_ball_gets_nowhere(escape):
    assert escape(around(200)) < 0.1


def test_a_ball_that_nothing_touches_gets_as_far_as_it_is_pushed(escape):
    # Six of seven pushes are 3 mm, the first is none.
    assert escape(around(200), gap=0.02) == pytest.approx(6.0 / 7.0, rel=1e-5)


def test_one_point_holds_the_ball_against_one_push_of_six(escape):
    assert escape([[0.0, 0.0, 1.0]], friction=0.0) == pytest.approx(5.0 / 7.0, abs=0.01)
    assert escape([[0.0, 0.0, 1.0]], friction=0.5) > 0.6


def test_the_more_of_the_ball_is_enclosed_the_less_far_it_gets(escape):
    scores = [escape(np.concatenate([[[0.0, 0.0, -1.0]], cone(angle)])) for angle in (2.8, 2.0, 1.2, 0.5)]
    nearly_a_point, half, enclosing, pinch = scores
    assert nearly_a_point > half > enclosing
    assert nearly_a_point > pinch


def test_friction_helps_a_pinch(escape):
    pinch = [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]
    smooth, rough, rougher = (escape(pinch, gap=-1e-3, friction=friction) for friction in (0.0, 0.3, 0.8))
    assert smooth > rough > rougher
    assert smooth == pytest.approx(4.0 / 7.0, abs=0.02)


def test_a_gap_lets_the_ball_get_as_far_as_the_gap(escape):
    tight, loose = (escape(around(400), gap=gap) for gap in (0.0, 1e-3))
    assert tight < loose
    assert loose == pytest.approx(tight + 6.0 / 7.0 / 3.0, abs=0.1)
