# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A page on the quality of datasets: one self-contained HTML file, with charts (PNG) and tables (CSV) beside it."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.atomic import atomic_path, require_inside, writing_to
from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings
from omni_graspd.dataset.evaluation.measured_grasps import MeasuredGrasps, read_measured_grasps
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.selection import Selection
from omni_graspd.inspection.quality_charts import Groups, draw_histograms, draw_threshold_curves, draw_verdicts
from omni_graspd.inspection.quality_summary import QualityRow, quality_row
from omni_graspd.inspection.report_gallery import Shown, choose_shown, draw_shown
from omni_graspd.inspection.report_tables import report_tables
from omni_graspd.metrics.columns import metrics_shown
from omni_graspd.progress import Progress, no_progress
from omni_graspd.ranges import require_at_least
from omni_graspd.version import __version__


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """What a report shows and where it goes."""

    out: Path | None = None
    """Folder for report.html and its files. Default: report/ in the first dataset."""
    where: str = ""
    """Take only grasps that meet a condition on the columns, for example "usable and epsilon > 0.2"."""
    top: int = 10
    """Best grasps per object, by epsilon, in the second table and the curves; 10 in the paper."""
    pictures: int = 12
    """Grasps of the first dataset in the gallery; 0: none."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "report", 1, "top")
        require_at_least(self, "report", 0, "pictures")


def write_report(roots: Sequence[Path], config: ReportConfig | None = None, progress: Progress = no_progress) -> Path:
    """Write a report on evaluated datasets.

    Args:
        roots: Dataset folders; the first is the one the report is about.
        config: What to show.
        progress: Called with pictures drawn and in total.

    Returns:
        The page.

    Raises:
        GraspdError: If a folder is no evaluated dataset or the report cannot be written.
    """
    config = config or ReportConfig()
    if config.out is None:
        require_inside(roots[0] / "report", roots[0], "the report")
    per_dataset = [read_measured_grasps(root, Selection(config.where)) for root in roots]
    measured = [table for tables in per_dataset for table in tables]
    groups = _groups(measured)
    shown = choose_shown(per_dataset[0], config.pictures)
    progress(0, len(shown))
    gallery = []
    for count, item in enumerate(shown, start=1):
        gallery.append((item, draw_shown(item)))
        progress(count, len(shown))
    rows = {
        "top": [quality_row(g, config.top) for g in groups.values()],
        "all": [quality_row(g, None) for g in groups.values()],
    }
    charts = _charts(groups, config)
    folder = config.out or roots[0] / "report"
    with writing_to(folder, resumes=False):
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in charts.items():
            _write(folder / f"{name}.png", data)
        _write(folder / "summary.csv", _summary_csv(rows))
        _write(folder / "grasps.csv", _grasps_csv(measured))
        _write(folder / "report.html", _page(roots, groups, rows, charts, gallery, config).encode())
    return folder / "report.html"


def _groups(measured: Sequence[MeasuredGrasps]) -> dict[str, list[MeasuredGrasps]]:
    several = len({table.dataset for table in measured}) > 1
    groups: dict[str, list[MeasuredGrasps]] = {}
    for table in measured:
        name = f"{table.dataset} · {table.table.hand}" if several else table.table.hand
        groups.setdefault(name, []).append(table)
    return groups


_HEADINGS = {
    "curves": "Over contact thresholds",
    "verdicts": "What works, what fails and why",
    "histograms": "How the metrics are distributed",
}


def _charts(groups: Groups, config: ReportConfig) -> dict[str, bytes]:
    drawn = {
        "curves": draw_threshold_curves(groups, config.top),
        "verdicts": draw_verdicts(groups),
        "histograms": draw_histograms(groups),
    }
    return {name: data for name, data in drawn.items() if data is not None}


def _page(
    roots: Sequence[Path],
    groups: Groups,
    rows: dict[str, list[QualityRow]],
    charts: dict[str, bytes],
    gallery: Sequence[tuple[Shown, Sequence[bytes]]],
    config: ReportConfig,
) -> str:
    import jinja2

    captions = {
        "curves": f"Best {config.top} of each object by ε. Bands: 95 % bootstrap interval of the mean over objects "
        "(over grasps where there are fewer than four objects).",
        "verdicts": "Each grasp counts once, under the first reason that applies.",
        "histograms": "All grasps not marked as failed; the largest half per cent goes into the last bin.",
    }
    settings = _settings(roots[0])
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("omni_graspd.inspection"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    grasps = sum(len(table.table.indices) for measured in groups.values() for table in measured)
    objects = len({table.table.object for measured in groups.values() for table in measured})
    return environment.get_template("report.html.jinja").render(
        title=f"Grasps of {', '.join(dict.fromkeys(root.resolve().name for root in roots))}",
        subtitle=f"{grasps} grasps of {objects} objects by {len(groups)} {'hand' if len(groups) == 1 else 'groups'}",
        tables=report_tables(groups, rows, config.top),
        charts=[
            {"heading": _HEADINGS[name], "caption": captions[name], "data": base64.b64encode(data).decode()}
            for name, data in charts.items()
        ],
        gallery=[
            {"caption": item.caption, "pictures": [base64.b64encode(picture).decode() for picture in pictures]}
            for item, pictures in gallery
        ],
        gallery_scope=roots[0].resolve().name,
        largest_displacement=f"{100 * settings['largest_displacement']:g}",
        moved_threshold=f"{100 * settings['hold']['moved_threshold']:g}",
        version=__version__,
    )


def _settings(root: Path) -> dict[str, Any]:
    default = EvaluationSettings()
    there = read_manifest(root).evaluation
    return there or {
        "largest_displacement": default.largest_displacement,
        "hold": {"moved_threshold": default.hold.moved_threshold},
    }


def _summary_csv(rows: dict[str, list[QualityRow]]) -> bytes:
    shown = metrics_shown("report")
    lines = [["choice", "dataset", "hand", "objects", "grasps", *(metric.title for metric in shown)]]
    for choice, chosen in rows.items():
        for row in chosen:
            values = [repr(row.values[metric.name]) for metric in shown]
            lines.append([choice, row.dataset, row.hand, str(row.objects), str(row.grasps), *values])
    return _as_csv(lines)


def _grasps_csv(measured: Sequence[MeasuredGrasps]) -> bytes:
    names = list(dict.fromkeys(name for table in measured for name in _columns(table)))
    lines = [["dataset", "hand", "object", "index", "status", "verdict", *names]]
    for table in measured:
        known = _columns(table)
        columns = [known.get(name) for name in names]
        verdicts = table.verdicts()
        for row, index in enumerate(table.table.indices):
            values = ["" if column is None else str(column[row]) for column in columns]
            texts = [table.dataset, table.table.hand, table.table.object, str(index), table.table.grasps.status[row]]
            lines.append([*texts, verdicts[row], *values])
    return _as_csv(lines)


def _columns(table: MeasuredGrasps) -> dict[str, np.ndarray]:
    """Return what is written of each grasp, by column."""
    grasps = table.table
    rest_poses = {} if grasps.rest_poses is None else {"rest_pose": grasps.rest_poses}
    return rest_poses | ({} if grasps.grasps.way is None else {"usable": grasps.grasps.usable}) | grasps.metrics


def _as_csv(lines: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue().encode()


def _write(path: Path, data: bytes) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
