# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The help of commands: about a screen with the usual options, or everything."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from omni_graspd.cli.commands import Command, command_list
from omni_graspd.cli.options import REQUIRED, Option
from omni_graspd.cli.short_forms import short_form
from omni_graspd.version import __version__

_WIDEST = 100
_INDENT = 33
"""Where help texts begin."""
_LONGEST_DEFAULT = 40
"""Longer defaults are left out of the short help."""

_USUAL = frozenset(
    {
        "camera.views",
        "camera.stereo",
        "camera.width",
        "camera.height",
        "intake.unit",
        "intake.scale",
        "intake.mass",
        "provenance.author",
        "provenance.license",
        "render.annotators",
        "render.samples_per_pixel",
        "render.coco",
        "scene.clutter",
        "scene.table_looks",
        "settings.thresholds",
        "settings.hold_test",
        "settings.lift_test",
        "settings.lift_protocol",
        "settings.lift_noise",
        "synthesis.iterations",
    }
)
"""Options of nested settings that the short help shows."""
_RARE = frozenset({"work", "executor", "address", "backend", "overview", "labels"})
"""Options at the top that it leaves out."""

_FIRST_SENTENCE = re.compile(r"^.*?(;|\.(?=\s+[A-Z]|$))")
_CLOSING = "-h, --help"


def overview() -> str:
    """Return the help of ``graspd``: all commands, one a line."""
    return "\n".join(
        [
            "usage: graspd COMMAND [options]",
            "",
            "Make dexterous grasps, scenes and annotated images.",
            "",
            "commands:",
            command_list(Command("", "")),
            "",
            "options:",
            "  -h, --help                    Show this help; graspd COMMAND --help describes a command",
            "  --quiet                       Print errors only; works with every command",
            "  --verbose                     Tell each piece of work, and errors in full; works with every command",
            "  --log FILE                    Append that, and what is printed, to a file; works with every command",
            "  --version                     Show the version",
            "  --print-completion SHELL      Print the shell completion script for bash, zsh or fish",
            "",
            f"graspd {__version__} · for example: graspd generate --hand allegro --object mug --out mugs",
        ]
    )


def group_page(group: Command) -> str:
    """Return the help of a group of commands, such as ``graspd hands``."""
    return "\n".join(
        [
            f"usage: {group.prog} COMMAND [options]",
            "",
            f"{group.summary}.",
            "",
            "commands:",
            command_list(group),
            "",
            f"{group.prog} COMMAND --help shows the options of a command.",
        ]
    )


def help_page(prog: str, about: Sequence[str], options: Sequence[Option], *, everything: bool) -> str:
    """Return the help of a command.

    Args:
        prog: How the command is called.
        about: Paragraphs on what it does.
        options: What it takes.
        everything: Whether rare options and whole texts are shown, too.
    """
    width = min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns)
    shown = [option for option in options if everything or _is_usual(option)]
    lines = [_usage(prog, options), ""]
    lines += [line for paragraph in about for line in (*textwrap.wrap(paragraph, width, break_on_hyphens=False), "")]
    for title, found in _sections(shown, by_group=everything):
        lines.append(f"{title}:")
        lines += [line for option in found for line in _entry(option, width, everything=everything)]
        lines += [""] if everything else []
    lines += _row(_CLOSING, "Show this help", width)
    if hidden := len(options) - len(shown):
        lines += _row("--help-all", f"Show all options, including {hidden} not shown here", width)
    else:
        lines += _row("--help-all", "Describe all options in full", width)
    return "\n".join(lines)


def _usage(prog: str, options: Sequence[Option]) -> str:
    words = []
    for option in options:
        name = option.name.upper() + (" ..." if option.is_list else "")
        if option.is_positional:
            words.append(name if option.default is REQUIRED else f"[{name}]")
        elif option.default is REQUIRED:
            words.append(f"{option.flag} {option.metavar}")
    return " ".join(["usage:", prog, *words, "[options]"])


def _is_usual(option: Option) -> bool:
    return option.name in _USUAL if "." in option.name else option.name not in _RARE


def _sections(options: Sequence[Option], *, by_group: bool) -> Iterable[tuple[str, list[Option]]]:
    """Return positional arguments, then options, each group of settings apart if so wished, with their titles."""
    sections: dict[str, list[Option]] = {}
    for option in options:
        title = "options" if not option.is_positional else "arguments"
        if option.group and by_group:
            title = f"{option.name.rpartition('.')[0]} · {option.group.rstrip('.')}"
        sections.setdefault(title, []).append(option)
    return sorted(sections.items(), key=lambda item: item[0] != "arguments")


def _entry(option: Option, width: int, *, everything: bool) -> list[str]:
    text = option.text if everything else _first_sentence(option.text)
    default = _default_text(option.default)
    if default and not option.is_positional and (everything or len(default) <= _LONGEST_DEFAULT):
        text += f" (default: {default})"
    return _row(_invocation(option), text, width)


def _first_sentence(text: str) -> str:
    found = _FIRST_SENTENCE.match(text)
    return (found.group() if found else text).rstrip(".;")


def _invocation(option: Option) -> str:
    if option.is_positional:
        return option.name.upper() + (" ..." if option.is_list else "")
    shorts = [short_form(flag) for flag in option.flags]
    if option.metavar:
        return f"{shorts[0]} {option.metavar}"
    return _switch(option, shorts)


def _switch(option: Option, shorts: Sequence[str]) -> str:
    """Return a switch as it is turned from its default; both ways where they have names of their own."""
    on, off = shorts
    is_named = "no-" not in off
    if is_named:
        return f"{on}, {off}"
    return off if option.default is True else on


def _default_text(value: Any) -> str:
    if value is REQUIRED or value is None or value == "" or isinstance(value, bool):
        return ""
    if isinstance(value, (tuple, list)):
        return " ".join(_default_text(each) for each in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value) if isinstance(value, (str, int, Path)) else ""


def _row(invocation: str, text: str, width: int) -> list[str]:
    """Return an option and its text in two columns; a long option stands alone above its text."""
    lines = textwrap.wrap(text, width - _INDENT, break_on_hyphens=False) or [""]
    head = f"  {invocation}"
    if len(head) > _INDENT - 2:
        return [head, *[" " * _INDENT + line for line in lines]]
    return [f"{head:<{_INDENT}}{lines[0]}", *[" " * _INDENT + line for line in lines[1:]]]
