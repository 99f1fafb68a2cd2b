# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What makes two hands or objects the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.dataset.content_hash import content_hash
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh


@pytest.fixture
def tetrahedron():
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    mesh = TriangleMesh(vertices, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], dtype=np.int32))
    return RigidObject("t", Path("t.obj"), mesh, mesh, Appearance(), True, 1.0, np.zeros(3), np.eye(3), "t")


def test_the_place_of_the_file_does_not_count(tetrahedron):
    assert content_hash(tetrahedron) == content_hash(replace(tetrahedron, source=Path("elsewhere/t.obj")))


def test_geometry_mass_look_and_label_count(tetrahedron):
    vertices = tetrahedron.mesh.vertices.copy()
    vertices[0, 0] = 1e-9
    others = [
        replace(tetrahedron, mesh=replace(tetrahedron.mesh, vertices=vertices)),
        replace(tetrahedron, mass=2.0),
        replace(tetrahedron, appearance=Appearance(roughness=0.1)),
        replace(tetrahedron, label="cup"),
    ]
    assert len({content_hash(item) for item in (tetrahedron, *others)}) == 5


def test_a_texture_counts_by_its_bytes(tetrahedron, tmp_path):
    hashes = []
    for name, content in (("a.png", b"red"), ("b.png", b"red"), ("c.png", b"blue")):
        (tmp_path / name).write_bytes(content)
        hashes.append(content_hash(replace(tetrahedron, appearance=Appearance(texture=str(tmp_path / name)))))
    assert hashes[0] == hashes[1] != hashes[2]


def test_what_cannot_be_hashed_is_an_error():
    with pytest.raises(TypeError, match="got set"):
        content_hash({1, 2})
