# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``graspd hands check``: what it prints, its exit codes, its picture."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pxr import Usd, UsdPhysics

from omni_graspd.cli import main as cli
from omni_graspd.hands.checks import asset_rules
from omni_graspd.library import data_folder


@pytest.fixture
def broken_hand(tmp_path: Path) -> Path:
    """A Barrett hand with swapped limits."""
    shutil.copytree(data_folder() / "hands" / "barrett", tmp_path / "barrett")
    path = tmp_path / "barrett" / "barrett.usda"
    stage = Usd.Stage.Open(str(path))
    joint = UsdPhysics.RevoluteJoint(stage.GetPrimAtPath("/barrett/joints/finger_1_outer_joint"))
    joint.GetLowerLimitAttr().Set(90.0)
    stage.GetRootLayer().Save()
    return path


@pytest.mark.slow
def test_good_hand_is_printed_and_ends_well(capsys) -> None:
    cli.main(["hands", "check", "barrett"])
    text = capsys.readouterr().out
    assert "0 errors, 0 warnings, 0 notes" in text
    rows = {line.split()[1]: line for line in text.splitlines() if len(line.split()) > 5 and line[0].isdigit()}
    assert list(rows)[:3] == ["finger_1_spread_joint", "finger_1_inner_joint", "finger_1_outer_joint"]
    assert "139.8" in rows["finger_2_inner_joint"] and "drive" in rows["finger_2_inner_joint"]
    assert "+0.3333 x finger_2_inner_joint" in rows["finger_2_outer_joint"]
    (palm,) = [line.split() for line in text.splitlines() if line.startswith("palm  ") and "closed" in line]
    assert palm[2:4] == ["506.0", "closed"]


@pytest.mark.slow
def test_errors_end_with_code_1_and_say_what_to_do(broken_hand: Path, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["hands", "check", str(broken_hand)])
    assert stop.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    (index,) = [k for k, line in enumerate(lines) if line.startswith("error ")]
    assert "swapped-limits at /barrett/joints/finger_1_outer_joint" in lines[index]
    assert lines[index + 1].strip().startswith("-> swap")


@pytest.mark.parametrize("arguments", [("fork",), ("barrett", "--picture", "sheet.pdf")])
def test_bad_usage_ends_with_code_2_in_one_line(arguments: tuple[str, ...], capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["hands", "check", *arguments])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: expected ")


@pytest.mark.slow
def test_picture_shows_a_broken_hand_beside_its_colliders(broken_hand: Path, tmp_path: Path) -> None:
    """The hand cannot be read: it is drawn as the file places it, from two sides."""
    (broken_hand.parent / "hand.toml").write_text('palm = "none"\n')
    picture = tmp_path / "sheet.png"
    with pytest.raises(SystemExit):
        cli.main(["hands", "check", str(broken_hand), "--picture", str(picture)])
    pixels = np.asarray(Image.open(picture)).astype(int)
    assert pixels.shape[1] == 704
    # The hand stands in front of an even background, grey, not black.
    dark = (pixels.max(axis=2) < 200) & (pixels.min(axis=2) > 20)
    assert 0.02 < dark.mean() < 0.6


@pytest.mark.slow
def test_nvidias_rules_are_checked_on_request(capsys) -> None:
    if asset_rules.program_path("nvidia_usd_validate") is None or asset_rules.program_path("simready-validate") is None:
        pytest.skip(f"needs NVIDIA's validators ({asset_rules.INSTALL})")
    cli.main(["hands", "check", "barrett", "--validate"])
    text = capsys.readouterr().out
    assert "0 errors, 0 warnings" in text and "UsdAsciiPerformanceChecker" in text


@pytest.mark.slow
def test_without_the_validators_the_report_says_how_to_get_them(monkeypatch, capsys) -> None:
    monkeypatch.setattr(asset_rules, "program_path", lambda name: None)
    cli.main(["hands", "check", "barrett", "--validate"])
    text = capsys.readouterr().out
    assert text.count("-> pip install usd-validation-nvidia simready-validate") == 2
    assert "0 errors, 0 warnings, 2 notes" in text
