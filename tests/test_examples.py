# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Examples run as they stand."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from omni_graspd import cli

_EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, _EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_grasp_an_object(capsys):
    assert load("01_grasp_an_object").main(iterations=40) >= 0.0
    assert "thumb_joint_0" in capsys.readouterr().out


def test_read_a_dataset(tmp_path, capsys):
    out = tmp_path / "out"
    options = ["--object", "card_box", "--grasps", "2", "--scenes", "1", "--views", "1", "--device", "cpu"]
    fast = [
        "--camera.width",
        "64",
        "--camera.height",
        "48",
        "--synthesis.iterations",
        "10",
        "--render.variant",
        "scalar_rgb",
    ]
    for stage in ("synthesize", "settle", "render"):
        cli.main([stage, *options, *fast, "--render.samples-per-pixel", "1", "--out", str(out)])
    assert load("02_read_a_dataset").main(out) >= 0
    assert "of 2 grasps of allegro (16 joints)" in capsys.readouterr().out
