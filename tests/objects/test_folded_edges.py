# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Inside and outside of closed surfaces with a face folded over its neighbour, as in scans and simplified meshes."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry import corner_normals
from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.objects.object_library import load_object
from omni_graspd.usd.meshes import TriangleMesh

_HALF = 0.02
_TIP = np.array([_HALF, 0.0025, _HALF])
_TURN = trimesh.transformations.rotation_matrix(0.7, [0.3, 0.8, 0.1])


def folded_box(beyond: float, lift: float) -> trimesh.Trimesh:
    """A box of 40 mm in general position; one vertex of its top is pulled over the rim, ``beyond`` is how far.

    One of its faces then lies upside down under its neighbours, and all of them stick out of the side as a flap. At its
    tip it is ``lift`` above the top.
    """
    box = trimesh.creation.box((2 * _HALF,) * 3).subdivide().subdivide().subdivide()
    vertices, faces = np.array(box.vertices), np.array(box.faces)
    on_top = vertices[:, 2] > _HALF - 1e-9
    inner = on_top & (vertices[:, 0] < _HALF - 1e-9)
    pulled = int(np.argmin(np.where(inner, np.linalg.norm(vertices - _TIP, axis=1), np.inf)))
    vertices[pulled] = [_HALF + beyond, vertices[pulled, 1] + 1e-4, _HALF + lift]
    return trimesh.Trimesh(vertices, faces, process=False).apply_transform(_TURN)


def winding_numbers(mesh: trimesh.Trimesh, points: np.ndarray) -> np.ndarray:
    """How often the surface encloses each point, from solid angles (Van Oosterom and Strackee 1983)."""
    total = np.zeros(len(points))
    for triangle in np.asarray(mesh.triangles):
        a, b, c = (corner - points for corner in triangle)
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        volume = np.einsum("pi,pi->p", a, np.cross(b, c))
        dots = (np.einsum("pi,pi->p", u, v) for u, v in ((b, c), (a, c), (a, b)))
        scale = la * lb * lc + sum(dot * length for dot, length in zip(dots, (la, lb, lc), strict=True))
        total += 2.0 * np.arctan2(volume, scale)
    return total / (4.0 * np.pi)


def distances(mesh: trimesh.Trimesh, points: np.ndarray) -> np.ndarray:
    surface = TriangleMesh(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int32))
    config = SignedDistanceConfig(phong_alpha=0.0)
    return SignedDistance.build(surface, closed=True, device="cpu", config=config).query(points, 1.0)[0]


def points_about() -> np.ndarray:
    """Points everywhere, and many at the fold."""
    random = np.random.default_rng(0)
    wide = random.uniform(-0.03, 0.03, (2000, 3))
    at_fold = _TIP + random.uniform(-0.006, 0.006, (2000, 3))
    return np.concatenate([wide, trimesh.transform_points(at_fold, _TURN)])


@pytest.fixture(params=[-1e-5, 0.0, 1e-5], ids=["sunk", "flat", "lifted"])
def folded(request) -> trimesh.Trimesh:
    return folded_box(0.002, request.param)


@pytest.mark.slow
def test_signs_beside_a_folded_face_are_those_of_winding_numbers(folded):
    assert folded.is_watertight and folded.is_winding_consistent
    points = points_about()
    found = distances(folded, points)
    clear = np.abs(found) > 1e-5
    assert clear.mean() > 0.95
    inside = winding_numbers(folded, points) > 0.5
    np.testing.assert_array_equal(found[clear] < 0.0, inside[clear])


@pytest.mark.parametrize("lift", [-1e-5, 0.0])
@pytest.mark.slow
def test_without_care_for_folds_the_same_signs_would_be_wrong(lift, monkeypatch):
    folded = folded_box(0.002, lift)
    monkeypatch.setattr(corner_normals, "faces_at_folds", lambda faces, *_: np.zeros(len(faces), dtype=bool))
    points = points_about()
    wrong = (distances(folded, points) < 0.0) != (winding_numbers(folded, points) > 0.5)
    assert wrong.sum() > 5


def test_a_box_without_folds_keeps_its_pseudo_normals():
    box = trimesh.creation.box((0.04, 0.04, 0.04)).subdivide()
    normals = corner_normals.pseudo_normals(TriangleMesh(np.array(box.vertices), np.array(box.faces, dtype=np.int32)))
    assert normals.any(axis=2).all()


def test_only_faces_near_the_fold_lose_their_pseudo_normals():
    mesh = folded_box(0.002, 0.0)
    normals = corner_normals.pseudo_normals(TriangleMesh(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int32)))
    lost = ~normals.any(axis=(1, 2))
    assert 5 < lost.sum() < 40
    assert (
        np.linalg.norm(mesh.triangles_center[lost] - trimesh.transform_points(_TIP[None], _TURN), axis=1).max() < 0.015
    )


def test_signs_around_a_scan_with_folds_are_those_of_rays(shared_folder):
    pytest.importorskip("embreex", reason="many rays need Embree")
    obj = load_object(str(shared_folder / "objects" / "egad" / "E2.ply"))
    mesh = trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False)
    assert obj.closed
    random = np.random.default_rng(0)
    points = random.uniform(mesh.bounds[0] - 0.03, mesh.bounds[1] + 0.03, (20000, 3))
    config = SignedDistanceConfig(phong_alpha=0.0)
    found = SignedDistance.build(obj.mesh, closed=True, device="cpu", config=config).query(points, 1.0)[0]
    inside = mesh.contains(points)
    wrong = (found < 0.0) != inside
    # A ray through an edge can miss the surface: two others decide.
    wrong[wrong] = (found[wrong] < 0.0) != (winding_numbers(mesh, points[wrong]) > 0.5)
    assert inside.sum() > 1000
    assert not wrong.any(), f"{wrong.sum()} wrong signs, up to {np.abs(found[wrong]).max()} m"
