# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A dataset to train predictors on: scans, the same stretched, and simple shapes, none of those that are held out.

    python benchmarks/predict_data.py --objects OBJECTS --out grasps [--hand allegro barrett]

OBJECTS is a folder of YCB and EGAD meshes, ``ycb/*`` and ``egad/*``; built-in objects are added. Nothing is rendered:
training casts its views from the meshes. A run that was stopped goes on. Processor time of all is printed at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import trimesh

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.stages.settle_stage import settle_stage
from omni_graspd.dataset.stages.synthesize_stage import synthesize_stage
from omni_graspd.seeding import random_generator

HELD_OUT = ("006_mustard_bottle", "010_potted_meat_can", "061_foam_brick", "B3", "D5", "G5", "squeeze_bottle")
"""Objects that no network is trained on."""
BUILT_IN = (
    *("apple", "banana", "baseball", "bowl", "card_box", "low_can", "mug", "power_drill", "screwdriver", "soup_can"),
    "wood_block",
)
_LARGEST, _SMALLEST = 0.24, 0.05


def main() -> None:
    """Make shapes, drop them, and find grasps of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hand", nargs="+", default=["allegro"])
    parser.add_argument("--grasps", type=int, default=64, help="for each hand and rest pose")
    parser.add_argument("--scenes", type=int, default=2, help="drops of each object")
    parser.add_argument("--stretched", type=int, default=12, help="scans that are stretched")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    scans = training_scans(options.objects)
    made = [*_stretched(scans, options.stretched), *_boxes(7), *_turned(12)]
    folder = options.out.with_name(f"{options.out.name}_shapes")
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, mesh in made:
        files.append(folder / f"{name}.ply")
        if not files[-1].is_file():
            mesh.export(files[-1])
    config = GenerateConfig(
        hand=tuple(options.hand),
        object=(*BUILT_IN, *map(str, scans), *map(str, files)),
        grasps=options.grasps,
        scenes=options.scenes,
        workers=options.workers,
        out=options.out,
    )
    make_grasps(config)


def make_grasps(config: GenerateConfig) -> None:
    """Drop objects and find grasps of them, or go on with that; print processor time."""
    with open_run(config) as run:
        print(f"{len(run.objects)} objects", f"{time.process_time():.0f} s", flush=True)
        asyncio.run(settle_stage(run))
        print(f"settled {time.process_time():.0f} s", flush=True)
        asyncio.run(synthesize_stage(run))
    print(f"processor time {time.process_time():.0f} s", flush=True)


def scans_in(folder: Path) -> list[Path]:
    """Return mesh files in order, a scan's folder by its mesh."""
    return sorted([*folder.glob("*/*.ply"), *folder.glob("*/*/textured.obj")], key=scan_name)


def training_scans(folder: Path) -> list[Path]:
    """Return the mesh files that are not held out."""
    return [path for path in scans_in(folder) if scan_name(path) not in HELD_OUT]


def scan_name(path: Path) -> str:
    """Return the name of the object in a mesh file."""
    return path.parent.name if path.stem == "textured" else path.stem


def _stretched(scans: Sequence[Path], count: int) -> list[tuple[str, trimesh.Trimesh]]:
    """Return scans that are stretched along their axes, as objects of their own."""
    made = []
    for number in range(count):
        random = random_generator(0, "stretched", number)
        path = scans[(number * 5 + 2) % len(scans)]
        mesh = trimesh.load(path, process=True, force="mesh")
        mesh = trimesh.Trimesh(mesh.vertices, mesh.faces)
        mesh.merge_vertices(merge_tex=True, merge_norm=True)
        mesh.apply_scale(random.uniform(0.7, 1.3, 3))
        mesh.apply_scale(min(1.0, _LARGEST / mesh.extents.max()))
        made.append((f"stretched_{scan_name(path).lower()}_{number}", mesh))
    return made


def _boxes(count: int) -> list[tuple[str, trimesh.Trimesh]]:
    made = []
    for number in range(count):
        sides = random_generator(0, "box", number).uniform([0.03, 0.04, 0.06], [0.07, 0.1, 0.22])
        made.append((f"box_{number}", trimesh.creation.box(sides).subdivide().subdivide()))
    return made


def _turned(count: int) -> list[tuple[str, trimesh.Trimesh]]:
    """Return bodies of revolution: cans, bottles with a neck, cones, spindles."""
    made = []
    for number in range(count):
        random = random_generator(0, "turned", number)
        height, radius = random.uniform(0.06, 0.22), random.uniform(0.02, 0.045)
        up = np.linspace(0.0, 1.0, 9)
        shape = (
            np.ones(9),
            np.where(up < 0.6, 1.0, np.where(up < 0.75, 1.0 - 4.0 * (up - 0.6), 0.4)),
            1.0 - 0.5 * up,
            0.65 + 0.35 * np.cos(2.0 * np.pi * up),
        )[number % 4]
        profile = np.column_stack([radius * shape, height * up])
        closed = np.concatenate([[[0.0, 0.0]], profile, [[0.0, height]]])
        mesh = trimesh.creation.revolve(closed, sections=40)
        mesh.fix_normals()
        made.append((f"turned_{number}", mesh))
    return made


if __name__ == "__main__":
    main()
