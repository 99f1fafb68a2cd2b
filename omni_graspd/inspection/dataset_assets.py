# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands, objects and arms of a dataset that is looked at, each read once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_reader import read_arm
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.rigid_object import RigidObject

T = TypeVar("T")


class DatasetAssets:
    """What a dataset has beside its tables."""

    def __init__(self, layout: DatasetLayout) -> None:
        """Read nothing yet.

        Args:
            layout: Paths of the dataset.
        """
        self._layout = layout
        self._hands: dict[str, Hand] = {}
        self._objects: dict[str, RigidObject] = {}
        self._arms: dict[str, Arm] = {}

    def hand(self, name: str) -> Hand:
        """Return a hand.

        Raises:
            GraspdError: If its file is gone or damaged.
        """
        return _once(self._hands, name, "hand", self._layout.hand(name), lambda path: load_hand(str(path)))

    def object(self, name: str) -> RigidObject:
        """Return an object.

        Raises:
            GraspdError: If its file is gone or damaged.
        """
        return _once(self._objects, name, "object", self._layout.object(name), read_object)

    def arm(self, name: str) -> Arm:
        """Return an arm.

        Raises:
            GraspdError: If its file is gone or damaged.
        """
        return _once(self._arms, name, "arm", self._layout.arm(name), read_arm)


def _once(kept: dict[str, T], name: str, kind: str, path: Path, read: Callable[[Path], T]) -> T:
    if name not in kept:
        if not path.is_file():
            raise GraspdError(
                f"the {kind} {name!r} of the dataset is missing from {path}; restore it or open another dataset; "
                "decisions made so far are kept"
            )
        kept[name] = read(path)
    return kept[name]
