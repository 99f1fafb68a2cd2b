# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked of synthesis: grasps of an object in its surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.clearance import HandClearance
from omni_graspd.synthesis.models import ObjectModel, SurroundingsModel
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings


@dataclass(frozen=True)
class GraspRequest:
    """Grasps to find of one object in its surroundings."""

    obj: RigidObject
    """The object."""
    indices: Sequence[int]
    """Index of each grasp."""
    surroundings: Surroundings = NOTHING
    """What stands around the object."""


@dataclass(frozen=True)
class Wanted:
    """A request with its object on the device."""

    request: GraspRequest
    """Which grasps of what."""
    model: ObjectModel
    """The object."""
    around: SurroundingsModel
    """What stands around it."""

    def clearance(self, hand: Hand, points: HandPoints) -> HandClearance:
        """Return what measures a hand, by these points on it, against the object and what stands around it."""
        model, around = self.model, self.around
        return HandClearance(hand, points, model.distance, around.plane, around.obstacles, model.thin_walled)
