# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of the panel: defaults, tooltips and values are those of the configuration's fields."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

import pytest

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.errors import GraspdError


@dataclass(frozen=True, kw_only=True)
class _Part:
    count: int = 3
    """How many
    there are."""


@dataclass(frozen=True, kw_only=True)
class _Config:
    way: Literal["up", "down"] = "down"
    """Which way."""
    folder: Path = Path("somewhere")
    title: str = "a"
    """What it is called."""
    part: _Part = field(default_factory=_Part)


def _buttons():
    panel_rows, panel_tasks = (
        importlib.import_module(f"omni_graspd.kit.{name}") for name in ("panel_rows", "panel_tasks")
    )
    return panel_rows.Buttons(panel_tasks.PanelTasks(lambda text, is_error: None))


@pytest.fixture
def rows(kit):
    return importlib.import_module("omni_graspd.kit.config_rows")


def test_rows_begin_with_the_defaults_and_say_what_was_typed(rows):
    made = rows.ConfigRows(_Config(), {"way": "Way", "folder": "Folder", "part.count": "Count"}, _buttons())
    assert made.config() == _Config()
    made.widgets["way"].model.get_item_value_model().set_value(0)
    made.widgets["part.count"].model.set_value(7)
    made.widgets["folder"].model.set_value("~/there")
    assert made.config() == _Config(way="up", folder=Path.home() / "there", part=_Part(count=7))


def test_rows_can_be_laid_over_another_configuration(rows):
    made = rows.ConfigRows(_Config(), {"part.count": "Count"}, _buttons())
    assert made.config(_Config(title="b", part=_Part(count=1))) == _Config(title="b")


def test_a_folder_is_chosen_in_kits_dialog(kit, rows, tmp_path):
    made = rows.ConfigRows(_Config(folder=tmp_path / "new"), {"folder": "Folder"}, _buttons())
    (button,) = kit.tree.made("Button")
    button.fake_click()
    (dialog,) = kit.dialogs
    assert dialog._arguments["current_directory"] == str(tmp_path)
    dialog.fake_apply("there", f"{tmp_path}/")
    assert made.config().folder == tmp_path / "there"
    assert not dialog._shown


def test_empty_text_is_refused_with_the_label(rows):
    made = rows.ConfigRows(_Config(), {"title": "Title"}, _buttons())
    made.widgets["title"].model.set_value(" ")
    with pytest.raises(GraspdError, match="expected text for 'Title', got an empty field"):
        made.config()


@dataclass(frozen=True, kw_only=True)
class _Numbers:
    clearance: float = 0.005
    place: tuple[float, float, float] = (-0.55, 1e-9, 0.0)
    turn: tuple[float, float] | None = None


def test_numbers_are_typed_as_on_the_command_line(rows):
    made = rows.ConfigRows(_Numbers(), {"clearance": "Clearance", "place": "Place", "turn": "Turn"}, _buttons())
    assert made.config() == _Numbers()
    assert made.widgets["place"].model.get_value_as_string() == "-0.55 1e-09 0"
    for name, text in {"clearance": "2e-3", "place": "1, 2,3", "turn": " 90 -1.5 "}.items():
        made.widgets[name].model.set_value(text)
    assert made.config() == _Numbers(clearance=0.002, place=(1.0, 2.0, 3.0), turn=(90.0, -1.5))
    made.widgets["turn"].model.set_value("")
    assert made.config().turn is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("clearance", "", "expected a number for 'Row', got ''; type"),
        ("clearance", "1 2", "expected a number for 'Row', got '1 2'"),
        ("place", "1 2 x", "expected 3 numbers for 'Row', got '1 2 x'; type them with spaces between"),
        ("turn", "1", "expected 2 numbers, or nothing, for 'Row', got '1'"),
    ],
)
def test_what_are_no_numbers_is_refused(rows, name, text, said):
    made = rows.ConfigRows(_Numbers(), {name: "Row"}, _buttons())
    made.widgets[name].model.set_value(text)
    with pytest.raises(GraspdError, match=said):
        made.config()


def test_tooltips_are_the_texts_below_the_fields(rows):
    assert rows.field_docstring(_Part, "count") == "How many there are."
    assert rows.field_docstring(_Config, "folder") == ""
    described = [rows.field_docstring(GenerateConfig, each.name) for each in fields(GenerateConfig)]
    assert all(described)


def test_the_panels_defaults_are_those_of_the_configuration(rows):
    panel = importlib.import_module("omni_graspd.kit.panel_generate")
    made = rows.ConfigRows(GenerateConfig(), panel._GRASP_ROWS | panel._DATASET_ROWS, _buttons())
    assert made.config() == GenerateConfig()
