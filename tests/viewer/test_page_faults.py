# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong while a page is open: it says so, lives on, and keeps what was decided."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from omni_graspd.cli import main as cli
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.viewer.inspection_page import InspectionPage
from omni_graspd.viewer.serve import page_server

_PRESSED = SimpleNamespace(client_id=1, client=None)


def _press(page: InspectionPage, name: str, run_on: Callable) -> None:
    run_on(page.server, page.decide._work[name](_PRESSED))


def test_decisions_are_kept_when_the_dataset_is_deleted(page: InspectionPage, dataset: Path, run_on: Callable) -> None:
    _press(page, "Accept", run_on)
    shutil.rmtree(dataset)
    _press(page, "Next", run_on)
    assert "Error" in page.message.content
    assert "\n" not in page.message.content
    _press(page, "Previous", run_on)
    kept = json.loads(page.session.decisions.path.read_text())
    assert "accepted" in json.dumps(kept)


def test_a_damaged_row_is_told_and_the_next_one_shown(dataset: Path, port: int, run_on: Callable) -> None:
    path = DatasetLayout(dataset).grasps("barrett", "block")
    table = read_grasps(path)
    poses = table.grasps.T_object_palm.copy()
    poses[1] = np.nan
    write_grasps(replace(table, grasps=replace(table.grasps, T_object_palm=poses)), path)
    session = Inspection(dataset)
    with page_server(port, "test") as (server, _):
        page = InspectionPage(server, session)
        _press(page, "Next", run_on)
        assert "Error" in page.message.content
        _press(page, "Next", run_on)
        assert page.message.content == ""
        assert "barrett · block · 2" in page.figures.content
    session.close()


def test_a_hand_that_moved_is_named(dataset: Path, port: int, run_on: Callable) -> None:
    session, hand = Inspection(dataset), DatasetLayout(dataset).hand("barrett")
    moved = hand.rename(hand.with_suffix(".moved"))
    with page_server(port, "test") as (server, _):
        page = InspectionPage(server, session)
        _press(page, "Next", run_on)
        assert "barrett.usd" in page.message.content
        moved.rename(hand)
        _press(page, "Previous", run_on)
        assert page.message.content == ""
    session.close()


def test_two_pages_on_one_dataset_keep_the_decisions_of_both(
    page: InspectionPage, dataset: Path, port: int, run_on: Callable
) -> None:
    other = Inspection(dataset)
    with page_server(port + 7, "other") as (server, _):
        second = InspectionPage(server, other)
        _press(page, "Accept", run_on)
        for _ in range(3):
            _press(second, "Next", run_on)
        _press(second, "Reject", run_on)
        _press(page, "Accept", run_on)
    other.close()
    kept = {key[2]: decision.verdict for key, decision in Inspection(dataset).decisions.items()}
    assert kept == {0: "accepted", 1: "accepted", 3: "rejected"}


def test_filters_that_leave_nothing_are_told_and_undone(page: InspectionPage, run_on: Callable) -> None:
    page.browse.decision.value = "accepted"
    run_on(page.server, page.browse._filter())
    assert "no grasp passes the filter" in page.figures.content
    _press(page, "Accept", run_on)
    assert "Error" in page.message.content
    page.browse.decision.value = "all"
    run_on(page.server, page.browse._filter())
    assert "barrett · block · 0" in page.figures.content


def test_sorting_and_brushing_change_the_list(page: InspectionPage, run_on: Callable) -> None:
    page.browse.sort.value, page.browse.descending.value = "epsilon", True
    run_on(page.server, page.browse._filter())
    values = page.session.catalog.metric("epsilon")
    assert page.session.list.rows[0] == int(np.nanargmax(values))
    page.browse.metric.value = "epsilon"
    page.browse.range.value = (100, 200)
    run_on(page.server, page.browse._filter())
    middle = 0.5 * (np.nanmin(values) + np.nanmax(values))
    assert set(page.session.list.rows) == set(np.flatnonzero(values >= middle))


def test_joints_move_with_their_sliders_and_a_swap_that_fails_changes_nothing(
    page: InspectionPage, run_on: Callable
) -> None:
    before = page.session.posture.joint_positions.copy()
    page.form.sliders[0].value = float(0.5 * (page.form.sliders[0].min + page.form.sliders[0].max))
    run_on(page.server, page.form._move_joints())
    after = page.session.posture.joint_positions
    hand = page.session.hand
    np.testing.assert_allclose(after, hand.joint_positions(after[hand.actuated]), atol=1e-9)
    assert not np.allclose(before, after)
    page.form.other.value = "no such object"
    run_on(page.server, page.tasks.callback(lambda _: page.form._swap())(_PRESSED))
    assert "Error" in page.message.content
    assert page.session.object.name == "block"


def test_the_command_wants_one_thing_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["inspect"], ["inspect", "set", "--hand", "barrett"], ["inspect", "set", "--port", "0"]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(arguments)
        assert stopped.value.code == 2
        assert capsys.readouterr().err.startswith("error: ")
