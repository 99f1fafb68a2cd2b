# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pointers of Git LFS: what a checkout without LFS has in the place of large files."""

from __future__ import annotations

from pathlib import Path

from omni_graspd.errors import GraspdError

_START = b"version https://git-lfs.github.com/spec/"


def check_no_lfs_pointer(path: Path) -> None:
    """Refuse a file that is only a pointer of Git LFS.

    Raises:
        GraspdError: If it is one.
    """
    with path.open("rb") as file:
        is_pointer = file.read(len(_START)) == _START
    if is_pointer:
        raise GraspdError(f"{path} is only a pointer of Git LFS; run git lfs pull in its repository")
