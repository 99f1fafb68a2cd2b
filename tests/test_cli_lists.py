# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Options that take several values: one or more, instead of the default, none twice; through the real parser."""

from __future__ import annotations

from functools import partial

import pytest

from omni_graspd.cli.arguments import prepare, read_values
from omni_graspd.cli.commands import COMMANDS, SCENE_RENDER
from omni_graspd.cli.evaluate import evaluate
from omni_graspd.cli.generate_options import generate_options, parse_generate_options
from omni_graspd.cli.options import Option, command_options
from omni_graspd.cli.run_command import takes_config
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.errors import GraspdError
from omni_graspd.rendering.frame import RenderConfig

_VALUES = {
    "hand": ("a", "b"),
    "object": ("mug", "*.ply"),
    "scene.table_looks": ("oak", "marble"),
    "scene.lights.surroundings": ("outdoors", "indoors"),
    "render.annotators": ("rgb", "pointcloud"),
}
"""Two values that each list of ``generate`` takes."""

_parse = partial(parse_generate_options, prog="graspd generate")


def _lists() -> list[Option]:
    return [option for option in generate_options() if option.is_list]


def _value(config: object, name: str) -> object:
    for field in name.split("."):
        config = getattr(config, field)
    return config


def test_the_lists_are_those_that_are_tried_here():
    assert {option.name for option in _lists()} == set(_VALUES)


@pytest.mark.parametrize("option", _lists(), ids=lambda option: option.name)
def test_a_list_takes_values_in_every_form_and_replaces_the_default(option):
    flag, (one, two) = option.flag, _VALUES[option.name]
    assert _value(_parse([flag, one]), option.name) == (one,)
    for arguments in (
        [flag, one, two],
        [flag, one, flag, two],
        [f"{flag}={one}", f"{flag}={two}"],
        [flag, one, "--seed", "3", flag, two],
        [flag.replace("-", "_").replace("__", "--", 1), one, two],
    ):
        assert _value(_parse(arguments), option.name) == (one, two)


@pytest.mark.parametrize("option", _lists(), ids=lambda option: option.name)
def test_a_value_twice_and_no_value_are_one_line(option):
    flag, (one, two) = option.flag, _VALUES[option.name]
    for arguments in ([flag, one, one], [flag, one, flag, two, flag, one]):
        with pytest.raises(GraspdError) as error:
            _parse(arguments)
        assert str(error.value) == f"expected distinct values after {flag}, got {one} twice"
    with pytest.raises(GraspdError, match=f"expected one or more values after {flag}, got none"):
        _parse([flag, "--seed", "3"])


def test_numbers_that_are_the_same_are_refused_however_they_are_written():
    options = command_options(evaluate)
    with pytest.raises(GraspdError, match="got 1e-3 twice"):
        prepare(["data", "--thresholds", "0.001", "1e-3"], options, "graspd evaluate", ())
    prepared = prepare(["data", "--thresholds", "0.001", "--thresholds=0.002"], options, "graspd evaluate", ())
    action = read_values(evaluate, prepared, "graspd evaluate")
    assert action.args[1].settings.thresholds == (0.001, 0.002)


def test_pairs_of_equal_numbers_are_no_lists():
    assert _parse(["--camera.elevation", "45", "45"]).camera.elevation == (45.0, 45.0)


@pytest.mark.parametrize("command", [c for c in (*COMMANDS, SCENE_RENDER) if c.function], ids=lambda c: c.function)
def test_every_list_of_every_command_is_known_as_one(command):
    """What tyro takes any number of, but for values that may be left out, is a list here."""
    function = command.load()
    options = generate_options() if takes_config(function) else command_options(function)
    several = {option.name for option in options if option.metavar.endswith("...")}
    assert several == {option.name for option in options if option.is_list}


def test_values_with_a_plus_are_added_to_the_default():
    default = GenerateConfig().render.annotators
    assert _parse(["--render.annotators", "+pointcloud", "+rgb"]).render.annotators == (*default, "pointcloud")
    assert _parse(["--object", "+mug", "--grasps", "3"]).object == ("mug",)
    with pytest.raises(GraspdError, match=r"expected \+ before all values after --render.annotators or before none"):
        _parse(["--render.annotators", "rgb", "+pointcloud"])


def test_a_long_list_of_unknown_channels_is_a_short_line() -> None:
    with pytest.raises(GraspdError, match=r"expected render\.annotators among rgb") as error:
        RenderConfig(annotators=tuple(f"channel_{number}" for number in range(900)))
    assert len(str(error.value)) < 500
