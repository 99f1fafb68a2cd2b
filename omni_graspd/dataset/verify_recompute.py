# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Some grasps of a dataset made again from its manifest, and compared bit by bit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import package_versions, read_manifest
from omni_graspd.dataset.restored_config import restore_config
from omni_graspd.dataset.tables import read_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.object_library import load_object
from omni_graspd.progress import Progress, no_progress
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.synthesizer import synthesize


def recompute_grasps(root: Path, count: int, seed: int = 0, progress: Progress = no_progress) -> list[tuple[str, str]]:
    """Make grasps of a dataset again and compare poses, joints, status and metrics bit by bit.

    Args:
        root: The dataset folder.
        count: How many grasps, drawn from all tables.
        seed: Which ones.
        progress: Called with grasps made and in total.

    Returns:
        Table, relative to the dataset, and which of its rows came out otherwise; empty if none did.

    Raises:
        GraspdError: If the dataset was not synthesized, or with other versions of packages than are installed.
    """
    manifest, layout = read_manifest(root), DatasetLayout(root)
    if "synthesis" not in manifest.config:
        raise GraspdError(f"expected a dataset of `graspd generate`, got {root}, whose grasps come from elsewhere")
    _check_versions(manifest.packages)
    config = restore_config(SynthesisConfig, manifest.config["synthesis"])
    metrics = restore_config(MetricsConfig, manifest.config["metrics"])
    pairs = list(layout.grasp_tables(manifest.hands, manifest.objects))
    sizes = [len(read_grasps(path).indices) for _, _, path in pairs]
    random = random_generator(seed, "recompute")
    drawn = np.sort(random.choice(sum(sizes), size=min(count, sum(sizes)), replace=False))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    found, done = [], 0
    for (hand_name, object_name, path), low, high in zip(pairs, starts[:-1], starts[1:], strict=True):
        rows = drawn[(drawn >= low) & (drawn < high)] - low
        if not len(rows):
            continue
        table = read_grasps(path)
        hand, obj = load_hand(str(layout.hand(hand_name))), load_object(str(layout.object(object_name)))
        device, run_seed = manifest.config["device"], manifest.config["seed"]
        batch = asyncio.run(synthesize(hand, obj, rows.tolist(), config, seed=run_seed, device=device))
        again = evaluate_grasps(hand, obj, batch.T_object_palm, batch.joint_positions, metrics, device=device)
        same = np.array([table.grasps.status[row] == batch.status[i] for i, row in enumerate(rows)], dtype=bool)
        pairs_of_arrays = [
            (table.grasps.T_object_palm, batch.T_object_palm),
            (table.grasps.joint_positions, batch.joint_positions),
        ]
        for present, made in pairs_of_arrays:
            same &= ((present[rows] == made) | (np.isnan(present[rows]) & np.isnan(made))).all(axis=1)
        for name, values in again.items():
            same &= ~batch.ok | (table.metrics[name][rows] == values)
        wrong = rows[~same]
        if len(wrong):
            where = path.relative_to(root).as_posix()
            found.append((where, f"expected the same grasps when made again, got others in rows {_some(wrong)}"))
        done += len(rows)
        progress(done, len(drawn))
    return found


def _some(rows: np.ndarray) -> str:
    shown = ", ".join(str(row) for row in rows[:5])
    return shown if len(rows) <= 5 else f"{shown} and {len(rows) - 5} more"


def _check_versions(made_with: dict[str, str]) -> None:
    """Refuse to compare bits of different programs."""
    here = package_versions()
    bearing = ("omni-graspd", "numpy", "scipy", "warp-lang")
    others = [
        f"{name} {made_with[name]} (here {here.get(name)})" for name in bearing if made_with.get(name) != here.get(name)
    ]
    if others:
        raise GraspdError(
            f"expected the packages with which the dataset was made, {', '.join(others)}; install them to recompute"
        )
