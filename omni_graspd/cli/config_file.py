# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of ``graspd generate`` in a TOML file: keys are the fields of the configuration, tables its dataclasses."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.errors import GraspdError
from omni_graspd.synthesis.presets import synthesis_preset

_PRESET = "preset"
"""The one key that is no field: the preset whose settings those under ``synthesis`` change."""
_KINDS = {int: "a whole number", float: "a number", str: "a string", bool: "true or false", Path: "a string"}


def read_config(file: str | None, preset: str | None) -> GenerateConfig:
    """Return the settings of a file, or the defaults.

    Args:
        file: TOML file; ``None``: no file.
        preset: Preset of the synthesis from the command line; ``None``: the file's, else ``default``.

    Raises:
        GraspdError: If the file cannot be read, a key is unknown, a value has the wrong type or is out of range, or
            there is no such preset.
    """
    table = {} if file is None else _read_toml(file)
    if preset is not None and "synthesis" in table:
        raise GraspdError(
            f"--preset cannot be combined with the [synthesis] table of {file}; write preset = {json.dumps(preset)} at "
            "the top of the file instead, where the table overrides it"
        )
    wanted = None if preset is None else synthesis_preset(preset)
    try:
        synthesis = synthesis_preset(str(table.pop(_PRESET, "default")))
        return _merged(GenerateConfig(synthesis=wanted or synthesis), table, "")
    except GraspdError as error:
        raise GraspdError(f"{file}: {error}") from error


def write_config(config: GenerateConfig) -> str:
    """Return settings as TOML, from which :func:`read_config` reads the same; ``None`` is left out."""
    return "\n".join(_lines(config, "")).lstrip("\n") + "\n"


def _read_toml(file: str) -> dict[str, Any]:
    if not file:
        raise GraspdError("--config needs a TOML file")
    try:
        return tomllib.loads(Path(file).read_text("utf-8"))
    except OSError as error:
        raise GraspdError(f"cannot read {file}, given with --config: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GraspdError(
            f"{file} is not valid TOML: {error}; `graspd generate --print-config` prints a valid file"
        ) from error


def _merged(config: Any, table: dict[str, Any], prefix: str) -> Any:
    """Return a dataclass with the values of a table in the places of its own."""
    hints = get_type_hints(type(config))
    values = {}
    for key, value in table.items():
        name = prefix + key
        if key not in hints:
            raise GraspdError(_unknown(name, type(config), prefix))
        if dataclasses.is_dataclass(hints[key]):
            if not isinstance(value, dict):
                raise GraspdError(f"expected {name} to be a table, got {value!r}; write [{name}]")
            values[key] = _merged(getattr(config, key), value, f"{name}.")
        else:
            values[key] = _converted(name, value, hints[key])
    return dataclasses.replace(config, **values)


def _unknown(name: str, kind: type, prefix: str) -> str:
    here = [prefix + field.name for field in dataclasses.fields(kind)]
    everywhere = list(_names(GenerateConfig, ""))
    close = difflib.get_close_matches(name, here, n=1) or difflib.get_close_matches(name, everywhere, n=1)
    last = name.rpartition(".")[2]
    close = close or [other for other in everywhere if other.rpartition(".")[2] == last]
    hint = f"; did you mean {close[0]}?" if close else f"; valid here: {', '.join(here)}"
    return f"expected a setting of graspd generate, got the key {name}{hint}"


def _names(kind: Any, prefix: str) -> Iterator[str]:
    for name, hint in get_type_hints(kind).items():
        yield prefix + name
        if dataclasses.is_dataclass(hint):
            yield from _names(hint, f"{prefix}{name}.")


def _converted(name: str, value: Any, hint: Any) -> Any:
    """Return a value of TOML as a field has it."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _converted(name, value, next(kind for kind in inner if kind is not type(None)))
    if origin is Literal:
        if value not in inner:
            raise GraspdError(f"expected {name} to be one of {', '.join(inner)}, got {value!r}")
        return value
    if origin is tuple:
        return _tuple(name, value, inner)
    is_whole = hint is float and type(value) is int
    if not is_whole and type(value) is not (str if hint is Path else hint):
        raise GraspdError(f"expected {name} to be {_KINDS[hint]}, got {value!r}")
    if hint is Path:
        return Path(str(value))
    return float(value) if is_whole else value


def _tuple(name: str, value: Any, inner: tuple[Any, ...]) -> tuple[Any, ...]:
    is_open = inner[-1] is Ellipsis
    count = "one or more values" if is_open else f"{len(inner)} values"
    if not isinstance(value, list) or (not is_open and len(value) != len(inner)):
        raise GraspdError(f"expected {name} to be a list of {count}, got {value!r}")
    kinds = [inner[0]] * len(value) if is_open else inner
    items = tuple(_converted(name, each, kind) for each, kind in zip(value, kinds, strict=True))
    if is_open and len(set(items)) < len(items):
        twice = next(each for each in items if items.count(each) > 1)
        raise GraspdError(f"expected {name} to have distinct values, got {twice!r} twice")
    return items


def _lines(config: Any, name: str) -> Iterator[str]:
    """Yield a table's line, its values, and then the tables in it: TOML knows no way back to an outer one."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    if name:
        yield f"\n[{name}]"
    for key, value in values.items():
        if value is not None and not dataclasses.is_dataclass(value):
            yield f"{key} = {_toml(value)}"
    for key, value in values.items():
        if dataclasses.is_dataclass(value):
            yield from _lines(value, f"{name}.{key}" if name else key)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # TOML's strings are JSON's, but for surrogate pairs, which it refuses, and DEL, which it wants escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
