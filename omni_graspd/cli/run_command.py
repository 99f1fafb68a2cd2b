# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From a command and its arguments to the work they ask for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from omni_graspd.cli.arguments import prepare, read_values
from omni_graspd.cli.commands import Command
from omni_graspd.cli.console import Action
from omni_graspd.cli.docstrings import description
from omni_graspd.cli.options import command_options


def parse_command(command: Command, arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind a command's name ask for; it is done later.

    Raises:
        GraspdError: If an argument is wrong.
        SystemExit: After help, or where tyro has told which value it cannot read.
    """
    function = command.load()
    about = description(function)
    if takes_config(function):
        from omni_graspd.cli.generate_options import parse_run

        return function(*parse_run(arguments, command.prog, about, goes_on=command.goes_on))
    options = command_options(function)
    return read_values(function, prepare(arguments, options, command.prog, about), command.prog)


def takes_config(function: Callable[..., Any]) -> bool:
    """Tell whether a command takes all settings of a dataset, from a file, too."""
    from omni_graspd.dataset.config import GenerateConfig

    (first, *_) = [*inspect.signature(function).parameters, ""]
    return get_type_hints(function).get(first) is GenerateConfig
