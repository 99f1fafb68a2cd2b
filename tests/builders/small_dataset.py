# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the smallest datasets that have all there is: one place for what makes them quick to make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trimesh

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.scenes.scene_writer import SceneConfig
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig

QUICK = SynthesisConfig(
    iterations=10, point_count=300, tries=2, draft=DraftConfig(candidates=2, iterations=5, point_count=200)
)
"""Both passes and a second try, with too few steps for good grasps."""

ONE_SMALL_PICTURE = CameraConfig(views=1, width=32, height=24, stereo=False)

QUICK_OPTIONS = (
    *("--synthesis.iterations", "10", "--synthesis.point-count", "300", "--synthesis.tries", "2"),
    *("--synthesis.draft.candidates", "2", "--synthesis.draft.iterations", "5", "--synthesis.draft.point-count", "200"),
    *("--metrics.point-count", "300"),
    *("--render.samples-per-pixel", "1", "--render.no-denoise", "--render.variant", "scalar_rgb"),
)
"""The same for the command line."""


def block_file(folder: Path) -> Path:
    """Write a block of 5 × 6 × 7 cm as ``block.ply`` and return its path."""
    trimesh.creation.box((0.05, 0.06, 0.07)).export(folder / "block.ply")
    return folder / "block.ply"


def ball_file(folder: Path) -> Path:
    """Write a ball of 3 cm radius as ``ball.ply`` and return its path."""
    trimesh.creation.icosphere(subdivisions=2, radius=0.03).export(folder / "ball.ply")
    return folder / "ball.ply"


def small_config(folder: Path, **changes: Any) -> GenerateConfig:
    """Return settings of two grasps of a block by the Barrett hand, one scene, one small picture.

    Tables are of one colour: their textures take longer than the rest.

    Args:
        folder: Where the block is written.
        changes: Other fields of the settings.
    """
    settings: dict[str, Any] = {
        "hand": ("barrett",),
        "object": (str(block_file(folder)),),
        "grasps": 2,
        "scenes": 1,
        "out": folder / "set",
        "camera": ONE_SMALL_PICTURE,
        "scene": SceneConfig(table_looks=("plain",)),
        "render": RenderConfig(samples_per_pixel=1, denoise=False, variant="scalar_rgb"),
        "synthesis": QUICK,
        "metrics": MetricsConfig(point_count=300),
    }
    return GenerateConfig(**(settings | changes))
