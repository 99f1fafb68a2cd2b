# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hooks of the documentation site: the reference follows from the code.

``<!-- python names -->`` becomes an entry for each name of ``omni_graspd.__all__``, ``<!-- commands -->`` the whole
help of each command.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import omni_graspd
from omni_graspd.cli.commands import COMMANDS, Command


def on_page_markdown(markdown: str, **_) -> str:
    """Fill in what follows from the code."""
    if "<!-- python names -->" in markdown:
        markdown = markdown.replace("<!-- python names -->", _python_names())
    if "<!-- commands -->" in markdown:
        markdown = markdown.replace("<!-- commands -->", _commands())
    return markdown


def _python_names() -> str:
    """Return a heading and an entry for each public name; those that wait are documented where they are awaited."""
    entries = []
    for name, home in omni_graspd._HOMES.items():
        if name == "aio":
            continue
        module = f"omni_graspd.{home}"
        if home == "api.calls" and hasattr(omni_graspd.aio, name):
            module = "omni_graspd.api.aio"
        entries.append(f"## gd.{name}\n\n::: {module}.{name}\n")
    return "\n".join(entries)


def _commands() -> str:
    commands = [each for each in COMMANDS if each.function]
    helps = _helps(commands)
    return "\n".join(f"## {c.prog}\n\n```text\n{text}\n```\n" for c, text in zip(commands, helps, strict=True))


_PRINT_HELPS = """
import sys
from omni_graspd.cli.main import main
for words in sys.argv[1:]:
    try:
        main([*words.split(), "--help-all"])
    except SystemExit:
        print(chr(0))
"""
"""One process for all commands: each would load its modules anew."""


def _helps(commands: list[Command]) -> list[str]:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    call = [sys.executable, "-c", _PRINT_HELPS, *(command.name for command in commands)]
    printed = subprocess.run(call, capture_output=True, text=True, check=True, env=environment).stdout
    return [re.sub(r"\x1b\[[0-9;]*m", "", text).strip() for text in printed.split(chr(0))[:-1]]
