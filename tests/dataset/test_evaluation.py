# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Metric columns for finished datasets: what is added, what is kept, what a stopped run leaves."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_dataset import small_config

from omni_graspd.cli import main as cli
from omni_graspd.dataset.checksums import file_checksum, read_checksums
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.evaluation import evaluate_dataset as evaluation
from omni_graspd.dataset.evaluation import evaluation_chunk
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings, evaluation_columns
from omni_graspd.dataset.evaluation.evaluation_cost import cost_line, evaluation_cost
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.metrics.intersection_volume import intersection_volumes
from omni_graspd.metrics.self_penetration import SelfPenetrationConfig
from omni_graspd.objects.object_library import load_object

_SETTINGS = EvaluationSettings(thresholds=(0.002, 0.005), self_penetration=SelfPenetrationConfig(point_count=400))


def _config(folder: Path, **changes: object) -> GenerateConfig:
    return small_config(folder, grasps=5, scenes=0, around="nothing", **changes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Five grasps of a block by the Barrett hand, the second marked as failed."""
    config = _config(tmp_path_factory.mktemp("evaluated"))
    asyncio.run(generate(config))
    path = DatasetLayout(config.out).grasps("barrett", "block")
    table = read_grasps(path)
    status = ("ok", "diverged", *table.grasps.status[2:])
    write_grasps(replace(table, grasps=replace(table.grasps, status=status)), path)
    return config.out


@pytest.fixture
def dataset(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "set"))


def _table(root: Path) -> Path:
    return DatasetLayout(root).grasps("barrett", "block")


def test_all_columns_are_added_and_none_is_changed(dataset):
    before = read_grasps(_table(dataset))
    assert evaluate_dataset(dataset, _SETTINGS, workers=1) == 5
    after = read_grasps(_table(dataset))
    assert set(evaluation_columns(_SETTINGS)) <= set(after.metrics)
    for name, values in before.metrics.items():
        np.testing.assert_array_equal(after.metrics[name], values)
    np.testing.assert_array_equal(after.grasps.T_object_palm, before.grasps.T_object_palm)
    ok = np.array([status == "ok" for status in after.grasps.status])
    # The columns at the dataset's own threshold are those that the synthesis wrote; it leaves out the volume.
    for name in ("contact_area", "epsilon"):
        np.testing.assert_array_equal(after.metrics[f"{name}_5mm"][ok], before.metrics[name][ok])
    np.testing.assert_array_equal(after.metrics["volume_5mm"], after.metrics["volume"])
    assert "volume" not in before.metrics
    assert (after.metrics["volume"][ok] > 0.0).any()
    hand, obj = (
        load_hand(str(DatasetLayout(dataset).hand("barrett"))),
        load_object(str(DatasetLayout(dataset).object("block"))),
    )
    grasps = (after.grasps.T_object_palm[ok], after.grasps.joint_positions[ok])
    np.testing.assert_array_equal(after.metrics["intersection_volume"][ok], intersection_volumes(hand, obj, *grasps))
    assert ((after.metrics["held"][ok] >= 0.0) & (after.metrics["held"][ok] <= 1.0)).all()
    assert (after.metrics["displacement"][ok] <= 0.1).all()


def test_failed_rows_get_no_figures(dataset):
    evaluate_dataset(dataset, _SETTINGS, workers=1)
    metrics = read_grasps(_table(dataset)).metrics
    for name in evaluation_columns(_SETTINGS)[8:]:
        assert np.isnan(metrics[name][1]), name
        assert np.isfinite(np.delete(metrics[name], 1)).all(), name


@pytest.mark.slow
def test_nothing_is_measured_twice(dataset, monkeypatch):
    evaluate_dataset(dataset, replace(_SETTINGS, hold_test=False, thresholds=(0.005,)), workers=1)
    first = read_grasps(_table(dataset)).metrics
    asked = []
    measure = evaluation_chunk.measure_chunk
    monkeypatch.setattr(evaluation, "measure_chunk", lambda chunk: (asked.append(chunk.columns), measure(chunk)))
    evaluate_dataset(dataset, _SETTINGS, workers=1)
    assert {name for names in asked for name in names} == {
        "displacement", "held", *(f"{name}_2mm" for name in ("contact_area", "facing_area", "epsilon", "volume"))
    }  # fmt: skip
    second = read_grasps(_table(dataset)).metrics
    for name, values in first.items():
        np.testing.assert_array_equal(second[name], values)
    before = _table(dataset).read_bytes()
    assert evaluate_dataset(dataset, _SETTINGS, workers=1) == 0
    assert _table(dataset).read_bytes() == before


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_workers_do_not_matter(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "_CHUNK_SIZE", 2)
    other = Path(shutil.copytree(dataset, tmp_path / "other"))
    measure, done = evaluation_chunk.measure_chunk, []

    def stop_at_the_second(chunk):
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(chunk)
        measure(chunk)

    monkeypatch.setattr(evaluation, "measure_chunk", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        evaluate_dataset(dataset, _SETTINGS, workers=1)
    assert list(_table(dataset).with_suffix(".evaluation").iterdir())
    assert "held" not in read_grasps(_table(dataset)).metrics
    monkeypatch.setattr(evaluation, "measure_chunk", measure)
    evaluate_dataset(dataset, _SETTINGS, workers=1)
    assert not _table(dataset).with_suffix(".evaluation").exists()
    monkeypatch.setattr(evaluation, "_CHUNK_SIZE", 3)
    evaluate_dataset(other, _SETTINGS, workers=2)
    assert _table(dataset).read_bytes() == _table(other).read_bytes()


def test_a_run_stopped_before_its_checksums_writes_them_the_next_time(dataset, tmp_path, monkeypatch):
    other = Path(shutil.copytree(dataset, tmp_path / "other"))
    settings = replace(_SETTINGS, hold_test=False)

    def stop(root):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "update_checksums", stop)
        with pytest.raises(KeyboardInterrupt):
            evaluate_dataset(dataset, settings, workers=1)
    assert evaluate_dataset(dataset, settings, workers=1) == 0
    evaluate_dataset(other, settings, workers=1)
    name = _table(dataset).relative_to(dataset).as_posix()
    assert read_checksums(dataset)[name] == read_checksums(other)[name] == file_checksum(_table(dataset))


def test_other_settings_are_refused_and_named(dataset):
    evaluate_dataset(dataset, replace(_SETTINGS, hold_test=False), workers=1)
    assert read_manifest(dataset).evaluation["self_penetration"]["point_count"] == 400
    wrong = replace(_SETTINGS, self_penetration=SelfPenetrationConfig(depth=0.001))
    with pytest.raises(GraspdError, match=r"evaluated with, got others under self_penetration; use the same") as error:
        evaluate_dataset(dataset, wrong, workers=1)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_an_evaluated_dataset_can_still_be_gone_on_with(dataset, finished):
    evaluate_dataset(dataset, replace(_SETTINGS, hold_test=False), workers=1)
    config = _config(finished.parent, out=dataset)
    before = _table(dataset).read_bytes()
    asyncio.run(generate(config))
    assert _table(dataset).read_bytes() == before
    assert read_manifest(dataset).evaluation


@pytest.mark.parametrize("thresholds", [(5.0,), (0.0,), (-0.001,), (float("nan"),)])
def test_thresholds_in_other_units_are_refused(thresholds):
    with pytest.raises(GraspdError, match="give metres"):
        EvaluationSettings(thresholds=thresholds)


def test_the_command_says_what_it_did_and_what_is_next(dataset, capsys):
    options = [
        "--thresholds",
        "0.005",
        "--no-hold-test",
        "--workers",
        "1",
        "--settings.self-penetration.point-count",
        "400",
    ]
    cli.main(["evaluate", str(dataset), *options])
    assert f"next: graspd report {dataset}" in capsys.readouterr().out
    cli.main(["evaluate", str(dataset), *options])
    assert "nothing to measure" in capsys.readouterr().out


def test_a_folder_without_a_dataset_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["evaluate", str(tmp_path)])
    assert capsys.readouterr().err.startswith("error: expected a dataset folder, got")


@pytest.mark.parametrize("damage", ["cut", "empty", "overwritten", "other table", "a column less"])
def test_a_damaged_table_is_named_in_one_line(dataset: Path, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = DatasetLayout(dataset).grasps("barrett", "block")
    content = path.read_bytes()
    if damage == "other table":
        pq.write_table(pa.table({"index": [0]}), path)
    elif damage == "a column less":
        pq.write_table(pq.read_table(path).drop_columns(["T_object_palm"]), path)
    else:
        middle = b"\xff" * 400
        changed = {
            "cut": content[: len(content) // 2],
            "empty": b"",
            "overwritten": content[:4] + middle + content[404:],
        }
        path.write_bytes(changed[damage])
    with pytest.raises(SystemExit) as stopped:
        cli.main(["evaluate", str(dataset), "--workers", "1"])
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert said.count("\n") == 1
    assert str(path) in said


def test_the_cost_is_told_before_the_work_begins(dataset, monkeypatch):
    events = []
    monkeypatch.setattr(evaluation, "_measured", lambda tables, work: events.append("work") or iter(()))
    evaluate_dataset(dataset, _SETTINGS, tell=events.append)
    told, work = events
    assert work == "work"
    assert told.startswith("about 0.3 s of processor time per grasp (metrics 0.1, 2 thresholds 0.06, hold test 0.1), ")
    assert told.endswith(" in all, shared by the workers")


def test_what_is_there_already_costs_nothing():
    settings = EvaluationSettings(lift_test=True, lift_noise=4)
    assert evaluation_cost(settings, ["lifted", "lift_score"]) == pytest.approx({"5 lifts": 1.5})
    assert evaluation_cost(settings, ["epsilon_3mm", "volume_3mm"]) == pytest.approx({"1 thresholds": 0.03})
    assert cost_line({"hold test": 0.1}, 72_000) == (
        "about 0.1 s of processor time per grasp (hold test 0.1), 2 h in all, shared by the workers"
    )


@pytest.mark.slow
def test_ray_measures_the_same_bytes(dataset, finished, tmp_path):
    pytest.importorskip("ray")
    settings = replace(_SETTINGS, hold_test=False)
    here = Path(shutil.copytree(finished, tmp_path / "here"))
    assert evaluate_dataset(here, settings, workers=1) == 5
    assert evaluate_dataset(dataset, settings, workers=1, executor="ray") == 5
    assert _table(dataset).read_bytes() == _table(here).read_bytes()
