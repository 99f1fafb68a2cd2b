# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``hand.toml``: what a hand's USD does not say. Everything in it is optional; what is missing is inferred."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.usd.mesh_soundness import FARTHEST

_KEYS = ("palm", "approach_direction", "approach_point", "excluded_links", "open_positions", "source")


@dataclass(frozen=True, kw_only=True)
class HandSettings:
    """Overrides of what is inferred from a hand's geometry and kinematics."""

    palm: str | None = None
    """Name of the palm link."""
    approach_direction: tuple[float, float, float] | None = None
    """Direction out of the palm, in the palm frame."""
    approach_point: tuple[float, float, float] | None = None
    """Point of the palm that is brought in front of an object, in the palm frame [m]."""
    excluded_links: tuple[str, ...] = ()
    """Links that do not take part in grasping, for example a forearm."""
    open_positions: dict[str, float] = field(default_factory=dict)
    """Position of joints in the open posture, by joint name [rad or m]."""


def hand_settings_path(usd_path: Path) -> Path:
    """Return where a hand's settings lie: ``<name>.toml`` beside ``<name>.usd`` if there is one, else ``hand.toml``."""
    own = usd_path.with_suffix(".toml")
    return own if own.is_file() else usd_path.parent / "hand.toml"


def read_hand_settings(path: Path) -> HandSettings:
    """Read a ``hand.toml``; a missing file gives no overrides.

    Raises:
        GraspdError: If the file is not TOML, has an unknown key, or a value of the wrong kind.
    """
    table = _read_table(path)
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise GraspdError(
            f"expected the keys {', '.join(_KEYS)} in {path}, got {shortened(', '.join(unknown))}; remove or rename"
        )
    return HandSettings(
        palm=_link_name(table, path),
        approach_direction=_vector(table, "approach_direction", path),
        approach_point=_vector(table, "approach_point", path),
        excluded_links=_link_names(table, path),
        open_positions=_numbers(table.get("open_positions", {}), path),
    )


def read_hand_source(path: Path) -> dict[str, Any]:
    """Return what a ``hand.toml`` says about where the hand comes from; nothing if there is no such file or table.

    Raises:
        GraspdError: If the file is not TOML.
    """
    source = _read_table(path).get("source", {})
    return source if isinstance(source, dict) else {}


def _read_table(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    # tomllib knows no depth at which it stops, and hands on what numbers and dates say.
    except (ValueError, RecursionError) as error:
        raise GraspdError(f"expected {path} to be TOML, got: {shortened(str(error), 160)}; mend the line") from error


def _shown(value: Any) -> str:
    try:
        return shortened(repr(value))
    except (ValueError, RecursionError):
        return "a value of thousands of digits or levels"


def _link_name(table: dict[str, Any], path: Path) -> str | None:
    value = table.get("palm")
    if value is not None and not isinstance(value, str):
        raise GraspdError(f"expected palm in {path} to be a link's name, got {_shown(value)}; put it in quotes")
    return value


def _link_names(table: dict[str, Any], path: Path) -> tuple[str, ...]:
    value = table.get("excluded_links", [])
    if not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise GraspdError(
            f'expected excluded_links in {path} to be a list of link names, got {_shown(value)}; write ["name", ...]'
        )
    return tuple(value)


def _vector(table: dict[str, Any], key: str, path: Path) -> tuple[float, float, float] | None:
    value = table.get(key)
    if value is None:
        return None
    if not (isinstance(value, list) and len(value) == 3 and all(_is_finite_number(v) for v in value)):
        raise GraspdError(f"expected {key} in {path} to be three finite numbers, got {_shown(value)}; write [x, y, z]")
    x, y, z = (float(v) for v in value)
    return x, y, z


def _numbers(value: Any, path: Path) -> dict[str, float]:
    if not (isinstance(value, dict) and all(_is_finite_number(v) for v in value.values())):
        raise GraspdError(
            f"expected [open_positions] in {path} to be joint = finite number, got {_shown(value)}; mend it"
        )
    return {name: float(number) for name, number in value.items()}


def _is_finite_number(value: Any) -> bool:
    """Tell numbers from everything else; to Python, a bool is an int too. What may overflow is none either."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST
