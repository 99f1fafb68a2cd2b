# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Convex pieces that stand in for an imported hand's colliders: near its surface, and cheap where a hull is near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.hands.importing.source_hand import SourceJoint, SourceLink, SourceShape
from omni_graspd.hands.importing.source_to_design import design_hand
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _extruded(outline: list[tuple[float, float]], triangles: list[tuple[int, int, int]]) -> trimesh.Trimesh:
    return trimesh.creation.extrude_triangulation(np.array(outline), np.array(triangles), 0.02)


def _bracket() -> trimesh.Trimesh:
    """Two plates of 60 x 20 x 8 mm at a right angle: a hull would fill the corner, 24 mm deep."""
    outline = [(0, 0), (0.06, 0), (0.06, 0.008), (0.008, 0.008), (0.008, 0.06), (0, 0.06)]
    return _extruded(outline, [(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)])


def _channel() -> trimesh.Trimesh:
    """A shell of a finger, 60 mm long: walls of 1 mm around a channel 5 mm deep, a third of its hull's volume."""
    outline = [
        (0, 0),
        (0.06, 0),
        (0.06, 0.006),
        (0.059, 0.006),
        (0.059, 0.001),
        (0.001, 0.001),
        (0.001, 0.006),
        (0, 0.006),
    ]
    return _extruded(outline, [(0, 1, 4), (0, 4, 5), (1, 2, 3), (1, 3, 4), (0, 5, 6), (0, 6, 7)])


def _pieces(*meshes: trimesh.Trimesh) -> list[tuple[TriangleMesh, ...]]:
    """Return the pieces of the links of a chain that ends in a gripper with a single jaw."""
    links = []
    for number, mesh in enumerate(meshes):
        joint = SourceJoint(f"j{number}", "revolute", np.array([0.0, 0.0, 1.0]), np.zeros(3), -1.0, 1.0)
        parent = None if number == 0 else f"l{number - 1}"
        pose = np.array([0.0, 0.0, 0.03 * number, 0.0, 0.0, 0.0, 1.0])
        shape = SourceShape(mesh)
        links.append(SourceLink(f"l{number}", parent, pose if number else IDENTITY, joint if number else None))
        links[-1].visuals.append(shape)
        links[-1].colliders.append(shape)
    design = design_hand("chain", links, 1.0, Path("chain.urdf"))
    return [link.shape.convex_pieces for link in design.links if link.shape is not None]


def test_a_hull_that_fills_a_corner_is_cut_on_the_hand_and_will_do_on_the_arm() -> None:
    arm, palm, jaw = _pieces(_bracket(), _bracket(), _channel())
    assert (len(arm), len(jaw)) == (1, 1)
    assert 2 <= len(palm) <= 8
    points, _ = trimesh.sample.sample_surface(_bracket(), 2000, seed=0)
    assert _outside(palm, points).max() < 0.001
    in_the_corner = np.random.default_rng(0).uniform([0.012, 0.012, 0.0], [0.06, 0.06, 0.02], (500, 3))
    assert _outside(palm, in_the_corner).min() > -0.001


def test_links_whose_meshes_differ_by_rounding_alone_share_their_pieces() -> None:
    rounded, moved = _bracket(), _bracket()
    rounded.vertices += 1e-9
    moved.apply_translation([0.0, 0.0, 1e-5])
    _, palm, jaw = _pieces(_channel(), _bracket(), rounded)
    assert [a is b for a, b in zip(palm, jaw, strict=True)] == [True] * len(palm)
    _, palm, jaw = _pieces(_channel(), _bracket(), moved)
    lowest = [min(piece.vertices[:, 2].min() for piece in pieces) for pieces in (palm, jaw)]
    np.testing.assert_allclose(lowest, [0.0, 1e-5], atol=2e-9)


def _outside(pieces: tuple[TriangleMesh, ...], points: np.ndarray) -> np.ndarray:
    """Return how far points are outside the nearest piece, by its planes [m], negative inside."""
    distances = []
    for piece in pieces:
        solid = trimesh.Trimesh(piece.vertices, piece.faces, process=False)
        offsets = np.einsum("fk,fk->f", solid.face_normals, solid.triangles[:, 0])
        distances.append((points @ solid.face_normals.T - offsets).max(axis=1))
    return np.min(distances, axis=0)


@pytest.mark.parametrize("inverted", [False, True])
def test_a_collider_that_is_inside_out_has_the_same_pieces(inverted: bool) -> None:
    bracket = _bracket()
    if inverted:
        bracket.invert()
    palm, _ = _pieces(bracket, _channel())
    assert _outside(palm, np.array([[0.03, 0.03, 0.01]])).min() > 0.005


def test_a_collider_whose_walls_touch_along_an_edge_is_cut_too() -> None:
    bar = trimesh.creation.box(bounds=[[0.06, -0.01, 0.0], [0.07, 0.0, 0.02]])
    one = _bracket()
    faces = np.concatenate([one.faces, bar.faces + len(one.vertices)])
    touching = trimesh.Trimesh(np.concatenate([one.vertices, bar.vertices]), faces, process=False)
    touching.merge_vertices()
    assert not touching.is_watertight  # four faces meet at the edge
    palm, _ = _pieces(touching, _channel())
    assert _outside(palm, np.array([[0.03, 0.03, 0.01]])).min() > 0.005
