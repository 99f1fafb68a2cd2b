# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked of synthesis: grasps of an object in its surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omni_graspd.objects.rigid_object import RigidObject
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
