# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Do scenes stay when they are read again and woken? Exits with 1 when a vertex moves more than 1 mm or sinks deeper.

    python benchmarks/bench_reload.py [--objects NAME_OR_FILE_OR_DIR ...] [--scenes 8]

Every scene is written as a dataset has it, read, its object woken, and simulated for two seconds as it is: in metres,
undamped, on the box of the table and on the convex pieces of the object's file.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import numpy as np
from bench_scenes import _files
from pxr import UsdPhysics

from omni_graspd.library import list_names
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.resting_pieces import resting_pieces, write_resting_object
from omni_graspd.scenes.drop import DropConfig, drop_objects
from omni_graspd.scenes.scene_writer import OBJECT_PATH, SceneConfig, author_scene
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.stage import open_stage, save_stage
from omni_graspd.usd.transforms import transform_points

MAX_MOVED = 1e-3
WATCH = SimulateConfig(time_step=1.0 / 120.0, max_time=2.0, rest_time=np.inf, record_interval=0.1)


def main() -> int:
    """Print one line for each object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", nargs="*", default=list_names("objects"), help="names, mesh files or folders")
    parser.add_argument("--scenes", type=int, default=8)
    options = parser.parse_args()
    print(f"{'object':24s} pieces moved mm: median    max deepest mm: written  woken")
    rows = [_measure(source, options.scenes) for name in options.objects for source in _files(name)]
    moved = np.concatenate([row[0] for row in rows])
    deepest = max(row[1] for row in rows)
    print(
        f"{len(moved)} scenes: vertices moved by at most {1e3 * moved.max():.3f} mm, "
        f"median {1e3 * np.median(moved):.3f}, above 1 mm in {np.sum(moved > MAX_MOVED)}; "
        f"deepest vertex {1e3 * deepest:.3f} mm below the table top"
    )
    return 0 if moved.max() < MAX_MOVED and deepest < MAX_MOVED else 1


def _measure(source: str, count: int) -> tuple[np.ndarray, float]:
    """Return how far vertices moved in each scene, and how deep below the table top the lowest was written [m]."""
    obj = load_object(source)
    pieces = resting_pieces(obj)
    drops = asyncio.run(drop_objects(obj, range(count), DropConfig(), 0, simulate))
    moved, depths = np.zeros(count), np.zeros((count, 2))
    with tempfile.TemporaryDirectory() as folder:
        usd = Path(folder) / "objects" / f"{obj.name}.usd"
        write_resting_object(obj, usd)
        for index, drop in enumerate(drops):
            path = Path(folder) / "scenes" / obj.name / f"scene_{index:04d}.usda"
            save_stage(author_scene(path, usd, obj, drop.T_world_object, index, SceneConfig(), 0), path)
            stage = open_stage(path)
            UsdPhysics.RigidBodyAPI(stage.GetPrimAtPath(OBJECT_PATH)).GetStartsAsleepAttr().Set(False)
            poses = asyncio.run(simulate(stage, WATCH)).poses[:, 0]
            points = np.stack([transform_points(pose, obj.mesh.vertices) for pose in poses])
            moved[index] = np.linalg.norm(points - points[0], axis=2).max()
            depths[index] = -points[0, :, 2].min(), -points[1:, :, 2].min()
    print(
        f"{obj.name:24s} {len(pieces):6d} {1e3 * np.median(moved):16.3f} {1e3 * moved.max():6.3f} "
        f"{1e3 * depths[:, 0].max():19.3f} {1e3 * depths[:, 1].max():6.3f}",
        flush=True,
    )
    return moved, float(depths.max())


if __name__ == "__main__":
    sys.exit(main())
