# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Triangle strips of PLY: beside faces, with colours, as unsigned numbers, and of several lengths."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.mesh_file import load_mesh_file

_VERTICES = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (2, 0, 0), (2, 1, 0)]
_XYZ = "property float x\nproperty float y\nproperty float z\n"


def test_faces_beside_strips_and_colours_are_kept(tmp_path: Path) -> None:
    rows = [*(f"{x} {y} {z} 255 0 0" for x, y, z in _VERTICES), "4 1 4 5 3", "4 0 1 2 3", ""]
    (tmp_path / "a.ply").write_text(
        f"ply\nformat ascii 1.0\nelement vertex 6\n{_XYZ}property uchar red\nproperty uchar green\n"
        "property uchar blue\nelement face 1\nproperty list uchar int vertex_indices\nelement tristrips 1\n"
        "property list int int vertex_indices\nend_header\n" + "\n".join(rows)
    )
    (mesh,) = load_mesh_file(tmp_path / "a.ply").parts
    assert len(mesh.faces) == 4
    assert mesh.area == pytest.approx(2.0)
    assert mesh.visual.vertex_colors[0].tolist() == [255, 0, 0, 255]


def _binary(path: Path, *strips: list[int]) -> Path:
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex 6\n{_XYZ}element tristrips {len(strips)}\n"
        "property list int uint vertex_indices\nend_header\n"
    )
    body = b"".join(struct.pack("<3f", *vertex) for vertex in _VERTICES)
    body += b"".join(struct.pack(f"<i{len(strip)}I", len(strip), *strip) for strip in strips)
    path.write_bytes(header.encode() + body)
    return path


def test_unsigned_strips_end_with_the_largest_number(tmp_path: Path) -> None:
    (mesh,) = load_mesh_file(_binary(tmp_path / "a.ply", [0, 1, 2, 3, 2**32 - 1, 1, 4, 3])).parts
    assert len(mesh.faces) == 3


def test_binary_strips_of_several_lengths(tmp_path: Path) -> None:
    (mesh,) = load_mesh_file(_binary(tmp_path / "a.ply", [0, 1, 2, 3], [1, 4, 3], [4, 5, 3])).parts
    assert len(mesh.faces) == 4
    assert mesh.area == pytest.approx(2.0)


def test_big_endian_faces_of_several_lengths_beside_text_of_a_scanner(tmp_path: Path) -> None:
    header = (
        f"ply\nformat binary_big_endian 1.0\ncomment scanner\nelement vertex 6\n{_XYZ}element face 2\n"
        "property uchar flags\nproperty list uchar int vertex_indices\nend_header\n"
    )
    body = b"".join(struct.pack(">3f", *vertex) for vertex in _VERTICES)
    body += struct.pack(">BB4i", 0, 4, 0, 1, 3, 2) + struct.pack(">BB3i", 1, 3, 1, 4, 3)
    (tmp_path / "a.ply").write_bytes(header.encode() + body)
    (mesh,) = load_mesh_file(tmp_path / "a.ply").parts
    assert mesh.area == pytest.approx(1.5)
    assert mesh.face_normals[:, 2].tolist() == pytest.approx([1.0] * 3)


def test_binary_strips_that_are_cut_short_are_refused(tmp_path: Path) -> None:
    path = _binary(tmp_path / "a.ply", [0, 1, 2, 3], [1, 4, 3])
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(GraspdError, match="it is cut short"):
        load_mesh_file(path)
