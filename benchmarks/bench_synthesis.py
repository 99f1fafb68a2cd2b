# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Cost and quality of grasp synthesis, unfiltered; exits with 1 when the grasps are wrong.

    python benchmarks/bench_synthesis.py [--objects DIR] [--grasps 16] [--hand allegro] [--device cpu]

Cost is given per grasp and as a ratio to a baseline of the same run: one distance query per hand point and gradient
step, single-threaded, which no method that looks at every point at every step can beat. Quality is measured
independently of the optimiser: force closure by a linear program, depth of the hand inside the object by trimesh.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import numpy as np
import trimesh

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.library import list_names
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.signed_distance import SignedDistance
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.synthesizer import synthesize
from omni_graspd.usd.transforms import transform_points

MAX_DEPTH = 0.005
MIN_FORCE_CLOSURE = 0.7


def mesh_files(folder: Path | None) -> list[str]:
    """Return the mesh files below a folder, or the built-in objects."""
    if folder is None:
        return list_names("objects")
    return sorted(str(p) for p in folder.rglob("*") if p.suffix in {".ply", ".obj", ".stl", ".glb"})


def deepest_point(hand: Hand, obj: RigidObject, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> float:
    """Return how deep a dense sample of one posed hand's surface lies inside the object, by trimesh [m]."""
    mesh = trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False)
    deepest = 0.0
    for link, pose in zip(hand.links, link_poses(hand, T_object_palm, joint_positions), strict=True):
        if not len(link.mesh.faces):
            continue
        surface = trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False)
        local = np.concatenate([link.mesh.vertices, trimesh.sample.sample_surface(surface, 2000, seed=0)[0]])
        points = transform_points(pose, local)
        near = np.all((points > mesh.bounds[0]) & (points < mesh.bounds[1]), axis=1)
        if near.any():
            deepest = max(deepest, float(trimesh.proximity.signed_distance(mesh, points[near]).max()))
    return deepest


def query_baseline(obj: RigidObject, config: SynthesisConfig, device: str) -> float:
    """Return the CPU time of the distance queries of one grasp, on points within 3 cm of the object [s]."""
    distance = SignedDistance.build(obj.mesh, closed=obj.closed, device=device, config=config.distance)
    random = np.random.default_rng(0)
    vertices = obj.mesh.vertices[random.integers(len(obj.mesh.vertices), size=config.point_count * 20)]
    points = vertices + random.uniform(-0.017, 0.017, size=vertices.shape)
    distance.query(points, config.reach)
    start = time.process_time()
    distance.query(points, config.reach)
    return (time.process_time() - start) * config.iterations / 20.0


def main() -> int:
    """Run the benchmark and print one line per object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=Path, default=None, help="folder of meshes; default: the built-in objects")
    parser.add_argument("--grasps", type=int, default=16)
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    hand, config = load_hand(options.hand), SynthesisConfig()
    asyncio.run(synthesize(hand, load_object("mug"), [0], SynthesisConfig(iterations=1), seed=0, device=options.device))
    print(
        f"{'object':24s} {'cpu ms':>7s} {'ratio':>6s} {'closed':>6s} {'eps':>6s} {'CA cm2':>6s} "
        f"{'depth mm: mean':>14s} {'max':>5s}"
    )
    wrong = []
    for source in mesh_files(options.objects):
        obj = load_object(source)
        start = time.process_time()
        batch = asyncio.run(
            synthesize(hand, obj, range(options.grasps), config, seed=options.seed, device=options.device)
        )
        seconds = (time.process_time() - start) / options.grasps
        grasps = (hand, obj, batch.T_object_palm, batch.joint_positions)
        metrics = evaluate_grasps(*grasps, MetricsConfig(), device=options.device)
        depths = np.array([deepest_point(hand, obj, *row) for row in zip(*grasps[2:], strict=True)])
        closed = metrics["force_closure"].mean()
        print(
            f"{obj.name:24s} {1e3 * seconds:7.0f} {seconds / query_baseline(obj, config, options.device):6.2f} "
            f"{closed:6.2f} "
            f"{metrics['epsilon'].mean():6.3f} {1e4 * metrics['contact_area'].mean():6.1f} {1e3 * depths.mean():14.2f} "
            f"{1e3 * depths.max():5.2f}",
            flush=True,
        )
        if not np.isfinite(batch.T_object_palm).all() or closed < MIN_FORCE_CLOSURE or depths.max() >= MAX_DEPTH:
            wrong.append(obj.name)
    if wrong:
        print(
            f"wrong: {', '.join(wrong)} (want finite poses, {MIN_FORCE_CLOSURE:.0%} closed, "
            f"depth < {1e3 * MAX_DEPTH:g} mm)"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
