# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a large run costs: wall time, grasps per second, memory and disk, against a small run on the same machine.

    python benchmarks/bench_scale.py --objects DIR --grasps 4000 --small 40 --out scale

makes ``--small`` and then ``--grasps`` grasps of every object, with one scene and one view each, through ``graspd
generate``. It fails if memory grows after the first tenth by more than a tenth, if a grasp costs over 10 % more
processor time in the large run than in the small one, or if the dataset does not pass ``graspd verify``. Linux only:
memory is read from ``/proc``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from omni_graspd.dataset.execution.shards import ShardReport, read_reports

_SAMPLE_SECONDS = 2.0
_GROWTH = 1.10


def main() -> int:
    """Run both, print what they took, and say what is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=Path, required=True, help="folder of meshes")
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--grasps", type=int, default=4000, help="grasps per object of the large run")
    parser.add_argument("--small", type=int, default=40, help="grasps per object of the small run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("scale"))
    options = parser.parse_args()
    meshes = sorted(path for path in options.objects.rglob("*") if path.suffix in (".ply", ".obj"))
    small = _measure(options.out / "small", meshes, options.small, options)
    large = _measure(options.out / "large", meshes, options.grasps, options)
    print(json.dumps({"objects": len(meshes), "small": small, "large": large}, indent=1))
    faults = []
    if large["memory_end_mb"] > _GROWTH * large["memory_tenth_mb"]:
        faults.append("memory grows")
    ratio = large["cpu_ms_per_grasp"] / small["cpu_ms_per_grasp"]
    print(f"processor time per grasp, large to small: {ratio:.3f}")
    if ratio > _GROWTH:
        faults.append("a grasp costs more in the large run")
    if subprocess.run([*_GRASPD, "verify", str(options.out / "large")], check=False).returncode:
        faults.append("the dataset does not pass graspd verify")
    print("; ".join(faults) or "passed")
    return len(faults)


_GRASPD = (sys.executable, "-m", "omni_graspd")


def _measure(out: Path, meshes: list[Path], grasps: int, options: argparse.Namespace) -> dict[str, float]:
    command = [*_GRASPD, "generate", "--hand", options.hand, "--grasps", str(grasps), "--out", str(out)]
    command += ["--scenes", "1", "--views", "1", "--mono", "--workers", str(options.workers)]
    for mesh in meshes:
        command += ["--object", str(mesh)]
    begin = time.perf_counter()
    process = subprocess.Popen(command)
    samples = []
    while process.poll() is None:
        samples.append((time.perf_counter() - begin, _tree_memory(process.pid)))
        time.sleep(_SAMPLE_SECONDS)
    wall = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"graspd generate failed with {process.returncode}")
    (out.parent / f"{out.name}_memory.json").write_text(json.dumps(samples))
    done = read_reports(out / "shards.jsonl")
    reports = [report for report in done if report.shard.stage == "synthesize"]
    count = grasps * len(meshes)
    settled = sum(report.seconds for report in done if report.shard.stage == "settle") / options.workers
    synthesis = sum(report.seconds for report in reports) / options.workers
    # Only the synthesis: drops come before it, images after it, and both have their own memory.
    during = [memory for at, memory in samples if settled < at < settled + synthesis]
    tenth = during[: max(1, len(during) // 10)]
    return {
        "grasps": count,
        "wall_s": round(wall, 1),
        "synthesis_s": round(synthesis, 1),
        "grasps_per_s": round(count / synthesis, 2),
        "cpu_ms_per_grasp": round(1e3 * _steady_cost(reports), 2),
        "memory_tenth_mb": max(tenth, default=0),
        "memory_end_mb": max(during, default=0),
        "peak_memory_mb": max((memory for _, memory in samples), default=0),
        "disk_mb": round(sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 2**20, 1),
        "grasp_table_bytes_per_grasp": round(
            sum(path.stat().st_size for path in (out / "grasps").rglob("*.parquet")) / count, 1
        ),
    }


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
