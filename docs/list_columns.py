# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Write the tables of columns that the code declares into the docs: ``python docs/list_columns.py``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omni_graspd.metrics.columns import METRICS
from omni_graspd.synthesis.losses import LOSS_TERMS

_DOCS = Path(__file__).resolve().parent
_BY = {
    "generate": "generate",
    "evaluate": "evaluate",
    "thresholds": "`--thresholds` only",
    "hold": "hold test",
    "lift": "`--lift`",
    "lift noise": "`--lift-noise N`",
    "predict": "`graspd predict`",
}
_POWERS = str.maketrans("23", "²³")


def metric_table() -> str:
    """Return the table of all metric columns."""
    rows = []
    for name, metric in METRICS.items():
        unit = {"bool": "bool", "string": "text"}.get(metric.kind, metric.unit.translate(_POWERS))
        at = "yes" if metric.at_threshold else ""
        rows.append((f"`{name}`", metric.label, unit, _BY[metric.by], at, metric.meaning))
    return _table(("column", "in reports", "unit", "measured by", "at thresholds", "meaning"), rows)


def loss_table() -> str:
    """Return the table of the columns of the loss."""
    rows = [
        (f"`loss_{term.name}`", term.unit.translate(_POWERS), f"`{term.weight}`" if term.weight else "", term.meaning)
        for term in LOSS_TERMS.values()
        if term.recorded
    ]
    return _table(("column", "unit", "weight", "meaning"), rows)


TABLES = {("metrics.md", "metrics"): metric_table, ("dataset.md", "losses"): loss_table}
"""What writes a table, by page and by the name between the marks around it."""


def page(name: str) -> str:
    """Return a page as it should be.

    Args:
        name: Name of the file in docs/.
    """
    text = (_DOCS / name).read_text(encoding="utf-8")
    for (file, table), write in TABLES.items():
        if file == name:
            begin, end = f"<!-- {table}: begin -->\n", f"<!-- {table}: end -->\n"
            before, _, rest = text.partition(begin)
            text = f"{before}{begin}{write()}{end}{rest.partition(end)[2]}"
    return text


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    for file in dict.fromkeys(file for file, _ in TABLES):
        (_DOCS / file).write_text(page(file), encoding="utf-8")
