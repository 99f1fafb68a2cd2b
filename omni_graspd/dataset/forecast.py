# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a run would make, how long that would take and how much room it needs; nothing is read but names and sizes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.execution.shards import ShardStage, read_reports
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
    scenes = [layout.scene(name, index) for name in objects for index in range(config.scenes)]
    placed = [layout.scene_grasps(name, index) for name in objects for index in range(config.scenes)]
    tables = [path for _, _, path in layout.grasp_tables(hands, objects)]
    images = [path for name in objects for path in layout.images(name)]
    grasps = _grasp_total(config, layout, len(hands), objects)
    cost = _cpu_seconds(config, layout)
    return [
        _stage("settle", len(scenes), [path for path in scenes if path.is_file()], cost),
        _stage("synthesize", grasps, tables, cost, there=sum(row_count(path, GRASPS) for path in tables)),
        _stage("place", len(placed), [path for path in placed if path.is_file()], cost),
        _stage("render", len(scenes) * config.camera.images_per_scene, [path.parent for path in images], cost),
    ]


def _stage(
    stage: ShardStage, total: int | None, files: list[Path], cost: dict[str, float], there: int | None = None
) -> StageForecast:
    there = len(files) if there is None else there
    missing = None if total is None else max(total - there, 0)
    seconds = None if missing is None or stage not in cost else missing * cost[stage]
    size = None if missing is None or not there else round(missing * sum(map(_size, files)) / there)
    return StageForecast(stage, missing, total, seconds, size)


def _grasp_total(config: GenerateConfig, layout: DatasetLayout, hands: int, objects: tuple[str, ...]) -> int | None:
    if config.around == "nothing":
        return hands * len(objects) * config.grasps
    try:
        rest_poses = [read_scene_rest_poses(layout, name, range(config.scenes)).count for name in objects]
    except GraspdError:
        return None
    return hands * sum(rest_poses) * config.grasps


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
