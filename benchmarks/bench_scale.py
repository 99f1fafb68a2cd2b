# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a large run costs: usable grasps per second and core, memory and disk, against a small run on the same machine.

    python benchmarks/bench_scale.py --objects DIR --total 100000 --small 8 --out scale

drops every object twice and makes ``--small`` grasps for each hand and rest pose, then as many as it takes for
``--total``, through ``graspd synthesize``. A run that was stopped goes on, but memory is then known only from there on.
It fails if memory grows after the first tenth by more than 5 %, if a grasp costs over 10 % more processor time in the
large run than in the small one, or if the dataset does not pass ``graspd verify``. Linux only: memory is read from
``/proc``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from omni_graspd.dataset.execution.shards import ShardReport, read_reports

_SAMPLE_SECONDS = 2.0
_MORE_MEMORY, _MORE_TIME = 1.05, 1.10


def main() -> int:
    """Run both, print what they took, and say what is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=Path, required=True, help="folder of meshes")
    parser.add_argument("--hand", nargs="+", default=["allegro", "barrett", "shadow"])
    parser.add_argument("--total", type=int, default=100_000, help="grasps of the large run")
    parser.add_argument("--small", type=int, default=8, help="grasps for each hand and rest pose of the small run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("scale"))
    options = parser.parse_args()
    meshes = sorted(path for path in options.objects.rglob("*") if path.suffix in (".ply", ".obj"))
    small = _measure(options.out / "small", meshes, options.small, options)
    each = -(-options.total * options.small // small["grasps"])
    large = _measure(options.out / "large", meshes, each, options)
    print(json.dumps({"objects": len(meshes), "each": each, "small": small, "large": large}, indent=1))
    faults = []
    if large["memory_end_mb"] > _MORE_MEMORY * large["memory_tenth_mb"]:
        faults.append("memory grows")
    ratio = large["cpu_ms_per_grasp"] / small["cpu_ms_per_grasp"]
    print(f"processor time per grasp, large to small: {ratio:.3f}")
    if ratio > _MORE_TIME:
        faults.append("a grasp costs more in the large run")
    if subprocess.run([*_GRASPD, "verify", str(options.out / "large")], check=False).returncode:
        faults.append("the dataset does not pass graspd verify")
    print("; ".join(faults) or "passed")
    return len(faults)


_GRASPD = (sys.executable, "-m", "omni_graspd")


def _measure(out: Path, meshes: list[Path], grasps: int, options: argparse.Namespace) -> dict[str, Any]:
    command = [*_GRASPD, "synthesize", "--grasps", str(grasps), "--scenes", "2", "--workers", str(options.workers)]
    for hand in options.hand:
        command += ["--hand", hand]
    for mesh in meshes:
        command += ["--object", str(mesh)]
    out.parent.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    process = subprocess.Popen([*command, "--out", str(out)])
    samples = []
    while process.poll() is None:
        samples.append((_synthesis_seconds(out), _tree_memory(process.pid)))
        time.sleep(_SAMPLE_SECONDS)
    wall = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"graspd synthesize failed with {process.returncode}")
    (out.parent / f"{out.name}_memory.json").write_text(json.dumps(samples))
    reports = [report for report in read_reports(out / "shards.jsonl") if report.shard.stage == "synthesize"]
    whole = sum(report.seconds for report in reports)
    # By the work that is done, not by the clock: drops come before it.
    during = [memory for done, memory in samples if 0.0 < done < whole]
    first = [memory for done, memory in samples if 0.0 < done < 0.1 * whole]
    tables = sorted((out / "grasps").rglob("*.parquet"))
    usable = [pc.sum(pq.read_table(path, columns=["usable"])["usable"]).as_py() for path in tables]
    count = sum(pq.read_metadata(path).num_rows for path in tables)
    cpu = sum(report.cpu_seconds for report in reports)
    return {
        "grasps": count,
        "usable": sum(usable),
        "pairs_without_usable": sum(not number for number in usable),
        "wall_s": round(wall, 1),
        "usable_per_core_s": round(sum(usable) / cpu, 2),
        "cpu_ms_per_grasp": round(1e3 * _steady_cost(reports), 2),
        "cpu_ms_per_usable": round(1e3 * cpu / max(1, sum(usable)), 2),
        "memory_tenth_mb": max(first, default=0),
        "memory_end_mb": max(during, default=0),
        "memory_mean_by_tenth_mb": _means(samples, whole),
        "peak_memory_mb": max((memory for _, memory in samples), default=0),
        "disk_mb": round(sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 2**20, 1),
        "grasp_table_bytes_per_grasp": round(sum(path.stat().st_size for path in tables) / count, 1),
    }


def _means(samples: list[tuple[float, int]], whole: float) -> list[int]:
    """Return the mean memory in each tenth of the work [MB]: whether it grows, whatever its peaks are."""
    tenths: list[list[int]] = [[] for _ in range(10)]
    for done, memory in samples:
        if 0.0 < done < whole:
            tenths[int(10 * done / whole)].append(memory)
    return [round(sum(tenth) / max(1, len(tenth))) for tenth in tenths]


def _synthesis_seconds(out: Path) -> float:
    """Return what the shards of grasps that are done have taken, over all workers [s]."""
    path = out / "shards.jsonl"
    reports = read_reports(path) if path.is_file() else []
    return sum(report.seconds for report in reports if report.shard.stage == "synthesize")


def _steady_cost(reports: list[ShardReport]) -> float:
    """Return processor seconds per grasp, without each worker's first shard, in which it loads what it needs."""
    steady = [report for report in reports if report.cpu_seconds > 0.0]
    steady.sort(key=lambda report: report.cpu_seconds / (report.shard.stop - report.shard.start))
    kept = steady[: max(1, len(steady) - 2)]
    return sum(report.cpu_seconds for report in kept) / sum(report.shard.stop - report.shard.start for report in kept)


def _tree_memory(pid: int) -> int:
    """Return the memory of a process and its children [MB]; pages that several share count once."""
    total = 0
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total = next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) // 1024
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, StopIteration):
        return total
    return total + sum(_tree_memory(int(child)) for child in children)


if __name__ == "__main__":
    sys.exit(main())
