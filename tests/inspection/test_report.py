# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The report: right means, a page that stands alone, and that works in a browser."""

from __future__ import annotations

import csv
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.cli import main as cli
from omni_graspd.dataset.evaluation.measured_grasps import read_measured_grasps
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Asset, Manifest, write_manifest
from omni_graspd.dataset.tables import GraspTable, write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.inspection.quality_summary import quality_row, threshold_curve
from omni_graspd.inspection.report import ReportConfig, write_report
from omni_graspd.inspection.report_tables import report_tables
from omni_graspd.metrics.columns import METRICS
from omni_graspd.synthesis.grasp import GraspBatch


def _write_dataset(
    root: Path,
    objects: dict[str, np.ndarray],
    *,
    hand: str = "claw<b>",
    evaluated: bool = True,
    further: tuple[str, ...] = (),
) -> Path:
    """Write tables with the given epsilons; the first row of each object is marked as failed."""
    for name, epsilon in objects.items():
        count = len(epsilon)
        poses = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], (count, 1))
        status = ("diverged", *["ok"] * (count - 1))
        metrics = {"epsilon": epsilon, "contact_area": 1e-4 * np.arange(count), "force_closure": epsilon > 0.0}
        if evaluated:
            metrics |= {"intersection_volume": 1e-6 * epsilon, "held": np.linspace(0.0, 1.0, count)}
            metrics |= {"displacement": 0.01 * epsilon, "penetration_depth": 1e-3 * np.arange(count)}
            metrics |= dict.fromkeys(further, epsilon)
            metrics |= {f"{metric}_{at}mm": at * epsilon for metric in ("epsilon", "volume") for at in (1, 3, 9)}
        batch = GraspBatch(poses, np.zeros((count, 1)), {}, status)
        table = GraspTable(hand, name, ("joint",), np.arange(count, dtype=np.int32), 0, batch, metrics)
        write_grasps(table, DatasetLayout(root).grasps(hand, name))
    assets = {name: Asset(f"objects/{name}.usd", "x", "sha256:0", None, None) for name in objects}
    hands = {hand: Asset(f"hands/{hand}.usd", "x", "sha256:0", None, None)}
    write_manifest(Manifest({"backend": "none", "device": "cpu", "seed": 0}, hands, assets, {}, {}), root)
    return root


@pytest.fixture
def dataset(tmp_path) -> Path:
    random = np.random.default_rng(0)
    return _write_dataset(tmp_path / "ours", {"can": random.uniform(0, 0.5, 12), "mug": random.uniform(0, 0.5, 30)})


def _quantity(column: str):
    return METRICS[column]


def test_rows_average_the_best_of_each_object_then_the_objects(tmp_path):
    root = _write_dataset(tmp_path / "set", {"a": np.array([9.0, 0.1, 0.3, 0.2]), "b": np.array([9.0, 0.5])})
    row = quality_row(read_measured_grasps(root), 2)
    # The failed first rows do not count, however good they look; of a the rows 2 and 3 are best.
    assert row.grasps == 3
    assert row.values["epsilon"] == pytest.approx(0.5 * (0.25 + 0.5))
    assert row.values["contact_area"] == pytest.approx(0.5 * (2.5 + 1.0))
    assert row.values["displacement"] == pytest.approx(0.5 * (0.25 + 0.5))
    assert np.isnan(row.values["self_penetration_area"])


def test_curves_follow_the_thresholds_and_bands_hold_the_mean(dataset):
    measured = read_measured_grasps(dataset)
    curve = threshold_curve(measured, _quantity("epsilon"), None)
    np.testing.assert_allclose(curve.thresholds, [0.001, 0.003, 0.009])
    np.testing.assert_allclose(curve.mean / curve.mean[0], [1.0, 3.0, 9.0])
    assert (curve.low < curve.mean).all() and (curve.mean < curve.high).all()
    assert threshold_curve(measured, _quantity("contact_area"), None) is None


def test_each_grasp_has_one_verdict(tmp_path):
    root = _write_dataset(tmp_path / "set", {"a": np.array([0.2, 0.0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2])})
    (measured,) = read_measured_grasps(root)
    assert measured.verdicts() == [
        "failed: diverged",
        "no force closure",
        "object lost in most directions",
        "object lost in most directions",
        "object lost in some direction",
        "object lost in some direction",
        "deeper than 5 mm in the object",
        "deeper than 5 mm in the object",
    ]


def test_crossed_links_come_after_pierced_ones_and_before_all_else(tmp_path):
    root = _write_dataset(tmp_path / "set", {"a": np.array([0.2, 0.0, 0.0])})
    (measured,) = read_measured_grasps(root)
    metrics = measured.table.metrics | {"pierced": np.array([0, 1, 0]), "crossed": np.array([0, 1, 2])}
    measured = replace(measured, table=replace(measured.table, metrics=metrics))
    assert measured.verdicts() == [
        "failed: diverged",
        "the object passes through the hand",
        "a link passes through another",
    ]


def test_the_page_stands_alone_and_escapes_names(dataset):
    page = write_report([dataset], ReportConfig(pictures=0))
    text = page.read_text()
    assert "claw<b>" not in text and "claw&lt;b&gt;" in text
    assert not re.findall(r"""(?:src|href)=["'](?!data:)[^"']+""", text)
    assert {path.name for path in page.parent.iterdir()} == {
        "report.html", "curves.png", "histograms.png", "verdicts.png", "summary.csv", "grasps.csv"
    }  # fmt: skip
    rows = list(csv.DictReader((page.parent / "grasps.csv").open()))
    assert len(rows) == 42 and rows[0]["verdict"] == "failed: diverged" and rows[13]["object"] == "mug"
    summary = list(csv.DictReader((page.parent / "summary.csv").open()))
    assert [row["choice"] for row in summary] == ["top", "all"]
    expected = quality_row(read_measured_grasps(dataset), 10).values["epsilon"]
    assert float(summary[0]["ε"]) == pytest.approx(expected)


def test_the_first_table_counts_what_can_be_used(dataset):
    measured = read_measured_grasps(dataset)
    groups = {"claw<b>": measured}
    rows = {name: [quality_row(measured, count)] for name, count in (("top", 10), ("all", None))}
    counts, best, usable, by_object = report_tables(groups, rows, 10)
    good = sum(verdict == "good" for table in measured for verdict in table.verdicts())
    assert counts["headings"] == ["hand", "objects", "grasps", "usable", "share", "good", "share"]
    # The first of each object failed.
    assert counts["rows"] == [["claw<b>", 2, 42, 40, "95 %", good, f"{100 * good / 42:.0f} %"]]
    assert (best["rows"][0][2], usable["rows"][0][2]) == (20, 40)
    assert [row[1:4] for row in by_object["rows"]] == [["can", 12, 11], ["mug", 30, 29]]
    several = report_tables({"a": measured[:1], "b": [replace(measured[1], dataset="theirs")]}, rows, 10)
    assert [row[:2] for row in several[0]["rows"]] == [["ours", "claw<b>"], ["theirs", "claw<b>"]]


@pytest.mark.slow
def test_several_datasets_are_compared(dataset, tmp_path):
    other = _write_dataset(tmp_path / "theirs", {"can": np.linspace(0.0, 0.1, 9)})
    text = write_report([dataset, other], ReportConfig(pictures=0, out=tmp_path / "page")).read_text()
    assert "ours" in text and "theirs" in text and "51 grasps" in text


def test_a_dataset_that_was_not_evaluated_is_told_how(tmp_path):
    root = _write_dataset(tmp_path / "raw", {"can": np.ones(3)}, evaluated=False)
    with pytest.raises(GraspdError, match=r"have no intersection_volume; run `graspd evaluate .*raw` first"):
        write_report([root])


@pytest.mark.slow
def test_the_command_names_the_page(dataset, capsys):
    cli.main(["report", str(dataset), "--pictures", "0"])
    assert f"report: {dataset / 'report' / 'report.html'}" in capsys.readouterr().out


@pytest.mark.slow
def test_in_a_browser_pictures_load_and_tables_sort_without_complaint(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    browser_file = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_file is None:
        pytest.skip("needs Chromium")
    further = ("volume", "pierced", "crossed", "self_penetration_area", "joint_limit_margin")
    grasps = {"soup_can": np.linspace(0.1, 0.4, 12), "a_rather_long_name_of_a_mug": np.linspace(0.1, 0.5, 30)}
    page_file = write_report([_write_dataset(tmp_path / "set", grasps, further=further)], ReportConfig(pictures=0))
    with playwright.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=browser_file, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url[:80]))
        page.goto(page_file.resolve().as_uri())
        widths = page.eval_on_selector_all("img", "images => images.map(image => image.naturalWidth)")
        assert len(widths) == 3 and min(widths) > 500
        too_wide = "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).length"
        assert page.eval_on_selector_all(".scroll", too_wide) == 0
        if kept := os.environ.get("GRASPD_KEEP_SCREENSHOTS"):
            page.screenshot(path=Path(kept) / "report.png")
        table = page.locator("table").nth(3)
        column = table.locator("th").all_inner_texts().index("ε")
        for direction in ("descending", "ascending"):
            table.locator("th").nth(column).click()
            assert table.locator("th").nth(column).get_attribute("aria-sort") == direction
            values = [float(row.locator("td").nth(column).inner_text()) for row in table.locator("tbody tr").all()]
            assert values == sorted(values, reverse=direction == "descending") and len(values) == 2
        browser.close()
    assert complaints == []
