# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps on arms: cost, share that is reachable, share that lifts, and independent checks; exits with 1 on a miss.

    graspd arms add ur10e ur10e.xml    # and so on: robots are the user's
    python benchmarks/bench_arms.py DATASET --arms panda ur10e iiwa14 [--check 200] [--lift 64] [--places FILE]

DATASET is made by ``graspd synthesize``; what is reached goes to a copy of it. ``cpu ms`` is processor time per usable
grasp for inverse kinematics and collisions, with models built. Checks share no code with what they check: forward
kinematics by :mod:`omni_graspd.hands.kinematics`, collisions by manifold3d between convex pieces, seen at all places of
a way. ``lifted`` is the share of reachable grasps that lift in MuJoCo with all joints driven along the stored way.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from arm_cases import ArmCase, read_cases
from arm_checks import CollisionCheck, palm_errors
from mujoco_arm_lift import MujocoArmLift

from omni_graspd.arms import way_reach
from omni_graspd.arms.arm_reader import read_arm
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.reach.reach_dataset import reach_dataset
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.quiet_warp import start_warp

COST, POSITION, ANGLE, LIFTED = 10.0, 1e-4, float(np.radians(0.05)), 0.71
"""Most processor time a grasp [ms], most that the palm may be off [m], [rad], least share that lifts."""
_PLACES_X, _PLACES_Y = np.linspace(-1.25, -0.45, 9), np.array([0.0, 0.3])


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    arms: tuple[str, ...]
    """Arms, by name or file."""
    check: int = 200
    """Reachable grasps of each arm whose joints are checked."""
    lift: int = 0
    """Reachable grasps of each arm and hand that are tried in MuJoCo, spread over all; 0: none."""
    places: Path | None = None
    """Picture of how the share depends on where the base stands; none if None."""
    config: Annotated[ReachConfig, tyro.conf.arg(name="")] = field(default_factory=ReachConfig)
    """Place, mount and search."""


def measure_arm(root: Path, arm: str, options: Options) -> list[str]:
    """Measure one arm, print, and return what was missed."""
    seconds: list[float] = []
    find = way_reach.find_reach

    def timed(*arguments):
        begin = time.process_time()
        found = find(*arguments)
        seconds.append(time.process_time() - begin)
        return found

    way_reach.find_reach = timed
    counts = reach_dataset(root, arm, options.config, workers=1)
    way_reach.find_reach = find
    cost = 1e3 * sum(seconds) / max(counts.usable, 1)
    name = Path(arm).stem
    cases = read_cases(root, name)
    shares = {
        hand: _share([case for case in cases if case.hand == hand]) for hand in dict.fromkeys(c.hand for c in cases)
    }
    told = ", ".join(f"{hand} {share:.2f}" for hand, share in shares.items())
    print(f"{name}: {counts.usable} usable, reachable {told}; {cost:.1f} ms cpu; {counts.reasons}", flush=True)
    misses = [f"{name}: {cost:.1f} ms a grasp"] if cost > COST else []
    good = [case for case in cases if case.reachable]
    misses += check_arm(root, name, _spread(good, options.check))
    if options.lift:
        for hand in shares:
            misses += lift_arm(root, name, hand, _spread([case for case in good if case.hand == hand], options.lift))
    return misses


def check_arm(root: Path, name: str, cases: list[ArmCase]) -> list[str]:
    """Check stored joints of some grasps; return what was missed."""
    layout, arm = DatasetLayout(root), read_arm(DatasetLayout(root).arm(name))
    far, turned, touching, checks = 0.0, 0.0, [], {}
    for case in cases:
        off, angle = palm_errors(arm, case.T_world_base, case.T_flange_palm, case.arm_positions, case.T_world_palm)
        far, turned = max(far, off.max()), max(turned, angle.max())
        if case.hand not in checks:
            hand = load_hand(str(layout.hand(case.hand)))
            checks[case.hand] = CollisionCheck(arm, hand, case.T_flange_palm)
        things = case.things(layout)
        for station, positions in enumerate(case.arm_positions):
            placed = [
                (pieces, case.moved(pose, station) if number == 0 else pose)
                for number, (pieces, pose) in enumerate(things)
            ]
            found = checks[case.hand].touching(case.T_world_base, positions, case.hand_positions[station], placed)
            touching += [f"{case.object} {case.hand} {case.index} at {station}: {what}" for what in found]
    print(
        f"  {len(cases)} checked: palm off by at most {1e3 * far:.4f} mm, {np.degrees(turned):.4f} degrees; "
        f"{len(touching)} places where something overlaps",
        flush=True,
    )
    for line in touching[:5]:
        print(f"    {line}")
    misses = [f"{name}: palm off by {far:.2g} m, {turned:.2g} rad"] if far > POSITION or turned > ANGLE else []
    return misses + ([f"{name}: {len(touching)} overlaps"] if touching else [])


def lift_arm(root: Path, name: str, hand_name: str, cases: list[ArmCase]) -> list[str]:
    """Try grasps in MuJoCo; return what was missed."""
    layout, arm = DatasetLayout(root), read_arm(DatasetLayout(root).arm(name))
    hand = load_hand(str(layout.hand(hand_name)))
    lifted, reasons = [], Counter()
    for object_name in dict.fromkeys(case.object for case in cases):
        obj = load_object(str(layout.object(object_name)))
        mine = [case for case in cases if case.object == object_name]
        test = MujocoArmLift(arm, hand, mine[0].T_flange_palm, obj, way_reach.pieces_of(obj), mine[0].table(layout))
        for case in mine:
            outcome = test.lift_way(case.way())
            lifted.append(outcome.lifted)
            reasons[outcome.reason] += not outcome.lifted
    share = float(np.mean(lifted)) if lifted else np.nan
    failed = {reason: count for reason, count in reasons.items() if reason}
    print(f"  {hand_name}: {sum(lifted)} of {len(lifted)} lifted ({share:.2f}); {failed}", flush=True)
    return [f"{name} {hand_name}: {share:.2f} lifted"] if hand_name == "allegro" and not share >= LIFTED else []


def measure_places(root: Path, options: Options) -> dict[str, np.ndarray]:
    """Return the share of reachable grasps by where the base stands, for each arm, shape [x, y]; print."""
    shares = {}
    for arm in options.arms:
        shares[arm] = np.zeros((len(_PLACES_X), len(_PLACES_Y)))
        for i, x in enumerate(_PLACES_X):
            for j, y in enumerate(_PLACES_Y):
                config = replace(options.config, base=(float(x), float(y), *options.config.base[2:]))
                counts = reach_dataset(root, arm, config, workers=1)
                shares[arm][i, j] = counts.reachable / counts.usable
        print(f"{arm} by place, x {_PLACES_X.round(2).tolist()} down, y {_PLACES_Y.round(2).tolist()} right:")
        print(np.round(shares[arm], 2), flush=True)
    return shares


def draw_places(shares: dict[str, np.ndarray], path: Path) -> None:
    """Draw how the share of reachable grasps depends on where the base stands."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(shares), figsize=(0.6 + 4.0 * len(shares), 3.4), sharey=True, squeeze=False)
    for axis, (arm, by_place) in zip(axes[0], shares.items(), strict=True):
        for j, y in enumerate(_PLACES_Y):
            axis.plot(_PLACES_X, by_place[:, j], marker="o", label=f"y = {y:.1f} m")
        axis.axvline(-0.4, color="0.5", linestyle=":", label="edge of the table")
        axis.set_title(arm)
        axis.set_xlabel("x of the base [m]")
        axis.set_ylim(0.0, 1.0)
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("reachable share of usable grasps")
    axes[0, 0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _share(cases: list[ArmCase]) -> float:
    return float(np.mean([case.reachable for case in cases])) if cases else np.nan


def _spread(cases: list[ArmCase], count: int) -> list[ArmCase]:
    """Return so many of the cases, evenly spread over all."""
    if len(cases) <= count:
        return cases
    return [cases[number] for number in np.linspace(0, len(cases) - 1, count).round().astype(int)]


def main(dataset: Annotated[Path, tyro.conf.Positional], options: Annotated[Options, tyro.conf.arg(name="")]) -> int:
    """Measure all arms."""
    start_warp()
    read_manifest(dataset)
    misses = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "set"
        shutil.copytree(dataset, root)
        for arm in options.arms:
            misses += measure_arm(root, arm, options)
        if options.places is not None:
            draw_places(measure_places(root, options), options.places)
    for miss in misses:
        print(f"MISSED {miss}")
    return int(bool(misses))


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
