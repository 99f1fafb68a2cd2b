# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A home folder that cannot be written to, as in many containers: one line that names the setting which helps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trimesh

_REPOSITORY = Path(__file__).parents[1]
_HAND = "data/hands/barrett/barrett.usda"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A file system that cannot be written to."""
    folder = tmp_path / "home"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (("hands", "add", "leap"), "XDG_CACHE_HOME"),
        (("hands", "add", "x", _HAND), "GRASPD_HOME"),
        (("objects", "add", "block.ply"), "GRASPD_HOME"),
    ],
)
def test_it_is_one_line(read_only: Path, tmp_path: Path, command: tuple[str, ...], setting: str) -> None:
    trimesh.creation.box((0.05, 0.05, 0.05)).export(tmp_path / "block.ply")
    files = {"block.ply": tmp_path / "block.ply", _HAND: _REPOSITORY / _HAND}
    code, said = _run([str(files.get(word, word)) for word in command], read_only, {"WARP_CACHE_PATH": str(tmp_path)})
    assert code == 2
    (error,) = [line for line in said if line.startswith("error:")]  # Dr.Jit may add a line of its own
    assert f"Read-only file system; choose a writable folder with {setting} and run the same command again" in error


@pytest.mark.slow
def test_kernels_that_have_no_folder_are_one_line(read_only: Path) -> None:
    code, said = _run(["synthesize"], read_only, {})
    assert code == 2
    assert len(said) == 1
    assert "Read-only file system" in said[0]
    assert "set WARP_CACHE_PATH" in said[0]


def _run(command: list[str], home: Path, environment: dict[str, str]) -> tuple[int, list[str]]:
    """Run the command in a process of its own, since Warp starts once; return its code and lines on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "omni_graspd", *command],
        env={"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(_REPOSITORY)} | environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr.splitlines()
