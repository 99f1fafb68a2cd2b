# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel's section about arms: defaults of the command line, its result, stopping, what is missing."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import trimesh
from kit_stubs import skip_without
from panel_clicks import click, settled
from pxr import Gf, UsdGeom
from six_axis_arm import home_with_arm

pytest.importorskip("pyarrow", reason="datasets are Parquet tables; Kit's Python has no pyarrow of its own")
pytest.importorskip("mujoco", reason="collisions of arms need MuJoCo; install omni-graspd[arms]")

from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.cli.docstrings import field_docs
from omni_graspd.cli.reach import ReachOptions
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.reach.reach_dataset import ReachCounts, reach_dataset
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.stages.pipeline import STAGES
from omni_graspd.errors import GraspdError
from omni_graspd.plural import counted
from omni_graspd.progress import no_progress
from omni_graspd.synthesis.presets import synthesis_preset

_COUNTS = ReachCounts(2, 0, 24, 18, {"collision": 5, "limit": 1})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    """The user's folder with one arm."""
    with home_with_arm(tmp_path_factory.mktemp("home")) as folder:
        yield folder


@pytest.fixture
def window(kit, home):
    menu = importlib.import_module("omni_graspd.kit.panel").PanelMenu()
    menu.start()
    (create,) = kit.menus.values()
    yield create()
    menu.stop()


def _opened(window, monkeypatch, reach) -> None:
    """Pretend that a dataset is open, and that this is what reach does."""
    monkeypatch.setattr(window.grasps, "_session", lambda: SimpleNamespace(root=Path("somewhere")))
    monkeypatch.setattr(importlib.import_module("omni_graspd.kit.panel_reach"), "reach_dataset", reach)


def test_the_section_begins_as_the_command_line_does(kit, window):
    assert window.reach.config() == ReachConfig()
    assert window.reach._arm.model.get_value_as_string() == "robot"
    labels = {label.text: vars(label).get("tooltip") for label in kit.find("Label")}
    assert labels["Arm"] == field_docs(ReachOptions)["arm"]
    assert labels["Base"] == field_docs(ReachConfig)["base"]


def test_what_is_typed_is_asked_and_the_answer_is_one_line(kit, window, monkeypatch):
    asked = []

    def reach(root, arm, config, *, workers, progress):
        asked.append((root, arm, config, workers))
        progress(1, 2)
        progress(2, 2)
        return _COUNTS

    _opened(window, monkeypatch, reach)
    window.reach.widgets["base"].model.set_value("-0.6, 0.1 0 45")
    window.reach.widgets["base_range"].model.set_value("0.1 0.2 0 15")
    window.reach.widgets["seed"].model.set_value(3)
    window.reach.widgets["mount"].model.set_value("0 0 0.05 0 0 90")

    async def work():
        click(kit, "Reach")
        await settled(window)

    kit.run(work())
    drawn = {"base_range": (0.1, 0.2, 0.0, 15.0), "seed": 3}
    config = ReachConfig(base=(-0.6, 0.1, 0.0, 45.0), **drawn, mount=(0.0, 0.0, 0.05, 0.0, 0.0, 90.0))
    assert asked == [(Path("somewhere"), "robot", config, 1)]
    assert window._line.text == window.reach._result.text
    assert window._line.text == "robot: 18 of 24 usable grasps reachable (75 %); most frequent reason: collision (5)"
    assert window.reach._bar.model.get_value_as_float() == 1.0


def test_a_dataset_in_a_store_is_found_and_left_there(kit, window, monkeypatch):
    sent = []

    @contextmanager
    def mirrored(path):
        yield Path("mirror")
        sent.append(path)

    def reach(root, arm, config, *, workers, progress):
        assert root == Path("mirror")
        return _COUNTS

    _opened(window, monkeypatch, reach)
    monkeypatch.setattr(importlib.import_module("omni_graspd.kit.panel_reach"), "mirrored_dataset", mirrored)
    window.grasps._address = Path("s3://bucket/set")

    async def work():
        click(kit, "Reach")
        await settled(window)

    kit.run(work())
    assert sent == [Path("s3://bucket/set")] and "18 of 24" in window._line.text


def test_stopped_it_ends_after_the_scene_it_is_at(kit, window, monkeypatch):
    done = []

    def reach(root, arm, config, *, workers, progress):
        try:
            for scene in range(200):
                progress(scene, 200)
                time.sleep(0.02)
            done.append("all")
        except GraspdError:
            time.sleep(0.05)
            done.append("stopped")
            raise
        return _COUNTS

    _opened(window, monkeypatch, reach)

    async def work():
        click(kit, "Reach")
        while not window.reach._bar.model.get_value_as_float():
            await asyncio.sleep(0.01)
        click(kit, "Stop reach")
        await settled(window)
        assert done == ["stopped"]  # the dataset is free when the panel says so

    kit.run(work())
    assert window._line.text == "reach: stopped"


def test_what_is_missing_is_said(kit, window, monkeypatch):
    click(kit, "Reach")
    assert "no dataset is open; generate one" in window._line.text
    click(kit, "Base from selection")
    assert "no prim is selected" in window._line.text
    window.reach.widgets["base"].model.set_value("1 2")
    window.reach._dataset = lambda: Path("somewhere")
    click(kit, "Reach")
    assert window._line.text == "expected 4 numbers for 'Base', got '1 2'; type them with spaces between"
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "mujoco" else found(name))
    click(kit, "Reach")
    assert "arms need the package mujoco" in window._line.text and "./python.sh -m pip install" in window._line.text


def test_the_base_is_that_of_the_selected_arm(kit, window, home):
    stage = kit.usd.stage
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, "Z")
    robot = UsdGeom.Xform.Define(stage, "/World/Robot")
    turned = Gf.Rotation(Gf.Vec3d(0, 0, 1), -90.0)
    robot.MakeMatrixXform().Set(Gf.Matrix4d().SetTransform(turned, Gf.Vec3d(-0.7, 0.25, 0.0)))
    robot.GetPrim().GetReferences().AddReference(str(home / "arms" / "robot" / "robot.usda"))
    kit.usd.selected = ["/World/Robot"]

    async def take():
        click(kit, "Base from selection")
        await settled(window)

    kit.run(take())
    assert window._line.text == "robot stands at -0.7 0.25 0 -90"
    assert window.reach.config().base == pytest.approx((-0.7, 0.25, 0.0, -90.0), abs=1e-6)


@pytest.mark.slow
def test_the_panel_finds_what_the_command_line_does(kit, window, tmp_path):
    skip_without("ovphysx")
    trimesh.creation.box((0.05, 0.06, 0.07)).export(tmp_path / "block.ply")
    config = GenerateConfig(
        hand=("barrett",),
        object=(str(tmp_path / "block.ply"),),
        grasps=6,
        scenes=2,
        backend="standalone",
        out=tmp_path / "set",
        synthesis=synthesis_preset("fast"),
    )

    async def make() -> None:
        with open_run(config) as run:
            for name in ("settle", "synthesize", "place"):
                await STAGES[name](run, no_progress)

    asyncio.run(make())
    shutil.copytree(config.out, tmp_path / "same")

    async def work():
        window.grasps.open(config.out)
        await settled(window)
        click(kit, "Reach")
        await settled(window)

    kit.run(work())
    counts = reach_dataset(tmp_path / "same", "robot", workers=1)
    assert counts.usable > 0
    assert f"robot: {counts.reachable} of {counted(counts.usable, 'usable grasp')} reachable" in window._line.text
    tables = sorted(path.relative_to(config.out) for path in config.out.glob("reach/robot/*/*.parquet"))
    assert len(tables) == 2
    assert all((tmp_path / "same" / path).read_bytes() == (config.out / path).read_bytes() for path in tables)
