# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The options of a command, read from its signature and its dataclasses: for help, checks and completion."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from omni_graspd.cli.docstrings import argument_docs, field_docs

REQUIRED: Any = dataclasses.MISSING
"""Default of what has to be given."""

_METAVARS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option or positional argument."""

    name: str
    """Name with the fields that lead to it, for example ``camera.focal_length``."""
    hint: Any
    """Type, without annotations."""
    default: Any
    """Value if it is left out; :data:`REQUIRED` if it may not be."""
    text: str
    """What it does, as one line."""
    group: str = ""
    """What the dataclass is about that it is a field of; ``""`` at the top."""
    is_positional: bool = False
    """Whether it is given by its place."""

    @property
    def flag(self) -> str:
        """How it is given: ``--camera.focal-length``."""
        return "--" + self.name.replace("_", "-")

    @property
    def flags(self) -> tuple[str, ...]:
        """All that is understood: a switch can be turned off, too."""
        if self.hint is not bool:
            return (self.flag,)
        prefix, dot, last = self.flag.removeprefix("--").rpartition(".")
        return self.flag, f"--{prefix}{dot}no-{last}"

    @property
    def is_list(self) -> bool:
        """Whether it takes one or more values."""
        return get_origin(self.hint) is list or (
            get_origin(self.hint) is tuple and get_args(self.hint)[-1:] == (Ellipsis,)
        )

    @property
    def choices(self) -> tuple[str, ...]:
        """The values it takes; empty if there are too many to list."""
        return get_args(self.hint) if get_origin(self.hint) is Literal else ()

    @property
    def metavar(self) -> str:
        """What stands for its value in the help; ``""`` for a switch."""
        return "" if self.hint is bool else _metavar(self.hint)


def config_options(kind: type, default: Any = None, prefix: str = "", group: str = "") -> Iterator[Option]:
    """Yield the options that a configuration dataclass makes, those of nested ones last.

    Args:
        kind: The dataclass; its nested dataclasses become groups.
        default: An instance that has the defaults; by default those of the class.
        prefix: Names of the fields that lead here, with dots.
        group: What the fields are about.
    """
    hints, docs, nested = get_type_hints(kind), field_docs(kind), []
    for field in dataclasses.fields(kind):
        value = _default(field) if default is None else getattr(default, field.name)
        name, hint = prefix + field.name, hints[field.name]
        if dataclasses.is_dataclass(hint):
            inner = None if value is REQUIRED else value
            nested.append((hint, inner, f"{name}.", docs.get(field.name, "")))
        else:
            yield Option(name=name, hint=hint, default=value, text=docs.get(field.name, ""), group=group)
    for hint, inner, name, text in nested:
        yield from config_options(hint, inner, name, text)


def command_options(function: Callable[..., Any]) -> tuple[Option, ...]:
    """Return the arguments of a command: parameters of its function, and the fields of those that are dataclasses."""
    import tyro

    hints, docs = get_type_hints(function, include_extras=True), argument_docs(function)
    found: list[Option] = []
    for parameter in inspect.signature(function).parameters.values():
        hint, marks = _without_marks(hints[parameter.name])
        default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
        if dataclasses.is_dataclass(hint):
            assert isinstance(hint, type)
            found += config_options(hint, None if default is REQUIRED else default)
            continue
        name, text = parameter.name.removesuffix("_"), docs.get(parameter.name, "")
        positional = tyro.conf.Positional in marks
        found.append(Option(name=name, hint=hint, default=default, text=text, is_positional=positional))
    return tuple(found)


def all_flags(options: Sequence[Option]) -> list[str]:
    """Return everything that is understood after ``--``."""
    return [flag for option in options if not option.is_positional for flag in option.flags]


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def _without_marks(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type, and what it is annotated with."""
    if get_origin(hint) is not Annotated:
        return hint, ()
    kind, *marks = get_args(hint)
    return kind, tuple(marks)


def _metavar(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "{" + ",".join(map(str, inner)) + "}"
    if origin in (Union, UnionType):
        return _metavar(next(kind for kind in inner if kind is not type(None)))
    if origin is list or inner[-1:] == (Ellipsis,):
        return f"{_metavar(inner[0])} ..."
    if origin is tuple:
        return " ".join(map(_metavar, inner))
    return _METAVARS.get(hint, "VALUE")
