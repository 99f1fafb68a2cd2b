# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pointers of Git LFS are named as such wherever a file is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.mesh_file import load_mesh_file
from omni_graspd.hands.importing.urdf_reader import read_urdf
from omni_graspd.objects.object_reader import read_object
from omni_graspd.usd.stage import open_stage

_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:5d41402abc4b2a76b9719d911017c592\nsize 84284\n"


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("palm.STL", load_mesh_file),
        ("palm.obj", load_mesh_file),
        ("palm.dae", load_mesh_file),
        ("mug.ply", read_object),
        ("mug.usdz", read_object),
        ("hand.urdf", read_urdf),
        ("hand.usd", open_stage),
    ],
)
def test_a_pointer_is_named_with_the_remedy(tmp_path: Path, name: str, read: Callable[[Path], object]) -> None:
    file = tmp_path / name
    file.write_text(_POINTER)
    with pytest.raises(GraspdError, match=rf"{name} is only a pointer of Git LFS; run git lfs pull"):
        read(file)
