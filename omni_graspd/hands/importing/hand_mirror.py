# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The left hand of a right one, and the other way round: a hand of the library, mirrored into the user's own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from pxr import Sdf

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.importing.hand_folder import (
    check_own_name,
    copy_files,
    license_files,
    new_hand_folder,
    settings_text,
    source_table,
    user_hand_file,
)
from omni_graspd.hands.importing.hand_import import hand_entry
from omni_graspd.hands.inference.digit_surface import DigitSurface
from omni_graspd.hands.inference.digits import find_digits
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.hands.usd.hand_settings import HandSettings, hand_settings_path, read_hand_settings, read_hand_source
from omni_graspd.hands.usd.mirrored_layer import mirror_layer
from omni_graspd.library import resolve
from omni_graspd.usd.self_contained import write_self_contained

_SIDES = ("left", "right")
_ASIDE = 0.3
"""Digits that point along the approach say nothing about where the sides are: sine of the angle, from which they do."""


def mirror_hand(name: str, new_name: str | None = None, *, replace: bool = False) -> Path:
    """Write the mirror image of a hand into the user's library.

    At equal joint positions both are mirror images, and so are the frames of the links; names stay.

    Args:
        name: A hand of the library.
        new_name: Name of its mirror image; default: with ``left`` and ``right`` exchanged, or ``NAME_mirrored``.
        replace: Take the place of a hand of that name.

    Returns:
        The written USD file.

    Raises:
        GraspdError: If there is no such hand, the new name is taken, or something of the hand cannot be mirrored.
    """
    source = resolve("hands", name)[0]
    new_name = new_name or mirrored_name(name)
    check_own_name(new_name, replace)
    axis = side_axis(read_hand(source))
    beside, entry = hand_settings_path(source), hand_entry(name)
    with new_hand_folder(new_name) as folder:
        written = folder / f"{new_name}.usda"
        write_self_contained(source, written)
        layer = Sdf.Layer.FindOrOpen(str(written))
        mirror_layer(layer, axis)
        layer.Save()
        copy_files(license_files(source.resolve().parent), folder)
        rows = {key: value for key, value in read_hand_source(beside).items() if not isinstance(value, dict)}
        rows |= {"file": f"mirror image of {name}: {entry.source}", "license": entry.license}
        text = settings_text(_mirrored(read_hand_settings(beside), axis)) + source_table(rows)
        (folder / "hand.toml").write_text(text, encoding="utf-8")
        read_hand(written)
    return user_hand_file(new_name)


def mirrored_name(name: str) -> str:
    """Return a name for the mirror image of a hand."""
    for side, other in (_SIDES, _SIDES[::-1]):
        if side in name:
            return name.replace(side, other)
    return f"{name}_mirrored"


def side_axis(hand: Hand) -> int:
    """Return the axis of the palm frame that points most nearly from side to side: across approach and digits."""
    sides = np.zeros(3)
    if find_digits(hand):
        surface = DigitSurface.from_hand(hand)
        tips = surface.place(hand.open_positions[None])[1][0]
        way = tips.mean(axis=0) - np.mean([digit.base_point for digit in surface.digits], axis=0)
        sides = np.cross(hand.approach_direction, way / max(float(np.linalg.norm(way)), 1e-9))
    if np.linalg.norm(sides) > _ASIDE:
        return int(np.argmax(np.abs(sides)))
    return int(np.argmin(np.abs(hand.approach_direction)))


def _mirrored(settings: HandSettings, axis: int) -> HandSettings:
    def vector(value: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if value is None:
            return None
        x, y, z = (-number if k == axis else number for k, number in enumerate(value))
        return x, y, z

    return dataclasses.replace(
        settings,
        approach_direction=vector(settings.approach_direction),
        approach_point=vector(settings.approach_point),
    )
