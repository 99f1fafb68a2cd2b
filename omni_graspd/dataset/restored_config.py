# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Configurations from the settings in a manifest."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from omni_graspd.errors import GraspdError

T = TypeVar("T")


def restore_config(kind: type[T], settings: dict[str, Any]) -> T:
    """Make a configuration from its settings as JSON keeps them; what is not among them takes its default.

    Args:
        kind: A frozen dataclass whose fields are numbers, texts, tuples and further such dataclasses.
        settings: Values by field, nested.

    Raises:
        GraspdError: If there are settings that this version does not know.
    """
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(settings) - known)
    if unknown:
        raise GraspdError(
            f"expected settings of {kind.__name__} among {', '.join(sorted(known))}, got {', '.join(unknown)}; use the "
            "version of omni-graspd that made the dataset"
        )
    return kind(**{name: _restore(hints[name], value) for name, value in settings.items()})


def _restore(hint: Any, value: Any) -> Any:
    if isinstance(value, dict) and is_dataclass(hint):
        return restore_config(hint, value)  # type: ignore[arg-type]
    return tuple(value) if isinstance(value, list) else value
