# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Columns of the lift test in finished datasets."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omni_graspd.cli import main as cli
from omni_graspd.dataset.evaluation import evaluate_dataset as evaluation
from omni_graspd.dataset.evaluation import evaluation_chunk
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings, lift_columns
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.formats.grasp_table import table_record
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.metrics.self_penetration import SelfPenetrationConfig
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.grasp_tests.lift import NOT_USABLE, TOUCHED_TABLE, measure_lift
from omni_graspd.standalone.simulate import simulate

_WITHOUT = EvaluationSettings(
    thresholds=(), hold_test=False, self_penetration=SelfPenetrationConfig(point_count=400), lift_test=False
)
_SETTINGS = replace(_WITHOUT, lift_test=True)


@pytest.fixture
def dataset(resting_dataset: Path, tmp_path: Path) -> Path:
    """Nine grasps of a block over tables too low for the hands to reach them, the second marked as failed.

    All come from far above. The table of the last is so high that the hand must touch it.
    """
    root = Path(shutil.copytree(resting_dataset, tmp_path / "set"))
    path = _path(root)
    table = read_grasps(path)
    assert table.grasps.way is not None
    assert table.grasps.postures is not None
    planes, pregrasps = table.grasps.way.table_plane.copy(), table.grasps.postures.T_object_pregrasp_palm.copy()
    planes[:, 3] += [*8 * [-0.3], 0.05]
    pregrasps[:, :3] += 0.5 * planes[:, :3]
    grasps = replace(
        table.grasps,
        status=("ok", "diverged", *table.grasps.status[2:]),
        way=replace(table.grasps.way, table_plane=planes),
        postures=replace(table.grasps.postures, T_object_pregrasp_palm=pregrasps),
    )
    write_grasps(replace(table, grasps=grasps), path)
    return root


def _path(root: Path) -> Path:
    return DatasetLayout(root).grasps("barrett", "block")


@pytest.mark.slow
def test_columns_say_what_the_lift_test_says(dataset):
    assert evaluate_dataset(dataset, _SETTINGS, workers=1) == 9
    table = read_grasps(_path(dataset))
    lifted, drift, reasons = (table.metrics[name] for name in lift_columns(_SETTINGS))
    assert reasons[1] == NOT_USABLE
    assert reasons[-1] == TOUCHED_TABLE
    assert ((reasons == "") == lifted).all()
    assert np.isnan(drift).tolist() == [False, True, *[False] * 6, True]
    layout = DatasetLayout(dataset)
    hand, obj = load_hand(str(layout.hand("barrett"))), load_object(str(layout.object("block")))
    again = asyncio.run(
        measure_lift(
            simulate,
            hand,
            obj,
            table.grasps.rows(3, 6),
            indices=table.indices[3:6].tolist(),
            object_pieces=obj.convex_pieces,
        )
    )
    np.testing.assert_array_equal(drift[3:6], again.drift)
    assert tuple(reasons[3:6]) == again.reasons
    schema = pq.read_schema(_path(dataset))
    assert [schema.field(name).type for name in lift_columns(_SETTINGS)] == [pa.bool_(), pa.float64(), pa.string()]
    assert read_manifest(dataset).evaluation["lift_protocol"] == "dexgraspbench"


@pytest.mark.slow
def test_texts_are_kept_and_left_out_where_numbers_are_wanted(dataset):
    evaluate_dataset(dataset, _SETTINGS, workers=1)
    first = read_grasps(_path(dataset))
    evaluate_dataset(dataset, replace(_SETTINGS, thresholds=(0.005,)), workers=1)
    second = read_grasps(_path(dataset))
    np.testing.assert_array_equal(second.metrics["lift_reason"], first.metrics["lift_reason"])
    scores = table_record(second).scores
    assert "lift_reason" not in scores
    np.testing.assert_array_equal(scores["lifted"], first.metrics["lifted"])


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_workers_do_not_matter(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "_CHUNK_SIZE", 4)
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
    monkeypatch.setattr(evaluation, "measure_chunk", measure)
    evaluate_dataset(dataset, _SETTINGS, workers=1)
    monkeypatch.setattr(evaluation, "_CHUNK_SIZE", 5)
    evaluate_dataset(other, _SETTINGS, workers=2)
    assert _path(dataset).read_bytes() == _path(other).read_bytes()


@pytest.mark.slow
def test_the_test_and_the_score_may_be_asked_for_later(dataset, monkeypatch):
    asked = []
    measure = evaluation_chunk.measure_chunk
    monkeypatch.setattr(evaluation, "measure_chunk", lambda chunk: (asked.append(chunk.columns), measure(chunk)))
    # The protocol does not matter before anything is lifted.
    evaluate_dataset(dataset, replace(_WITHOUT, lift_protocol="ours"), workers=1)
    evaluate_dataset(dataset, _SETTINGS, workers=1)
    evaluate_dataset(dataset, replace(_SETTINGS, lift_noise=1), workers=1)
    assert asked[1:] == [("lifted", "lift_drift", "lift_reason"), ("lift_score",)]
    score = read_grasps(_path(dataset)).metrics["lift_score"]
    assert np.isnan(score).tolist() == [False, True, *[False] * 7]
    assert score[-1] == 0.0
    assert evaluate_dataset(dataset, _WITHOUT, workers=1) == 0
    assert evaluate_dataset(dataset, _SETTINGS, workers=1) == 0


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"lift_protocol": "ours"}, {"lift_noise": 3}])
def test_other_settings_are_refused_and_named(dataset, changes):
    evaluate_dataset(dataset, replace(_SETTINGS, lift_noise=1), workers=1)
    with pytest.raises(GraspdError, match=f"got others under {next(iter(changes))}"):
        evaluate_dataset(dataset, replace(_SETTINGS, **({"lift_noise": 1} | changes)), workers=1)


def test_a_score_without_the_test_is_refused():
    with pytest.raises(GraspdError, match="add --lift"):
        replace(_WITHOUT, lift_noise=5)


def test_grasps_of_floating_objects_have_no_table_to_be_lifted_from(block_dataset, tmp_path, capsys):
    root = Path(shutil.copytree(block_dataset, tmp_path / "set"))
    with pytest.raises(SystemExit):
        cli.main(["evaluate", str(root), "--lift", "--lift-protocol", "ours", "--lift-noise=2", "--workers", "1"])
    said = capsys.readouterr().err
    assert said.startswith("error: the lift test needs grasps made on a table, but those of block by")
    assert said.count("\n") == 1
    assert "evaluation" not in (root / "dataset.json").read_text()
