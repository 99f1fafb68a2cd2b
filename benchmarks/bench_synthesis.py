# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Cost and quality of grasp synthesis, nothing filtered; exits with 1 when a floor is missed.

    python benchmarks/bench_synthesis.py [--objects DIR] [--only NAME ...] [--hands NAME ...] [--grasps 32]
        [--preset NAME] [--repeats 3] [--no-quality] [--plain-loop]

Cost is CPU time per grasp on one core, objects and hands prepared; ``ratio`` is that against raw distance queries of
the same run, one per hand point and step; ``x cores`` is how much faster all cores are. One core and all cores take
turns, and the best of ``--repeats`` counts, since other work on the machine only ever adds time. Quality is measured by
code that knows nothing of the optimiser: trimesh and manifold3d, the convex hull of wrenches, PhysX.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

import numpy as np
from query_baseline import plain_loop_seconds, point_steps, raw_query_seconds
from synthesis_quality import COLUMNS, collision_pieces, measure_quality

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.library import list_names
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.presets import PRESETS
from omni_graspd.synthesis.synthesizer import synthesize

FLOORS = {
    "allegro": {"CA cm2": 66.0, "eps": 0.21, "hold": 0.60},
    "shadow": {"CA cm2": 52.0, "eps": 0.12, "hold": 0.45},
    "barrett": {"CA cm2": 50.0, "eps": 0.18, "hold": 0.45},
}
"""Least mean over the objects, in the default preset."""
CEILINGS = {"IV cm3": 1.5, "self cm2": 3.0, "ratio": 0.08}
"""Largest mean over the objects, in the default preset."""
TOP_COUNT = 10


def mesh_files(folder: Path | None, only: list[str]) -> list[str]:
    """Return the mesh files below a folder whose path holds one of ``only``, or the built-in objects."""
    if folder is None:
        return list_names("objects")
    files = sorted(str(p) for p in folder.rglob("*") if p.suffix in {".ply", ".obj", ".stl", ".glb"})
    return [file for file in files if not only or any(name in file for name in only)]


def run(hand: Hand, obj: RigidObject, config: SynthesisConfig, count: int, threads: int) -> GraspBatch:
    """Return a batch."""
    return asyncio.run(synthesize(hand, obj, range(count), config, seed=0, threads=threads))


def seconds_each(hand: Hand, obj: RigidObject, config: SynthesisConfig, count: int, repeats: int) -> np.ndarray:
    """Return the least CPU time and wall time of a grasp on one core, and wall time on all cores [s]."""
    times = []
    for _ in range(repeats):
        cpu, start = time.process_time(), time.perf_counter()
        run(hand, obj, config, count, 1)
        one = time.process_time() - cpu, time.perf_counter() - start
        start = time.perf_counter()
        run(hand, obj, config, count, os.cpu_count() or 1)
        times.append((*one, time.perf_counter() - start))
    return np.min(times, axis=0) / count


def bench_object(hand: Hand, obj: RigidObject, options: argparse.Namespace) -> dict[str, np.ndarray]:
    """Return one object's columns; those of quality hold a number per grasp."""
    config = PRESETS[options.preset]
    batch = run(hand, obj, config, options.grasps, 1)  # compiles kernels, prepares hand and object
    seconds, one_core, all_cores = seconds_each(hand, obj, config, options.grasps, options.repeats)
    row = {
        "cpu ms": np.array([1e3 * seconds]),
        "ratio": np.array([seconds / (point_steps(config) * raw_query_seconds(obj))]),
        "1/s all": np.array([1.0 / all_cores]),
        "x cores": np.array([one_core / all_cores]),
        "ok": np.array([status == "ok" for status in batch.status], dtype=float),
    }
    if options.plain_loop:
        row["plain"] = np.array([plain_loop_seconds(obj, config) / seconds])
        row["paper"] = np.array([seconds_each(hand, obj, PRESETS["paper"], 2, 1)[0] / seconds])
    if options.quality:
        row |= measure_quality(hand, obj, batch, options.pieces[obj.name])
    return row


def bench_hand(hand: Hand, objects: list[RigidObject], options: argparse.Namespace) -> list[str]:
    """Print one line per object and the means; return what misses its floor or ceiling."""
    rows = []
    for obj in objects:
        rows.append(bench_object(hand, obj, options))
        if len(rows) == 1:
            print(f"{hand.name + ', ' + options.preset:28s}" + "".join(f"{name:>9s}" for name in rows[0]))
        _print(obj.name, {name: values.mean() for name, values in rows[-1].items()})
    mean = {name: float(np.mean([row[name].mean() for row in rows])) for name in rows[0]}
    _print("mean, all grasps", mean)
    if "eps" in mean:
        best = [np.argsort(-row["eps"], kind="stable")[:TOP_COUNT] for row in rows]
        tops = {n: np.mean([row[n][top].mean() for row, top in zip(rows, best, strict=True)]) for n in COLUMNS}
        _print(f"mean, top {TOP_COUNT} by eps", {name: tops.get(name, np.nan) for name in mean})
        ranks = {name: _rank_correlation(rows, name) for name in COLUMNS if name not in ("hold", "SD cm")}
        _print("rank correlation with hold", {name: ranks.get(name, np.nan) for name in mean})
    if options.preset != "default":
        return []
    misses = [f"{n} {mean[n]:.3g} < {v:g}" for n, v in FLOORS.get(hand.name, {}).items() if mean.get(n, np.inf) < v]
    misses += [f"{name} {mean[name]:.3g} > {value:g}" for name, value in CEILINGS.items() if mean.get(name, 0) > value]
    return [f"{hand.name}: {miss}" for miss in misses]


def _rank_correlation(rows: list[dict[str, np.ndarray]], name: str) -> float:
    """Return Spearman's rank correlation of a column with the held share, over the grasps of all objects."""
    from scipy.stats import spearmanr

    values, held = (np.concatenate([row[column] for row in rows]) for column in (name, "hold"))
    return float(spearmanr(values, held).statistic) if np.ptp(values) > 0.0 and np.ptp(held) > 0.0 else np.nan


def _print(label: str, values: dict[str, float]) -> None:
    print(f"{label:28s}" + "".join(f"{value:9.3g}" for value in values.values()), flush=True)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=Path, default=None, help="folder of meshes; default: the built-in objects")
    parser.add_argument("--only", nargs="*", default=[], help="take files whose path holds one of these")
    parser.add_argument("--hands", nargs="*", default=list(FLOORS))
    parser.add_argument("--grasps", type=int, default=32)
    parser.add_argument("--preset", default="default", choices=list(PRESETS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-quality", dest="quality", action="store_false", help="measure cost only")
    parser.add_argument("--plain-loop", action="store_true", help="time the plain loop and the paper preset, too")
    options = parser.parse_args()
    objects = [load_object(source) for source in mesh_files(options.objects, options.only)]
    options.pieces = {obj.name: collision_pieces(obj) for obj in objects} if options.quality else {}
    misses = [miss for name in options.hands for miss in bench_hand(load_hand(name), objects, options)]
    if misses:
        print("missed: " + "; ".join(misses))
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
