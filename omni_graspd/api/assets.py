# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands and objects by name, by file, or as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from omni_graspd.backend import local_asset
from omni_graspd.hands import hand_library
from omni_graspd.hands.hand import Hand
from omni_graspd.library import list_all_names
from omni_graspd.objects import object_library
from omni_graspd.objects.rigid_object import RigidObject

if TYPE_CHECKING:
    from omni_graspd.objects.object_reader import ObjectReaderConfig


def load_hand(hand: str | Path | Hand) -> Hand:
    """Return a hand.

    Args:
        hand: Built-in or own name, for example ``"allegro"``, or a USD file; a hand is returned as it is.

    Raises:
        GraspdError: If there is no such hand, or the file is not a usable one.
    """
    return hand if isinstance(hand, Hand) else hand_library.load_hand(local_asset(str(hand)))


def load_object(obj: str | Path | RigidObject, config: ObjectReaderConfig | None = None) -> RigidObject:
    """Return an object.

    Args:
        obj: Built-in or own name, for example ``"mug"``, or a mesh or USD file; an object is returned as it is.
        config: Unit, mass, density and repair of a file.

    Raises:
        GraspdError: If there is no such object, or it cannot be read.
    """
    return obj if isinstance(obj, RigidObject) else object_library.load_object(local_asset(str(obj)), config)


def add_hand(source: str | Path, name: str = "", *, scale: float = 1.0, replace: bool = False) -> Hand:
    """Take a hand into the user's library, as ``graspd hands add`` does.

    Args:
        source: URDF, MJCF or USD file.
        name: What it is called from now on; by default as the file.
        scale: Metres per unit of length of a URDF or MJCF file.
        replace: Take the place of a hand of that name.

    Returns:
        The hand, which :func:`load_hand` knows by its name from now on.

    Raises:
        GraspdError: If the file cannot be read as a hand, or there is one of this name.
    """
    from omni_graspd.hands.importing import hand_import

    return load_hand(hand_import.add_hand(name or Path(source).stem, source, scale=scale, replace=replace))


def list_hands() -> list[str]:
    """Return the names of the hands there are: the built-in ones, then the user's own."""
    return list_all_names("hands")


def list_objects() -> list[str]:
    """Return the names of the objects there are: the built-in ones, then the user's own."""
    return list_all_names("objects")
