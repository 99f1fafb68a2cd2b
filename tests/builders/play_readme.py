# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Plays command lines as a shell would, all in one process: what takes seconds to load is loaded once.

    python play_readme.py SETTINGS < LINES

``SETTINGS`` is the file of settings that ``graspd generate`` gets besides. Pictures of grasps are small, what is
measured is measured here, and a page is opened, asked for once, and closed.
"""

from __future__ import annotations

import functools
import runpy
import shlex
import sys
import time
import tomllib
from pathlib import Path
from urllib.request import urlopen

from omni_graspd.cli import inspect as inspect_command
from omni_graspd.cli.main import main
from omni_graspd.dataset.evaluation import evaluate_dataset
from omni_graspd.hands import hand_library
from omni_graspd.inspection import overview

_ROOT = Path(__file__).resolve().parents[2]
_CTRL_C = 130


def play(line: str, settings: str) -> None:
    """Run the commands of a line; ends the process if one fails."""
    for command in line.split("&&"):
        words = shlex.split(command)
        begin = time.perf_counter(), time.process_time()
        print(f"$ {command.strip()}", flush=True)
        _RUN[words[0]](words[1:], settings)
        wall, busy = time.perf_counter() - begin[0], time.process_time() - begin[1]
        print(f"-- {wall:.1f} s, {busy:.1f} s of processor time", flush=True)


def _graspd(words: list[str], settings: str) -> None:
    try:
        main([*words, "--config", settings] if words[0] == "generate" else words)
    except SystemExit as ended:
        if ended.code != (_CTRL_C if words[0] == "inspect" else 0):
            raise


def _pip(words: list[str], settings: str) -> None:
    """Check that there is what is to be installed; the wheel itself is installed by ``.ci/run``."""
    (verb, what) = words
    folder, _, extras = what.rstrip("]").partition("[")
    project = tomllib.loads((_ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    missing = set(filter(None, extras.split(","))) - set(project.get("optional-dependencies", {}))
    if verb != "install" or missing:
        raise SystemExit(f"pip {verb} {what}: {missing}")


def _python(words: list[str], settings: str) -> None:
    before, sys.argv = sys.argv, words
    sys.path.insert(0, str((_ROOT / words[0]).parent))
    try:
        runpy.run_path(str(_ROOT / words[0]), run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
    finally:
        sys.argv = before
        sys.path.pop(0)


_RUN = {"graspd": _graspd, "pip": _pip, "python": _python, "pytest": lambda words, settings: None}


def _ask_once(console: object, address: str) -> None:
    with urlopen(address) as answer:
        assert answer.status == 200
    raise KeyboardInterrupt


if __name__ == "__main__":
    overview._LARGEST_TABLE_SIZE = overview._LARGEST_GRASP_SIZE = 40
    evaluate_dataset.cpu_count = lambda: 1
    hand_library.read_hand = functools.cache(hand_library.read_hand)  # points on a hand are kept for a hand, not a file
    inspect_command._wait = _ask_once
    for written in sys.stdin:
        play(written, sys.argv[1])
