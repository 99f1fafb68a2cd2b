# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Equal rows of integers, found fast."""

from __future__ import annotations

import numpy as np

_INT64 = 2**63 - 1


def unique_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group equal rows, in lexicographic order.

    Args:
        rows: Integers of zero or more, shape [row_count, column_count].

    Returns:
        Index of the first row of each group, group of each row, and size of each group.
    """
    rows = np.asarray(rows, dtype=np.int64)
    spans = rows.max(axis=0, initial=0) + 1
    if np.prod(spans.astype(np.float64)) < _INT64:
        # One number per row sorts many times faster than the row.
        key = np.zeros(len(rows), dtype=np.int64)
        for column, span in zip(rows.T, spans, strict=True):
            key = key * span + column
        _, first, inverse, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    else:
        _, first, inverse, count = np.unique(rows, axis=0, return_index=True, return_inverse=True, return_counts=True)
    return first, inverse.ravel(), count
