# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rows that all sections of the panel are made of: labels in one column, groups, buttons that rest while work runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import omni.ui as ui

from omni_graspd.kit.file_picker import pick_path
from omni_graspd.kit.panel_tasks import PanelTasks

LABEL_WIDTH = 104
ROW_HEIGHT = 24
_SPACING = 4
_BUTTON_STYLE = {"Button.Label:disabled": {"color": 0xFF707070}}


@contextmanager
def group(title: str, *, collapsed: bool = False) -> Iterator[None]:
    """Put what is made in the context into a group that can be folded, row below row.

    Args:
        title: Its title.
        collapsed: Whether it begins folded.
    """
    with ui.CollapsableFrame(title, collapsed=collapsed, height=0), ui.VStack(spacing=_SPACING, height=0):
        yield
        ui.Spacer(height=_SPACING)


@contextmanager
def labelled(label: str, tooltip: str = "") -> Iterator[None]:
    """Put what is made in the context into one row behind a label.

    Args:
        label: Text of the label.
        tooltip: What is said when the mouse rests on the label.
    """
    with row():
        ui.Label(label, width=LABEL_WIDTH, tooltip=tooltip)
        yield


@contextmanager
def row() -> Iterator[None]:
    """Put what is made in the context side by side."""
    with ui.HStack(height=ROW_HEIGHT, spacing=_SPACING):
        yield


class Buttons:
    """Makes the buttons of a section; they rest while something long runs, so that nothing is started over it."""

    def __init__(self, tasks: PanelTasks) -> None:
        """Make no button yet.

        Args:
            tasks: Tells when something long runs.
        """
        self._resting: list[Any] = []
        self._stopping: list[Any] = []
        tasks.on_busy(self._set_busy)

    def add(self, text: str, tooltip: str, clicked: Callable[[], object], width: int | None = None) -> Any:
        """Add a button to the row that is open.

        Args:
            text: What it says.
            tooltip: What it does.
            clicked: Called on a click.
            width: Its width [pixel]; None: its share of the row.
        """
        button = self._button(text, tooltip, clicked, width)
        self._resting.append(button)
        return button

    def add_stop(self, text: str, tooltip: str, clicked: Callable[[], object]) -> Any:
        """Add a button that works only while something long runs."""
        button = self._button(text, tooltip, clicked, None)
        button.enabled = False
        self._stopping.append(button)
        return button

    def add_row(self, buttons: Sequence[tuple[str, str, Callable[[], object]]]) -> None:
        """Add a row of buttons of one width: text, tooltip and what a click calls."""
        with row():
            for text, tooltip, clicked in buttons:
                self.add(text, tooltip, clicked)

    def _button(self, text: str, tooltip: str, clicked: Callable[[], object], width: int | None) -> Any:
        size = {} if width is None else {"width": width}
        return ui.Button(text, tooltip=tooltip, clicked_fn=clicked, height=ROW_HEIGHT, style=_BUTTON_STYLE, **size)

    def _set_busy(self, is_busy: bool) -> None:
        for button in self._resting:
            button.enabled = not is_busy
        for button in self._stopping:
            button.enabled = is_busy


def path_field(buttons: Buttons, title: str) -> Any:
    """Add a text field for a path and a button that opens Kit's file dialog; return the field.

    Args:
        buttons: Makes the button.
        title: Title of the dialog.
    """
    field = ui.StringField(height=ROW_HEIGHT)
    set_text = field.model.set_value
    buttons.add(
        "...", title, lambda: pick_path(title, Path(field.model.get_value_as_string()).expanduser(), set_text), width=30
    )
    return field
