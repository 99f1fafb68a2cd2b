# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Convex pieces: they cover the object, stay close to it, are few and small, and are the same each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.convex_decomposition import ConvexDecompositionConfig, convex_pieces, decompose_convex
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.geometry.convex_merging import merge_convex_pieces
from omni_graspd.usd.meshes import TriangleMesh


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch) -> Path:
    """An empty cache, so that pieces are made anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def angle_bracket() -> TriangleMesh:
    """Two plates of 60 x 40 x 10 mm at a right angle."""
    outline = np.array([[0, 0], [0.06, 0], [0.06, 0.01], [0.01, 0.01], [0.01, 0.06], [0, 0.06]])
    triangles = [(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)]
    solid = trimesh.creation.extrude_triangulation(outline, np.array(triangles), 0.04)
    return TriangleMesh(np.array(solid.vertices), np.array(solid.faces, dtype=np.int32))


def farthest_outside(pieces: tuple[TriangleMesh, ...], points: np.ndarray) -> np.ndarray:
    """Distance of each point from the nearest piece by its face planes; negative inside."""
    distances = []
    for piece in pieces:
        solid = trimesh.Trimesh(piece.vertices, piece.faces, process=False)
        offsets = np.einsum("fk,fk->f", solid.face_normals, solid.triangles[:, 0])
        distances.append((points @ solid.face_normals.T - offsets).max(axis=1))
    return np.min(distances, axis=0)


def test_a_concave_object_is_covered_by_few_pieces_without_filling_its_corner() -> None:
    mesh = angle_bracket()
    pieces = convex_pieces(mesh)
    assert 2 <= len(pieces) <= 6
    samples, _ = trimesh.sample.sample_surface(trimesh.Trimesh(mesh.vertices, mesh.faces), 2000, seed=0)
    assert farthest_outside(pieces, samples).max() < 0.0005
    in_the_corner = np.random.default_rng(0).uniform([0.016, 0.016, 0.0], [0.06, 0.06, 0.04], (500, 3))
    assert farthest_outside(pieces, in_the_corner).min() > 0.0


@pytest.mark.slow
def test_the_same_surface_gives_the_same_pieces() -> None:
    config = ConvexDecompositionConfig()
    first, second = (decompose_convex(angle_bracket(), config) for _ in range(2))
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.vertices, other.vertices)


def test_a_convex_object_gets_one_hull_with_few_vertices() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=0.04)
    pieces = convex_pieces(TriangleMesh(np.array(sphere.vertices), np.array(sphere.faces, dtype=np.int32)))
    assert len(pieces) == 1
    assert len(pieces[0].vertices) == 64
    hull = trimesh.Trimesh(pieces[0].vertices, pieces[0].faces)
    assert hull.is_watertight
    assert hull.volume > 0.85 * sphere.volume


def test_a_hull_within_the_limit_keeps_all_corners() -> None:
    box = trimesh.creation.box((1.0, 2.0, 3.0)).subdivide()
    hull = convex_hull(np.array(box.vertices))
    assert sorted(map(tuple, np.abs(hull.vertices))) == [(0.5, 1.0, 1.5)] * 8


def test_merging_joins_what_adds_no_volume_and_stops_at_the_limit() -> None:
    def cube(x: float, y: float) -> np.ndarray:
        return np.array(trimesh.creation.box((1.0, 1.0, 1.0)).vertices) + np.array([x, y, 0.0])

    row = [cube(0, 0), cube(1, 0), cube(2, 0), cube(0, 1)]
    free = merge_convex_pieces(row, most=10, free_volume=1e-9)
    assert sorted(len(points) for points in free) == [8, 8]
    assert len(merge_convex_pieces(row, most=1, free_volume=0.0)) == 1
    apart = [cube(0, 0), cube(5, 0)]
    assert len(merge_convex_pieces(apart, most=1, free_volume=1e9)) == 2


def test_the_limit_on_pieces_holds() -> None:
    config = ConvexDecompositionConfig(most_pieces=1, free_volume=0.0)
    assert len(convex_pieces(angle_bracket(), config)) == 1


@pytest.mark.slow
def test_surfaces_whose_triangles_almost_touch_do_not_end_the_process() -> None:
    """CoACD's own test of such a surface fails an assertion in C++, which no Python catches."""
    import manifold3d

    random = np.random.default_rng(15)
    solid = manifold3d.Manifold.cube([1.0, 1.0, 1.0], True)
    for _ in range(6):
        turn = random.choice([0, 30, 45, 90, 1e-5, 1e-4, 1e-6], 3)
        move = np.round(random.uniform(-0.6, 0.6, 3), 1)
        solid += manifold3d.Manifold.cylinder(1.0, 0.3, 0.3, 24, True).rotate(list(turn)).translate(list(move))
    surface = solid.to_mesh64()
    vertices = 0.05 * np.array(surface.vert_properties)[:, :3]
    mesh = TriangleMesh(vertices, np.array(surface.tri_verts, dtype=np.int32))
    pieces = decompose_convex(mesh, ConvexDecompositionConfig(threshold=0.3, resolution=200, convex_volume=1.0))
    assert farthest_outside(pieces, vertices).max() < 1e-3


def test_flat_pieces_are_left_out():
    """CoACD makes some of three points now and then, of which there is no hull."""
    box = np.array(trimesh.creation.box((0.1, 0.1, 0.1)).vertices)
    triangle = box[:3]
    plate = box[box[:, 2] > 0.0]
    kept = merge_convex_pieces([triangle, box, plate], most=8, free_volume=0.0)
    assert [len(points) for points in kept] == [8]
    assert merge_convex_pieces([triangle, plate], most=8, free_volume=0.0) == []
