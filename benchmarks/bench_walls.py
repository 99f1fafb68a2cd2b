# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps of thin-walled objects: how many have a wall in a link, by trimesh's rays; exits with 1 where too many do.

    python benchmarks/bench_walls.py [--objects DIR] [--only NAME ...] [--hands NAME ...] [--grasps 32] [--seed 0]
        [--modes nothing table] [--workers 2] [--without]

The mug, the bowl and vessels with walls of 1.5 to 5 mm that are made here; ``--objects`` adds the meshes of a folder.
All grasps that were asked for count. ``pierced`` is the share of hands with a line along the skeleton of a link that
the surface cuts, found with trimesh's rays, not with our kernels; ``told`` the share that the status says so of.
``--without`` leaves out the term and shows what it does. CPU time means something only with nothing else at work.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import trimesh
from table_cases import object_sources
from table_jobs import run_jobs

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.hands.skeleton import hand_skeleton
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.metrics.intersection_volume import intersection_volumes
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.surroundings import NOTHING, table_under
from omni_graspd.synthesis.synthesizer import synthesize

HANDS = ("allegro", "shadow", "barrett")
MOST_PIERCED = 0.01
"""Largest share of pierced hands of each hand and mode."""
MOST_SHARED = 1.5
"""Largest mean intersection volume of an object [cm3]."""
_VESSELS = {"cup": (0.035, 0.09, 0.0015), "pitcher": (0.05, 0.16, 0.003), "planter": (0.045, 0.08, 0.005)}
"""Radius, height and wall [m]."""


def write_vessels(folder: Path) -> list[str]:
    """Write round vessels that are open at the top; returns their files."""
    files = []
    for name, (radius, height, wall) in _VESSELS.items():
        outer, inner = radius, radius - wall
        profile = [[0, 0], [outer, 0], [outer, height], [inner, height], [inner, wall], [0, wall]]
        trimesh.creation.revolve(np.array(profile), sections=64).export(folder / f"{name}.ply")
        files.append(str(folder / f"{name}.ply"))
    return files


def pierced_by_rays(hand: Hand, obj: RigidObject, T_object_palm: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Tell which hands have a bone that the surface cuts, shape [grasp_count], bool."""
    skeleton, surface = hand_skeleton(hand), trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False)
    poses = link_matrices(hand, T_object_palm, joints)[:, skeleton.link_index[skeleton.bones]]
    starts, ends = (
        (np.einsum("glij,lj->gli", poses[..., :3, :3], points[skeleton.bones]) + poses[..., :3, 3]).reshape(-1, 3)
        for points in (skeleton.starts, skeleton.ends)
    )
    lengths = np.linalg.norm(ends - starts, axis=1)
    hits, rays, _ = surface.ray.intersects_location(starts, (ends - starts) / lengths[:, None])
    cut = np.zeros(len(lengths), dtype=bool)
    cut[rays[np.linalg.norm(hits - starts[rays], axis=1) < lengths[rays]]] = True
    return cut.reshape(len(poses), -1).any(axis=1)


def measure(hand_name: str, source: str, mode: str, options: argparse.Namespace) -> dict[str, float]:
    """Make grasps and measure them; volumes in cm3, areas in cm2, times in ms."""
    hand, obj = load_hand(hand_name), load_object(source)
    config = SynthesisConfig(wall_weight=0.0) if options.without else SynthesisConfig()
    lowest = obj.mesh.vertices[:, 2].min()
    around = table_under(np.array([0.0, 0.0, -lowest, 0.0, 0.0, 0.0, 1.0])) if mode == "table" else NOTHING
    settings = {"seed": options.seed, "surroundings": around, "threads": 1}
    asyncio.run(synthesize(hand, obj, [options.grasps], replace(config, tries=1), **settings))  # compiles and prepares
    start = time.process_time()
    batch = asyncio.run(synthesize(hand, obj, range(options.grasps), config, **settings))
    seconds = time.process_time() - start
    grasps = hand, obj, batch.T_object_palm, batch.joint_positions
    metrics = evaluate_grasps(*grasps, MetricsConfig())
    return {
        "cpu ms": 1e3 * seconds / options.grasps,
        "ok": batch.ok.mean(),
        "pierced": pierced_by_rays(*grasps).mean(),
        "told": batch.pierced.mean(),
        "depth": 1e3 * metrics["penetration_depth"].max(),
        "IV": 1e6 * intersection_volumes(*grasps).mean(),
        "CA": 1e4 * metrics["contact_area"].mean(),
        "eps": metrics["epsilon"].mean(),
    }


def report(results: dict[tuple[str, str], list[dict[str, float]]], options: argparse.Namespace) -> list[str]:
    """Print the means of each hand and mode; return what misses its floor."""
    misses = []
    for (hand, mode), rows in results.items():
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        print(f"{hand:8s} {mode:8s} {'mean':24s}" + _cells(means), flush=True)
        if means["pierced"] > MOST_PIERCED and not options.without:
            misses.append(f"{hand} {mode}: pierced {means['pierced']:.3f} > {MOST_PIERCED}")
    return misses


def _cells(row: dict[str, float]) -> str:
    return "".join(f"{name:>9s} {value:7.3g}" for name, value in row.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=Path, default=None, help="folder of meshes to take, too")
    parser.add_argument("--only", nargs="*", default=[], help="of those, take what holds one of these in its name")
    parser.add_argument("--hands", nargs="*", default=list(HANDS))
    parser.add_argument("--modes", nargs="*", default=["nothing", "table"], help="what stands around the object")
    parser.add_argument("--grasps", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes that share the work")
    parser.add_argument("--without", action="store_true", help="leave the term out; no floors")
    options = parser.parse_args(arguments)
    misses: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        sources = ["mug", "bowl", *write_vessels(Path(folder))]
        if options.objects:
            sources += [source for source in object_sources(options.objects, options.only) if Path(source).exists()]
        jobs = [(hand, source, mode, options) for hand in options.hands for mode in options.modes for source in sources]
        results: dict[tuple[str, str], list[dict[str, float]]] = {}
        for (hand, source, mode, _), row, error in run_jobs(measure, jobs, options.workers):
            label = f"{hand:8s} {mode:8s} {Path(source).stem[:24]:24s}"
            if error:
                misses.append(f"{label} failed: {error}")
                print(misses[-1], flush=True)
                continue
            print(label + _cells(row), flush=True)
            results.setdefault((hand, mode), []).append(row)
            if row["IV"] > MOST_SHARED and not options.without:
                misses.append(f"{label.strip()}: intersection {row['IV']:.2f} > {MOST_SHARED} cm3")
    misses += report(results, options)
    if misses:
        print("\nmissed: " + "; ".join(misses))
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
