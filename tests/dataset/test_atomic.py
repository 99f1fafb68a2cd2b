# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are there in full or not at all."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from omni_graspd.atomic import atomic_path, leftovers_of, remove_leftovers, writing_to
from omni_graspd.dataset.lock import exclusive
from omni_graspd.errors import GraspdError


def test_a_file_appears_only_when_its_block_ends(tmp_path):
    path = tmp_path / "folder" / "file.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_block_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_text("new")
        _ = 1 / 0
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_atomic_too(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "view") as temporary:
        temporary.mkdir()
        (temporary / "rgb.png").write_bytes(b"")
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []
    with atomic_path(tmp_path / "view") as temporary:
        temporary.mkdir()
        (temporary / "rgb.png").write_bytes(b"")
    assert (tmp_path / "view" / "rgb.png").is_file()


def test_a_killed_writer_leaves_what_the_next_one_can_name(tmp_path):
    """The block is left as by SIGKILL: nothing is cleaned up."""
    kill = "import os, sys, pathlib; from omni_graspd.atomic import atomic_path; path = pathlib.Path(sys.argv[1])\n"
    kill += "with atomic_path(path) as temporary: temporary.write_text('half'); os.kill(os.getpid(), 9)"
    path = tmp_path / "grasps[1].npy"
    assert subprocess.run([sys.executable, "-c", kill, str(path)], check=False).returncode == -9
    (tmp_path / ".partial-01234567-other.npy").touch()
    (left,) = leftovers_of(path)
    assert left.read_text() == "half"
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert leftovers_of(path) == [left]


def test_leftovers_go_and_the_rest_stays(tmp_path):
    (tmp_path / "a" / ".partial-view" / "left").mkdir(parents=True)
    (tmp_path / "a" / ".partial-view" / "left" / ".partial-rgb.png").touch()
    (tmp_path / "a" / "rgb.png").touch()
    (tmp_path / ".partial-x.usd").touch()
    remove_leftovers(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["a", "a/rgb.png"]


def test_a_full_disk_is_one_line(tmp_path):
    with pytest.raises(GraspdError, match=r"No space left on device.*free some space") as error, writing_to(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "\n" not in str(error.value)


def test_other_system_errors_keep_their_face(tmp_path):
    with pytest.raises(FileNotFoundError), writing_to(tmp_path):
        (tmp_path / "missing").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no advisory locks")
def test_two_runs_in_one_folder_are_refused(tmp_path):
    code = (
        "from pathlib import Path\n"
        "from omni_graspd.dataset.lock import exclusive\n"
        f"with exclusive(Path({str(tmp_path)!r})): print(1)"
    )
    with exclusive(tmp_path):
        beside = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "another graspd is at work" in beside.stderr
    after = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert after.stdout == "1\n"
