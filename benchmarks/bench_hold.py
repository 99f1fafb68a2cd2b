# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The hold test: its cost, and how far PhysX and MuJoCo agree; exits with 1 when they do not.

    python benchmarks/bench_hold.py [--objects FILE_OR_DIR ...] [--grasps 32] [--hand allegro] [--repeats 1]

Cost is that of one process, in directions a second of time and of CPU time, the fastest of the repeats. Stepping takes
one thread; loading takes more. Beside it the cost with a stage that is loaded anew for each grasp, which has to give
the same bits: their ratio is worth more than either on a machine that others use.

Both judge the same grasps with the same convex colliders, friction, mass, duration and threshold. Solvers, contact
models and time steps are their own.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
import time
from pathlib import Path

import numpy as np
from mujoco_hold import MujocoHold
from pxr import Usd

from omni_graspd.geometry.convex_decomposition import convex_pieces
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.library import list_names
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.grasp_tests.hold import HoldConfig, measure_hold
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.synthesizer import synthesize

MIN_AGREEMENT = 0.85


def main() -> int:
    """Judge every object's grasps twice and print one line each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", nargs="*", default=list_names("objects"), help="names, mesh files or folders")
    parser.add_argument("--grasps", type=int, default=32)
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--repeats", type=int, default=1, help="how often to take each time")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    hand, config = load_hand(options.hand), HoldConfig()
    print(
        f"{'object':24s} {'pieces':>6s} {'PhysX':>6s} {'MuJoCo':>6s} {'agree':>6s} {'1/s':>5s} {'cpu 1/s':>7s} "
        f"{'anew':>11s}"
    )
    agreements, times, same = [], np.zeros((2, 2)), True
    for source in _sources(options.objects):
        obj = load_object(source)
        pieces = obj.convex_pieces or convex_pieces(obj.mesh, config.decomposition)
        batch = asyncio.run(synthesize(hand, obj, range(options.grasps), SynthesisConfig(), seed=options.seed))
        grasps = (batch.T_object_palm, batch.joint_positions)
        best, answers = np.full((2, 2), np.inf), []
        for run in [simulate, _simulate_anew] * options.repeats:
            start = np.array([time.perf_counter(), time.process_time()])
            answers.append(asyncio.run(measure_hold(run, hand, obj, *grasps, config, object_pieces=pieces)))
            passed = np.array([time.perf_counter(), time.process_time()]) - start
            row = 0 if run is simulate else 1
            best[row] = np.minimum(best[row], passed)
        result = answers[0]
        same &= all(np.array_equal(a.displacements, result.displacements, equal_nan=True) for a in answers)
        times += best
        judge = MujocoHold(hand, obj, pieces, config)
        held = np.array([judge.displacements(*row) for row in zip(*grasps, strict=True)]) < config.moved_threshold
        agreements.append(result.held == held)
        print(
            f"{obj.name:24s} {len(pieces):6d} {result.held.mean():6.3f} {held.mean():6.3f} "
            f"{agreements[-1].mean():6.3f} {held.size / best[0, 0]:5.0f} {held.size / best[0, 1]:7.0f} "
            f"{held.size / best[1, 0]:5.0f} {held.size / best[1, 1]:5.0f}",
            flush=True,
        )
    agreement = float(np.concatenate(agreements).mean())
    print(f"agreement {agreement:.3f} over {sum(len(a) for a in agreements)} grasps in 6 directions")
    rates = sum(a.size for a in agreements) / times
    print(
        f"{rates[0, 0]:.0f} directions a second, {rates[0, 1]:.0f} a CPU second; loaded anew for each grasp "
        f"{rates[1, 0]:.0f} and {rates[1, 1]:.0f}, {'the same' if same else 'OTHER'} bits: "
        f"x {rates[0, 0] / rates[1, 0]:.2f} and x {rates[0, 1] / rates[1, 1]:.2f}"
    )
    return 0 if agreement >= MIN_AGREEMENT and same else 1


async def _simulate_anew(stage: Usd.Stage, config: SimulateConfig) -> SimulateResult:
    """Simulate without what was loaded before."""
    return await simulate(stage, dataclasses.replace(config, keep_loaded=False))


def _sources(names: list[str]) -> list[str]:
    files: list[str] = []
    for name in names:
        folder = Path(name)
        found = [str(p) for p in folder.rglob("*") if p.suffix in {".ply", ".obj", ".stl", ".glb"}]
        files += sorted(found) if folder.is_dir() else [name]
    return files


if __name__ == "__main__":
    sys.exit(main())
