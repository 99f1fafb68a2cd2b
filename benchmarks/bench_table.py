# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps of objects on a table: cost, share that can be carried out, share that lifts; exits with 1 below a floor.

    python benchmarks/bench_table.py [--objects DIR] [--only NAME ...] [--hands NAME ...] [--poses 3] [--grasps 16]
        [--seed 0] [--workers 2] [--hard] [--quality] [--physx] [--check 200] [--free] [--csv FILE] [--no-cost-floor]
    python benchmarks/bench_table.py --ablation
    python benchmarks/bench_table.py --two-cores

Objects are dropped with PhysX, and grasped in their most frequent rest poses. Every grasp that was asked for counts.
``cpu ms`` is CPU time per usable grasp in one thread, hand, object and kernels prepared; it means something only with
nothing else at work. ``first`` is the share that was usable at once, ``lifted`` that of the usable grasps which lift
the object in MuJoCo by the protocol of DexGraspBench, ``top half`` the same among the better half of each rest pose by
score, ``r escape`` and ``r balance`` the rank correlations of two scores with lifting. A line ends with the reasons of
failed tries, and after the bar with those of failed lifts.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from mujoco_lift import DEXGRASPBENCH
from table_cases import TableCase, find_case, object_sources
from table_cores import WAYS, wall_seconds
from table_jobs import run_jobs
from table_pair import PairOptions, PoseResult, measure_free, measure_pair
from table_report import (
    LIFTED_FLOORS,
    CsvFile,
    check_misses,
    cost_misses,
    means,
    pair_misses,
    print_free,
    print_hand,
    print_header,
    print_pose,
)
from table_variants import OBJECTS, variants

from omni_graspd.quiet_warp import start_warp

DROPS = 16
"""Drops of each object."""


def find_cases(sources: list[str], options: argparse.Namespace) -> tuple[list[TableCase], list[str]]:
    """Return the objects as they lie, and what failed."""
    jobs = [(source, options.poses, DROPS, options.seed) for source in sources]
    found, misses = {}, []
    for job, case, error in run_jobs(find_case, jobs, options.workers):
        if error:
            misses.append(_failed(job[0], error))
        else:
            found[job[0]] = case
    return [found[source] for source in sources if source in found], misses


def measure(
    cases: list[TableCase], options: argparse.Namespace, pair: PairOptions
) -> tuple[list[PoseResult], list[str]]:
    """Measure all pairs of hand and object, printing as they are done; returns the results and what failed."""
    places = [(hand, case) for hand in options.hands for case in cases]
    shares = [len(part) for part in np.array_split(np.arange(options.check), len(places))]
    jobs = [(*place, pair, share) for place, share in zip(places, shares, strict=True)]
    results, misses = [], []
    with _csv_file(options.csv) as table:
        for job, found, error in run_jobs(measure_pair, jobs, options.workers):
            if error:
                misses.append(_failed(f"{job[0]} {job[1].label}", error))
                continue
            for result in found:
                if not results:
                    print_header(list(means([result])))
                results.append(result)
                print_pose(result)
                if table:
                    table.add(result)
    order = {(hand, case.label): number for number, (hand, case) in enumerate(places)}
    return sorted(results, key=lambda result: (order[result.hand, result.label], result.pose)), misses


def report(results: list[PoseResult], options: argparse.Namespace) -> list[str]:
    """Print the means; return what misses its floor."""
    misses = []
    for hand in options.hands:
        own = [result for result in results if result.hand == hand]
        if own:
            misses += print_hand(hand, own, hard=options.hard)
            misses += cost_misses(hand, own) if options.cost_floor else []
    if results:
        misses += pair_misses(results)
        misses += check_misses(results) if options.check else []
    return misses


def report_free(cases: list[TableCase], options: argparse.Namespace, pair: PairOptions) -> list[str]:
    """Print how grasps of floating objects fare; return what failed."""
    results, misses = [], []
    jobs = [(hand, case, pair) for hand in options.hands for case in cases]
    for job, found, error in run_jobs(measure_free, jobs, options.workers):
        misses += [_failed(f"{job[0]} {job[1].label}", error)] if error else []
        results += found or []
    print()
    for hand in options.hands:
        own = [result for result in results if result.hand == hand]
        if own:
            print_free(hand, own)
    return misses


def ablation(cases: list[TableCase], options: argparse.Namespace, pair: PairOptions) -> list[str]:
    """Print a Markdown table of the variants; return what failed."""
    misses: list[str] = []
    names = ("cpu ms", "first", "usable", "tries", "lifted", "top half")
    print("| variant | hand | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 2) + "|", flush=True)
    for variant, config in variants(pair.config).items():
        changed = replace(pair, config=config)
        jobs = [(hand, case, changed) for hand in options.hands for case in cases]
        results: list[PoseResult] = []
        for job, found, error in run_jobs(measure_pair, jobs, options.workers):
            misses += [_failed(f"{variant}: {job[0]} {job[1].label}", error)] if error else []
            results += found or []
        for hand in options.hands:
            own = [result for result in results if result.hand == hand]
            if own:
                row = means(own)
                cells = " | ".join(f"{row[name]:.3g}" for name in names)
                print(f"| {variant} | {hand} | {cells} |", flush=True)
    return misses


def two_cores(case: TableCase, options: argparse.Namespace, pair: PairOptions) -> list[str]:
    """Print the wall time of a grasp by how two cores share the work."""
    start_warp()
    print(f"{case.label}, {pair.grasps} grasps: wall time of each, and how much faster than one thread")
    for hand in options.hands:
        seconds = wall_seconds(hand, case, pair)
        cells = [
            f"{way} {1e3 * value / pair.grasps:.1f} ms (x {seconds[0] / value:.2f})"
            for way, value in zip(WAYS, seconds, strict=True)
        ]
        print(f"{hand:8s} " + "; ".join(cells), flush=True)
    return []


@contextlib.contextmanager
def _csv_file(path: Path | None) -> Iterator[CsvFile | None]:
    if path is None:
        yield None
        return
    with path.open("w", newline="") as file:
        yield CsvFile(file)


def _failed(what: str, error: str) -> str:
    miss = f"{what} failed: {error}"
    print(miss, flush=True)
    return miss


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=Path, default=None, help="folder of meshes to take, too")
    parser.add_argument("--only", nargs="*", default=[], help="take objects whose name or path holds one of these")
    parser.add_argument("--hands", nargs="*", default=list(LIFTED_FLOORS))
    parser.add_argument("--poses", type=int, default=3, help="rest poses of each object at most")
    parser.add_argument("--grasps", type=int, default=16, help="grasps in each rest pose")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes that share hands and objects")
    parser.add_argument("--hard", action="store_true", help="lift with half the friction; no floors on lifts")
    parser.add_argument("--quality", action="store_true", help="contact area, epsilon, intersection volume; slow")
    parser.add_argument("--physx", action="store_true", help="lift in PhysX, too")
    parser.add_argument("--check", type=int, default=0, help="check the way of so many usable grasps with trimesh")
    parser.add_argument("--free", action="store_true", help="see how grasps of the floating objects fare, too")
    parser.add_argument("--csv", type=Path, default=None, help="write one row per grasp")
    parser.add_argument("--no-cost-floor", dest="cost_floor", action="store_false", help="other work is going on")
    parser.add_argument("--ablation", action="store_true", help="compare variants on a few objects, and nothing else")
    parser.add_argument("--two-cores", action="store_true", help="time threads and processes, and nothing else")
    options = parser.parse_args(arguments)
    if options.physx and importlib.util.find_spec("omni_graspd.scenes.grasp_tests.lift") is None:
        parser.error("expected omni_graspd.scenes.grasp_tests.lift for --physx, found none; leave --physx out")
    if options.ablation:
        options.only, options.poses = options.only or list(OBJECTS), min(options.poses, 1)
    if options.two_cores:
        options.only, options.poses = options.only or ["soup_can"], 1
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _read_options(arguments)
    sources = object_sources(options.objects, options.only)
    cases, misses = find_cases(sources, options)
    pair = PairOptions(
        grasps=options.grasps,
        seed=options.seed,
        protocol=DEXGRASPBENCH.hard() if options.hard else DEXGRASPBENCH,
        lift_threads=1 if options.workers > 1 else 2,
        quality=options.quality,
        physx=options.physx,
    )
    if not cases:
        misses.append("no objects to grasp")
    elif options.two_cores:
        misses += two_cores(cases[0], options, pair)
    elif options.ablation:
        misses += ablation(cases, options, pair)
    else:
        results, failed = measure(cases, options, pair)
        misses += failed + report(results, options)
        misses += report_free(cases, options, pair) if options.free else []
    if misses:
        print("\nmissed: " + "; ".join(misses))
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
