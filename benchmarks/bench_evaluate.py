# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluate, report and open large tables: time and memory, ten times the rows against a tenth; exits with 1 if uneven.

    python benchmarks/bench_evaluate.py [--rows 10000 100000] [--out DIR]

A small dataset is made, and the rows of its one table repeated. What ``graspd evaluate`` would measure for hours is put
in place beforehand, all but one quick metric: what is timed is the reading, the chunks and the writing.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tyro

import omni_graspd as gd
from omni_graspd.dataset.checksums import update_checksums
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings, evaluation_columns
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.inspection.report import ReportConfig, write_report
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.rendering.frame import RenderConfig

MEASURED = "joint_limit_margin"
"""The metric that is left to be measured."""
MOST = 1.5
"""How many times as much a row may cost in the large table as in the small one."""
_SETTINGS = EvaluationSettings(thresholds=(), hold_test=False)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to time."""

    rows: tuple[int, int] = (10_000, 100_000)
    """Rows of the two tables."""
    hand: str = "barrett"
    """Hand."""
    out: Path | None = None
    """Where the datasets are kept; by default nowhere."""
    only: str = ""
    """What to time alone, for a process of its own: evaluate, report or open."""


def make_small(root: Path, hand: str) -> None:
    """Make a dataset of 32 grasps of a box on a table, with one small picture."""
    config = GenerateConfig(
        hand=(hand,),
        object=("card_box",),
        grasps=32,
        scenes=1,
        out=root,
        camera=CameraConfig(views=1, width=32, height=24, stereo=False),
        render=RenderConfig(samples_per_pixel=1, denoise=False),
    )
    asyncio.run(generate(config))


def repeat_rows(source: Path, root: Path, hand: str, count: int) -> None:
    """Copy a dataset with its table's rows repeated until there are so many, and all metrics but one in place."""
    shutil.copytree(source, root)
    path = DatasetLayout(root).grasps(hand, "card_box")
    table = read_grasps(path)
    rows = np.arange(count) % len(table.indices)
    large = replace(table.take(rows), indices=np.arange(count, dtype=np.int32), rest_poses=np.zeros(count, np.int32))
    names = [name for name in evaluation_columns(_SETTINGS) if name != MEASURED and name not in large.metrics]
    random = np.random.default_rng(0)
    write_grasps(replace(large, metrics=large.metrics | {name: random.random(count) for name in names}), path)
    (root / "checksums.parquet").unlink()
    update_checksums(root)


def timed(work: str, root: Path, hand: str) -> tuple[float, float]:
    """Do one thing with a dataset in this process; return its CPU time [s] and the process's peak memory [MB]."""
    begin = time.process_time()
    if work == "evaluate":
        evaluate_dataset(root, _SETTINGS, workers=1)
    elif work == "report":
        write_report([root], ReportConfig(out=root.with_name(f"{root.name}_report"), pictures=0))
    else:
        gd.open(root).to_pandas(hand)
    return time.process_time() - begin, _peak_memory()


def _peak_memory() -> float:
    """Return the most memory that this process has had [MB]; Linux only: what getrusage says includes its parent."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def main(options: Options) -> int:
    """Time all, and print a line for each; return how many grow faster than the rows."""
    if options.only:
        assert options.out is not None
        print(*timed(options.only, options.out, options.hand))
        return 0
    faults = 0
    with tempfile.TemporaryDirectory(prefix="graspd-") as folder:
        out = options.out or Path(folder)
        make_small(out / "small", options.hand)
        roots = [out / f"rows_{count}" for count in options.rows]
        for root, count in zip(roots, options.rows, strict=True):
            repeat_rows(out / "small", root, options.hand, count)
        for work in ("evaluate", "report", "open"):
            found = [_apart(work, root, options.hand) for root in roots]
            costs = [1e6 * seconds / count for (seconds, _), count in zip(found, options.rows, strict=True)]
            for (seconds, memory), count, cost in zip(found, options.rows, costs, strict=True):
                print(
                    f"{work}: {count} rows in {seconds:.1f} s CPU, {cost:.0f} µs a row, peak {memory:.0f} MB",
                    flush=True,
                )
            faults += costs[1] > MOST * costs[0]
    return faults


def _apart(work: str, root: Path, hand: str) -> tuple[float, float]:
    """Time in a process of its own, whose peak memory is that of this work."""
    command = [sys.executable, __file__, "--only", work, "--out", str(root), "--hand", hand]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(said[-2]), float(said[-1])


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
