# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The table of `benchmarks/table_three.py`, from the files of its test, and its place in a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.prediction.train_config import TrainConfig

_NOTHING = 0.02
"""Means below this are no base for a margin."""
BEGIN, END = "<!-- table three: written by benchmarks/table_three.py -->", "<!-- end of table three -->"
COLUMNS = {
    "contact_area": ("CA, cm²", 2, 1, "+33 %"),
    "intersection_volume": ("IV, cm³", 2, -1, "-15 %"),
    "epsilon": ("ε", 3, 1, "+43 %"),
    "volume": ("Vol", 3, 1, "+62 %"),
    "displacement": ("SD, cm, not pierced", 2, -1, "-65 %"),
    "clear": ("clear of the table", 2, 1, ""),
    "pierced": ("pierced", 2, -1, ""),
    "epsilon_free": ("ε, 0 if pierced", 3, 1, ""),
    "lifted": ("lifted", 2, 1, ""),
}
"""Title, digits, whether more is better, and our margin over GraspIt! in the paper's Table III, EGAD + KIT."""
KINDS = {
    "network": "network",
    "fitted": "network, fitted to its guess",
    "training": "training grasps",
    "random": "random ones, moved there",
    "known": "planner, knows the mesh",
}
"""What is measured, by the beginning of its folders' names."""
NAMES = {"ours": "omni_graspd", "annealed": "annealed, as GraspIt!"}


@dataclass(frozen=True)
class Setting:
    """What the numbers come from."""

    grasps: int
    training_objects: int
    train: TrainConfig
    views: int
    count: int
    slow: int
    seeds: int


def write_table(folders: dict[str, Path], setting: Setting, page: Path | None) -> str:
    """Return the table, and put it between its marks in a page.

    Args:
        folders: Where the tests of each planner's networks lie.
        setting: What they come from.
        page: The page; None: nowhere.
    """
    train = setting.train
    lines = [
        f"{setting.grasps} training grasps of {setting.training_objects} objects by the Barrett hand from each "
        f"planner, as many of each rest pose. {train.steps} steps of {train.views} views x {train.grasps} grasps. "
        f"Held-out objects: {setting.views} views x {setting.count} grasps; Vol, SD and lift of "
        f"{setting.slow} of each view, from the best score to the worst. Mean of {setting.seeds} seeds ± their "
        "standard deviation. Nothing is filtered. Bold: better.",
        "",
        _line(["grasps", "learned from", *(title for title, *_ in COLUMNS.values())]),
        "|---|---|" + "---:|" * len(COLUMNS),
    ]
    for kind, what in KINDS.items():
        found = {planner: _folders(folder, kind) for planner, folder in folders.items()}
        there = {planner: paths for planner, paths in found.items() if paths}
        if not there:
            continue
        paths = [path for part in there.values() for path in part]
        names = set.intersection(*({file.name for file in path.glob("*.json")} for path in paths))
        means = {planner: [_means(path, names) for path in part] for planner, part in there.items()}
        title = f"{what}, {len(names)} object{'' if len(names) == 1 else 's'}"
        for planner, of_seeds in means.items():
            cells = [_cell(np.array([seed[name] for seed in of_seeds]), name) for name in COLUMNS]
            lines.append(_line([title, NAMES[planner], *cells]))
        if there.keys() == NAMES.keys():
            lines.append(_line([title, "margin", *(_margin(means, name) for name in COLUMNS)]))
    lines.append(_line(["the paper's networks", "margin", *(column[3] for column in COLUMNS.values())]))
    text = "\n".join(lines)
    if page is not None:
        before, rest = page.read_text(encoding="utf-8").split(BEGIN)
        page.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return text


def _folders(folder: Path, kind: str) -> list[Path]:
    """Return the folder of each seed of a kind, or its only one."""
    return [path for path in sorted(folder.glob(f"{kind}*")) if list(path.glob("*.json"))]


def _means(folder: Path, names: set[str]) -> dict[str, float]:
    """Return the means over all grasps of some objects."""
    files = [json.loads((folder / name).read_text(encoding="utf-8")) for name in sorted(names)]
    columns = {name: np.array([value for file in files for value in file[name]]) for name in files[0]}
    columns["epsilon_free"] = np.where(columns["pierced"] > 0.0, 0.0, columns["epsilon"])
    # The hold test does not take hands that the object passes through.
    known = {name: columns[name][~np.isnan(columns[name])] for name in COLUMNS}
    return {name: float(values.mean()) if len(values) else float("nan") for name, values in known.items()}


def _cell(values: np.ndarray, name: str) -> str:
    digits = COLUMNS[name][1]
    mean = f"{values.mean():.{digits}f}"
    return f"{mean} ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else mean


def _margin(means: dict[str, list[dict[str, float]]], name: str) -> str:
    ours, other = (np.mean([seed[name] for seed in means[planner]]) for planner in ("ours", "annealed"))
    if np.isnan(ours) or not other >= _NOTHING:
        return ""
    share, better = 100.0 * (ours / other - 1.0), COLUMNS[name][2]
    return f"**{share:+.0f} %**" if share * better > 0.0 else f"{share:+.0f} %"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
