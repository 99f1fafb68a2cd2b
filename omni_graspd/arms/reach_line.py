# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What an arm reaches, in one line."""

from __future__ import annotations

from collections.abc import Mapping

from omni_graspd.plural import counted


def reach_line(reachable: int, usable: int) -> str:
    """Return how many grasps are reachable, and their share.

    Args:
        reachable: How many are.
        usable: Of how many.
    """
    share = f" ({100.0 * reachable / usable:.0f} %)" if usable else ""
    return f"{reachable} of {counted(usable, 'usable grasp')} reachable{share}"


def reach_line_with_reason(reachable: int, usable: int, reasons: Mapping[str, int]) -> str:
    """Return :func:`reach_line`, and what most often stands in the way.

    Args:
        reachable: How many are.
        usable: Of how many.
        reasons: How many others fail, by how the reason begins.
    """
    line = reach_line(reachable, usable)
    if reasons:
        reason, count = max(reasons.items(), key=lambda item: item[1])
        line += f"; most frequent reason: {reason} ({count})"
    return line
