# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of a panel for fields of a configuration: defaults, types and tooltips are those of the command line."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import omni.ui as ui

from omni_graspd.cli.docstrings import field_docs
from omni_graspd.errors import GraspdError
from omni_graspd.kit.panel_rows import Buttons, labelled, path_field


class ConfigRows:
    """One row for each of some fields of a configuration, and the configuration that they say."""

    def __init__(self, start: Any, labels: Mapping[str, str], buttons: Buttons) -> None:
        """Add the rows to the container that is open.

        Args:
            start: The configuration with which the rows begin.
            labels: Label by field; fields of a part are ``camera.views``.
            buttons: Makes the buttons of rows for paths.
        """
        self._start = start
        self.widgets: dict[str, Any] = {}
        self._read: dict[str, Callable[[], Any]] = {}
        for path, label in labels.items():
            owner, name = _owner(start, path), path.rpartition(".")[2]
            with labelled(label, field_docstring(type(owner), name)):
                kind = typing.get_type_hints(type(owner))[name]
                self.widgets[path], self._read[path] = _widget(kind, getattr(owner, name), label, buttons)

    def config(self, over: Any = None) -> Any:
        """Return the configuration with what the rows say.

        Args:
            over: What it is where there is no row; None: as the rows began.

        Raises:
            GraspdError: If a row is empty, or a value is out of range.
        """
        return _changed(over or self._start, {path: read() for path, read in self._read.items()})


def field_docstring(owner: type, name: str) -> str:
    """Return the text below a field of a dataclass, in one line; empty where there is none.

    Args:
        owner: The dataclass.
        name: Name of the field.
    """
    return field_docs(owner).get(name, "")


def _owner(config: Any, path: str) -> Any:
    for part in path.split(".")[:-1]:
        config = getattr(config, part)
    return config


def _changed(config: Any, values: dict[str, Any]) -> Any:
    """Return a configuration with other values by path, all of one part at once: they are checked together."""
    own: dict[str, Any] = {path: value for path, value in values.items() if "." not in path}
    for part in dict.fromkeys(path.partition(".")[0] for path in values if "." in path):
        inner = {path.partition(".")[2]: value for path, value in values.items() if path.startswith(f"{part}.")}
        own[part] = _changed(getattr(config, part), inner)
    return replace(config, **own)


def _widget(kind: Any, value: Any, label: str, buttons: Buttons) -> tuple[Any, Callable[[], Any]]:
    """Return the widget for a field, and what reads it."""
    if typing.get_origin(kind) is Literal:
        choices = list(typing.get_args(kind))
        box = ui.ComboBox(choices.index(value), *choices)
        return box, lambda: choices[box.model.get_item_value_model().get_value_as_int()]
    if kind is int:
        field = ui.IntField()
        field.model.set_value(value)
        return field, field.model.get_value_as_int
    if (count := _float_count(kind)) is not None:
        field, is_optional = ui.StringField(), type(None) in typing.get_args(kind)
        field.model.set_value(numbers_text(value))
        return field, lambda: _typed_numbers(field, label, count, is_optional)
    if kind not in (str, Path):
        raise TypeError(f"expected a field of numbers, str, Path or Literal for the row {label!r}, got {kind}")
    field = ui.StringField() if kind is str else path_field(buttons, f"Choose: {label.lower()}")
    field.model.set_value(str(value))
    if kind is str:
        return field, lambda: typed_text(field, f"text for {label!r}")
    return field, lambda: Path(typed_text(field, f"text for {label!r}")).expanduser()


def typed_text(field: Any, what: str) -> str:
    """Return what stands in a text field.

    Args:
        field: The field.
        what: What should be there.

    Raises:
        GraspdError: If that is nothing.
    """
    text = field.model.get_value_as_string().strip()
    if not text:
        raise GraspdError(f"expected {what}, got an empty field; type a name or a file path")
    return text


def numbers_text(value: float | Sequence[float] | None) -> str:
    """Return numbers as they are typed into a row, with spaces between them; nothing for None.

    Args:
        value: A number, several, or None.
    """
    values = () if value is None else value if isinstance(value, Sequence) else (value,)
    return " ".join(f"{each:.9g}" for each in values)


def _float_count(kind: Any) -> int | None:
    """Return how many floats a field holds, 0 for one that is no tuple; None if it holds something else."""
    if kind is float:
        return 0
    kind = next((one for one in typing.get_args(kind) if typing.get_origin(one) is tuple), kind)
    parts = typing.get_args(kind) if typing.get_origin(kind) is tuple else ()
    return len(parts) if parts and set(parts) == {float} else None


def _typed_numbers(field: Any, label: str, count: int, is_optional: bool) -> float | tuple[float, ...] | None:
    words = field.model.get_value_as_string().replace(",", " ").split()
    if not words and is_optional:
        return None
    try:
        values = tuple(float(word) for word in words)
    except ValueError:
        values = ()
    if len(values) != max(count, 1):
        wanted = f"{count} numbers{', or nothing,' if is_optional else ''}" if count else "a number"
        remedy = "type them with spaces between" if count else "type one"
        raise GraspdError(f"expected {wanted} for {label!r}, got {' '.join(words)!r}; {remedy}")
    return values if count else values[0]
