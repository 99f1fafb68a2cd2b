# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How a run goes: seen before it is made, without a picture, without a word."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from small_dataset import QUICK_OPTIONS

from omni_graspd.cli.main import main
from omni_graspd.dataset.execution.shards import Shard, ShardReport
from omni_graspd.dataset.layout import DatasetLayout

_OPTIONS = ["--object", "mug", "--grasps", "2", "--scenes", "1", "--views", "1", "--mono", *QUICK_OPTIONS]


def test_a_dry_run_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["generate", "--dry-run", "--out", str(tmp_path / "out"), *_OPTIONS])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "settle     1 scene of 1 · 1 shard",
        "synthesize 2 grasps for each hand, object and rest pose; "
        "the rest poses are known once objects have been dropped",
        "place      1 scene of 1 · 1 shard",
        "render     1 image of 1 · 1 shard",
    ]
    assert not (tmp_path / "out").exists()
    main(["generate", "--dry-run", "--around", "nothing", "--out", str(tmp_path / "out"), *_OPTIONS])
    assert "synthesize 2 grasps of 2 · 1 shard\n" in capsys.readouterr().out
    more = ["--grasps", "130", "--scenes", "9", "--views", "2", "--object", "soup_can"]
    main(["generate", "--dry-run", "--around", "nothing", "--out", str(tmp_path / "out"), *_OPTIONS, *more])
    assert capsys.readouterr().out.splitlines()[1:] == [
        "settle     18 scenes of 18 · 4 shards",
        "synthesize 260 grasps of 260 · 6 shards",
        "place      18 scenes of 18 · 4 shards",
        "render     36 images of 36 · 4 shards",
    ]


@pytest.mark.slow
def test_a_run_without_a_picture_and_a_word_then_what_more_would_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    main(["generate", "--quiet", "--no-overview", "--out", str(out), *_OPTIONS])
    assert capsys.readouterr() == ("", "")
    layout = DatasetLayout(out)
    assert len(layout.image_folders("mug")) == 1
    assert not layout.overview.exists()
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    main(["generate", "--dry-run", "--out", str(out), *_OPTIONS, "--grasps", "6", "--scenes", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "settle     0 scenes of 1"
    assert lines[2].startswith("synthesize 4 grasps of 6 · 1 shard · ") and "of processor time as before" in lines[2]
    assert lines[2].endswith(" MB")
    assert lines[4] == "render     0 images of 1"
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_quiet_keeps_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--quiet", "info", "no_such_folder"])
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: expected a dataset folder")


@pytest.mark.slow
def test_a_log_tells_how_it_was_called_what_was_printed_and_errors_in_full(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "logs" / "run.log"
    main(["--log", str(log), "--quiet", "hands", "list"])
    assert capsys.readouterr() == ("", "")
    with pytest.raises(SystemExit, match="2"):
        main(["info", "no_such_folder", "--log", str(log)])
    assert len(capsys.readouterr().err.splitlines()) == 1  # in full in the log alone
    text = log.read_text()
    assert "hands list" in text and "barrett" in text and "done after" in text
    assert "Traceback" in text and "ended after" in text
    assert logging.getLogger("omni_graspd").handlers == []


def test_verbose_tells_it_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["info", "no_such_folder", "--verbose"])
    printed = capsys.readouterr()
    assert "graspd info no_such_folder --verbose" in printed.err and "Traceback" in printed.err
    assert printed.err.splitlines()[-1].startswith("error: expected a dataset folder")


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--log"], ["--log", str(tmp_path)]):
        with pytest.raises(SystemExit, match="2"):
            main(["hands", "list", *options])
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ") and "--log" in line


def test_pieces_of_work_have_a_line_each() -> None:
    report = ShardReport(Shard("synthesize", "mug", 0, 64, "allegro", 2), 3.25, 6.0, 512)
    assert report.line == "synthesize mug by allegro, rest pose 2, 0 to 63: 3.2 s, 6.0 s of processor time, 512 MB"
