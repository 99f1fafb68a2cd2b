# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How fast the page of `graspd inspect` answers: while the palm is dragged, after its release, on a large dataset.

    python benchmarks/bench_inspect.py --object MESH --drags 40 --rows 100000 --out inspect_bench

The page's own code is called, without a browser: a browser draws what comes, at its own rate. It fails if an update
while dragging takes over 100 ms or a finished grasp over 250 ms in the median, a formed grasp is worse than its start,
the first view of the large dataset takes over 3 s, or memory grows by over 5 % while 1,000 of its grasps are shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.inspection.reoptimization import ranking_scores
from omni_graspd.quiet_warp import start_warp
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.grasp import join_batches
from omni_graspd.viewer.inspection_page import InspectionPage
from omni_graspd.viewer.serve import page_server


def main() -> int:
    """Measure, print, and say what is too slow or wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--object", default="mug", help="built-in name or mesh")
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--drags", type=int, default=40)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("inspect_bench"))
    options = parser.parse_args()
    start_warp()
    config = GenerateConfig(
        hand=(options.hand,), object=(options.object,), grasps=16, scenes=0, around="nothing", out=options.out / "set"
    )
    asyncio.run(generate(config))
    result = _drags(options.out / "set", options.drags) | _large(
        options.out / "set", options.out / "large", options.rows
    )
    print(json.dumps(result, indent=1))
    limits = {
        "drag_update_ms": 100.0,
        "release_to_finished_ms": 250.0,
        "worse": 0,
        "first_view_s": 3.0,
        "memory_growth_percent": 5.0,
    }
    faults = [name for name, limit in limits.items() if not result[name] <= limit]
    print("; ".join(faults) or "passed")
    return len(faults)


def _drags(root: Path, count: int) -> dict[str, float]:
    session = Inspection(root)
    updates, finished, worse = [], [], 0
    with page_server(8300, "bench") as (server, _):
        page = InspectionPage(server, session)

        def run(work):
            return asyncio.run_coroutine_threadsafe(work, server.get_event_loop()).result()

        run(page.show_selected())
        run(session.prepare())
        random = random_generator(0, "drags")
        for number in range(count + 1):
            session.select(number % session.catalog.count)
            pose = session.grasp.T_object_palm.copy()
            goal = pose[:3] + random.uniform(-0.04, 0.04, 3)
            for share in np.linspace(0.1, 1.0, 10):
                moved = pose.copy()
                moved[:3] = (1.0 - share) * pose[:3] + share * goal
                begin = time.perf_counter()
                run(page.form.drag_to(moved))
                updates.append(time.perf_counter() - begin)
            start = session.posture
            begin = time.perf_counter()
            run(page.form.form_anew(moved))
            finished.append(time.perf_counter() - begin)
            scores = ranking_scores(
                session.hand, session.object, moved[None], start.joint_positions[None], session.synthesis
            )
            worse += bool(session.posture.score > scores[0] + 1e-9)
    faces = len(session.object.mesh.faces)
    session.close()
    return {
        "faces": faces,
        "drag_update_ms": round(1e3 * float(np.median(updates[10:])), 1),
        "drag_updates_per_s": round(1.0 / float(np.median(updates[10:])), 1),
        "release_to_finished_ms": round(1e3 * float(np.median(finished[1:])), 1),
        "release_to_finished_p95_ms": round(1e3 * float(np.percentile(finished[1:], 95)), 1),
        "worse": worse,
    }


def _large(small: Path, root: Path, rows: int) -> dict[str, float]:
    """Open and browse a dataset whose table is the small one's, many times over."""
    import shutil

    if not root.exists():
        shutil.copytree(small, root)
        name = next(iter(Inspection(small).catalog.tables))
        path = DatasetLayout(root).grasps(name.hand, name.object)
        table = read_grasps(path)
        times = rows // len(table.indices)
        many = replace(
            table,
            indices=np.arange(times * len(table.indices), dtype=np.int32),
            grasps=join_batches([table.grasps] * times),
            metrics={name: np.tile(values, times) for name, values in table.metrics.items()},
        )
        write_grasps(many, path)
    begin = time.perf_counter()
    session = Inspection(root)
    with page_server(8310, "bench") as (server, _):
        page = InspectionPage(server, session)

        def run(work):
            return asyncio.run_coroutine_threadsafe(work, server.get_event_loop()).result()

        shown = asyncio.run_coroutine_threadsafe(page.show_selected(), server.get_event_loop())
        while page.scene.posture is None and not shown.done():
            time.sleep(0.002)
        first = time.perf_counter() - begin
        shown.result()
        measured = time.perf_counter() - begin
        rows_shown = np.linspace(0, session.catalog.count - 1, 1100).astype(int)
        memory = []
        for number, row in enumerate(rows_shown):
            session.select(int(row))
            run(page.show_selected())
            if number in (100, 1099):
                memory.append(_memory())
    session.close()
    return {
        "rows": rows,
        "first_view_s": round(first, 2),
        "first_contacts_s": round(measured, 2),
        "memory_mb": memory[-1],
        "memory_growth_percent": round(100.0 * (memory[1] / memory[0] - 1.0), 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _memory() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024.0
    return float("nan")


if __name__ == "__main__":
    sys.exit(main())
