# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel drawn by omni.ui itself: it fits, and clicks and keys do what they say."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PICTURES = Path(os.environ.get("GRASPD_OVUI_PICTURES", "ovui_pictures"))
SCALE = float(os.environ.get("GRASPD_UI_SCALE", "1"))
_SHOW = "Tools/Replicator/Grasp'D"


@pytest.fixture
def menu(kit) -> Iterator[Any]:
    made = importlib.import_module("omni_graspd.kit.panel").PanelMenu()
    made.start()
    yield made
    made.stop()


def _drawn(window: Any, width: float = 460, height: float = 780) -> Any:
    from drawn import Drawn

    window.frame.style = {"font_size": 14.0 * SCALE}  # without a screen, fonts do not follow the scale by themselves
    return Drawn(window, (width * SCALE, height * SCALE))


async def _require_fit(drawn: Any, width: float) -> None:
    """Check that no widget is cut: omni.ui widens what is too narrow for its text, and pushes the rest out."""
    import omni.ui as ui

    seen = drawn.widgets((ui.Button, ui.Label, ui.StringField, ui.IntField, ui.ComboBox, ui.Plot, ui.ProgressBar))
    assert len(seen) > 40
    for widget in seen:
        end = widget.screen_position_x + widget.computed_width * SCALE
        what = f"{type(widget).__name__} {getattr(widget, 'text', '')!r} from {widget.screen_position_x} to {end}"
        assert 0.0 <= widget.screen_position_x < end <= width * SCALE, what


@pytest.mark.parametrize(
    ("screen", "width"), [((round(w * SCALE), round(1240 * SCALE)), w) for w in (460, 800)], indirect=["screen"]
)
def test_nothing_is_cut(kit, menu, width):
    import omni.ui as ui
    from drawn import frames

    async def look() -> None:
        drawn = _drawn(kit.menus[_SHOW](), width, 1240)
        for folded in drawn.widgets(ui.CollapsableFrame):
            folded.collapsed = False
        await frames(6)
        assert ui.Workspace.get_dpi_scale() == SCALE
        await _require_fit(drawn, width)
        await drawn.picture(PICTURES / f"panel_{width}_{SCALE:g}.png")

    kit.run(look())


async def _fill(drawn: Any, folder: Path) -> None:
    """Fill the form: two fields with the keyboard, for that is slow, the others at once."""
    import omni.ui as ui

    hand, obj, out = drawn.widgets(ui.StringField)[:3]
    grasps, _, scenes, views = drawn.widgets(ui.IntField)[:4]
    for field, text in ((hand, "barrett"), (grasps, "2")):
        await drawn.type(field, text)
        assert field.model.get_value_as_string() == text
    for field, value in ((obj, "soup_can"), (scenes, 1), (views, 1), (out, str(folder))):
        field.model.set_value(value)
    preset = next(box for box in drawn.widgets(ui.ComboBox) if box.identifier == "preset")
    preset.model.get_item_value_model().set_value(1)


def test_a_session_by_mouse_and_keyboard(kit, menu, tmp_path):
    """Scenes, grasps; the dataset: next, accept, export; cancel, a mistake, the window's X, and open again."""
    import omni.ui as ui
    import omni.ui.testing as testing
    from drawn import frames

    kit.physics.with_ovphysx = True

    async def use() -> None:
        window = kit.menus[_SHOW]()
        drawn, tasks = _drawn(window), window.tasks
        await frames(6)
        await _fill(drawn, tmp_path / "made")
        await drawn.click(drawn.button("Scenes"))
        await drawn.until(lambda: tasks.is_busy)
        await frames(2)
        assert not drawn.button("Scenes").enabled and drawn.button("Cancel").enabled
        await drawn.until(lambda: not tasks.is_busy)
        assert "done" in window._line.text
        await drawn.click(drawn.button("Grasps"))
        await drawn.until(lambda: window.grasps.inspection is not None or "failed" in window._line.text)
        await drawn.until(lambda: not tasks.is_busy)
        await frames(4)
        (plot,) = drawn.widgets(ui.Plot)
        assert plot.style["color"] and len(window.generate._losses) > 5
        await _require_fit(drawn, 460)
        out, dataset = drawn.widgets(ui.StringField)[2], drawn.widgets(ui.StringField)[-1]
        for field in (out, dataset):  # whose folder it is does not belong in the picture
            field.model.set_value("~/graspd_out")
        await testing.mouse_move(10, 10)
        await drawn.picture(PICTURES / "panel_grasps.png")
        assert drawn.button("Scenes").enabled and not drawn.button("Cancel").enabled

        await drawn.click(drawn.button("Next"))
        await drawn.until(lambda: not tasks.is_busy)
        assert window.grasps.inspection.list.selected == 1
        assert kit.usd.stage.GetPrimAtPath("/GraspdInspection/Hand")
        await drawn.click(drawn.button("Accept"))
        await drawn.until(lambda: not tasks.is_busy)
        assert "accepted" in [label.text for label in drawn.widgets(ui.Label)]
        await drawn.click(drawn.button("Export accepted"))
        await drawn.until(lambda: not tasks.is_busy)
        assert "wrote 1 accepted" in window._line.text

        await drawn.type(drawn.widgets(ui.IntField)[0], "400")
        drawn.widgets(ui.StringField)[2].model.set_value(str(tmp_path / "other"))
        await drawn.click(drawn.button("Grasps"))
        await drawn.until(lambda: drawn.button("Cancel").enabled)
        await drawn.click(drawn.button("Cancel"))
        await drawn.until(lambda: not tasks.is_busy, 10.0)
        assert "stopped" in window._line.text

        await drawn.type(drawn.widgets(ui.StringField)[0], "claw")
        await drawn.click(drawn.button("Grasps"))
        await drawn.until(lambda: "expected hand" in window._line.text, 10.0)
        await drawn.picture(PICTURES / "panel_error.png")

        window.visible = False  # the window's X
        await drawn.until(lambda: not kit.usd.stage.GetPrimAtPath("/GraspdInspection"), 5.0)
        again = kit.menus[_SHOW]()
        opened = _drawn(again)
        await frames(4)
        opened.widgets(ui.StringField)[3].model.set_value(str(tmp_path / "made"))
        await opened.click(opened.button("Open"))
        await opened.until(lambda: again.grasps.inspection is not None and not again.tasks.is_busy)
        assert again.grasps.inspection.catalog.count == 2

    kit.run(use())


def test_the_page_says_what_of_omni_ui_was_seen():
    import json

    from keep_seen import FILE, seen

    assert json.loads(FILE.read_text(encoding="utf-8")) == seen(), "run: python tests/ovui/keep_seen.py"
