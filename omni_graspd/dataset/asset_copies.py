# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands and objects as a dataset keeps them: a file of their own, and an entry in the manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.content_hash import content_hash
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Asset
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.usd.hand_settings import hand_settings_path
from omni_graspd.library import data_folder
from omni_graspd.objects.resting_pieces import write_resting_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.self_contained import write_self_contained


def copy_hand(hand: Hand, path: Path) -> None:
    """Write a hand's USD file, and beside it what that does not say, so that the copy reads as the same hand.

    Args:
        hand: The hand.
        path: USD file to write, all or nothing.

    Raises:
        GraspdError: If a file that the hand uses is missing.
    """
    settings = hand_settings_path(hand.source)
    if settings.is_file():
        with atomic_path(path.with_suffix(".toml")) as temporary:
            temporary.write_bytes(settings.read_bytes())
    write_self_contained(hand.source, path)


def write_objects(objects: Iterable[RigidObject], layout: DatasetLayout) -> None:
    """Write the objects that a dataset lacks, as they rest on tables.

    Raises:
        GraspdError: If one cannot be written.
    """
    for obj in objects:
        if not layout.object(obj.name).is_file():
            write_resting_object(obj, layout.object(obj.name))


def write_hands(hands: Iterable[Hand], layout: DatasetLayout) -> None:
    """Write the hands that a dataset lacks.

    Raises:
        GraspdError: If a file that a hand uses is missing.
    """
    for hand in hands:
        if not layout.hand(hand.name).is_file():
            copy_hand(hand, layout.hand(hand.name))


def asset_entry(asset: Hand | RigidObject, file: str) -> Asset:
    """Return what the manifest says of a hand or an object.

    Args:
        asset: The hand or object; an object's notes are part of its hash.
        file: Its USD file, relative to the dataset folder.
    """
    built_in = asset.source.resolve().is_relative_to(data_folder().resolve())
    license_, provenance = ("Apache-2.0", "built into omni-graspd") if built_in else (None, None)
    return Asset(file, asset.source.name, content_hash(asset), license_, provenance)
