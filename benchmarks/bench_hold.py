# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The hold test: its cost, and how far PhysX and MuJoCo agree; exits with 1 when they do not.

    python benchmarks/bench_hold.py [--objects FILE_OR_DIR ...] [--grasps 32] [--hand allegro]

Both judge the same grasps with the same convex colliders, friction, mass, duration and threshold. Solvers, contact
models and time steps are their own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import numpy as np
from mujoco_hold import MujocoHold

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.library import list_names
from omni_graspd.objects.convex_decomposition import convex_pieces
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.hold import HoldConfig, measure_hold
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.synthesizer import synthesize

MIN_AGREEMENT = 0.85


def main() -> int:
    """Judge every object's grasps twice and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", nargs="*", default=list_names("objects"), help="names, mesh files or folders")
    parser.add_argument("--grasps", type=int, default=32)
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    hand, config = load_hand(options.hand), HoldConfig()
    print(f"{'object':24s} {'pieces':>6s} {'PhysX':>6s} {'MuJoCo':>6s} {'agree':>6s} {'1/s':>5s} {'cpu 1/s':>7s}")
    agreements = []
    for source in _sources(options.objects):
        obj = load_object(source)
        pieces = obj.convex_pieces or convex_pieces(obj.mesh, config.decomposition)
        batch = asyncio.run(synthesize(hand, obj, range(options.grasps), SynthesisConfig(), seed=options.seed))
        grasps = (batch.T_object_palm, batch.joint_positions)
        wall, cpu = time.perf_counter(), time.process_time()
        result = asyncio.run(measure_hold(simulate, hand, obj, *grasps, config, object_pieces=pieces))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        judge = MujocoHold(hand, obj, pieces, config)
        held = np.array([judge.displacements(*row) for row in zip(*grasps, strict=True)]) < config.moved_threshold
        agreements.append(result.held == held)
        print(
            f"{obj.name:24s} {len(pieces):6d} {result.held.mean():6.3f} {held.mean():6.3f} "
            f"{agreements[-1].mean():6.3f} {held.size / wall:5.0f} {held.size / cpu:7.0f}",
            flush=True,
        )
    agreement = float(np.concatenate(agreements).mean())
    print(f"agreement {agreement:.3f} over {sum(len(a) for a in agreements)} grasps in 6 directions")
    return 0 if agreement >= MIN_AGREEMENT else 1


def _sources(names: list[str]) -> list[str]:
    files: list[str] = []
    for name in names:
        folder = Path(name)
        found = [str(p) for p in folder.rglob("*") if p.suffix in {".ply", ".obj", ".stl", ".glb"}]
        files += sorted(found) if folder.is_dir() else [name]
    return files


if __name__ == "__main__":
    sys.exit(main())
