# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Signed distance against closed forms, trimesh, and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.objects.object_library import load_object
from omni_graspd.usd.meshes import TriangleMesh

RADIUS = 0.035


def triangle_mesh(mesh: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(np.array(mesh.vertices, dtype=np.float64), np.array(mesh.faces, dtype=np.int32))


def build(mesh: trimesh.Trimesh, *, alpha: float, closed: bool = True) -> SignedDistance:
    config = SignedDistanceConfig(phong_alpha=alpha)
    return SignedDistance.build(triangle_mesh(mesh), closed=closed, device="cpu", config=config)


def directions(count: int) -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def finite_difference(distance: SignedDistance, points: np.ndarray, step: float) -> np.ndarray:
    columns = [
        (distance.query(points + step * axis, 1.0)[0] - distance.query(points - step * axis, 1.0)[0]) / (2 * step)
        for axis in np.eye(3)
    ]
    return np.stack(columns, axis=-1)


def box_distance(points: np.ndarray, half: np.ndarray) -> np.ndarray:
    q = np.abs(points) - half
    return np.linalg.norm(np.maximum(q, 0.0), axis=-1) + np.minimum(q.max(axis=-1), 0.0)


@pytest.mark.parametrize("closed", [True, False])
def test_without_smoothing_it_equals_trimesh(closed: bool) -> None:
    outer = trimesh.creation.annulus(0.02, 0.035, 0.06, sections=24)
    points = np.random.default_rng(1).uniform(-0.05, 0.05, (800, 3))
    phi, _ = build(outer, alpha=0.0, closed=closed).query(points, 1.0)
    expected = -trimesh.proximity.signed_distance(outer, points)
    np.testing.assert_allclose(phi, expected, atol=1e-6)
    assert (expected < 0).sum() > 50


def test_sign_is_right_in_the_middle_of_a_thin_wall() -> None:
    wall = trimesh.creation.annulus(0.036, 0.040, 0.08, sections=64)
    generator = np.random.default_rng(5)
    angle, height = generator.uniform(0, 2 * np.pi, 20000), generator.uniform(-0.03, 0.03, 20000)
    radius = 0.038 * np.cos(np.pi / 64) + generator.uniform(-1e-4, 1e-4, 20000)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=-1)
    assert (build(wall, alpha=0.0).query(points, 1.0)[0] < 0).all()


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.75])
def test_a_box_stays_exact_under_smoothing(alpha: float) -> None:
    half = np.array([0.02, 0.03, 0.08])
    points = np.random.default_rng(2).uniform(-0.1, 0.1, (4000, 3))
    distance = build(trimesh.creation.box(2 * half), alpha=alpha)
    phi, normals = distance.query(points, 1.0)
    np.testing.assert_allclose(phi, box_distance(points, half), atol=2e-7)
    outside = phi > 1e-4
    away = (points - np.clip(points, -half, half))[outside]
    np.testing.assert_allclose(normals[outside], away / np.linalg.norm(away, axis=-1, keepdims=True), atol=2e-3)


def test_smoothing_brings_a_coarse_sphere_twenty_times_nearer_to_the_true_one() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=RADIUS)
    offsets = np.random.default_rng(3).uniform(-0.005, 0.005, 2000)
    points = directions(2000) * (RADIUS + offsets)[:, None]
    flat = np.abs(build(sphere, alpha=0.0).query(points, 1.0)[0] - offsets)
    smooth = np.abs(build(sphere, alpha=0.5).query(points, 1.0)[0] - offsets)
    overshooting = np.abs(build(sphere, alpha=0.75).query(points, 1.0)[0] - offsets)
    assert smooth.mean() < flat.mean() / 20
    assert overshooting.mean() < flat.mean() / 2


def test_normals_of_a_coarse_sphere_are_radial_near_and_far() -> None:
    distance = build(trimesh.creation.icosphere(subdivisions=2, radius=RADIUS), alpha=0.5)
    radial = directions(1000)
    for offset in (-0.005, 0.0, 0.001, 0.03):
        _, normals = distance.query(radial * (RADIUS + offset), 1.0)
        assert np.degrees(np.arccos(np.clip(np.sum(normals * radial, axis=-1), -1, 1))).max() < 1.0
        np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-5)


def test_distance_grows_steadily_along_rays_through_a_coarse_sphere() -> None:
    distance = build(trimesh.creation.icosphere(subdivisions=1, radius=RADIUS), alpha=0.5)
    offsets = np.linspace(-0.01, 0.02, 151)
    points = directions(300)[:, None, :] * (RADIUS + offsets)[None, :, None]
    phi = distance.query(points.reshape(-1, 3), 1.0)[0].reshape(300, 151)
    step = offsets[1] - offsets[0]
    assert np.diff(phi, axis=1).min() > 0.85 * step
    assert np.diff(phi, axis=1).max() < 1.4 * step


def test_sign_changes_on_the_smoothed_surface_not_on_the_flat_one() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=1, radius=RADIUS)
    centres = np.array(sphere.triangles_center)
    gap = RADIUS - np.linalg.norm(centres, axis=-1)
    outward = centres / np.linalg.norm(centres, axis=-1, keepdims=True)
    between = centres + 0.5 * gap.min() * outward
    assert (build(sphere, alpha=0.0).query(between, 1.0)[0] > 0).all()
    assert (build(sphere, alpha=0.5).query(between, 1.0)[0] < 0).all()
    touching, normals = build(sphere, alpha=0.5).query(centres, 1.0)
    np.testing.assert_allclose(touching, -gap, rtol=0.2)
    np.testing.assert_allclose(normals, outward, atol=1e-3)


def test_gradient_matches_finite_differences_of_the_smoothed_distance() -> None:
    distance = build(trimesh.creation.icosphere(subdivisions=3, radius=RADIUS), alpha=0.5)
    for offset in (-0.002, 0.0, 0.002):
        points = directions(500) * (RADIUS + offset)
        _, normals = distance.query(points, 1.0)
        assert np.linalg.norm(normals - finite_difference(distance, points, 2e-4), axis=-1).max() < 0.025


def test_unsmoothed_gradient_matches_finite_differences() -> None:
    distance = build(trimesh.creation.icosphere(subdivisions=1, radius=RADIUS), alpha=0.0)
    points = directions(500) * (RADIUS + 0.01)
    _, normals = distance.query(points, 1.0)
    assert np.linalg.norm(normals - finite_difference(distance, points, 2e-4), axis=-1).max() < 0.01


def test_points_on_the_surface_have_finite_outward_normals() -> None:
    box = trimesh.creation.box((0.04, 0.06, 0.16))
    points, face = trimesh.sample.sample_surface(box, 500, seed=0)
    phi, normals = build(box, alpha=0.5).query(points, 1.0)
    np.testing.assert_allclose(phi, 0.0, atol=1e-7)
    np.testing.assert_allclose(normals, box.face_normals[face], atol=1e-5)


def test_winding_numbers_see_through_holes_and_flipped_faces() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=RADIUS)
    faces = np.array(sphere.faces)
    faces[::40] = faces[::40, ::-1]
    damaged = trimesh.Trimesh(sphere.vertices, faces[12:], process=False)
    offsets = np.random.default_rng(4).choice([-0.004, 0.004], 2000)
    points = directions(2000) * (RADIUS + offsets)[:, None]
    phi, normals = build(damaged, alpha=0.5, closed=False).query(points, 1.0)
    assert (np.sign(phi) == np.sign(offsets)).mean() > 0.99
    assert (np.sum(normals * directions(2000), axis=-1) > 0.9).mean() > 0.97


def test_unwelded_vertices_only_lose_the_smoothing() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=RADIUS)
    soup = trimesh.Trimesh(
        sphere.vertices[sphere.faces].reshape(-1, 3), np.arange(3 * len(sphere.faces)).reshape(-1, 3), process=False
    )
    points = directions(500) * RADIUS * 1.2
    flat = build(sphere, alpha=0.0).query(points, 1.0)
    unwelded = build(soup, alpha=0.5).query(points, 1.0)
    np.testing.assert_allclose(unwelded[0], flat[0], atol=1e-7)
    np.testing.assert_allclose(unwelded[1], flat[1], atol=1e-3)


def test_far_points_report_that_nothing_was_found() -> None:
    distance = build(trimesh.creation.box((0.02, 0.02, 0.02)), alpha=0.5)
    phi, normals = distance.query(np.array([[0.5, 0.0, 0.0], [0.02, 0.0, 0.0]]), 0.1)
    np.testing.assert_allclose(phi, [0.1, 0.01], atol=1e-7)
    np.testing.assert_allclose(normals, [[0, 0, 0], [1, 0, 0]], atol=1e-6)


def jumps(alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Change of distance [m] and gradient [rad] from points around a mug to the next numbers in single precision."""
    mug = load_object("mug")
    bounds = mug.mesh.vertices.min(axis=0) - 0.03, mug.mesh.vertices.max(axis=0) + 0.03
    points = np.random.default_rng(0).uniform(*bounds, (20000, 3)).astype(np.float32)
    config = SignedDistanceConfig(phong_alpha=alpha)
    distance = SignedDistance.build(mug.mesh, closed=mug.closed, device="cpu", config=config)
    (phi, normal), (near, turned) = (distance.query(p, 1.0) for p in (points, np.nextafter(points, np.float32(1.0))))
    return np.abs(phi - near), np.arccos(np.clip(np.sum(normal * turned, axis=-1), -1.0, 1.0))


def test_without_smoothing_a_hair_changes_neither_distance_nor_gradient() -> None:
    distance, angle = jumps(0.0)
    assert distance.max() < 1e-6
    assert np.degrees(angle).max() < 2.0


@pytest.mark.xfail(strict=True, reason="smoothing differs on the two sides of an edge: rounding decides between them")
def test_with_smoothing_a_hair_changes_neither_distance_nor_gradient() -> None:
    distance, angle = jumps(0.5)
    assert distance.max() < 1e-6
    assert np.degrees(angle).max() < 2.0
