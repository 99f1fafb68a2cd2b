# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Predicted ways raised out of the table: where it is, is known, and to go straight up moves a hand least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_KEEP = 0.001
"""Height of the lowest vertex in the grasp and during the squeeze [m]."""
_HIGHEST_GRASP, _HIGHEST_WAY = 0.02, 0.1
"""A grasp that is deeper in the table is left there, and so is a way [m]."""
GRASP, HOVER = 14, 6
"""Places of :func:`~omni_graspd.scenes.way_stations.way_stations` at which the hand grasps and hovers."""
_SQUEEZE = GRASP + 1


@dataclass(frozen=True, eq=False)
class Rise:
    """How much higher hands go, straight up [m], each [grasp_count]."""

    grasp: np.ndarray
    """In the grasp; squeeze and lift go with it."""
    hover: np.ndarray
    """At hover."""
    pregrasp: np.ndarray
    """At the pregrasp."""
    heights: np.ndarray
    """The lowest vertex of each hand at each place of the way then, shape [station_count, grasp_count]."""


def rise_from_table(heights: np.ndarray) -> Rise:
    """Find the least rises that keep hands over the table.

    Places between two ends of the way rise by their share of both, since palms move straight from one to the other.

    Args:
        heights: The lowest vertex of each hand over the table at each place of its way [m], shape
            [station_count, grasp_count].
    """
    grasp = np.maximum(_KEEP - heights[[GRASP, _SQUEEZE]].min(axis=0), 0.0)
    grasp = np.where(grasp > _HIGHEST_GRASP, 0.0, grasp)
    hover = _rise_before(heights[HOVER:GRASP], grasp)
    pregrasp = _rise_before(heights[:HOVER], hover)
    raised = heights + grasp
    for start, stop, first, last in ((HOVER, GRASP, hover, grasp), (0, HOVER, pregrasp, hover)):
        share = np.linspace(0.0, 1.0, stop - start, endpoint=False)[:, None]
        raised[start:stop] = heights[start:stop] + (1.0 - share) * first + share * last
    return Rise(grasp, hover, pregrasp, raised)


def _rise_before(heights: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return the rise of the first of some places that lead to an end which rises by ``last``."""
    share = np.linspace(0.0, 1.0, len(heights), endpoint=False)[:, None]
    wanted = ((1e-6 - heights - share * last) / (1.0 - share)).max(axis=0)
    first = np.maximum(wanted, last)
    return np.where(first > _HIGHEST_WAY, last, first)
