# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Convex pieces are made once for the same surface and settings, and come back bit for bit."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.convex_decomposition import ConvexDecompositionConfig, convex_pieces
from omni_graspd.geometry.piece_cache import cached_pieces
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.user_folders import cache_folder


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder("convex_pieces")


def _box(size: float) -> TriangleMesh:
    box = trimesh.creation.box((size, 1 / 3, 0.2))
    return TriangleMesh(np.array(box.vertices), np.array(box.faces, dtype=np.int32))


def _counted(calls: list[int], pieces: tuple[TriangleMesh, ...]):
    def make() -> tuple[TriangleMesh, ...]:
        calls.append(1)
        return pieces

    return make


def test_pieces_are_made_once_and_come_back_bit_for_bit():
    calls: list[int] = []
    pieces = (_box(0.1), _box(np.pi))
    made = cached_pieces(_box(1.0), "fine", _counted(calls, pieces))
    kept = cached_pieces(_box(1.0), "fine", _counted(calls, pieces))
    assert len(calls) == 1
    for one, other in zip(made, kept, strict=True):
        np.testing.assert_array_equal(one.vertices, other.vertices)
        np.testing.assert_array_equal(one.faces, other.faces)
        assert (one.vertices.dtype, one.faces.dtype) == (other.vertices.dtype, other.faces.dtype)


def test_another_surface_or_recipe_is_made_anew():
    calls: list[int] = []
    for size, recipe in ((1.0, "fine"), (1.0 + 1e-15, "fine"), (1.0, "coarse")):
        cached_pieces(_box(size), recipe, _counted(calls, (_box(0.1),)))
    assert len(calls) == 3


def test_every_setting_of_the_decomposition_names_another_file(folder: Path):
    for config in (None, ConvexDecompositionConfig(threshold=0.08), ConvexDecompositionConfig(most_pieces=3)):
        convex_pieces(_box(1.0), config)
    assert len(list(folder.iterdir())) == 3
    convex_pieces(_box(1.0))
    assert len(list(folder.iterdir())) == 3


def test_a_broken_file_is_made_anew(folder: Path):
    calls: list[int] = []
    cached_pieces(_box(1.0), "fine", _counted(calls, (_box(0.1),)))
    (file,) = folder.iterdir()
    for content in (b"", b"not an archive", file.read_bytes()[:400]):
        file.write_bytes(content)
        assert len(cached_pieces(_box(1.0), "fine", _counted(calls, (_box(0.1),)))) == 1
    assert len(calls) == 4


def test_without_a_writable_folder_pieces_are_made_each_time(tmp_path, monkeypatch):
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a_file"))
    calls: list[int] = []
    for _ in range(2):
        cached_pieces(_box(1.0), "fine", _counted(calls, (_box(0.1),)))
    assert len(calls) == 2


def test_a_package_that_is_not_there_is_not_needed_for_pieces_that_do_without(monkeypatch):
    """Isaac Sim's Python has no coacd; the built-in objects need none."""
    version = metadata.version

    def lack(name: str) -> str:
        if name == "coacd":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", lack)
    calls: list[int] = []
    for _ in range(2):
        cached_pieces(_box(0.1), "recipe", _counted(calls, (_box(0.1),)))
    assert len(calls) == 1
