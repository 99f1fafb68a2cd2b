# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a run would make, how long that would take and how much room it needs; nothing is read but names and sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.execution.shards import WHOLE_SHARD, ShardStage, grasp_shard_size, read_reports
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.scene_rest_poses import read_scene_rest_poses
from omni_graspd.dataset.table_files import row_count
from omni_graspd.dataset.table_kinds import GRASPS
from omni_graspd.errors import GraspdError


@dataclass(frozen=True)
class StageForecast:
    """What a stage would do."""

    stage: ShardStage
    """Stage."""
    missing: int | None
    """How many it would make; None where that is known only when objects have been dropped."""
    total: int | None
    """How many there would be."""
    shards: int | None
    """In how many pieces of work; None where that is known only when objects have been dropped."""
    cpu_seconds: float | None
    """Processor time it would take, by what it took in this folder before [s]; None before the first time."""
    size: int | None
    """Room on disk, by the size of what is there [byte]; None where nothing is."""


def forecast(config: GenerateConfig, hands: Iterable[str], objects: Iterable[str]) -> list[StageForecast]:
    """Tell what a run would make.

    Args:
        config: Settings of the run.
        hands: Names of the hands.
        objects: Names of the objects.
    """
    layout, hands, objects = DatasetLayout(config.out), tuple(hands), tuple(objects)
    scenes = {(name, index): layout.scene(name, index) for name in objects for index in range(config.scenes)}
    placed = {key: layout.scene_grasps(*key) for key in scenes}
    images = {key: layout.image_folders(*key) for key in scenes}
    views, cost = config.camera.images_per_scene, _cpu_seconds(config, layout)
    return [
        _scene_stage("settle", scenes, cost),
        _synthesize(config, layout, hands, objects, cost),
        _scene_stage("place", placed, cost),
        _stage(
            "render",
            len(scenes) * views,
            [folder for some in images.values() for folder in some],
            cost,
            shards=_scene_shards("render", {key for key, some in images.items() if len(some) < views}),
        ),
    ]


def _scene_stage(stage: ShardStage, files: dict[tuple[str, int], Path], cost: dict[str, float]) -> StageForecast:
    there = {key: path for key, path in files.items() if path.is_file()}
    return _stage(stage, len(files), list(there.values()), cost, shards=_scene_shards(stage, files.keys() - there))


def _scene_shards(stage: ShardStage, missing: Iterable[tuple[str, int]]) -> int:
    """Return in how many shards scenes are, by object and number."""
    return len({(name, index // WHOLE_SHARD[stage]) for name, index in missing})


def _synthesize(
    config: GenerateConfig,
    layout: DatasetLayout,
    hands: tuple[str, ...],
    objects: tuple[str, ...],
    cost: dict[str, float],
) -> StageForecast:
    tables = [path for _, _, path in layout.grasp_tables(hands, objects)]
    there = {path: row_count(path, GRASPS) for path in tables}
    rest_poses = _rest_poses(config, layout, objects)
    total = shards = None
    if rest_poses is not None:
        total = len(hands) * sum(rest_poses.values()) * config.grasps
        size = grasp_shard_size(config.device)
        pairs = [
            (count, there.get(layout.grasps(hand, name), 0)) for hand in hands for name, count in rest_poses.items()
        ]
        shards = sum(count * math.ceil(max(config.grasps - done / count, 0) / size) for count, done in pairs)
    return _stage("synthesize", total, tables, cost, there=sum(there.values()), shards=shards)


def _stage(
    stage: ShardStage,
    total: int | None,
    files: list[Path],
    cost: dict[str, float],
    *,
    shards: int | None,
    there: int | None = None,
) -> StageForecast:
    there = len(files) if there is None else there
    missing = None if total is None else max(total - there, 0)
    seconds = None if missing is None or stage not in cost else missing * cost[stage]
    size = None if missing is None or not there else round(missing * sum(map(_size, files)) / there)
    return StageForecast(stage, missing, total, shards, seconds, size)


def _rest_poses(config: GenerateConfig, layout: DatasetLayout, objects: tuple[str, ...]) -> dict[str, int] | None:
    """Return how many rest poses each object has; None before all have been dropped."""
    if config.around == "nothing":
        return dict.fromkeys(objects, 1)
    try:
        return {name: read_scene_rest_poses(layout, name, range(config.scenes)).count for name in objects}
    except GraspdError:
        return None


def _cpu_seconds(config: GenerateConfig, layout: DatasetLayout) -> dict[str, float]:
    """Return the processor time of a scene, grasp or image in this folder so far, by stage [s]."""
    spent: dict[str, list[float]] = {}
    for report in read_reports(layout.shard_reports):
        count = report.shard.stop - report.shard.start
        count *= config.camera.images_per_scene if report.shard.stage == "render" else 1
        seconds, done = spent.setdefault(report.shard.stage, [0.0, 0])
        spent[report.shard.stage] = [seconds + report.cpu_seconds, done + count]
    return {stage: seconds / done for stage, (seconds, done) in spent.items() if done}


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    return path.stat().st_size
