# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which way up glTF meshes of a URDF are: what collides tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.hands.importing.urdf_reader import read_urdf

_SIZE = np.array([0.02, 0.04, 0.1])
"""Of the palm, upright."""


def _read(tmp_path: Path, visual: np.ndarray, collider: str) -> list:
    """Read a hand whose palm is drawn as a glTF box of some size on z >= 0, and whose colliders are given."""
    box = trimesh.creation.box(visual)
    box.apply_translation([0.0, visual[1] / 2 if visual[1] == _SIZE[2] else 0.0, 0.0])
    if visual[2] == _SIZE[2]:
        box.apply_translation([0.0, 0.0, _SIZE[2] / 2])
    box.export(tmp_path / "palm.glb")
    (tmp_path / "hand.urdf").write_text(
        '<robot name="r"><link name="palm"><visual><origin xyz="0.3 0 0" rpy="0 0 1.5707963"/>'
        f'<geometry><mesh filename="palm.glb"/></geometry></visual>{collider}</link><link name="jaw"/>'
        '<joint name="j" type="revolute"><parent link="palm"/><child link="jaw"/><axis xyz="0 0 1"/>'
        '<limit lower="0" upper="1"/></joint></robot>'
    )
    return read_urdf(tmp_path / "hand.urdf")


_COLLIDER = (
    '<collision><origin xyz="0.3 0 0.05" rpy="0 0 1.5707963"/>'
    '<geometry><box size="0.02 0.04 0.1"/></geometry></collision>'
)
_BOUNDS = [[0.28, -0.01, 0.0], [0.32, 0.01, 0.1]]


@pytest.mark.parametrize("visual", [_SIZE, _SIZE[[0, 2, 1]]], ids=["as in the link", "Y up"])
def test_gltf_is_turned_where_that_fits_the_colliders(tmp_path: Path, visual: np.ndarray) -> None:
    link = _read(tmp_path, visual, _COLLIDER)[0]
    np.testing.assert_allclose(link.visuals[0].mesh.bounds, _BOUNDS, atol=1e-6)
    assert bool(link.notes) == (visual[1] == _SIZE[2])


def test_gltf_stays_as_it_is_where_nothing_tells(tmp_path: Path) -> None:
    link = _read(tmp_path, _SIZE, "")[0]
    np.testing.assert_allclose(link.visuals[0].mesh.bounds, _BOUNDS, atol=1e-6)
    assert not link.notes


def _read_palm(tmp_path: Path, mesh: str, collision: str) -> list:
    """Read a hand whose palm has a mesh and a collider, both as URDF has them."""
    (tmp_path / "hand.urdf").write_text(
        f'<robot name="r"><link name="palm"><visual><geometry>{mesh}</geometry></visual>'
        f'<collision>{collision}</collision></link><link name="jaw"/>'
        '<joint name="j" type="revolute"><parent link="palm"/><child link="jaw"/><axis xyz="0 0 1"/>'
        '<limit lower="0" upper="1"/></joint></robot>'
    )
    return read_urdf(tmp_path / "hand.urdf")


_UPRIGHT = '<origin xyz="0 0 0.05"/><geometry><box size="0.02 0.04 0.1"/></geometry>'


def _box(size: Sequence[float], middle: Sequence[float]) -> trimesh.Trimesh:
    box = trimesh.creation.box(size)
    box.apply_translation(middle)
    return box


@pytest.mark.parametrize(
    ("size", "middle", "collision"),
    [
        ([0.08, 0.1, 0.03], [0.0, 0.0, 0.0], '<geometry><box size=".08 .05 .06"/></geometry>'),
        ([0.08, 0.04, 0.1], [0.0, 0.0, 0.05], '<origin xyz="0 -.03 0"/><geometry><box size=".08 .02 .04"/></geometry>'),
    ],
    ids=["coarse", "elsewhere"],
)
def test_gltf_stays_as_it_is_where_colliders_say_little(
    tmp_path: Path, size: list[float], middle: list[float], collision: str
) -> None:
    box = _box(size, middle)
    box.export(tmp_path / "palm.glb")
    link = _read_palm(tmp_path, '<mesh filename="palm.glb"/>', collision)[0]
    np.testing.assert_allclose(link.visuals[0].mesh.bounds, box.bounds, atol=1e-6)
    assert not any(note.startswith("turned") for note in link.notes)


@pytest.mark.parametrize("scale", [[1.0, -1.0, 1.0], [0.5, 2.0, 1.5]], ids=["mirrored", "stretched"])
def test_gltf_is_scaled_as_the_urdf_has_it_after_the_turn(tmp_path: Path, scale: list[float]) -> None:
    upright = np.array([[-0.01, -0.01, 0.0], [0.01, 0.03, 0.1]])
    lying = _box([0.02, 0.1, 0.04], [0.0, 0.05, -0.01])
    lying.export(tmp_path / "palm.glb")
    bounds = np.sort(upright * scale, axis=0)
    middle, size = (" ".join(map(str, row)) for row in (bounds.mean(axis=0), np.ptp(bounds, axis=0)))
    link = _read_palm(
        tmp_path,
        f'<mesh filename="palm.glb" scale="{" ".join(map(str, scale))}"/>',
        f'<origin xyz="{middle}"/><geometry><box size="{size}"/></geometry>',
    )[0]
    np.testing.assert_allclose(link.visuals[0].mesh.bounds, bounds, atol=1e-6)
    assert link.visuals[0].mesh.volume > 0.0


def test_the_file_that_is_found_tells_its_format_and_is_named(tmp_path: Path) -> None:
    _box([0.02, 0.1, 0.04], [0.0, 0.05, 0.0]).export(tmp_path / "palm.glb")
    link = _read_palm(tmp_path, '<mesh filename="palm.dae"/>', _UPRIGHT)[0]
    np.testing.assert_allclose(link.visuals[0].mesh.bounds, [[-0.01, -0.02, 0.0], [0.01, 0.02, 0.1]], atol=1e-6)
    assert any("palm.glb for palm.dae; check their size" in note for note in link.notes)


def test_an_stl_is_never_turned_whatever_the_urdf_calls_it(tmp_path: Path) -> None:
    lying = _box([0.02, 0.1, 0.04], [0.0, 0.05, 0.0])
    lying.export(tmp_path / "palm.stl")
    link = _read_palm(tmp_path, '<mesh filename="palm.glb"/>', _UPRIGHT)[0]
    np.testing.assert_allclose(link.visuals[0].mesh.bounds, lying.bounds, atol=1e-6)
    assert len(link.notes) == 1
    assert "palm.stl for palm.glb" in link.notes[0]
