# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What the benchmark of grasps on a table prints and writes, and its floors."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

import numpy as np
from table_pair import QUALITY, PoseResult

HEIGHTS = (0.03, 0.06, 0.10)
"""Where classes of objects end, by height as they lie [m]."""
LIFTED_FLOORS = {"allegro": 0.65, "shadow": 0.65, "barrett": 0.50}
"""Least share of the usable grasps of each hand that lift the object."""
FLOORS = {"first": 0.70, "usable": 0.95}
"""Least shares of the grasps that were asked for, for every hand."""
TOP_FLOOR = 0.80
"""Least share of the better half of the usable grasps that lift the object, for every hand."""
PAIR_FLOOR = 0.99
"""Least share of hands, objects and rest poses with a usable grasp."""
CHECK_FLOOR = 1.0
"""Least share of the checked grasps whose way is clear."""
COST_CEILING = 60.0
"""Most CPU time of a usable grasp for every hand [ms]."""

_CSV_TEXTS = ("status", "rejected", "reasons")
_LABEL = 25


def joined(results: Sequence[PoseResult], name: str) -> np.ndarray:
    """Return a column of all grasps."""
    return np.concatenate([result.columns[name] for result in results])


def means(results: Sequence[PoseResult]) -> dict[str, float]:
    """Return the columns of a line over the grasps of some rest poses; shares of nothing are NaN.

    ``lifted`` and ``top half`` are shares of the usable grasps; correlations are those of the scores over them, lower
    is better, so that good scores have negative ones. All other columns are over all grasps that were asked for.
    """
    usable, lifted, tries = (joined(results, name) for name in ("usable", "lifted", "tries"))
    row = {
        "cpu ms": 1e3 * _ratio(sum(result.cpu for result in results), usable.sum()),
        "first": float((usable & (tries == 1)).mean()),
        "usable": float(usable.mean()),
        "tries": float(tries.mean()),
        "lifted": _ratio(lifted[usable].sum(), usable.sum()),
        "top half": _mean(np.concatenate([top_half(result) for result in results])),
        "r escape": rank_correlation(joined(results, "escape")[usable], lifted[usable]),
        "r balance": rank_correlation(joined(results, "imbalance")[usable], lifted[usable]),
    }
    if "physx" in results[0].columns:
        physx = joined(results, "physx")
        row["physx"] = _ratio(physx[usable].sum(), usable.sum())
        row["agree"] = _ratio((physx == lifted)[usable].sum(), usable.sum())
    return row | {name: float(joined(results, name).mean()) for name in QUALITY if name in results[0].columns}


def top_half(result: PoseResult) -> np.ndarray:
    """Tell which of the better half of the usable grasps lift the object; an odd one counts as better."""
    rows = np.flatnonzero(result.columns["usable"])
    ranked = rows[np.argsort(result.columns["escape"][rows], kind="stable")]
    return result.columns["lifted"][ranked[: (len(ranked) + 1) // 2]]


def rank_correlation(scores: np.ndarray, lifted: np.ndarray) -> float:
    """Return Spearman's rank correlation; NaN where one side is constant."""
    from scipy.stats import spearmanr

    if len(scores) < 2 or np.ptp(scores) == 0.0 or lifted.all() or not lifted.any():
        return np.nan
    return float(spearmanr(scores, lifted).statistic)


def failures(results: Sequence[PoseResult]) -> Counter[str]:
    """Count why tries failed, the last ones of grasps that are not usable included."""
    counts = Counter(reason for result in results for texts in result.rejected for reason in texts.split("; "))
    counts.update(reason for result in results for reason in result.status)
    return _without_numbers(counts)


def lift_failures(results: Sequence[PoseResult]) -> Counter[str]:
    """Count why usable grasps did not lift the object."""
    return _without_numbers(Counter(reason for result in results for reason in result.reasons))


def print_header(names: Sequence[str]) -> None:
    """Print the names of the columns."""
    print(f"{'hand':8s} {'object':{_LABEL}s} {'pose':>4s} {'drops':>5s} {'H cm':>5s}" + _cells(names), flush=True)


def print_pose(result: PoseResult) -> None:
    """Print the line of a rest pose, with its failures."""
    cells = _cells(means([result]).values())
    texts = [_counts(failures([result])), _counts(lift_failures([result]))]
    tail = " | ".join(text for text in texts if text)
    place = f"{result.pose:4d} {result.drops:5d} {1e2 * result.height:5.1f}"
    print(f"{result.hand:8s} {result.label[-_LABEL:]:{_LABEL}s} {place}{cells}  {tail}", flush=True)


def print_hand(hand: str, results: Sequence[PoseResult], *, hard: bool = False) -> list[str]:
    """Print the means of a hand, also by height of the object; return what misses its floor, cost left out.

    Lifts with half the friction have no floors.
    """
    row = means(results)
    print(f"\n{hand:{_LABEL + 26}s}" + _cells(row))
    print(f"{'all':{_LABEL + 26}s}" + _cells(row.values()))
    bounds = (0.0, *HEIGHTS, np.inf)
    for lower, upper in itertools.pairwise(bounds):
        part = [result for result in results if lower <= result.height < upper]
        if part:
            label = f"{_height_range(lower, upper)}, {len(part)} rest poses"
            print(f"{label:{_LABEL + 26}s}" + _cells(means(part).values()))
    print(f"tries that failed: {_counts(failures(results)) or 'none'}")
    print(f"lifts that failed: {_counts(lift_failures(results)) or 'none'}")
    share = np.mean([result.columns["usable"].any() for result in results])
    print(f"rest poses with a usable grasp: {share:.3f} of {len(results)}", flush=True)
    lift_floors = {} if hard else {"lifted": LIFTED_FLOORS.get(hand, 0.0), "top half": TOP_FLOOR}
    floors = FLOORS | lift_floors
    return [f"{hand}: {name} {row[name]:.3f} < {floor:g}" for name, floor in floors.items() if not row[name] >= floor]


def cost_misses(hand: str, results: Sequence[PoseResult]) -> list[str]:
    """Return what misses the ceiling of the cost."""
    cost = means(results)["cpu ms"]
    return [] if cost <= COST_CEILING else [f"{hand}: cpu ms {cost:.1f} > {COST_CEILING:g}"]


def pair_misses(results: Sequence[PoseResult]) -> list[str]:
    """Print how many hands, objects and rest poses have a usable grasp; return what misses the floor."""
    share = float(np.mean([result.columns["usable"].any() for result in results]))
    print(f"\nhands, objects and rest poses with a usable grasp: {share:.4f} of {len(results)}", flush=True)
    return [] if share >= PAIR_FLOOR else [f"with a usable grasp {share:.4f} < {PAIR_FLOOR:g}"]


def check_misses(results: Sequence[PoseResult]) -> list[str]:
    """Print what the independent check found; return what misses the floor."""
    checked = [(result, row, faults) for result in results for row, faults in result.checked.items()]
    if not checked:
        return ["no usable grasp to check"]
    passed = sum(not faults for _, _, faults in checked)
    print(f"\nindependent check of the way: {passed} of {len(checked)} pass, {passed / len(checked):.4f}")
    for result, row, faults in checked:
        if faults:
            print(f"  {result.hand} {result.label} pose {result.pose} grasp {row}: {'; '.join(faults)}", flush=True)
    share = passed / len(checked)
    return [] if share >= CHECK_FLOOR else [f"independent check {share:.4f} < {CHECK_FLOOR:g}"]


def print_free(hand: str, results: Sequence[PoseResult]) -> None:
    """Print how grasps of the floating object fare on the table."""
    usable = joined(results, "usable")
    cost = 1e3 * _ratio(sum(result.cpu for result in results), usable.sum())
    clear = f"{joined(results, 'clear').mean():.3f} clear in the grasp, {usable.mean():.3f} on the way, too"
    print(f"{hand:8s} floating grasps carried over to the table: {clear}; {cost:.0f} ms for one of these", flush=True)


class CsvFile:
    """One row per grasp that was asked for, written as results come in."""

    def __init__(self, file: TextIO) -> None:
        """Start with an open file."""
        self._file, self._writer = file, csv.writer(file)
        self._names: list[str] = []

    def add(self, result: PoseResult) -> None:
        """Write the grasps of a rest pose."""
        if not self._names:
            self._names = list(result.columns)
            texts = ("status", "rejected", "lift_failure")
            place = ("hand", "object", "pose", "height_m", "cpu_s_each", "grasp")
            self._writer.writerow([*place, *self._names, *texts, "checked"])
        for row in range(len(result.status)):
            values = [_plain(result.columns[name][row]) for name in self._names]
            texts = [getattr(result, name)[row] for name in _CSV_TEXTS]
            checked = "; ".join(result.checked[row]) or "passed" if row in result.checked else ""
            place = [result.hand, result.label, result.pose, f"{result.height:.4f}"]
            place += [f"{result.cpu / len(result.status):.5f}", row]
            self._writer.writerow([*place, *values, *texts, checked])
        self._file.flush()


def _plain(value: np.generic) -> str:
    return f"{value:.6g}" if np.issubdtype(value.dtype, np.floating) else str(int(value))


def _height_range(lower: float, upper: float) -> str:
    if lower == 0.0:
        return f"below {1e2 * upper:g} cm"
    return f"{1e2 * lower:g} cm and more" if np.isinf(upper) else f"{1e2 * lower:g} to {1e2 * upper:g} cm"


def _cells(values) -> str:
    return "".join(f"{value:>10s}" if isinstance(value, str) else f"{value:10.3g}" for value in values)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in counts.most_common())


def _without_numbers(counts: Counter[str]) -> Counter[str]:
    """Join reasons that differ after a colon only, and leave out what is no failure."""
    result: Counter[str] = Counter()
    for reason, count in counts.items():
        if reason not in ("", "ok"):
            result[reason.partition(":")[0]] += count
    return result


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else np.nan


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan
