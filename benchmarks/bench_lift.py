# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The lift test: what PhysX and MuJoCo lift, how often they agree, and its cost; exits with 1 when they do not.

    python benchmarks/bench_lift.py [--hands allegro barrett] [--objects soup_can mug] [--grasps 16]

Both judge the same grasps with the same convex colliders, friction, mass and thresholds. Solvers, contact models and
time steps are their own. So is torsional friction, which PhysX lacks: MuJoCo judges with and without.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
import tyro
from mujoco_lift import DEXGRASPBENCH, MujocoLift

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.resting_pieces import resting_pieces
from omni_graspd.scenes.drop import DropConfig, drop_object
from omni_graspd.scenes.grasp_tests.lift import measure_lift
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.surroundings import table_under
from omni_graspd.synthesis.synthesizer import synthesize

MIN_AGREEMENT = 0.75
"""Of MuJoCo without torsional friction."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to compare."""

    hands: tuple[str, ...] = ("allegro", "shadow", "barrett")
    """Hands."""
    objects: tuple[str, ...] = ("soup_can", "mug", "banana", "apple", "squeeze_bottle", "card_box")
    """Objects; each lies as it comes to rest in its first drop."""
    grasps: int = 16
    """Grasps of each pair."""
    seed: int = 1
    """Seed of the grasps."""
    time_step: float = LiftConfig().time_step
    """Length of a physics step in PhysX [s]."""


def compare(hand_name: str, object_name: str, options: Options) -> np.ndarray:
    """Return which grasps PhysX, MuJoCo, and MuJoCo without torsional friction lift, shape [3, grasp_count]; print."""
    hand, obj = load_hand(hand_name), load_object(object_name)
    rest = asyncio.run(drop_object(obj, 0, DropConfig(), 0, simulate))
    indices, around = range(options.grasps), table_under(rest.T_world_object)
    batch = asyncio.run(synthesize(hand, obj, indices, SynthesisConfig(), seed=options.seed, surroundings=around))
    pieces, config = resting_pieces(obj), LiftConfig(time_step=options.time_step)
    begin = time.process_time()
    physx = asyncio.run(measure_lift(simulate, hand, obj, batch, config, object_pieces=pieces))
    cost = (time.process_time() - begin) / options.grasps
    lifted = [physx.lifted]
    for torsion in (DEXGRASPBENCH.torsional_friction, 1e-3):
        test = MujocoLift(hand, obj, pieces, replace(DEXGRASPBENCH, torsional_friction=torsion))
        lifted.append(np.array([test.lift(batch, row).lifted for row in indices]))
    result = np.stack(lifted)
    _print(f"{hand_name} {object_name}", result, f", {1e3 * cost:.0f} ms CPU a grasp")
    return result


def _print(name: str, lifted: np.ndarray, more: str = "") -> None:
    shares, agreement = lifted.mean(axis=1), (lifted[0] == lifted[1:]).mean(axis=1)
    print(
        f"{name}: PhysX {shares[0]:.2f}, MuJoCo {shares[1]:.2f} (agree {agreement[0]:.2f}), "
        f"without torsional friction {shares[2]:.2f} (agree {agreement[1]:.2f}){more}",
        flush=True,
    )


def main(options: Options) -> int:
    """Compare all pairs, each hand, and all."""
    lifted = []
    for hand in options.hands:
        lifted.append(np.concatenate([compare(hand, obj, options) for obj in options.objects], axis=1))
        _print(f"{hand}, all", lifted[-1])
    total = np.concatenate(lifted, axis=1)
    _print("all", total)
    return int((total[0] == total[2]).mean() < MIN_AGREEMENT)


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
