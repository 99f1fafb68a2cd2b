# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From the arguments of a command to its work: short forms, unknown options, lists; then tyro reads the values."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from typing import Any, get_args

from omni_graspd.cli.help_page import help_page
from omni_graspd.cli.lengths import in_metres
from omni_graspd.cli.options import Option, all_flags
from omni_graspd.cli.short_forms import SHORT_FORMS, expand
from omni_graspd.errors import GraspdError


def prepare(arguments: Sequence[str], options: Sequence[Option], prog: str, about: Sequence[str]) -> list[str]:
    """Return arguments as tyro reads them: short forms written out, lengths in metres, each list given once.

    Args:
        arguments: What the user wrote behind the command's name.
        options: What the command takes.
        prog: How the command is called.
        about: Paragraphs on what it does, for the help.

    Raises:
        GraspdError: If an option is unknown, or a list is empty or has a value twice.
        SystemExit: After ``--help`` or ``--help-all``, which are printed.
    """
    if wanted := {"-h", "--help", "--help-all"} & set(arguments):
        print(help_page(prog, about, options, everything="--help-all" in wanted))
        sys.exit(0)
    flags = all_flags(options)
    arguments = [_with_hyphens(argument) for argument in expand(arguments, flags)]
    for argument in arguments:
        if is_flag(argument) and argument.partition("=")[0] not in flags:
            raise GraspdError(_unknown(argument.partition("=")[0], flags, prog))
    return _merge_lists(in_metres(arguments, options), options)


def read_values(target: Any, arguments: Sequence[str], prog: str, default: Any = None) -> Any:
    """Let tyro turn arguments into what a function returns, or into a dataclass.

    Args:
        target: The function or dataclass.
        arguments: Arguments that went through :func:`prepare`.
        prog: How the command is called, for tyro's messages.
        default: An instance of the dataclass with the defaults.

    Raises:
        GraspdError: If there is an argument too many, or from the function.
        SystemExit: After tyro has printed which value it cannot read.
    """
    import tyro

    defaults = {} if default is None else {"default": default}
    value, rest = tyro.cli(target, prog=prog, args=list(arguments), return_unknown_args=True, **defaults)
    if rest:
        raise GraspdError(f"unexpected argument {rest[0]!r} after {prog}; see {prog} --help")
    return value


def is_flag(argument: str) -> bool:
    """Tell options from values; ``-0.5`` is a value."""
    return len(argument) > 1 and argument[0] == "-" and not argument[1].isdigit() and argument[1] != "."


def take_value(arguments: Sequence[str], flag: str) -> tuple[str | None, list[str]]:
    """Take an option with one value out of the arguments.

    Returns:
        The value, the last one if it is given again, ``""`` if it lacks one, ``None`` without the option; and the
        other arguments.
    """
    value, rest, expected = None, [], False
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if expected:
            value, expected = argument, False
        elif name == flag:
            value, expected = text, not equals
        else:
            rest.append(argument)
    return "" if expected else value, rest


def _with_hyphens(argument: str) -> str:
    """Return an option as it is written in the help; ``--shown_grasp`` is understood, too."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return f"{name.replace('_', '-')}{equals}{value}"


def _unknown(flag: str, flags: Sequence[str], prog: str) -> str:
    hint = f"; did you mean {close}?" if (close := _closest(flag, flags)) else ""
    return f"expected an option of {prog}, got {flag}{hint}; {prog} --help-all lists all options"


def _closest(flag: str, flags: Sequence[str]) -> str:
    """Return the option that was meant: by its whole name, by its short form, or by the last part of its name."""
    names = {option: option for option in flags}
    names |= {short: short for short, long in SHORT_FORMS.items() if long in flags}
    last = {f"--{option.removeprefix('--').rpartition('.')[2]}": option for option in reversed(flags)}
    for known in (names, last | names):
        if close := difflib.get_close_matches(flag, known, n=1, cutoff=0.7):
            return known[close[0]]
    return ""


def _merge_lists(arguments: Sequence[str], options: Sequence[Option]) -> list[str]:
    """Put all values of a list behind its option, however often that is given: tyro takes the last one only."""
    lists = {option.flag: option for option in options if option.is_list and not option.is_positional}
    values: dict[str, list[str]] = {}
    rest: list[str] = []
    current = None
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if is_flag(argument):
            current = values.setdefault(name, []) if name in lists else None
            if current is None:
                rest.append(argument)
            elif equals:
                current.append(value)
        else:
            (rest if current is None else current).append(argument)
    for flag, found in values.items():
        _check_list(flag, found, lists[flag])
    return rest + [word for flag, found in values.items() for word in (flag, *found)]


def extended_lists(arguments: Sequence[str], default: Any) -> list[str]:
    """Put the default values of a list before those that are added to it: ``--render.annotators +pointcloud``.

    Args:
        arguments: Arguments that went through :func:`prepare`.
        default: Configuration with the defaults; options are named after its fields.

    Raises:
        GraspdError: If values are added and others are not, or one is there already.
    """
    extended: list[str] = []
    values: list[str] = []
    flag = ""
    for argument in [*arguments, "--"]:
        if argument == "--" or is_flag(argument):
            extended += [flag, *_extended(flag, values, default)] if flag else values
            flag, values = argument, []
        else:
            values.append(argument)
    return extended


def _extended(flag: str, values: Sequence[str], default: Any) -> list[str]:
    added = [value[1:] for value in values if value.startswith("+")]
    if not added:
        return list(values)
    if len(added) < len(values):
        raise GraspdError(f"expected + before all values after {flag} or before none, got {' '.join(values)}")
    there = default
    for name in flag.removeprefix("--").replace("-", "_").split("."):
        there = getattr(there, name, ())
    known = [str(value) for value in there] if isinstance(there, tuple) else []
    return [*known, *(value for value in added if value not in known)]


def _check_list(flag: str, values: Sequence[str], option: Option) -> None:
    if not values:
        raise GraspdError(f"expected one or more values after {flag}, got none")
    seen = set()
    for value in values:
        key = _key(value, get_args(option.hint)[0])
        if key in seen:
            raise GraspdError(f"expected distinct values after {flag}, got {value} twice")
        seen.add(key)


def _key(value: str, kind: Any) -> object:
    """Return what makes values the same: 0.001 and 1e-3 are."""
    try:
        return kind(value) if kind in (int, float) else value
    except ValueError:
        return value  # tyro says what is wrong with it
