# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Configurations from the settings in a manifest."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened

T = TypeVar("T")


def restore_config(kind: type[T], settings: dict[str, Any]) -> T:
    """Make a configuration from its settings as JSON keeps them; what is not among them takes its default.

    Args:
        kind: A frozen dataclass whose fields are numbers, texts, tuples and further such dataclasses.
        settings: Values by field, nested.

    Raises:
        GraspdError: If there are settings that this version does not know, or of another kind.
    """
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(settings) - known)
    if unknown:
        got = shortened(", ".join(unknown))
        raise GraspdError(
            f"{kind.__name__} has no settings called {got}; use the version of omni-graspd that made the dataset"
        )
    return kind(**{name: _restore(hints[name], value, f"{kind.__name__}.{name}") for name, value in settings.items()})


def _restore(hint: Any, value: Any, name: str) -> Any:
    if isinstance(value, dict) and is_dataclass(hint):
        return restore_config(hint, value)  # type: ignore[arg-type]
    restored = tuple(value) if isinstance(value, list) else value
    if not _fits(hint, restored):
        raise GraspdError(
            f"expected {name} in the settings of the dataset to be as this version writes it, got "
            f"{shortened(repr(value))}; use the omni-graspd that made the dataset"
        )
    return restored


def _fits(hint: Any, value: Any) -> bool:
    """Tell whether a value as JSON keeps it is of the type of a field."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(argument, value) for argument in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = arguments[:1] * len(value) if arguments[-1:] == (...,) else arguments
        return len(kinds) == len(value) and all(map(_fits, kinds, value))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (None, NoneType):
        return value is None
    return isinstance(value, hint) if isinstance(hint, type) else True
