# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp three objects on a table with each built-in hand, rank the grasps, and draw the best of each from two sides.

python examples/03_three_hands.py [PICTURE]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import numpy as np

from omni_graspd.backend import Backend, load_backend
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.inspection.grasp_pictures import render_grasp
from omni_graspd.inspection.picture_grid import Column, Tile, compose_columns
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.object_library import default_objects, load_object
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.scenes.drop import DropConfig, drop_object
from omni_graspd.scenes.grasp_tests.hold import measure_hold
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.surroundings import table_under
from omni_graspd.synthesis.synthesizer import synthesize


async def best_grasp(backend: Backend, hand: Hand, obj: RigidObject, count: int) -> tuple[Tile, Tile]:
    """Drop the object on a table, grasp it there, and return two pictures of the grasp that ranks first."""
    rest = await drop_object(obj, 0, DropConfig(), 0, backend.simulate)
    table = table_under(rest.T_world_object)
    batch = await synthesize(hand, obj, range(count), SynthesisConfig(), seed=0, surroundings=table)
    best = [int(np.lexsort((np.asarray(batch.ranking), ~batch.usable))[0])]
    grasp = (hand, obj, batch.T_object_palm[best], batch.joint_positions[best])
    metrics = evaluate_grasps(*grasp, MetricsConfig())
    hold = await measure_hold(backend.simulate, *grasp)
    with tempfile.TemporaryDirectory() as folder:
        usd = Path(folder) / f"{obj.name}.usdc"
        write_object(obj, usd)
        shown = (backend, hand, obj, usd, batch.T_object_palm[best[0]], batch.joint_positions[best[0]])
        left, right = await render_grasp(*shown, size=400, config=RenderConfig(), table_plane=table.plane)
    usable = f"{batch.usable.sum()} of {count} usable"
    return (
        Tile(left, f"{usable} · epsilon {metrics['epsilon'][0]:.2f}"),
        Tile(right, f"held in {hold.held[0].sum()} of 6 directions"),
    )


def main(picture: Path = Path("three_hands.png"), count: int = 16) -> None:
    """Write the picture."""
    from PIL import Image

    backend, columns = load_backend("auto"), []
    for name in ("allegro", "shadow", "barrett"):
        hand = load_hand(name)
        rows = tuple(asyncio.run(best_grasp(backend, hand, load_object(obj), count)) for obj in default_objects())
        columns.append(Column(name, f"{hand.joint_count} joints, {hand.actuated_count} actuated", rows))
    title = f"The best of {count} grasps on a table per hand and object"
    subtitle = "usable: a way in, down to the table and up again that touches nothing; ranked by what drops an object"
    Image.fromarray(compose_columns(title, subtitle, columns)).save(picture)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
