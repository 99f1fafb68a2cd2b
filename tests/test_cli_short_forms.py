# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Short forms: one table for all commands, and values behind a space or an equals sign."""

from __future__ import annotations

import pytest

from omni_graspd.cli.arguments import prepare, read_values
from omni_graspd.cli.commands import COMMANDS, SCENE_RENDER, find_command
from omni_graspd.cli.generate_options import generate_options, parse_generate_options
from omni_graspd.cli.options import all_flags, command_options
from omni_graspd.cli.run_command import parse_command, takes_config
from omni_graspd.cli.short_forms import SHORT_FORMS, expand


def _flags(command) -> list[str]:
    function = command.load()
    return all_flags(generate_options() if takes_config(function) else command_options(function))


@pytest.mark.parametrize("arguments", [["--views=6"], ["--views", "6"], ["--camera.views=6"]])
def test_a_scene_is_rendered_with_as_many_views_as_asked_for(arguments):
    command, rest = find_command(["render", "--scene", "any.usda", *arguments])
    assert command is SCENE_RENDER
    config = parse_command(command, rest).args[0]
    assert (config.camera.views, str(config.scene)) == (6, "any.usda")


@pytest.mark.parametrize("arguments", [["--views=6", "--mono"], ["--views", "6", "--mono"]])
def test_a_dataset_has_as_many_views_as_asked_for(arguments):
    camera = parse_generate_options(arguments, "graspd generate").camera
    assert (camera.views, camera.stereo) == (6, False)


def test_objects_and_metrics_have_short_forms_too():
    command, rest = find_command(["objects", "add", "a.ply", "--unit=cm", "--license", "MIT", "--mass=0.2"])
    options = parse_command(command, rest).args[1]
    assert (options.intake.unit, options.intake.mass, options.provenance.license) == ("cm", 0.2, "MIT")
    command, rest = find_command(["evaluate", "data", "--lift", "--lift-noise=3", "--no-hold-test"])
    settings = parse_command(command, rest).args[1].settings
    assert (settings.lift_test, settings.lift_noise, settings.hold_test) == (True, 3, False)


def test_every_short_form_stands_for_an_option_of_some_command_and_hides_none():
    flags = [set(_flags(command)) for command in (*COMMANDS, SCENE_RENDER) if command.function]
    assert set(SHORT_FORMS.values()) <= set().union(*flags)
    assert not [short for some in flags for short, long in SHORT_FORMS.items() if {short, long} <= some]


def test_short_forms_of_other_commands_are_left_alone():
    assert expand(["--views", "6"], ["--readme"]) == ["--views", "6"]


def test_all_options_are_those_of_the_parser():
    """Every option with its default goes through tyro and gives the default configuration."""
    command, _ = find_command(["evaluate"])
    options = command_options(command.load())
    arguments = ["data"]
    for option in options:
        if option.is_positional or option.default is None:
            continue
        value = option.default
        if isinstance(value, bool):
            arguments.append(option.flags[0 if value else 1])
        else:
            arguments += [option.flag, *map(str, value if isinstance(value, tuple) else [value])]
    action = read_values(command.load(), prepare(arguments, options, command.prog, ()), command.prog)
    default = read_values(command.load(), ["data"], command.prog)
    assert action.args == default.args
