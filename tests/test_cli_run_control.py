# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How a run goes: seen before it is made, without a picture, without a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_dataset import QUICK_OPTIONS

from omni_graspd.cli.main import main
from omni_graspd.dataset.layout import DatasetLayout

_OPTIONS = ["--object", "mug", "--grasps", "2", "--scenes", "1", "--views", "1", "--mono", *QUICK_OPTIONS]


def test_a_dry_run_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["generate", "--dry-run", "--out", str(tmp_path / "out"), *_OPTIONS])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "settle     1 scene of 1",
        "synthesize 2 grasps for each hand, object and rest pose; "
        "the rest poses are known once objects have been dropped",
        "place      1 scene of 1",
        "render     1 image of 1",
    ]
    assert not (tmp_path / "out").exists()
    main(["generate", "--dry-run", "--around", "nothing", "--out", str(tmp_path / "out"), *_OPTIONS])
    assert "synthesize 2 grasps of 2" in capsys.readouterr().out


@pytest.mark.slow
def test_a_run_without_a_picture_and_a_word_then_what_more_would_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    main(["generate", "--quiet", "--no-overview", "--out", str(out), *_OPTIONS])
    assert capsys.readouterr() == ("", "")
    layout = DatasetLayout(out)
    assert len(layout.images("mug")) == 1
    assert not layout.overview.exists()
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    main(["generate", "--dry-run", "--out", str(out), *_OPTIONS, "--grasps", "6", "--scenes", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "settle     0 scenes of 1"
    assert lines[2].startswith("synthesize 4 grasps of 6 · ") and "of processor time as before" in lines[2]
    assert lines[2].endswith(" MB")
    assert lines[4] == "render     0 images of 1"
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_quiet_keeps_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--quiet", "info", "no_such_folder"])
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: expected a dataset folder")
