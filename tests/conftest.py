# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all tests."""

from __future__ import annotations

import csv
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # the process that deals out tests needs none of it, and the others wait for it
    from omni_graspd.hands.hand import Hand

# Tests start many processes. Where Python is told to keep no compiled modules, each would compile thousands of them
# anew: 5 s of processor time. They are kept, but not beside the sources.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.pycache_prefix = str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "bytecode")
    sys.dont_write_bytecode = False
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

# Files that take longest begin first, so that no worker is left with one at the end while the other has nothing to do.
_LONGEST = (
    *("test_page.py", "test_executors.py", "test_generate.py", "test_growth.py", "test_rest_pose_stages.py"),
    *("test_docs.py", "test_hand_check.py", "test_readme.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    items.sort(key=lambda item: _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST))


@pytest.fixture(scope="session", autouse=True)
def _results_are_not_printed() -> Iterator[None]:
    """Keep ``asyncio.run`` from making a text of all arrays that a coroutine returned, twice, as Python 3.11.7 does.

    It asks whether the handler of a signal is a number, and for that prints the handler, which holds the task.
    """
    to_enum = signal._int_to_enum  # type: ignore[attr-defined]

    def without_text(value: object, kind: type) -> object:
        return to_enum(value, kind) if isinstance(value, int) else value

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signal, "_int_to_enum", without_text)
        yield


@pytest.fixture(scope="session", autouse=True)
def _equal_hands_are_one() -> Iterator[None]:
    """Give all tests of a process the same hand for the same file: points and spheres on it take seconds and are kept.

    They are kept for a hand, not for its file. That holds for the built-in hands and their copies in datasets, which
    are one file and settings beside it.
    """
    from omni_graspd.hands import hand_library
    from omni_graspd.hands.usd.hand_settings import hand_settings_path
    from omni_graspd.library import data_folder

    read, built_in = hand_library.read_hand, data_folder()
    known: dict[tuple[bytes, ...], Hand] = {}

    def read_once(path: Path) -> Hand:
        if not (path.is_relative_to(built_in) or path.parent.name == "hands") or not path.is_file():
            return read(path)
        settings = hand_settings_path(path)
        key = (path.stem.encode(), path.read_bytes(), settings.read_bytes() if settings.is_file() else b"")
        if key not in known or not known[key].source.is_file():  # of a dataset that a test deleted
            known[key] = read(path)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hand_library, "read_hand", read_once)
        yield


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Folder with scanned objects and other planners' grasps; set GRASPD_SHARED or put it beside the checkout."""
    folder = Path(os.environ.get("GRASPD_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (folder / "objects").is_dir():
        pytest.skip("needs a folder with scanned objects (set GRASPD_SHARED)")
    return folder


# NVIDIA's general rules. Other categories come with the SimReady package and judge whole asset packages: they ask for
# thumbnails, licence files, grasp vectors.
_NVIDIA_CATEGORIES = ("Basic", "Geometry", "Layer", "Layout", "Material", "Other", "Physics")


# Answers one line, a report's path and a file's, by one that says that the report is written.
_VALIDATOR = """
import os, sys
from usd_validation_nvidia import cli_main
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    report, path = line.rstrip("\\n").split("\\t")
    try:
        cli_main([*sys.argv[1:], "--csv-output", report, path])
    except SystemExit:
        pass
    print("done", file=answers, flush=True)
"""


@pytest.fixture(scope="session")
def _nvidia_validator() -> Iterator[Callable[[Path, Path], None]]:
    """Return a function that has NVIDIA's validator write a report on a file; it starts once, which takes a second."""
    command = [sys.executable, "-c", _VALIDATOR, "--no-init-rules"]
    for category in _NVIDIA_CATEGORIES:
        command += ["--category", category]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:

        def validate(path: Path, report: Path) -> None:
            process.stdin.write(f"{report}\t{path}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"

        yield validate
        process.stdin.close()


@pytest.fixture(scope="session")
def usd_findings(request: pytest.FixtureRequest, tmp_path_factory) -> Callable[[Path], list[str]]:
    """Return a function that lists what OpenUSD's and NVIDIA's validators find in a file: failures and errors."""
    validation = pytest.importorskip("pxr.UsdValidation", reason="this OpenUSD has no validators of its own")
    if importlib.util.find_spec("usd_validation_nvidia") is None:
        pytest.skip("needs NVIDIA's validator; install omni-graspd[dev]")
    validate = request.getfixturevalue("_nvidia_validator")
    from pxr import Usd

    def find(path: Path) -> list[str]:
        validators = validation.ValidationRegistry().GetOrLoadAllValidators()
        found = validation.ValidationContext(validators).Validate(Usd.Stage.Open(str(path)))
        report = tmp_path_factory.mktemp("validation") / "report.csv"
        validate(path, report)
        with report.open(newline="") as lines:
            rows = [" ".join(row) for row in csv.reader(lines)]
        return [error.GetErrorAsString() for error in found] + [
            row for row in rows if "Failure" in row or "Error" in row
        ]

    return find
