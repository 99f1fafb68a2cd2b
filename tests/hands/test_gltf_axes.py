# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which way up glTF meshes of a URDF are: what collides tells."""

from __future__ import annotations

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
