# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands of given points over a slanted table, far from the object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.hands.collision_spheres import CollisionSpheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import HandModel, ObjectModel, SurroundingsModel
from omni_graspd.synthesis.optimization import Shard
from omni_graspd.synthesis.surroundings import Surroundings

POSE = np.array([0.5, -0.3, 0.4, 0.36, -0.48, 0.64, 0.48])
"""A palm pose at which the object is out of reach, so that nothing but table and obstacles acts on the hand."""
NORMAL = np.array([2.0, -1.0, 2.0]) / 3.0
"""Normal of the table."""


def table_at(height: float) -> np.ndarray:
    """Return a table so high over the palm at :data:`POSE` [m], shape [4]."""
    return np.append(NORMAL, NORMAL @ POSE[:3] + height)


def shard_of(
    hand: Hand,
    points: HandPoints,
    obj: RigidObject,
    surroundings: Surroundings,
    starts: Sequence[np.ndarray],
    *,
    fused: bool | None = None,
    **options: float,
) -> Shard:
    """Put hands of given points and without collision spheres at given palm poses and actuated positions."""
    links = len(hand.links)
    spheres = CollisionSpheres(np.zeros(0, int), np.zeros((0, 3)), np.zeros(0), np.ones((links, links), bool))
    config = SynthesisConfig(**{"iterations": 1, "leak": 0.0, **options})
    target, model = ObjectModel(obj, config.distance, "cpu"), HandModel(hand, points, spheres, "cpu")
    around, index = [SurroundingsModel(surroundings, "cpu")], np.zeros(len(starts[0]), dtype=int)
    return Shard(model, [target], index, *starts, config, "cpu", fused=fused, surroundings=around)
