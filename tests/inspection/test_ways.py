# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps on a table as they are looked at: which are usable, in which rest pose, and what tables and reports say."""

from __future__ import annotations

import asyncio
import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pxr import UsdGeom

from omni_graspd.cli import main as cli
from omni_graspd.dataset.evaluation.measured_grasps import read_measured_grasps
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.formats.grasp_table import table_record
from omni_graspd.inspection import recorded_run as recording
from omni_graspd.inspection.dataset_card import describe_dataset
from omni_graspd.inspection.grasp_catalog import GraspCatalog
from omni_graspd.inspection.grasp_list import GraspFilter
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.inspection.overview import _choose_grasps
from omni_graspd.inspection.report import ReportConfig, write_report
from omni_graspd.inspection.summary import summarize_dataset
from omni_graspd.scenes.scene_writer import OBJECT_PATH
from omni_graspd.synthesis.grasp import Way
from omni_graspd.usd.stage import create_stage, save_stage
from omni_graspd.usd.transforms import author_pose

_INDICES = [0, 1, 1_000_000, 1_000_001]
_USABLE = [True, False, False, True]
_PLANES = np.array([[0.0, 0.0, 1.0, -0.03]] * 2 + [[0.0, 1.0, 0.0, -0.025]] * 2)


def _put_on_a_table(path: Path) -> None:
    """Give the four grasps of a table ways over two rest poses; none failed, two are not usable."""
    table = read_grasps(path)
    number = np.array([0.001, -0.002, 0.003, 0.004])
    way = Way(
        table_plane=_PLANES,
        T_object_hover_palm=table.grasps.T_object_palm,
        lift_direction=_PLANES[:, :3],
        approach_clearance=number,
        closing_clearance=number,
        grasp_clearance=number,
        squeeze_clearance=number,
        lift_clearance=np.full(4, np.nan),
        usable=np.array(_USABLE),
        tries=np.array([1, 4, 4, 2], dtype=np.int32),
        rejected=("", "no way in; no way in; no way in", "no way in; no way in; no way in", "no way in"),
    )
    grasps = replace(table.grasps, status=("ok",) * 4, way=way)
    metrics = table.metrics | {"epsilon": np.array([0.2, 0.9, 0.8, 0.1]), "intersection_volume": np.zeros(4)}
    metrics |= {"force_closure": np.ones(4, dtype=bool), "penetration_depth": np.zeros(4)}
    indices, rest_poses = np.array(_INDICES, dtype=np.int32), np.array([0, 0, 1, 1], dtype=np.int32)
    write_grasps(replace(table, indices=indices, grasps=grasps, rest_poses=rest_poses, metrics=metrics), path)


@pytest.fixture
def on_table(dataset: Path) -> Path:
    """The dataset, its objects put on tables."""
    for name in ("block", "ball"):
        _put_on_a_table(DatasetLayout(dataset).grasps("barrett", name))
    manifest = json.loads((dataset / "dataset.json").read_text())
    manifest["config"] |= {"around": "table", "grasps": 2}
    (dataset / "dataset.json").write_text(json.dumps(manifest))
    return dataset


def test_grasps_are_filtered_by_what_can_be_carried_out(on_table: Path) -> None:
    session = Inspection(on_table)
    session.list.show(GraspFilter(status="usable", object="ball"))
    assert session.list.rows.tolist() == [4, 7]
    session.list.show(GraspFilter(ranges={"rest_pose": (1, 1), "usable": (0, 0)}))
    assert session.list.rows.tolist() == [2, 6]
    session.close()


def test_afloat_what_did_not_fail_is_usable(dataset: Path) -> None:
    catalog = GraspCatalog(dataset)
    np.testing.assert_array_equal(catalog.usable(), catalog.ok())


def test_how_good_a_grasp_is_comes_before_the_way_to_it(on_table: Path) -> None:
    names = GraspCatalog(on_table).metric_names()
    assert names.index("loss_escape") < names.index("epsilon") < names.index("rest_pose") < names.index("usable")
    assert "rejected" not in names and "table_plane" not in names


def test_grasps_are_found_by_number_in_every_rest_pose(on_table: Path) -> None:
    catalog = GraspCatalog(on_table)
    for place, index in enumerate(_INDICES):
        assert catalog.row_of("barrett", "ball", index) == 4 + place
        grasp = catalog.grasp(4 + place)
        assert grasp.index == index
        np.testing.assert_array_equal(grasp.table_plane, _PLANES[place])


def test_a_grasp_belongs_to_the_scenes_in_which_its_object_lies_as_it_expects(on_table: Path) -> None:
    layout = DatasetLayout(on_table)
    half = float(np.sqrt(0.5))
    # Upright, on its side with +Y up, upright elsewhere and turned about the vertical.
    poses = [[0.0, 0.0, 0.03, 0, 0, 0, 1.0], [0.1, 0.0, 0.025, half, 0, 0, half], [0.2, 0.1, 0.03, 0, 0, half, half]]
    for index, pose in enumerate(poses):
        stage = create_stage("World", layout.scene("ball", index))
        author_pose(UsdGeom.Xform.Define(stage, OBJECT_PATH).GetPrim(), np.array(pose))
        save_stage(stage, layout.scene("ball", index))
    session = Inspection(on_table)
    for row, scenes in ((4, [0, 2]), (6, [1]), (0, [])):
        session.select(row)
        assert session.scene_indices() == scenes
    session.close()


def test_a_grasp_is_recorded_over_the_table_for_which_it_was_made(
    on_table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def noted(hand, obj, indices, config, *, surroundings, **_):
        asked.append((obj.name, indices, surroundings.plane))
        raise KeyboardInterrupt

    monkeypatch.setattr(recording, "synthesize", noted)
    session = Inspection(on_table)
    session.select(6)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(session.trajectory())
    session.close()
    ((name, indices, plane),) = asked
    assert (name, indices) == ("ball", [1_000_000])
    np.testing.assert_array_equal(plane, _PLANES[2])


def test_summary_card_and_info_count_what_is_usable(on_table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = summarize_dataset(on_table)
    assert [(row.rest_pose_count, row.ok_count, row.usable_count) for row in summary.grasps] == [(2, 4, 2)] * 2
    assert describe_dataset(summary).unique_grasps == 4
    cli.main(["info", str(on_table)])
    lines = capsys.readouterr().out.splitlines()
    assert any("rest poses" in line and "usable" in line for line in lines)


def test_afloat_the_summary_says_nothing_of_it(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {row.usable_count for row in summarize_dataset(dataset).grasps} == {None}
    cli.main(["info", str(dataset)])
    assert "usable" not in capsys.readouterr().out


@pytest.mark.slow
def test_reports_rank_usable_grasps_and_say_why_others_are_not(on_table: Path) -> None:
    (measured, _) = read_measured_grasps(on_table)
    assert measured.best(None).tolist() == [0, 3]
    assert measured.verdicts() == ["good", "the table is in the way", "the table is in the way", "good"]
    page = write_report([on_table], ReportConfig(pictures=0))
    rows = list(csv.DictReader((page.parent / "grasps.csv").open()))
    assert [row["rest_pose"] for row in rows] == ["0", "0", "1", "1"] * 2
    assert [row["usable"] for row in rows] == [str(usable) for usable in _USABLE] * 2


def test_pictures_and_other_formats_prefer_what_is_usable(on_table: Path) -> None:
    table = read_grasps(DatasetLayout(on_table).grasps("barrett", "block"))
    assert [row for row, _ in _choose_grasps(table)][:2] == [0, 3]
    assert table_record(table).scores["confidence"].tolist() == [1.0, 0.0, 0.0, 1.0]
