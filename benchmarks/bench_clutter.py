# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps of objects among neighbours on a table; exits with 1 when too few scenes have some.

    python benchmarks/bench_clutter.py [--clutter 5] [--scenes 4] [--grasps 8] [--least 4] [--only NAME ...]
        [--hands NAME ...] [--seed 0] [--workers 2] [--blind]

Each built-in object lies in scenes of its own, with others scattered around it; grasps are made around those within
30 cm. ``usable`` is the share of grasps that were asked for and, as synthesis says, can be carried out; ``clear`` that
of the usable ones which touch no neighbour, measured exactly between meshes at pregrasp, hover, grasp and lift. A scene
counts if at least ``--least`` grasps are both.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np
from clutter_scenes import STATIONS, ClutterScene, SceneResult, find_scenes, measure_scenes
from table_cases import object_sources
from table_jobs import run_jobs

from omni_graspd.synthesis.config import SynthesisConfig

HANDS = ("allegro", "shadow", "barrett")
SCENE_FLOOR = 0.70
"""Least share of the scenes that have grasps enough, for every hand."""


def gather_scenes(options: argparse.Namespace) -> tuple[list[list[ClutterScene]], list[str]]:
    """Return the scenes of each object, and what failed."""
    sources = object_sources(None, [])
    jobs = [
        (source, sources, options.scenes, options.clutter, options.seed)
        for source in object_sources(None, options.only)
    ]
    found, misses = {}, []
    for job, scenes, error in run_jobs(find_scenes, jobs, options.workers):
        if error:
            misses.append(_failed(job[0], error))
        else:
            found[job[0]] = scenes
    return [found[job[0]] for job in jobs if job[0] in found], misses


def print_header() -> None:
    """Print the names of the columns."""
    print("hand     object           scene near   cpu ms   usable    tries    clear  good", flush=True)


def print_scene(result: SceneResult) -> None:
    """Print a scene's line, with the reasons of failed tries and where usable grasps touch a neighbour."""
    count = int(result.usable.sum())
    cost = 1e3 * result.cpu / count if count else np.nan
    clear = result.good.sum() / count if count else np.nan
    values = f"{cost:9.3g}{result.usable.mean():9.3g}{result.tries.mean():9.3g}{clear:9.3g}{result.good.sum():6d}"
    place = f"{result.scene.index:5d} {len(result.scene.neighbours):4d}"
    touched = [name for name, gaps in zip(STATIONS, result.clear.T, strict=True) if (gaps <= 0.0).any()]
    texts = [_counts(result.failures), f"touches at {', '.join(touched)}" if touched else ""]
    tail = " | ".join(text for text in texts if text)
    print(f"{result.hand:8s} {result.scene.source:16s} {place}{values}  {tail}", flush=True)


def print_hand(hand: str, results: Sequence[SceneResult], least: int) -> list[str]:
    """Print the means of a hand; return what misses its floor."""
    usable = np.concatenate([result.usable for result in results])
    good = np.concatenate([result.good for result in results])
    share = float(np.mean([result.good.sum() >= least for result in results]))
    cost = 1e3 * sum(result.cpu for result in results) / max(usable.sum(), 1)
    failures = sum((result.failures for result in results), Counter())
    tries = np.concatenate([result.tries for result in results]).mean()
    print(f"\n{hand}: {share:.3f} of {len(results)} scenes have {least} grasps")
    clear = good.sum() / max(usable.sum(), 1)
    print(f"usable {usable.mean():.3f}, of these clear {clear:.4f}, {cost:.0f} CPU ms each, tries {tries:.2f}")
    print(f"tries that failed: {_counts(failures) or 'none'}", flush=True)
    return [] if share >= SCENE_FLOOR else [f"{hand}: scenes with {least} grasps {share:.3f} < {SCENE_FLOOR:g}"]


def _counts(counts: Counter[str]) -> str:
    joined: Counter[str] = Counter()
    for reason, count in counts.items():
        joined[reason.partition(":")[0]] += count
    return ", ".join(f"{reason} {count}" for reason, count in joined.most_common())


def _failed(what: str, error: str) -> str:
    miss = f"{what} failed: {error}"
    print(miss, flush=True)
    return miss


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clutter", type=int, default=5, help="neighbours in each scene")
    parser.add_argument("--scenes", type=int, default=4, help="scenes of each object")
    parser.add_argument("--grasps", type=int, default=8, help="grasps in each scene")
    parser.add_argument("--least", type=int, default=4, help="grasps that a scene needs")
    parser.add_argument("--only", nargs="*", default=[], help="take objects whose name holds one of these")
    parser.add_argument("--hands", nargs="*", default=list(HANDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes that share hands and objects")
    parser.add_argument("--blind", action="store_true", help="make grasps as if there were no neighbours, to compare")
    options = parser.parse_args(arguments)
    scenes, misses = gather_scenes(options)
    config = SynthesisConfig()
    asked = options.grasps, config, options.seed, options.blind
    jobs = [(hand, part, *asked) for hand in options.hands for part in scenes]
    results: list[SceneResult] = []
    print_header()
    for job, found, error in run_jobs(measure_scenes, jobs, options.workers):
        misses += [_failed(f"{job[0]} {job[1][0].source}", error)] if error else []
        results += found or []
        for result in found or []:
            print_scene(result)
    for hand in options.hands:
        own = [result for result in results if result.hand == hand]
        if own:
            misses += print_hand(hand, own, options.least)
    if misses or not results:
        print("\nmissed: " + ("; ".join(misses) or "no scenes"))
    return 1 if misses or not results else 0


if __name__ == "__main__":
    sys.exit(main())
