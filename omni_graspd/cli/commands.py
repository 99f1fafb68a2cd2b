# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""All commands in one table, and which of them a command line names. Modules are loaded when their command is run."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from omni_graspd.errors import GraspdError


@dataclass(frozen=True)
class Command:
    """A command, or a group of commands if it has no function."""

    name: str
    """Its words: ``generate``, ``hands add``."""
    summary: str
    """What it does, in one line."""
    function: str = ""
    """Where its work is: module below ``omni_graspd.cli``, colon, function; ``""`` for a group."""

    goes_on: bool = False
    """Whether it takes the settings of a dataset that is there for what is not given."""

    @property
    def prog(self) -> str:
        """How it is called."""
        return f"graspd {self.name}".rstrip()

    def load(self) -> Callable[..., Any]:
        """Return the function that turns its arguments into work."""
        module, _, name = self.function.partition(":")
        return getattr(importlib.import_module(f"omni_graspd.cli.{module}"), name)


COMMANDS = (
    Command("generate", "Make a dataset: settle, synthesize, place and render", "generate:generate"),
    Command("settle", "Stage 1: drop objects on tables until they rest", "generate:settle", goes_on=True),
    Command("synthesize", "Stage 2: find grasps and place them in the scenes", "generate:synthesize", goes_on=True),
    Command("render", "Stage 3: render the views; with --scene FILE, any USD scene", "generate:render", goes_on=True),
    Command("info", "Show what a dataset contains and how good its grasps are", "info:info"),
    Command("inspect", "Inspect grasps or a hand in a browser", "inspect:inspect"),
    Command("evaluate", "Add metrics and physics tests to a dataset's grasps", "evaluate:evaluate"),
    Command("label", "Label the views of a dataset for training on images", "label:label"),
    Command("reach", "Find out which grasps an arm reaches, and how its joints move", "reach:reach"),
    Command("train", "Train a network that predicts grasps from depth images", "train:train"),
    Command("predict", "Predict grasps from a depth image with a trained network", "predict:predict"),
    Command("report", "Write a quality report on evaluated datasets", "evaluate:report"),
    Command("verify", "Check a dataset's files for damage", "verify:verify"),
    Command("convert", "Convert grasps to and from other projects' formats", "convert:convert_grasps"),
    Command("hands", "Import, mirror, check, list and remove hands"),
    Command("hands add", "Import a hand from URDF, MJCF or USD, or a known hand by name", "hands:add"),
    Command("hands check", "Report a hand's joints, links and faults", "hands:check"),
    Command("hands mirror", "Make the left hand of a right one, or the other way round", "hands:mirror"),
    Command("hands list", "List all hands", "hands:list_"),
    Command("hands remove", "Delete a hand from your library", "hands:remove"),
    Command("objects", "Import, check, list, export and remove objects"),
    Command("objects add", "Import meshes and USD files as repaired USD packages", "objects:add"),
    Command("objects check", "Report what an import would repair or refuse", "objects:check"),
    Command("objects list", "List all objects", "objects:list_"),
    Command("objects export", "Write an object and its grasps as a SimReady package", "objects:export"),
    Command("objects remove", "Delete an object from your library", "objects:remove"),
    Command("arms", "Import, check, list and remove robot arms"),
    Command("arms add", "Import an arm from URDF, MJCF or USD", "arms:add"),
    Command("arms check", "Report an arm's joints, links, flange and faults", "arms:check"),
    Command("arms export", "Write an arm with a hand as a MuJoCo model", "arms:export"),
    Command("arms list", "List your arms", "arms:list_"),
    Command("arms remove", "Delete an arm from your library", "arms:remove"),
    Command("kit", "Install the Isaac Sim extension"),
    Command("kit stage", "Write the extension to a folder that Isaac Sim finds", "kit:stage"),
)
"""All commands, in the order of the help."""

SCENE_RENDER = Command("render", "Render any USD scene", "render:render_scene")
"""What ``graspd render`` is with ``--scene``."""


def find_command(arguments: Sequence[str]) -> tuple[Command, list[str]]:
    """Return the command that a command line names, and the arguments behind its name.

    A group is returned where only help on it is asked for, or nothing.

    Raises:
        GraspdError: If there is no such command; the closest is named, and all are listed, one a line.
    """
    command, rest = Command("", ""), list(arguments)
    while not command.function and rest and not _asks_for_help(rest[0]):
        command, rest = _child(command, rest[0]), rest[1:]
    return (SCENE_RENDER if is_scene_render(arguments) else command), rest


def children(group: Command) -> list[Command]:
    """Return the commands of a group; of the nameless one, those without a group, and the groups."""
    prefix = f"{group.name} " if group.name else ""
    return [each for each in COMMANDS if each.name.startswith(prefix) and " " not in each.name[len(prefix) :]]


def is_scene_render(arguments: Sequence[str]) -> bool:
    """Tell whether a command line asks for a scene's images rather than for a stage of a dataset."""
    return list(arguments[:1]) == ["render"] and any(a == "--scene" or a.startswith("--scene=") for a in arguments)


def command_list(group: Command) -> str:
    """Return the commands of a group with what they do, one a line."""
    found = children(group)
    width = max(len(command.name) for command in found)
    return "\n".join(f"  {command.name:<{width}}  {command.summary}" for command in found)


def _child(group: Command, word: str) -> Command:
    found = {command.name.rpartition(" ")[2]: command for command in children(group)}
    if word in found:
        return found[word]
    close = difflib.get_close_matches(word.lstrip("-"), found, n=1)
    hint = f"; did you mean {group.prog} {close[0]}?" if close else ""
    raise GraspdError(f"expected a command after {group.prog}, got {word!r}{hint}", command_list(group))


def _asks_for_help(word: str) -> bool:
    return word in ("-h", "--help", "--help-all")
