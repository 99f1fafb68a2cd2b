# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps that fail are tried again from other starts, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from omni_graspd.synthesis.grasp import GraspBatch, join_batches
from omni_graspd.synthesis.request import Wanted


def try_until(
    wanted: Sequence[Wanted],
    tries: int,
    form: Callable[[Sequence[Wanted], int], list[GraspBatch]],
    done: Callable[[GraspBatch], np.ndarray],
) -> list[GraspBatch]:
    """Form grasps, and those again that are not done.

    Args:
        wanted: Objects, and the grasps to find of each.
        tries: How often each grasp is tried at most.
        form: Makes what is wanted, in the try of a number from 0.
        done: Tells which grasps of a batch need not be tried again, bool.

    Returns:
        One batch per entry of ``wanted``; a grasp that is never done is that of its first try.
    """
    found = [_Found(part) for part in wanted]
    for attempt in range(tries):
        # At first also those that want none, so that they have a batch of none.
        pending = [number for number, rows in enumerate(found) if len(rows.pending) or attempt == 0]
        if not pending:
            break
        for number, batch in zip(pending, form([found[number].left() for number in pending], attempt), strict=True):
            found[number].take(batch, done(batch))
    return [rows.batch() for rows in found]


class _Found:
    """What was found so far for one request."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.first: GraspBatch | None = None
        self.rows: list[GraspBatch | None] = [None] * len(wanted.request.indices)
        self.reasons: list[list[str]] = [[] for _ in wanted.request.indices]
        self.pending = list(range(len(wanted.request.indices)))

    def left(self) -> Wanted:
        request = self.wanted.request
        return replace(self.wanted, request=replace(request, indices=[request.indices[row] for row in self.pending]))

    def take(self, batch: GraspBatch, done: np.ndarray) -> None:
        self.first = self.first or batch
        left = []
        for number, row in enumerate(self.pending):
            one = batch.rows(number, number + 1)
            first = self.rows[row]
            if first is None or done[number]:
                if first is not None:
                    self.reasons[row].insert(0, first.status[0])
                self.rows[row] = one
            else:
                self.reasons[row].append(one.status[0])
            if not done[number]:
                left.append(row)
        self.pending = left

    def batch(self) -> GraspBatch:
        batch = join_batches([row for row in self.rows if row is not None]) if self.rows else self.first
        assert batch is not None
        if batch.way is None:
            return batch
        way = replace(
            batch.way,
            tries=np.array([1 + len(reasons) for reasons in self.reasons], dtype=np.int32),
            rejected=tuple("; ".join(reasons) for reasons in self.reasons),
        )
        return replace(batch, way=way)
