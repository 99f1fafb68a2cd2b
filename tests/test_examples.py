# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Examples run as they stand."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from omni_graspd.backend import load_backend
from omni_graspd.cli import main as cli
from omni_graspd.objects.object_library import load_object

_ROOT = Path(__file__).resolve().parents[1]
_WITHOUT_US = ("02_read_a_dataset", "05_play_in_mujoco")
"""Examples that do without omni_graspd, on purpose."""
_FRONT_DOOR_ONLY = [path for path in sorted((_ROOT / "examples").glob("*.py")) if path.stem not in _WITHOUT_US]


def load(name: str, folder: str = "examples"):
    spec = importlib.util.spec_from_file_location(name, _ROOT / folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", _FRONT_DOOR_ONLY, ids=lambda path: path.stem)
def test_examples_go_through_the_front_door(path):
    lines = [line.strip() for line in path.read_text().splitlines() if "import" in line and "omni_graspd" in line]
    assert lines and set(lines) == {"import omni_graspd as gd"}


@pytest.mark.slow
def test_grasp_an_object(capsys, tmp_path):
    best = load("01_grasp_an_object").main(iterations=100, picture=str(tmp_path / "grasps.png"))
    printed = capsys.readouterr().out
    assert 0.05 < best.metrics["epsilon"][0] < 1.0
    assert f"epsilon {best.metrics['epsilon'][0]:.3f}" in printed
    assert printed.count("_joint_") == 16
    assert (tmp_path / "grasps.png").is_file()


@pytest.mark.slow
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
    usable = load("02_read_a_dataset").main(out)
    table = pq.read_table(out / "scenes" / "card_box" / "scene_0000.grasps.parquet").to_pydict()
    assert usable == sum(table.get("usable", [not collides for collides in table["collides"]]))
    assert "of 2 grasps of allegro (16 joints)" in capsys.readouterr().out


@pytest.mark.slow
def test_three_hands(capsys):
    best = load("03_three_hands").best_grasp("barrett", "soup_can", 1)
    assert (best.hand.name, best.object.name, len(best)) == ("barrett", "soup_can", 1)
    assert {"epsilon", "held", "lifted"} <= set(best.metrics)
    assert "<1 grasp of soup_can by barrett" in capsys.readouterr().out


def test_builtin_objects():
    example = load("draw_objects", "docs")
    box = load_object("card_box")
    views = asyncio.run(example.draw_object(load_backend("standalone"), box, 40))
    assert [view.shape for view in views] == [(40, 40, 3)] * 2
    assert not np.array_equal(*views)
    assert example.describe(box) == "160 x 22 x 90 mm · 170 g · 2,096 faces"
