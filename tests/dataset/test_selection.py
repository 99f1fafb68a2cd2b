# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Some grasps of a dataset, chosen alike by the loader, the commands and the front door."""

from __future__ import annotations

import json

import numpy as np
import pytest

import omni_graspd as gd
from omni_graspd.cli.main import main
from omni_graspd.dataset.selection import Selection, selected_rows, selection_columns
from omni_graspd.dataset.tables import read_grasps
from omni_graspd.errors import GraspdError


@pytest.fixture
def table(block_dataset):
    return read_grasps(block_dataset / "grasps" / "barrett" / "block.parquet")


@pytest.fixture
def condition(table):
    """A condition that some grasps meet and others do not, and which those are."""
    middle = float(np.median(table.metrics["contact_area"][table.good]))
    meets = table.good & (table.metrics["contact_area"] >= middle)
    assert 0 < meets.sum() < table.good.sum()
    return f"usable and contact_area >= {middle!r}", meets


def test_conditions_see_every_column_of_one_value(table):
    columns = selection_columns(table, "train")
    assert {"hand", "object", "split", "index", "status", "ok", "usable", "epsilon", "pregrasp_clearance"} <= set(
        columns
    )
    assert all(np.ndim(values) <= 1 for values in columns.values())


def test_the_best_are_usable_ones_by_ranking_or_by_a_column(table):
    best = selected_rows(table, Selection(top=2))
    good = np.flatnonzero(table.good)
    assert sorted(table.ranking[best]) == sorted(table.ranking[good])[:2]
    (largest,) = selected_rows(table, Selection(top=1, by="contact_area"))
    assert table.metrics["contact_area"][largest] == table.metrics["contact_area"][good].max()
    (least,) = selected_rows(table, Selection(top=1, by="penetration_depth"))
    assert table.metrics["penetration_depth"][least] == table.metrics["penetration_depth"][good].min()


def test_loader_and_front_door_choose_alike(block_dataset, table, condition):
    where, meets = condition
    rows = gd.open(block_dataset).grasps("barrett", where=where)
    assert rows["index"].to_pylist() == table.indices[meets].tolist()
    (grasps,) = gd.read_grasps(block_dataset)
    assert grasps.where(where).indices.tolist() == table.indices[meets].tolist()
    assert len(gd.open(block_dataset).grasps("barrett", where="split == 'test'")) == 0
    assert len(gd.open(block_dataset).grasps("barrett", top=1)) == 1


def test_convert_takes_what_is_chosen(block_dataset, table, condition, tmp_path, capsys):
    where, meets = condition
    main(["convert", str(block_dataset), str(tmp_path / "some.json"), "--to", "graspgen", "--where", where])
    assert f"{meets.sum()} grasps" in capsys.readouterr().out
    main(["convert", str(block_dataset), str(tmp_path / "best.json"), "--to", "graspgen", "--top", "1"])
    best = json.loads((tmp_path / "best.json").read_text())
    assert len(best["grasps"]["transforms"]) == 1
    # Other projects' grasps are chosen by what they say of them.
    (chosen,) = gd.read_grasps(block_dataset)
    chosen.save(tmp_path / "own.parquet")
    main(["convert", str(tmp_path / "own.parquet"), str(tmp_path / "own.json"), "--to", "graspgen", "--where", where])
    assert f"{meets.sum()} grasps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--where", "epsilom > 1"], "did you mean epsilon?"),
        (["--where", "epsilon > 1e9"], "expected grasps that meet 'epsilon > 1e9', got none among the"),
        (["--where", "epsilon >"], "expected a condition, for example"),
        (["--top", "0"], "expected at least 1 grasp"),
        (["--by", "epsilon"], "give top, too"),
        (["--top", "1", "--by", "status"], "expected a column of numbers"),
    ],
)
def test_what_cannot_be_chosen_is_one_line(block_dataset, tmp_path, capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        main(["convert", str(block_dataset), str(tmp_path / "none.json"), "--to", "graspgen", *options])
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "none.json").exists()


def test_a_session_shows_what_is_chosen_whatever_is_filtered(block_dataset, condition):
    from omni_graspd.inspection.grasp_list import GraspFilter
    from omni_graspd.inspection.opened import open_grasps

    where, meets = condition
    session, _ = open_grasps(block_dataset, selection=Selection(where))
    assert session.list.rows.tolist() == np.flatnonzero(meets).tolist()
    session.list.show(GraspFilter(status="usable"))
    assert session.list.rows.tolist() == np.flatnonzero(meets).tolist()
    session.close()
    with pytest.raises(GraspdError, match="got none in"):
        open_grasps(block_dataset, selection=Selection("epsilon > 1e9"))
