# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Metric columns for the base grasps of a finished dataset: what is there stays, what lacks is measured."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from os import cpu_count
from pathlib import Path

import numpy as np

from omni_graspd.atomic import remove_leftovers, require_inside, writing_to
from omni_graspd.dataset.checksums import forget_checksums, update_checksums
from omni_graspd.dataset.config import ExecutorName
from omni_graspd.dataset.evaluation.evaluation_chunk import (
    EvaluationChunk,
    EvaluationSettings,
    evaluation_columns,
    lift_columns,
    measure_chunk,
    settings_content,
)
from omni_graspd.dataset.evaluation.evaluation_cost import cost_line, evaluation_cost
from omni_graspd.dataset.execution.worker_processes import worker_processes
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.lock import exclusive
from omni_graspd.dataset.manifest import Manifest, read_manifest, write_manifest
from omni_graspd.dataset.restored_config import restore_config
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import GRASPS
from omni_graspd.dataset.tables import GraspTable, read_grasps, write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.progress import Progress, no_progress

_LOG = logging.getLogger(__name__)
_CHUNK_SIZE = 32
"""Grasps that one worker measures at a time, lost together when the run is killed. Results do not depend on it."""


@dataclass(frozen=True)
class _Table:
    """One table, the columns that it lacks, and the chunks that measure them."""

    path: Path
    parts_folder: Path
    columns: tuple[str, ...]
    chunks: tuple[EvaluationChunk, ...]


@dataclass(frozen=True)
class _Work:
    """Where chunks are measured."""

    executor: ExecutorName
    address: str
    workers: int | None
    start: Callable[[], None] | None


def evaluate_dataset(
    root: Path,
    settings: EvaluationSettings | None = None,
    *,
    device: str = "cpu",
    workers: int | None = None,
    start_worker: Callable[[], None] | None = None,
    executor: ExecutorName = "local",
    address: str = "",
    progress: Progress = no_progress,
    tell: Callable[[str], None] | None = None,
) -> int:
    """Add metric columns to all tables of base grasps of a dataset.

    Columns that are there are kept as they are. Stopped or killed, the same call goes on where it was; the tables end
    with the same bytes for any number of workers.

    Args:
        root: The dataset folder.
        settings: Thresholds, hold test and the like.
        device: Warp device of the distances.
        workers: Processes; by default one for each core. With 1 all is done in this process.
        start_worker: Called first in each process, a function of a module.
        executor: Where the work runs: on this machine, or on a Ray cluster that can access the folder.
        address: Address of the Ray cluster, as for ``ray.init``.
        progress: Called with grasps measured and in total.
        tell: Called before the work begins with a line on what it will cost.

    Returns:
        How many grasps were measured.

    Raises:
        GraspdError: If the folder is no dataset or cannot be written, a file in it is damaged, or it was evaluated with
            other settings.
    """
    settings = settings or EvaluationSettings()
    manifest = read_manifest(root)
    if executor == "ray":
        root = root.absolute()  # that of a node's worker is another
    with writing_to(root), exclusive(root):
        _check_settings(root, manifest, settings)
        remove_leftovers(root)
        tables = list(_tables(root, manifest, settings, device))
        total = sum(chunk.stop - chunk.start for table in tables for chunk in table.chunks)
        if total and tell is not None:
            lacks = {name for table in tables for name in table.columns}
            tell(cost_line(evaluation_cost(settings, lacks), total))
        progress(0, total)
        if tables:
            write_manifest(replace(manifest, evaluation=manifest.evaluation | settings_content(settings)), root)
            forget_checksums(root, {table.path.relative_to(root).as_posix() for table in tables})
        done, left = 0, {table.path: len(table.chunks) for table in tables}
        work = _Work(executor, address, workers, start_worker)
        for table, count in _measured(tables, work):
            _LOG.info("%d grasps of %s", count, table.path.relative_to(root))
            done += count
            left[table.path] -= 1
            progress(done, total)
            if not left[table.path]:
                _add_columns(table)
        # Also where nothing was left to do: a run may have been stopped before it came to this.
        update_checksums(root)
    return total


def _tables(root: Path, manifest: Manifest, settings: EvaluationSettings, device: str) -> Iterator[_Table]:
    """Yield the tables that lack columns."""
    layout = DatasetLayout(root)
    metrics = restore_config(MetricsConfig, manifest.config.get("metrics", {}))
    for hand, obj, path in layout.grasp_tables(manifest.hands, manifest.objects):
        for written in (path, path.with_suffix(".evaluation")):
            require_inside(written, root, "the table")
        present = open_table(path, GRASPS)
        lacks = tuple(name for name in evaluation_columns(settings) if name not in present.names)
        if not lacks:
            continue
        if set(lacks) & set(lift_columns(settings)) and "table_plane" not in present.names:
            raise GraspdError(
                f"the lift test needs grasps made on a table, but those of {obj} by {hand} in {root} were made without "
                "one; drop --lift, or make grasps with --around table"
            )
        count = present.row_count
        folder = path.with_suffix(".evaluation")
        chunks = [
            EvaluationChunk(
                root=root,
                hand=hand,
                object=obj,
                start=start,
                stop=min(start + _CHUNK_SIZE, count),
                columns=lacks,
                part=folder / f"{start:08d}.npz",
                metrics=metrics,
                settings=settings,
                device=device,
            )
            for start in range(0, count, _CHUNK_SIZE)
        ]
        yield _Table(path, folder, lacks, tuple(chunks))


def _measured(tables: Sequence[_Table], work: _Work) -> Iterator[tuple[_Table, int]]:
    """Measure what no part holds; yield each chunk's table and size as it is done, those that were done first."""
    waiting = []
    for table in tables:
        for chunk in table.chunks:
            if _holds(chunk):
                yield table, chunk.stop - chunk.start
            else:
                waiting.append((table, chunk))
    if work.executor == "ray" and waiting:
        from omni_graspd.dataset.evaluation.ray_chunks import measure_on_ray

        for place in measure_on_ray([chunk for _, chunk in waiting], work.address, work.workers or 0):
            table, chunk = waiting[place]
            yield table, chunk.stop - chunk.start
        return
    workers = work.workers or cpu_count() or 1
    if workers == 1 or len(waiting) <= 1:
        for table, chunk in waiting:
            measure_chunk(chunk)
            yield table, chunk.stop - chunk.start
        return
    with worker_processes(min(workers, len(waiting)), work.start) as pool:
        futures = {pool.submit(measure_chunk, chunk): (table, chunk) for table, chunk in waiting}
        for future in as_completed(futures):
            future.result()
            table, chunk = futures[future]
            yield table, chunk.stop - chunk.start


def _holds(chunk: EvaluationChunk) -> bool:
    """Tell whether a chunk's part is there and has its columns; a run with fewer may have been stopped before."""
    if not chunk.part.is_file():
        return False
    with np.load(chunk.part, allow_pickle=False) as part:
        return set(chunk.columns) <= set(part.files)


def _add_columns(table: _Table) -> None:
    grasps: GraspTable = read_grasps(table.path)
    parts = []
    for chunk in table.chunks:
        with np.load(chunk.part, allow_pickle=False) as part:
            parts.append({name: part[name] for name in table.columns})
    columns = {name: np.concatenate([part[name] for part in parts]) for name in table.columns}
    write_grasps(replace(grasps, metrics=grasps.metrics | columns), table.path)
    shutil.rmtree(table.parts_folder)


def _check_settings(root: Path, manifest: Manifest, settings: EvaluationSettings) -> None:
    """Refuse settings under which columns of one dataset would not mean the same."""
    there, now = manifest.evaluation, settings_content(settings)
    different = [name for name in now if name in there and there[name] != now[name]]
    if different:
        raise GraspdError(
            f"expected the settings {root} was evaluated with, got others under {', '.join(different)}; use the same "
            "settings, or evaluate a copy of the dataset made before the evaluation"
        )
