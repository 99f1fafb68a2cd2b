# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The extension from start to stop as a person uses it: menu, panel, a dataset with images, a grasp in the viewport.

PhysX and Replicator are the fakes, PhysX with real steps; everything else is what runs in Kit.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from kit_fakes.replicator import synthetic_channels
from kit_stubs import Kit, installed_stubs, skip_without
from pxr import Usd

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera

_KIT_FOLDER = Path(__file__).resolve().parents[2] / "omni_graspd" / "kit"
_NEEDED = ("pyarrow", "ovphysx")


def _synthetic_view(stage: Usd.Stage, path: str, resolution: tuple[int, int]) -> dict:
    made = synthetic_channels(stage, path, resolution)
    params = read_pinhole_camera(stage, path, *resolution).camera_params()
    return made | {"camera_params": (made["camera_params"][0], params)}


def _use(kit: Kit, folder: Path) -> None:
    """Start the extension, make a dataset with one grasp and its images in the panel, look at the grasp, stop."""
    kit.physics.with_ovphysx = True
    kit.replicator.renderer = _synthetic_view
    users_stage = kit.usd.stage
    extension = importlib.import_module("omni_graspd.kit").GraspdExtension()
    extension.on_startup("omni.graspd-0.1.0")
    try:
        window = kit.menus["Tools/Replicator/Grasp'D"]()
        kit.run(_make_and_look(kit, window, folder))
        assert kit.usd.stage.GetPrimAtPath("/GraspdInspection/Hand")
    finally:
        extension.on_shutdown()
    assert (kit.menus, kit.windows, kit.replicator.products) == ({}, [], [])
    assert kit.usd.stage == users_stage
    assert not users_stage.GetPrimAtPath("/GraspdInspection")


async def _make_and_look(kit: Kit, window: object, folder: Path) -> None:
    section = window.generate
    section._hand.model.set_value("barrett")
    section._object.model.set_value("soup_can")
    for name in ("grasps", "scenes", "camera.views"):
        section.widgets[name].model.set_value(1)
    section._preset.model.get_item_value_model().set_value(section._presets.index("fast"))
    section.widgets["out"].model.set_value(str(folder))
    (button,) = kit.find("Button", "Images")
    button.fake_click()
    await asyncio.sleep(0)
    while window.tasks.is_busy:
        await window.tasks.finished()
        await asyncio.sleep(0)
    assert DatasetLayout(folder).image_folders("soup_can"), window._line.text
    assert window.grasps.inspection.catalog.count == 1


@pytest.mark.slow
def test_a_dataset_is_made_in_the_panel_and_its_grasp_is_seen(kit, tmp_path, usd_findings):
    skip_without(*_NEEDED)
    folder = tmp_path / "dataset"
    _use(kit, folder)
    layout = DatasetLayout(folder)
    if kit.version == "6.0":  # the files are the same in both
        for path in (layout.hand("barrett"), layout.object("soup_can"), layout.scene("soup_can", 0)):
            assert usd_findings(path) == [], path.name


@pytest.fixture
def plant():
    """Change the text of a module under ``kit/`` before anything imports it."""

    def change(name: str, old: str, new: str) -> None:
        path = _KIT_FOLDER / f"{name}.py"
        text = path.read_text(encoding="utf-8")
        assert old in text
        importlib.import_module("omni_graspd.kit")
        module = ModuleType(f"omni_graspd.kit.{name}")
        sys.modules[module.__name__] = module
        exec(compile(text.replace(old, new), str(path), "exec"), vars(module))

    return change


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "old", "new", "said"),
    [
        ("panel", "dockPreference=", "dockPrefrence=", "dockPrefrence"),
        ("panel", "self.menu_startup(", "self.menu_start_up(", "menu_start_up"),
        ("render", "await rep.orchestrator.step_async(", "rep.orchestrator.step(", "blocking calls"),
    ],
    ids=["wrong keyword", "missing method", "blocking step"],
)
def test_planted_misuse_is_noticed(plant: Callable, tmp_path, module, old, new, said):
    skip_without(*_NEEDED)
    with installed_stubs("5.1") as kit:
        plant(module, old, new)
        with pytest.raises((AssertionError, AttributeError, TypeError), match=said):
            _use(kit, tmp_path / "dataset")
