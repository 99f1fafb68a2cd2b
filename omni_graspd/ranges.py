# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Range checks of configurations: one line that names the setting, what it may be, and what came."""

from __future__ import annotations

from math import inf
from typing import Any

from omni_graspd.errors import GraspdError


def require_at_least(config: Any, section: str, least: int, *names: str) -> None:
    """Check that fields of a configuration are ``least`` or more.

    Args:
        config: The configuration.
        section: How the command line calls it, for the message.
        least: Smallest value allowed.
        *names: Its fields.

    Raises:
        GraspdError: If one is not.
    """
    for name in names:
        if not getattr(config, name) >= least:
            raise GraspdError(f"expected {section}.{name} to be at least {least}, got {getattr(config, name)}")


def require_not_negative(config: Any, section: str, *names: str, unit: str = "") -> None:
    """Check that fields of a configuration are finite and 0 or more; see :func:`require_at_least`."""
    for name in names:
        if not 0.0 <= getattr(config, name) < inf:
            raise GraspdError(f"expected {section}.{name} to be 0 or more{unit}, got {getattr(config, name)}")


def require_positive(config: Any, section: str, *names: str, unit: str = "", finite: bool = False) -> None:
    """Check that fields of a configuration are above 0, and finite where asked; see :func:`require_at_least`."""
    for name in names:
        value = getattr(config, name)
        if not value > 0.0 or (finite and value == inf):
            raise GraspdError(f"expected {section}.{name} to be above 0{unit}, got {value}")


def require_within(config: Any, section: str, least: float, most: float, *names: str) -> None:
    """Check that fields of a configuration are from ``least`` to ``most``; see :func:`require_at_least`."""
    for name in names:
        if not least <= getattr(config, name) <= most:
            raise GraspdError(f"expected {section}.{name} to be from {least} to {most}, got {getattr(config, name)}")


def require_rising(config: Any, section: str, least: float, most: float, *names: str) -> None:
    """Check that ranges of a configuration, pairs of numbers, rise from ``least`` or more to ``most`` or less, finite.

    See :func:`require_at_least`.
    """
    for name in names:
        low, high = getattr(config, name)
        if not least <= low <= high <= most or high == inf:
            bound = "" if most == inf else f" to at most {most}"
            raise GraspdError(f"expected {section}.{name} to rise from at least {least}{bound}, got {low} to {high}")
