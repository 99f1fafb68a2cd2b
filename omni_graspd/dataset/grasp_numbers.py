# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of base grasps: a million for each rest pose, so that further grasps and rest poses renumber none."""

from __future__ import annotations

import numpy as np

LARGEST_COUNT = 1_000_000
"""Most grasps of an object in one rest pose, or floating, by one hand."""
LARGEST_REST_POSE = 2**31 // LARGEST_COUNT - 1
"""Last rest pose whose grasps have numbers: tables keep them in 32 bits."""


def grasp_indices(rest_pose: int, start: int, stop: int) -> np.ndarray:
    """Return the numbers of the grasps ``start`` to ``stop - 1`` in a rest pose, int32; 0 for floating objects."""
    return np.arange(start, stop, dtype=np.int32) + np.int32(rest_pose * LARGEST_COUNT)


def rest_pose_of(indices: np.ndarray) -> np.ndarray:
    """Return the rest pose of each grasp, int32."""
    return np.asarray(indices, dtype=np.int32) // np.int32(LARGEST_COUNT)


def rows_of(indices: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the rows of grasps in a table by their numbers.

    Args:
        indices: Numbers of the grasps of the table, rising.
        wanted: Numbers to find.

    Raises:
        KeyError: If the table has no grasp of some number.
    """
    wanted = np.asarray(wanted)
    rows = np.searchsorted(indices, wanted)
    lost = wanted[~np.isin(wanted, indices)]
    if len(lost):
        raise KeyError(int(lost[0]))
    return rows
