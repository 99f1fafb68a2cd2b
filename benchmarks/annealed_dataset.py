# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A dataset's scenes with annealed grasps in place of ours, and datasets cut to as many grasps of each rest pose."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from annealed_grasps import AnnealingConfig, annealed_postures, closed_grasps

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.grasp_numbers import grasp_indices
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.run import Run, open_run
from omni_graspd.dataset.tables import GraspTable, read_grasps, write_grasps
from omni_graspd.geometry.signed_distance import SignedDistanceConfig
from omni_graspd.hands.hand import Hand
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.crossed_links import crossing_pairs
from omni_graspd.synthesis.grasp import CROSSED, PIERCED, GraspBatch, join_batches
from omni_graspd.synthesis.models import SurroundingsModel, hand_model, object_model
from omni_graspd.synthesis.request import GraspRequest, Wanted
from omni_graspd.synthesis.squeeze import SqueezeConfig
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.synthesis.way_check import with_way

_WAYS = 0.7
"""For this share of the runs, the best ones, a way is looked for."""
_SETTINGS = SynthesisConfig(distance=SignedDistanceConfig(phong_alpha=0.0), squeeze=SqueezeConfig(max_imbalance=1e9))
"""The mesh as it is; and grasps need a way past the table, but are not asked whether their squeeze is in balance: that
is what our planner sees to, this one goes by epsilon."""


def anneal_dataset(config: GenerateConfig, ours: Path, out: Path, search: AnnealingConfig) -> None:
    """Write annealed grasps of all objects and rest poses of a dataset; objects that are there stay as they are.

    Args:
        config: Settings of the dataset of our grasps.
        ours: That dataset.
        out: Dataset to write.
        search: How grasps are searched.
    """
    if not out.is_dir():
        begun = out.with_name(f"{out.name}.begun")
        shutil.rmtree(begun, ignore_errors=True)
        shutil.copytree(ours, begun, ignore=shutil.ignore_patterns("grasps", "checksums.parquet", "*.jsonl"))
        begun.rename(out)
    layout, began = DatasetLayout(out), time.process_time()
    with open_run(config) as opened:
        run = opened.with_rest_poses()
        (hand,) = run.hands
        for obj in run.objects:
            path = layout.grasps(hand.name, obj.name)
            if path.is_file():
                continue
            table = _annealed_table(run, hand, obj, search)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_grasps(table, path)
            seconds = time.process_time() - began
            usable = table.grasps.usable
            print(f"annealed {obj.name:<22} {usable.sum()} of {len(usable)} usable, {seconds:.0f} s", flush=True)


def equal_datasets(folders: dict[Path, Path], hand: str, most: int) -> int:
    """Write datasets with the best grasps of each, as many of each rest pose in all of them.

    Args:
        folders: From where to where. The last names of the latter should be the same: views are drawn by them.
        hand: Whose grasps.
        most: Most grasps of a rest pose.

    Returns:
        How many grasps each has.
    """
    total = 0
    names = sorted(path.stem for path in (next(iter(folders)) / "grasps" / hand).glob("*.parquet"))
    for out in folders.values():
        shutil.rmtree(out, ignore_errors=True)
    for source, out in folders.items():
        shutil.copytree(source, out, ignore=shutil.ignore_patterns("grasps", "checksums.parquet", "*.jsonl"))
    for name in names:
        tables = [read_grasps(DatasetLayout(source).grasps(hand, name)) for source in folders]
        chosen: list[list[np.ndarray]] = [[] for _ in tables]
        for rest_pose in np.unique(np.asarray(tables[0].rest_poses)):
            ranked = [_best(table, rest_pose) for table in tables]
            count = min(most, *(len(rows) for rows in ranked))
            total += count
            for rows, best in zip(chosen, ranked, strict=True):
                rows.append(np.sort(best[:count]))
        for table, rows, out in zip(tables, chosen, folders.values(), strict=True):
            path = DatasetLayout(out).grasps(hand, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_grasps(table.take(np.concatenate(rows)), path)
    return total


def _best(table: GraspTable, rest_pose: int) -> np.ndarray:
    """Return the rows of the usable grasps of a rest pose, by their planner's ranking."""
    assert table.rest_poses is not None
    own = np.flatnonzero((table.rest_poses == rest_pose) & table.grasps.usable)
    return own[np.argsort(table.ranking[own], kind="stable")]


def _annealed_table(run: Run, hand: Hand, obj: RigidObject, search: AnnealingConfig) -> GraspTable:
    parts = []
    for number, around in enumerate(run.rest_poses[obj.name].surroundings):
        found, epsilon = annealed_grasps(hand, obj, around, run.config.grasps, run.config.seed + number, search)
        indices = grasp_indices(number, 0, len(epsilon))
        rest_poses = np.full(len(epsilon), number, dtype=np.int32)
        parts.append((found, epsilon, indices, rest_poses))
    epsilon, indices, rest_poses = (np.concatenate(column) for column in list(zip(*parts, strict=True))[1:])
    batch = join_batches([part[0] for part in parts])
    metrics = {"epsilon": epsilon}
    return GraspTable(hand.name, obj.name, hand.joint_names, indices, run.config.seed, batch, metrics, rest_poses)


def annealed_grasps(
    hand: Hand, obj: RigidObject, around: Surroundings, count: int, seed: int, search: AnnealingConfig
) -> tuple[GraspBatch, np.ndarray]:
    """Return the best of ``count`` annealed grasps of an object on a table, with their ways, and their epsilon."""
    model, surroundings = object_model(obj, _SETTINGS.distance, "cpu"), SurroundingsModel(around)
    wanted = Wanted(GraspRequest(obj, range(count), around), model, surroundings)
    clearance = wanted.clearance(hand, hand_model(hand, _SETTINGS.point_count, "cpu").points)
    postures = annealed_postures(hand, obj, model, around.plane, count, seed, search)[:2]
    closed = [closed_grasps(clearance, *postures, ahead=ahead) for ahead in (False, True)]
    palms, actuated = (np.concatenate(column) for column in zip(*closed, strict=True))
    joints = hand.joint_positions(actuated)
    epsilon = np.nan_to_num(evaluate_grasps(hand, obj, palms, joints, MetricsConfig())["epsilon"])
    runs = len(postures[0])
    better = np.where(epsilon[:runs] >= epsilon[runs:], 0, runs) + np.arange(runs)  # of one run's two
    best = better[np.argsort(-epsilon[better], kind="stable")][: round(_WAYS * count)]
    best = best[epsilon[best] > 0.0]
    hands = clearance.place(palms[best], joints[best])
    pierced = np.asarray(clearance.pierced(hands))
    crossed = np.asarray(crossing_pairs(hand, joints[best], "cpu").any(axis=(1, 2)))
    status = tuple(
        PIERCED if through else CROSSED if itself else "ok" for through, itself in zip(pierced, crossed, strict=True)
    )
    batch = GraspBatch(palms[best], joints[best], {"escape": 1.0 - epsilon[best]}, status)
    batch = with_way(hand, wanted, batch, clearance.depths(hands), _SETTINGS, "cpu")
    return replace(batch, losses={"escape": 1.0 - epsilon[best]}), epsilon[best]
