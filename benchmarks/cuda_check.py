# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a GPU computes what the CPU does, and how fast; prints tables to paste, and exits with 1 on a difference.

    python benchmarks/cuda_check.py [--device cuda:0] [--minutes 8] [--hands NAME ...] [--batches N ...]

Needs nothing but the package. It compiles all kernels, compares distances, clearances and gradients with the CPU's on
the same inputs and whole searches by their outcome, runs the tests that need CUDA where they are, tries Mitsuba's CUDA
build, and measures grasps per second for growing batches until the time is up. ``--device cpu`` tries the script
itself: the kernels that a GPU runs are compared with the fused ones.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import warp as wp

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.quiet_warp import start_warp
from omni_graspd.synthesis.clearance import HandClearance
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.crossing import crossing_links
from omni_graspd.synthesis.models import hand_model, object_model
from omni_graspd.synthesis.optimization import Shard, load_kernels
from omni_graspd.synthesis.presets import PRESETS
from omni_graspd.synthesis.starts import sample_starts
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings, table_under
from omni_graspd.synthesis.synthesizer import synthesize
from omni_graspd.synthesis.walls import pierced_links, sphere_depths

BOUNDS = {
    "links [m]": 1e-6,
    "distances [m]": 1e-5,
    "clearances [m]": 1e-5,
    "heights [m]": 1e-6,
    "spheres in the object [m]": 1e-5,
    "pierced links, share": 2e-3,
    "crossing links, share": 2e-3,
    "gradients, relative": 2e-2,
    "losses, relative": 1e-2,
    "joints after 5 steps, median, relative": 1e-3,
}
"""Largest differences; of distances and gradients the 99th percentile, since nearest faces may change in a tie. Steps
are of a size whatever the gradient's is, so that where it is near zero they go either way: of them the median."""
OUTCOME_BOUNDS = {"usable": 0.15, "escape": 0.25}
"""Largest differences of a share, and of a mean relative to the CPU's; as many grasps differ by chance."""
_TIES = 99
_BATCHES = (64, 256, 1024, 4096, 16384)


def main() -> int:
    """Run all checks; return how many failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--minutes", type=float, default=8.0, help="no batch is begun that would end later")
    parser.add_argument("--hands", nargs="+", default=["allegro", "shadow", "barrett"])
    parser.add_argument("--batches", nargs="+", type=int, default=list(_BATCHES))
    parser.add_argument("--outcomes", type=int, default=128, help="grasps of a search that is compared")
    options = parser.parse_args()
    begun = time.perf_counter()
    start_warp()
    if options.device not in [known.alias for known in wp.get_devices()]:
        sys.exit(f"expected a device that Warp finds, got {options.device}; --device cpu tries the script itself")
    device = wp.get_device(options.device)
    print(f"{device.name or 'CPU'}, Warp {wp.__version__}, {device.alias}")
    _compile(options.device)
    failed = 0
    for name in options.hands:
        failed += _compare(load_hand(name), options.device)
    failed += _compare_outcomes(load_hand(options.hands[0]), options.device, options.outcomes)
    failed += _run_tests() + _try_mitsuba()
    _throughput(options, begun + 60.0 * options.minutes)
    print(f"{failed} checks failed; {time.perf_counter() - begun:.0f} s")
    return min(failed, 1)


def _compile(device: str) -> None:
    begun = time.perf_counter()
    for config in PRESETS.values():
        load_kernels(config, device)
    print(f"kernels compiled or loaded in {time.perf_counter() - begun:.0f} s")


def _compare(hand: Hand, device: str) -> int:
    """Measure the same hands on both devices; return how many bounds do not hold."""
    mug = load_object("mug")
    found = [_measured(hand, mug, place, fused) for place, fused in (("cpu", None), (device, False))]
    failed = 0
    print(f"\n| {hand.name} | difference | bound |\n|---|---|---|")
    for name, bound in BOUNDS.items():
        mine, theirs = (values[name].astype(np.float64) for values in found)
        gaps = np.abs(mine - theirs)
        share = 50 if "median" in name else _TIES
        difference = float(gaps.mean() if name.endswith("share") else np.percentile(gaps, share))
        if name.endswith("relative"):
            difference /= max(float(np.abs(mine).max()), 1e-12)
        wrong = not difference <= bound
        failed += wrong
        print(f"| {name} | {difference:.1e}{' **too much**' if wrong else ''} | {bound:.0e} |", flush=True)
    return failed


def _measured(hand: Hand, obj: RigidObject, device: str, fused: bool | None) -> dict[str, np.ndarray]:
    """Measure 256 starts on a device."""
    config = SynthesisConfig()
    model, points = object_model(obj, config.distance, device), hand_model(hand, config.point_count, device)
    host = object_model(obj, config.distance, "cpu")
    starts = sample_starts(
        hand, obj, range(256), config.start, points=points.points, distance=host.distance, thin_walled=True, seed=0
    )
    palms, actuated = starts
    # Nearer than starts are, so that hands are in the object, too.
    palms[:, :3] *= 0.8
    placed = PlacedHands.of(hand, palms, hand.joint_positions(actuated), device)
    clearance = HandClearance(hand, points.points, model.distance, np.array([0.0, 0.0, 1.0, 0.0]), None, True)
    shard = Shard(points, [model], np.zeros(256, dtype=int), palms, actuated, config, device, fused=fused)
    shard.evaluate()
    losses, gradients = shard.losses(), shard.state.actuated_gradients.numpy().copy()
    shard.run(0, 5)
    queried, _ = model.distance.query(placed.T_root_link[..., :3].reshape(-1, 3), 0.1)
    return {
        "links [m]": placed.T_root_link[..., :3],
        "distances [m]": queried,
        "clearances [m]": clearance.object_gaps(placed),
        "heights [m]": clearance.heights(placed),
        "spheres in the object [m]": sphere_depths(placed, model.distance),
        "pierced links, share": pierced_links(placed, model.distance),
        "crossing links, share": crossing_links(placed, model.distance.mesh),
        "gradients, relative": gradients,
        "losses, relative": losses["stable"],
        "joints after 5 steps, median, relative": shard.state.actuated.numpy() - actuated,
    }


def _compare_outcomes(hand: Hand, device: str, count: int) -> int:
    """Search on both devices; return how many outcomes differ by more than chance."""
    can = load_object("soup_can")
    around = table_under(_standing(can))
    rows = [_search(hand, can, place, count, SynthesisConfig(), around) for place in ("cpu", device)]
    failed = 0
    print(f"\n| {count} grasps on a table | CPU | device |\n|---|---|---|")
    for name, bound in OUTCOME_BOUNDS.items():
        mine, theirs = (row[name] for row in rows)
        wrong = not abs(mine - theirs) <= bound * (1.0 if name == "usable" else abs(mine))
        failed += wrong
        print(f"| {name} | {mine:.3f} | {theirs:.3f}{' **too far off**' if wrong else ''} |", flush=True)
    return failed


def _search(
    hand: Hand, obj: RigidObject, device: str, count: int, config: SynthesisConfig, around: Surroundings
) -> dict[str, float]:
    begun = time.perf_counter()
    batch = asyncio.run(synthesize(hand, obj, range(count), config, seed=0, device=device, surroundings=around))
    seconds = time.perf_counter() - begun
    good = np.array([status == "ok" for status in batch.status])
    usable = float(good.mean()) if around.is_empty else float(batch.usable.mean())
    return {"seconds": seconds, "usable": usable, "escape": float(np.mean(batch.losses["escape"][good]))}


def _standing(obj: RigidObject) -> np.ndarray:
    return np.array([0.0, 0.0, -float(obj.mesh.vertices[:, 2].min()), 0.0, 0.0, 0.0, 1.0])


def _run_tests() -> int:
    """Run the tests that need CUDA, where this is a checkout; return whether they failed."""
    tests = Path(__file__).parent.parent / "tests"
    if not wp.get_cuda_devices() or not tests.is_dir():
        print("\ntests that need CUDA: not run, there is no CUDA device or no checkout")
        return 0
    # Only files that have one: the others need packages that need not be here.
    files = [str(path) for path in sorted(tests.rglob("test_*.py")) if "mark.cuda" in path.read_text(encoding="utf-8")]
    done = subprocess.run([sys.executable, "-m", "pytest", "-n", "0", "-q", "-m", "cuda", *files], check=False)
    print(f"tests that need CUDA: exit code {done.returncode}")
    return int(done.returncode != 0)


def _try_mitsuba() -> int:
    """Say which of Mitsuba's builds renders here; return whether CUDA should and does not."""
    if find_spec("mitsuba") is None:
        print("renderer: Mitsuba is not installed")
        return 0
    from omni_graspd.standalone.mitsuba_variant import choose_variant

    variant = choose_variant()
    print(f"renderer: {variant.name} ({variant.reason})")
    return int(bool(wp.get_cuda_devices()) and variant.name != "cuda_ad_rgb")


def _throughput(options: argparse.Namespace, end: float) -> None:
    """Print grasps per second by hand, way and batch; what would not be done in time is left out."""
    can = load_object("soup_can")
    print("\n| hand | search | batch | grasps/s | ms a grasp | good | most memory MB |\n|---|---|---|---|---|---|---|")
    for hand, label, config, around in _searches(options.hands, can):
        _search(hand, can, options.device, min(options.batches), config, around)
        last = 0.0
        for count in sorted(options.batches):
            # The next batch takes as much longer as it is larger, at most.
            if time.perf_counter() + 4.0 * last > end:
                print(f"| {hand.name} | {label} | {count} | no time left | | | |", flush=True)
                break
            row = _search(hand, can, options.device, count, config, around)
            last = row["seconds"]
            cells = f"{count / last:.0f} | {1e3 * last / count:.2f} | {row['usable']:.2f} | {_memory(options.device)}"
            print(f"| {hand.name} | {label} | {count} | {cells} |", flush=True)


def _searches(hands: list[str], obj: RigidObject) -> Iterator[tuple[Hand, str, SynthesisConfig, Surroundings]]:
    table = table_under(_standing(obj))
    for name in hands:
        hand = load_hand(name)
        yield hand, "on a table", SynthesisConfig(), table
        for preset in ("default", "fast"):
            yield hand, f"floating, {preset}", PRESETS[preset], NOTHING


def _memory(device: str) -> str:
    found = wp.get_device(device)
    return f"{wp.get_mempool_used_mem_high(found) / 2**20:.0f}" if found.is_cuda else ""


if __name__ == "__main__":
    sys.exit(main())
