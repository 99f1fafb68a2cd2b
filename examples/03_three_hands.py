# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp three objects with each built-in hand, rank the grasps, and draw the best of each from two sides.

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
from omni_graspd.scenes.hold import measure_hold
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.synthesizer import synthesize


async def best_grasp(backend: Backend, hand: Hand, obj: RigidObject, count: int) -> tuple[Tile, Tile]:
    """Return two pictures of the grasp that lets a pushed object escape least, with its figures."""
    batch = await synthesize(hand, obj, range(count), SynthesisConfig(), seed=0)
    best = [int(np.argmin(batch.losses["escape"]))]
    grasp = (hand, obj, batch.T_object_palm[best], batch.joint_positions[best])
    metrics = evaluate_grasps(*grasp, MetricsConfig())
    hold = await measure_hold(backend.simulate, *grasp)
    with tempfile.TemporaryDirectory() as folder:
        usd = Path(folder) / f"{obj.name}.usdc"
        write_object(obj, usd)
        poses = (batch.T_object_palm[best[0]], batch.joint_positions[best[0]])
        left, right = await render_grasp(backend, hand, obj, usd, *poses, size=400, config=RenderConfig())
    figures = f"epsilon {metrics['epsilon'][0]:.2f} · {1e4 * metrics['contact_area'][0]:.0f} cm2"
    return Tile(left, figures), Tile(right, f"held in {hold.held[0].sum()} of 6 directions")


def main(picture: Path = Path("three_hands.png"), count: int = 16) -> None:
    """Write the picture."""
    from PIL import Image

    backend, columns = load_backend("auto"), []
    for name in ("allegro", "shadow", "barrett"):
        hand = load_hand(name)
        rows = tuple(asyncio.run(best_grasp(backend, hand, load_object(obj), count)) for obj in default_objects())
        columns.append(Column(name, f"{hand.joint_count} joints, {hand.actuated_count} actuated", rows))
    title = f"The best of {count} grasps per hand and object"
    Image.fromarray(compose_columns(title, "ranked by how far a pushed object escapes", columns)).save(picture)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
