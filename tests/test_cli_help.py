# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Help: all commands at once, about a screen each, everything on request; what was meant where a word is unknown."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys

import pytest

from omni_graspd.cli import main as cli
from omni_graspd.cli.commands import COMMANDS, SCENE_RENDER, children
from omni_graspd.cli.generate_options import generate_options
from omni_graspd.cli.options import command_options
from omni_graspd.cli.run_command import takes_config
from omni_graspd.formats.registry import read_names, write_names

_LEAVES = [command for command in COMMANDS if command.function]
_GROUPS = [command for command in COMMANDS if not command.function]


@pytest.fixture
def shown(capsys, monkeypatch):
    """Run a command that only prints, at 100 columns, and return what it prints."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> str:
        try:
            cli.main(list(arguments))
        except SystemExit as stop:
            assert stop.code == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def failure(capsys):
    """Run a command that ends with code 2, and return what it says."""

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as stop:
            cli.main(list(arguments))
        assert stop.value.code == 2
        return capsys.readouterr().err

    return run


def test_help_lists_all_commands_in_a_line_each(shown):
    text = shown("--help")
    for command in children(COMMANDS[0].__class__("", "")):
        assert re.search(rf"^  {command.name} +{re.escape(command.summary)}$", text, re.MULTILINE)
    for name in ("generate", "evaluate", "inspect", "report", "verify", "convert", "hands", "objects", "kit"):
        assert f"\n  {name} " in text
    assert "--print-completion" in text
    assert shown() == shown("-h") == text


@pytest.mark.parametrize("group", _GROUPS, ids=lambda group: group.name)
def test_a_group_lists_its_commands(group, shown):
    text = shown(group.name, "--help")
    assert all(f"\n  {command.name} " in text for command in children(group))
    assert shown(group.name) == text


@pytest.mark.parametrize("command", _LEAVES, ids=lambda command: command.name)
def test_help_of_a_command_fits_a_screen(command, shown):
    lines = shown(*command.name.split(), "--help").splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith(f"usage: graspd {command.name}")
    assert any("--help-all" in line for line in lines)


def test_help_of_a_scene_is_that_of_scenes(shown):
    text = shown("render", "--scene", "any.usda", "--help")
    assert "--labels-only" in text
    assert "--grasps" not in text


@pytest.mark.parametrize("command", [*_LEAVES, SCENE_RENDER], ids=lambda command: command.function)
def test_all_options_are_shown_on_request_and_every_one_has_a_text(command, shown):
    function = command.load()
    options = generate_options() if takes_config(function) else command_options(function)
    scene = ["--scene", "any.usda"] if command is SCENE_RENDER else []
    text = shown(*command.name.split(), *scene, "--help-all")
    for option in options:
        assert option.text, option.name
        assert option.is_positional or any(flag in text for flag in option.flags) or option.name in _SHORTENED
    assert len(options) > 130 or not takes_config(function)


_SHORTENED = (
    *("camera.views", "camera.stereo", "intake.unit", "intake.scale", "intake.mass", "intake.density"),
    "intake.repair.thicken",
    *("provenance.author", "provenance.license"),
    *("settings.thresholds", "settings.hold_test", "settings.lift_test", "settings.lift_protocol"),
    "settings.lift_noise",
)


def test_options_that_help_hides_are_understood(monkeypatch):
    from omni_graspd.cli import generate

    seen = []
    monkeypatch.setattr(generate, "run_stages", lambda config, *_: seen.append(config))
    cli.main(["generate", "--synthesis.squeeze.max-shift", "0.3", "--synthesis.way.back=0.02"])
    assert (seen[0].synthesis.squeeze.max_shift, seen[0].synthesis.way.back) == (0.3, 0.02)


@pytest.mark.parametrize(
    ("word", "meant"), [("generat", "generate"), ("inspekt", "inspect"), ("--verify", "verify"), ("zzz", None)]
)
def test_an_unknown_command_names_what_was_meant_and_lists_all(word, meant, failure):
    first, *others = failure(word).splitlines()
    assert first.startswith(f"error: expected a command after graspd, got {word!r}")
    assert (f"did you mean graspd {meant}?" in first) == (meant is not None)
    assert [line.split()[0] for line in others] == [c.name for c in COMMANDS if " " not in c.name]


def test_an_unknown_command_of_a_group_lists_those_of_the_group(failure):
    first, *others = failure("hands", "ad").splitlines()
    assert "did you mean graspd hands add?" in first
    assert len(others) == 5


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("generate", "--graps", "3"), "--grasps"),
        (("generate", "--view=3"), "--views"),
        (("generate", "--iterations", "3"), "--synthesis.iterations"),
        (("generate", "--camera.widht", "3"), "--camera.width"),
        (("evaluate", "data", "--lift-protokol", "ours"), "--lift-protocol"),
        (("verify", "data", "--recompte", "3"), "--recompute"),
        (("render", "--scene", "any.usda", "--label-only"), "--labels-only"),
    ],
)
def test_an_unknown_option_names_what_was_meant(arguments, meant, failure):
    (line,) = failure(*arguments).splitlines()
    assert line.startswith("error: expected an option of graspd ")
    assert f"did you mean {meant}?" in line
    assert "--help-all lists all options" in line


def test_an_argument_too_many_is_one_line(failure):
    assert failure("generate", "mug") == (
        "error: unexpected argument 'mug' after graspd generate; see graspd generate --help\n"
    )


def test_help_of_convert_names_all_formats(shown):
    from omni_graspd.cli.convert import convert_grasps

    text = " ".join((inspect.getdoc(convert_grasps) or "").split())
    assert f"Reads {', '.join(read_names())}. Writes {', '.join(write_names())}." in text


def test_help_waits_for_no_heavy_package():
    heavy = ("warp", "pxr", "numpy", "tyro", "rich")
    code = "import sys; from omni_graspd.cli.main import main; main(['--help'])"
    code += f"; print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        *(pytest.param(one, marks=pytest.mark.slow) for one in (("generate", "--help-all"), ("objects", "list"))),
    ],
)
def test_a_reader_that_goes_away_is_no_error(arguments):
    """As in ``graspd objects list | head -1``, with a reader that is gone before the first line."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "omni_graspd", *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 141
