# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How fast and how well objects come to rest; exits with 1 when one floats, sinks in or still moves, or memory grows.

    python benchmarks/bench_scenes.py [--objects NAME_OR_FILE_OR_DIR ...] [--drops 128] [--processes 2]

The drops of each object are shared out among processes, since PhysX runs on one core in each. Time is that of the
drops, colliders included; reading the objects and starting Python is left out. Memory is the largest resident set of a
process once it has dropped each object 64 times, and at the end: ``--drops 800`` on the thirteen YCB objects makes
10,400 drops after that.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.library import list_names
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.drop import Drop, DropConfig, drop_objects
from omni_graspd.scenes.rest_poses import cluster_rest_poses, down_directions
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.transforms import transform_points

MAX_HEIGHT = 1e-3
MAX_DEPTH = 1e-3
MAX_SPEED = 1e-3
MAX_ANGULAR_SPEED = 0.05
MAX_GROWTH = 1.05
WARM_UP = 64


@dataclass
class Share:
    """What one process did with one object."""

    name: str
    drops: list[Drop]
    lowest: np.ndarray
    """Height of the lowest vertex over the table top in each drop [m]."""
    wall: float
    cpu: float
    before: float
    """Resident set before the first object [MiB]."""
    memory: float
    """Resident set afterwards [MiB]."""


def main() -> int:
    """Drop every object many times and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", nargs="*", default=list_names("objects"), help="names, mesh files or folders")
    parser.add_argument("--drops", type=int, default=128, help="drops of each object")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    sources = [source for name in options.objects for source in _files(name)]
    bounds = np.linspace(0, options.drops, options.processes + 1).astype(int)
    jobs = [(sources, range(*bounds[i : i + 2])) for i in range(options.processes)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        processes = pool.starmap(_drop_all, jobs, chunksize=1)
    print(
        f"{'object':24s} {'drops/s':>7s} {'/cpu s':>7s} {'rest s':>6s} {'lowest mm: min':>14s} {'max':>6s} "
        f"{'mm/s':>6s} {'rad/s':>6s} {'left':>4s} {'restless':>8s}  rest poses"
    )
    good = [_report(list(shares)) for shares in zip(*processes, strict=True)]
    wall = max(sum(share.wall for share in shares) for shares in processes)
    cpu = sum(share.cpu for shares in processes for share in shares)
    total = options.drops * len(sources)
    print(
        f"{total} drops with {options.processes} processes: {total / wall:.1f} a second, {total / cpu:.1f} a CPU second"
    )
    growth = max(shares[-1].memory / shares[0].before for shares in processes)
    before, after = (max(values) for values in zip(*((s[0].before, s[-1].memory) for s in processes), strict=True))
    print(f"resident memory {before:.0f} MiB before, {after:.0f} MiB at the end: x {growth:.3f}")
    return 0 if all(good) and growth <= MAX_GROWTH else 1


def _files(name: str) -> list[str]:
    if not Path(name).is_dir():
        return [name]
    return sorted(str(p) for p in Path(name).rglob("*") if p.suffix in {".ply", ".obj", ".stl", ".glb"})


def _drop_all(sources: list[str], indices: range) -> list[Share]:
    """Drop every object in this process."""
    objects = [load_object(source) for source in sources]
    for obj in objects:
        asyncio.run(drop_objects(obj, range(WARM_UP), DropConfig(), 1, simulate))
    shares = []
    before = _resident()
    for obj in objects:
        wall, cpu = time.perf_counter(), time.process_time()
        drops = asyncio.run(drop_objects(obj, indices, DropConfig(), 0, simulate))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        lowest = np.array([transform_points(drop.T_world_object, obj.mesh.vertices)[:, 2].min() for drop in drops])
        shares.append(Share(obj.name, drops, lowest, wall, cpu, before, _resident()))
    return shares


def _resident() -> float:
    """Return the resident set of this process [MiB]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _report(shares: list[Share]) -> bool:
    """Print one object's line; returns whether all its drops are on the table and at rest."""
    drops = [drop for share in shares for drop in share.drops]
    lowest = np.concatenate([share.lowest for share in shares])
    speed, angular_speed = max(d.linear_speed for d in drops), max(d.angular_speed for d in drops)
    poses = cluster_rest_poses(down_directions(np.array([drop.T_world_object for drop in drops])))
    good = (
        lowest.min() >= -MAX_DEPTH
        and lowest.max() < MAX_HEIGHT
        and speed < MAX_SPEED
        and angular_speed < MAX_ANGULAR_SPEED
    )
    print(
        f"{shares[0].name:24s} {len(drops) / max(share.wall for share in shares):7.1f} "
        f"{len(drops) / sum(share.cpu for share in shares):7.1f} {np.mean([d.simulated_time for d in drops]):6.2f} "
        f"{1e3 * lowest.min():14.3f} {1e3 * lowest.max():6.3f} {1e3 * speed:6.2f} {angular_speed:6.3f} "
        f"{sum(d.left_count for d in drops):4d} {sum(d.restless_count for d in drops):8d}  "
        f"{' '.join(str(count) for count in poses.counts[:8])}{' ...' if len(poses.counts) > 8 else ''}"
        f"{'' if good else '  WRONG'}",
        flush=True,
    )
    return bool(good)


if __name__ == "__main__":
    sys.exit(main())
