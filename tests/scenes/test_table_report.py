# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What the benchmark of grasps on a table makes of its results."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
import table_report
from table_pair import PoseResult


def _result(usable, lifted, escape, tries=(1, 1, 1, 1), **changes) -> PoseResult:
    columns = {
        "usable": np.array(usable, dtype=bool),
        "tries": np.array(tries, dtype=np.int32),
        "lifted": np.array(lifted, dtype=bool),
        "escape": np.array(escape, dtype=float),
        "imbalance": np.zeros(len(usable)),
    }
    status = tuple("ok" if flag else "apart: the hand ends 7 mm from the object" for flag in usable)
    reasons = tuple("slipped" if u and not up else "" for u, up in zip(usable, lifted, strict=True))
    values = {"hand": "allegro", "label": "mug", "pose": 0, "drops": 3, "height": 0.05, "cpu": 0.12}
    texts = {"status": status, "rejected": ("", "deep; deep", "", ""), "reasons": reasons}
    return PoseResult(columns=columns, **(values | texts | changes))


ONE = _result([1, 1, 1, 0], [1, 0, 0, 0], [0.1, 0.3, 0.2, 0.0], tries=(1, 3, 1, 5))
NONE = _result([0, 0, 0, 0], [0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4], tries=(5, 5, 5, 5))


@pytest.mark.slow
def test_shares_are_of_all_that_was_asked_for():
    row = table_report.means([ONE, NONE])
    assert row["usable"] == 3 / 8
    assert row["first"] == 2 / 8
    assert row["tries"] == 30 / 8
    assert row["cpu ms"] == pytest.approx(240.0 / 3)


def test_lifts_are_shares_of_usable_grasps_and_the_top_half_is_the_better_one():
    row = table_report.means([ONE, NONE])
    assert row["lifted"] == pytest.approx(1 / 3)
    # The better two of three: 0.1 lifts, 0.2 does not; 0.0 is not usable.
    assert row["top half"] == 1 / 2
    # Of three ranks the lowest is lifted: covariance -1/2, over sqrt(2/3 times 1/2).
    assert row["r escape"] == pytest.approx(-np.sqrt(3.0) / 2.0)
    assert np.isnan(row["r balance"])


def test_nothing_usable_gives_no_numbers():
    row = table_report.means([NONE])
    assert all(np.isnan(row[name]) for name in ("cpu ms", "lifted", "top half", "r escape"))


def test_failures_are_counted_try_by_try():
    assert table_report.failures([ONE]) == {"deep": 2, "apart": 1}
    assert table_report.lift_failures([ONE]) == {"slipped": 2}


def test_floors_that_are_missed_are_named(capsys: pytest.CaptureFixture[str]):
    misses = table_report.print_hand("allegro", [ONE])
    assert misses == [
        "allegro: first 0.500 < 0.7",
        "allegro: usable 0.750 < 0.95",
        "allegro: lifted 0.333 < 0.65",
        "allegro: top half 0.500 < 0.8",
    ]
    assert "3 to 6 cm, 1 rest poses" in capsys.readouterr().out
    assert table_report.print_hand("allegro", [ONE], hard=True) == misses[:2]
    # No number is no pass.
    assert "allegro: lifted nan < 0.65" in table_report.print_hand("allegro", [NONE])
    assert table_report.cost_misses("allegro", [NONE]) == ["allegro: cpu ms nan > 60"]
    assert table_report.pair_misses([ONE, NONE]) == ["with a usable grasp 0.5000 < 0.99"]


def test_the_check_counts_grasps_without_fault(capsys: pytest.CaptureFixture[str]):
    checked = _result([1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], checked={0: (), 2: ("palm in the table",)})
    assert table_report.check_misses([checked]) == ["independent check 0.5000 < 1"]
    assert "allegro mug pose 0 grasp 2: palm in the table" in capsys.readouterr().out
    assert table_report.check_misses([ONE]) == ["no usable grasp to check"]


def test_csv_has_a_row_per_grasp(tmp_path: Path):
    path = tmp_path / "grasps.csv"
    checked = _result([1, 1, 1, 1], [1, 1, 1, 0], [0.5, 0.25, 0, 0], checked={0: (), 2: ("low", "deep")})
    with path.open("w", newline="") as file:
        table = table_report.CsvFile(file)
        table.add(checked)
        table.add(ONE)
    rows = list(csv.DictReader(path.open()))
    assert len(rows) == 8
    assert [row["checked"] for row in rows[:3]] == ["passed", "", "low; deep"]
    assert (rows[1]["escape"], rows[3]["lift_failure"], rows[3]["lifted"]) == ("0.25", "slipped", "0")
    assert rows[7]["status"] == "apart: the hand ends 7 mm from the object"
