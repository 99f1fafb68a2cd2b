# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How objects come to rest; exits with 1 when one floats, sinks in, or still moves.

    python benchmarks/bench_drops.py [--objects DIR] [--drops 10]

Cost is given per drop and as a ratio to the simulated time: below 1 is faster than real time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import numpy as np

from omni_graspd.library import list_names
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.drop import Drop, DropConfig, drop_object
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.transforms import transform_points

MAX_HEIGHT = 1e-3
MAX_SPEED = 1e-3
MAX_ANGULAR_SPEED = 0.05


def main() -> int:
    """Drop every object several times and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=Path, default=None, help="folder of meshes; default: the built-in objects")
    parser.add_argument("--drops", type=int, default=10)
    options = parser.parse_args()
    sources = list_names("objects")
    if options.objects is not None:
        sources = sorted(str(p) for p in options.objects.rglob("*") if p.suffix in {".ply", ".obj", ".stl", ".glb"})
    print(
        f"{'object':24s} {'s/drop':>6s} {'ratio':>6s} {'lowest mm: min':>14s} {'max':>6s} "
        f"{'mm/s':>6s} {'rad/s':>6s} {'tries':>5s}"
    )
    wrong = []
    for source in sources:
        obj = load_object(source)
        asyncio.run(drop_object(obj, options.drops, DropConfig(), 0, simulate))
        start = time.perf_counter()
        drops = [asyncio.run(drop_object(obj, index, DropConfig(), 0, simulate)) for index in range(options.drops)]
        seconds = (time.perf_counter() - start) / len(drops)
        lowest = np.array([transform_points(drop.T_world_object, obj.mesh.vertices)[:, 2].min() for drop in drops])
        print(_line(obj.name, seconds, lowest, drops), flush=True)
        speeds = max(drop.linear_speed for drop in drops), max(drop.angular_speed for drop in drops)
        still = speeds[0] < MAX_SPEED and speeds[1] < MAX_ANGULAR_SPEED
        if not (lowest.min() >= 0.0 and lowest.max() < MAX_HEIGHT and still):
            wrong.append(obj.name)
    if wrong:
        print(f"wrong: {', '.join(wrong)}")
    return 1 if wrong else 0


def _line(name: str, seconds: float, lowest: np.ndarray, drops: list[Drop]) -> str:
    simulated = np.mean([drop.simulated_time for drop in drops])
    return (
        f"{name:24s} {seconds:6.2f} {seconds / simulated:6.2f} {1e3 * lowest.min():14.3f} {1e3 * lowest.max():6.3f} "
        f"{1e3 * max(drop.linear_speed for drop in drops):6.2f} {max(drop.angular_speed for drop in drops):6.3f} "
        f"{np.mean([drop.attempts for drop in drops]):5.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
