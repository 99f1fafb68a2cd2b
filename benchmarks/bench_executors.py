# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The same grasps by worker processes and by Ray on this machine: same bytes, and how their rates compare.

    python benchmarks/bench_executors.py --grasps 3840 --out executors

It fails if the tables differ or Ray makes under 0.9 times as many grasps per second, starting included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from omni_graspd.dataset.config import ExecutorName, GenerateConfig
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.stages.synthesize_stage import synthesize_stage
from omni_graspd.quiet_warp import start_warp


def main() -> int:
    """Run both, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--object", default="mug", help="built-in name or mesh")
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--grasps", type=int, default=3840)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("executors"))
    options = parser.parse_args()
    start_warp()
    config = GenerateConfig(
        hand=(options.hand,),
        object=(options.object,),
        around="nothing",
        grasps=options.grasps,
        workers=options.workers,
    )
    rates, tables = {}, {}
    executors: tuple[ExecutorName, ...] = ("local", "ray")
    for executor in executors:
        out = options.out / executor
        with open_run(replace(config, executor=executor, out=out)) as run:
            begin = time.perf_counter()
            asyncio.run(synthesize_stage(run))
            rates[executor] = options.grasps / (time.perf_counter() - begin)
            tables[executor] = DatasetLayout(out).grasps(run.hands[0].name, run.objects[0].name).read_bytes()
    ratio = rates["ray"] / rates["local"]
    print(json.dumps({name: round(rate, 2) for name, rate in rates.items()} | {"ray_to_local": round(ratio, 3)}))
    faults = [] if tables["ray"] == tables["local"] else ["the tables differ"]
    faults += [] if ratio >= 0.9 else ["Ray is slower than 0.9 times local"]
    print("; ".join(faults) or "passed")
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
