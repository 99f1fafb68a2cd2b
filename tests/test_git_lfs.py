# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pointers of Git LFS are named as such wherever a file is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.mesh_file import load_mesh_file
from omni_graspd.hands.importing.mjcf_reader import read_mjcf
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


def test_pointers_that_other_files_name_are_told_too(tmp_path: Path) -> None:
    (tmp_path / "sub.usda").write_text(_POINTER)
    (tmp_path / "hand.usda").write_text('#usda 1.0\n(subLayers = [@./sub.usda@])\ndef Xform "A" {}\n')
    with pytest.raises(GraspdError, match=r"sub.usda is only a pointer of Git LFS"):
        open_stage(tmp_path / "hand.usda")
    (tmp_path / "b.bin").write_text(_POINTER)
    (tmp_path / "mug.gltf").write_text('{"asset": {"version": "2.0"}, "buffers": [{"uri": "b.bin", "byteLength": 36}]}')
    with pytest.raises(GraspdError, match=r"b.bin is only a pointer of Git LFS"):
        load_mesh_file(tmp_path / "mug.gltf")


@pytest.mark.parametrize("name", ["palm.stl", "palm.obj"])
def test_a_pointer_that_mjcf_names_is_told_too(tmp_path: Path, name: str) -> None:
    pytest.importorskip("mujoco")
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes" / name).write_text(_POINTER)
    (tmp_path / "hand.xml").write_text(
        f'<mujoco><compiler meshdir="meshes"/><asset><mesh name="t" file="{name}"/></asset></mujoco>'
    )
    with pytest.raises(GraspdError, match=rf"{name} is only a pointer of Git LFS"):
        read_mjcf(tmp_path / "hand.xml")


def test_a_folder_in_the_place_of_xml_is_told(tmp_path: Path) -> None:
    with pytest.raises(GraspdError, match="got the folder"):
        read_urdf(tmp_path)
