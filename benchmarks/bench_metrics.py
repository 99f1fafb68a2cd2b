# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Cost and memory of all analytic metrics at one threshold; exits with 1 when they are wrong, too slow or grow.

    python benchmarks/bench_metrics.py [--object FILE] [--hand allegro] [--grasps 1000] [--seconds 60]

Measured as ``graspd evaluate --no-hold-test --thresholds 0.005`` does it, on all cores: contact area, facing area,
epsilon, volume, closure and depth at 5 mm, intersection volume, self-penetration, joint margins. Memory is the largest
resident size of a process after a tenth of the grasps and at the end. ``hulls`` is the time of the convex hulls alone
on one core, the least that epsilon needs; the ratio to it does not depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings
from omni_graspd.dataset.evaluation.measured_grasps import read_measured_grasps
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.stages.synthesize_stage import synthesize_stage
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.metrics.force_closure import epsilon_and_volume
from omni_graspd.quiet_warp import start_warp
from omni_graspd.synthesis.presets import synthesis_preset

_GROWTH = 1.10
"""Largest resident size at the end over that after a tenth of the grasps."""


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--object", default="mug", help="mesh file or name of an object")
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--grasps", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0, help="longest time for all grasps on all cores")
    options = parser.parse_args()
    start_warp()
    settings = EvaluationSettings(thresholds=(0.005,), hold_test=False)
    with tempfile.TemporaryDirectory() as folder:
        whole, tenth = Path(folder) / "whole", Path(folder) / "tenth"
        table = _make(whole, options)
        shutil.copytree(whole, tenth)
        _keep(tenth, table, options.grasps // 10)
        evaluate_dataset(tenth, settings, start_worker=start_warp)
        early = _largest_megabytes()
        begin = time.perf_counter()
        evaluate_dataset(whole, settings, start_worker=start_warp)
        seconds = time.perf_counter() - begin
        late = _largest_megabytes()
        wrong = _wrong(whole, tenth)
    hulls = options.grasps * _hull_seconds()
    print(
        f"{options.grasps} grasps of {options.object} by {options.hand}: {seconds:.1f} s, {seconds / hulls:.2f} x hulls"
    )
    print(f"largest process: {early:.0f} MB after a tenth, {late:.0f} MB at the end")
    misses = wrong
    misses += [f"{seconds:.1f} s > {options.seconds:g} s"] if seconds > options.seconds else []
    misses += [f"memory grows by {late / early:.2f}"] if late > _GROWTH * early else []
    print("missed: " + "; ".join(misses) if misses else "all met")
    return 1 if misses else 0


def _make(root: Path, options: argparse.Namespace) -> str:
    """Synthesize the grasps, and take away what the synthesis measured; return the object's name."""
    config = GenerateConfig(
        hand=(options.hand,),
        object=(options.object,),
        grasps=options.grasps,
        scenes=0,
        around="nothing",
        out=root,
        synthesis=synthesis_preset("fast"),
    )
    with open_run(config) as run:
        asyncio.run(synthesize_stage(run))
        (obj,) = run.objects
    path = DatasetLayout(root).grasps(options.hand, obj.name)
    table = read_grasps(path)
    table.metrics.clear()
    write_grasps(table, path)
    return str(path.relative_to(root))


def _keep(root: Path, table: str, count: int) -> None:
    """Cut a table short; the reading side of the dataset is files only."""
    import pyarrow.parquet as pq

    rows = pq.ParquetFile(root / table).read().slice(0, count)
    pq.write_table(rows, root / table, compression="zstd")


def _largest_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024.0


def _wrong(whole: Path, tenth: Path) -> list[str]:
    """Say which columns depend on how many grasps are measured, or are not finite."""
    (all_rows,), (first_rows,) = read_measured_grasps(whole), read_measured_grasps(tenth)
    count, wrong = len(first_rows.table.indices), []
    for name, values in first_rows.table.metrics.items():
        if not np.array_equal(values, all_rows.table.metrics[name][:count], equal_nan=True):
            wrong.append(f"{name} depends on the number of grasps")
        if not np.isfinite(np.asarray(all_rows.table.metrics[name], dtype=float)[all_rows.ok]).all():
            wrong.append(f"{name} is not finite")
    return wrong


def _hull_seconds(count: int = 50) -> float:
    """Return CPU seconds of one convex hull of 28 contacts with 6 edges each, spread over a ball."""
    random = np.random.default_rng(0)
    sets = random.normal(size=(count, 168, 6))
    sets /= np.linalg.norm(sets, axis=-1, keepdims=True)
    begin = time.process_time()
    for wrenches in sets:
        epsilon_and_volume(wrenches)
    return (time.process_time() - begin) / count


if __name__ == "__main__":
    sys.exit(main())
