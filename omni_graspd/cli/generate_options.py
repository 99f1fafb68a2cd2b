# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The options of ``graspd generate`` and its stages, and of the headless run in Kit: file, preset, command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from omni_graspd.cli.arguments import extended_lists, prepare, read_values, take_value
from omni_graspd.cli.config_file import read_config, write_config
from omni_graspd.cli.options import Option, config_options
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.kept_settings import kept_settings
from omni_graspd.dataset.layout import DatasetLayout


@dataclass(frozen=True, kw_only=True)
class _Sources:
    """Where settings come from before the options; fields of no configuration."""

    config: Path | None = None
    """TOML file of settings, as written by --print-config; command-line options override it. Keys are named like the
    options: `grasps = 32`, and under `[synthesis]`, `iterations = 200`."""
    preset: Literal["default", "fast", "paper"] = "default"
    """Defaults of the --synthesis options; fast takes a fifth of the time on floating objects, with grasps that hold
    less well, and is hardly faster on a table; paper runs the equations as printed."""
    print_config: bool = False
    """Print the resulting settings as TOML and exit."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run goes; nothing that it makes depends on it."""

    dry_run: bool = False
    """Show what would be made, by stage, and exit."""
    overview: bool = True
    """Draw overview.png at the end; --no-overview leaves it out."""
    labels: bool = False
    """Label every view for training on images at the end, as graspd label does."""


def generate_options(default: GenerateConfig | None = None) -> tuple[Option, ...]:
    """Return all options of ``graspd generate``."""
    found = list(config_options(GenerateConfig, default))
    at_top = [option for option in found if not option.group]
    return (
        *at_top,
        *config_options(_Sources),
        *config_options(RunOptions),
        *(option for option in found if option.group),
    )


def parse_generate_options(arguments: Sequence[str], prog: str) -> GenerateConfig:
    """Return the configuration that the arguments ask for; see :func:`parse_run`."""
    return parse_run(arguments, prog)[0]


def parse_run(
    arguments: Sequence[str], prog: str, about: Sequence[str] = (), *, goes_on: bool = False
) -> tuple[GenerateConfig, RunOptions]:
    """Return the configuration that the arguments ask for, and how the run goes.

    Args:
        arguments: The options of ``graspd generate``.
        prog: Name of the program in help and messages.
        about: Paragraphs on what it does, for the help.
        goes_on: Whether the settings of a dataset that is there are the defaults, unless a file or preset is named.

    Raises:
        GraspdError: If an option or a key of the file is unknown, or a value is out of range.
        SystemExit: After ``--help`` and ``--print-config``, or where tyro has told which value it cannot read.
    """
    arguments = prepare(arguments, generate_options(), prog, about)
    preset, arguments = take_value(arguments, "--preset")
    file, arguments = take_value(arguments, "--config")
    prints = "--print-config" in arguments
    arguments = [argument for argument in arguments if argument not in ("--print-config", "--no-print-config")]
    default = read_config(file, preset)
    if goes_on and file is None and preset is None:
        out = Path(take_value(arguments, "--out")[0] or default.out)
        if DatasetLayout(out).manifest.is_file():
            default = kept_settings(out)
    run, arguments = _take_run_options(arguments)
    config = read_values(GenerateConfig, extended_lists(arguments, default), prog, default=default)
    if prints:
        print(write_config(config), end="")
        sys.exit(0)
    return config, run


def _take_run_options(arguments: Sequence[str]) -> tuple[RunOptions, list[str]]:
    """Take the options of a run out of the arguments; of a flag and its opposite the last one counts."""
    values: dict[str, bool] = {}
    rest = []
    for argument in arguments:
        name = argument.removeprefix("--").removeprefix("no-").replace("-", "_")
        if argument.startswith("--") and name in RunOptions.__dataclass_fields__:
            values[name] = not argument.startswith("--no-")
        else:
            rest.append(argument)
    return RunOptions(**values), rest
