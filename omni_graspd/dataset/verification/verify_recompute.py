# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Some grasps of a dataset made again from its manifest, and compared bit by bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.blocking import run_to_end
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Manifest, is_around_table, package_versions, read_manifest
from omni_graspd.dataset.restored_config import restore_config
from omni_graspd.dataset.scene_rest_poses import floating, read_scene_rest_poses
from omni_graspd.dataset.table_files import row_count
from omni_graspd.dataset.table_kinds import GRASPS
from omni_graspd.dataset.table_schema import POSTURE_COLUMNS, WAY_COLUMNS
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.object_library import load_object
from omni_graspd.progress import Progress, no_progress
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import join_batches
from omni_graspd.synthesis.synthesizer import synthesize


def recompute_grasps(root: Path, count: int, seed: int = 0, progress: Progress = no_progress) -> list[tuple[str, str]]:
    """Make grasps of a dataset again and compare poses, joints, ways, status and metrics bit by bit.

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
        raise GraspdError(f"expected a dataset made by `graspd generate`, got {root}, whose grasps come from elsewhere")
    _check_versions(manifest.packages)
    pairs = list(layout.grasp_tables(manifest.hands, manifest.objects))
    sizes = [row_count(path, GRASPS) for _, _, path in pairs]
    random = random_generator(seed, "recompute")
    drawn = np.sort(random.choice(sum(sizes), size=min(count, sum(sizes)), replace=False))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    found, done = [], 0
    for (hand_name, object_name, path), low, high in zip(pairs, starts[:-1], starts[1:], strict=True):
        rows = drawn[(drawn >= low) & (drawn < high)] - low
        if not len(rows):
            continue
        table = read_grasps(path)
        again = _made_again(layout, manifest, table, hand_name, object_name, rows)
        wrong = [int(row) for place, row in enumerate(rows) if not _same(table, int(row), again, place)]
        if wrong:
            where = path.relative_to(root).as_posix()
            found.append((where, f"recomputed grasps differ in rows {_some(wrong)}"))
        done += len(rows)
        progress(done, len(drawn))
    return found


def _made_again(
    layout: DatasetLayout, manifest: Manifest, table: GraspTable, hand_name: str, object_name: str, rows: np.ndarray
) -> GraspTable:
    """Return some rows of a table as they come out now, in the given order."""
    settings = manifest.config
    config = restore_config(SynthesisConfig, settings["synthesis"])
    metrics = restore_config(MetricsConfig, settings["metrics"])
    hand, obj = load_hand(str(layout.hand(hand_name))), load_object(str(layout.object(object_name)))
    rest = floating(0)
    if is_around_table(settings):
        names = manifest.objects if settings["scene"]["clutter"] else ()
        others = [load_object(str(layout.object(name))) for name in names]
        rest = read_scene_rest_poses(layout, object_name, range(settings["scenes"]), others)
    indices = table.indices[rows]
    rest_poses = np.zeros(len(rows), dtype=int) if table.rest_poses is None else table.rest_poses[rows]
    options = {"seed": settings["seed"], "device": settings["device"]}
    batches = []
    for number in np.unique(rest_poses):
        wanted, around = indices[rest_poses == number].tolist(), rest.surroundings[number]
        batches.append(run_to_end(synthesize(hand, obj, wanted, config, surroundings=around, **options)))
    batch = join_batches(batches)
    measured = evaluate_grasps(
        hand, obj, batch.T_object_palm, batch.joint_positions, metrics, device=settings["device"]
    )
    return replace(table, indices=indices, grasps=batch, metrics=measured)


def _same(table: GraspTable, row: int, again: GraspTable, place: int) -> bool:
    """Tell whether a grasp came out as it is in its table, bit by bit."""
    one, other = table.grasps, again.grasps
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("status", "T_object_palm", "joint_positions")]
    for names, there, made in (
        (POSTURE_COLUMNS, one.postures, other.postures),
        (WAY_COLUMNS, one.way, other.way),
    ):
        if there is not None and made is not None:
            pairs += [(getattr(there, name), getattr(made, name)) for name in names]
    if other.ok[place]:
        pairs += [(table.metrics[name], values) for name, values in again.metrics.items()]
    return all(np.array_equal(there[row], made[place], equal_nan=_has_nan(made)) for there, made in pairs)


def _has_nan(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind == "f"


def _some(rows: list[int]) -> str:
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
            f"recomputing needs the package versions that made the dataset: {', '.join(others)}; install them"
        )
