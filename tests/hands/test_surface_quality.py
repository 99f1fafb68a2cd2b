# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Winding numbers and figures of surfaces, against closed forms; colliders as surfaces; closing hands."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from pxr import Usd, UsdGeom, UsdPhysics

from omni_graspd.geometry.surface_quality import measure_surface
from omni_graspd.geometry.winding_number import winding_numbers
from omni_graspd.hands.closing import closed_positions, fingertip_positions
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.usd.collider_reader import read_colliders
from omni_graspd.library import list_names
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.stage import create_stage


def _mesh(surface: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(np.asarray(surface.vertices), np.asarray(surface.faces, dtype=np.int32))


def _box(*extents: float) -> trimesh.Trimesh:
    return trimesh.creation.box(extents).subdivide().subdivide()


def test_winding_numbers_of_a_box_are_exact() -> None:
    box = _mesh(_box(0.02, 0.03, 0.04))
    points = np.array([[0.0, 0.0, 0.0], [0.009, 0.0, 0.0], [0.02, 0.0, 0.0], [0.0, 0.0, 0.05]])
    np.testing.assert_allclose(winding_numbers(box, points), [1.0, 1.0, 0.0, 0.0], atol=1e-5)
    inward = TriangleMesh(box.vertices, box.faces[:, ::-1])
    np.testing.assert_allclose(winding_numbers(inward, points), [-1.0, -1.0, 0.0, 0.0], atol=1e-5)


def test_winding_number_in_the_middle_of_an_open_cube_is_five_sixths() -> None:
    cube = _box(1.0, 1.0, 1.0)
    open_cube = trimesh.Trimesh(cube.vertices, cube.faces[cube.face_normals[:, 2] < 0.5], process=False)
    np.testing.assert_allclose(winding_numbers(_mesh(open_cube), np.zeros((1, 3))), [5.0 / 6.0], atol=1e-5)


def test_closed_box_is_sound() -> None:
    quality = measure_surface(_mesh(_box(0.02, 0.03, 0.04)))
    assert quality.is_closed and quality.cavities == 0
    assert (quality.leaking, quality.inward, quality.hidden) == (0.0, 0.0, 0.0)
    assert quality.volume == pytest.approx(0.02 * 0.03 * 0.04)


def test_seams_are_no_holes() -> None:
    box = _box(0.02, 0.03, 0.04)
    loose = TriangleMesh(np.asarray(box.triangles).reshape(-1, 3), np.arange(3 * len(box.faces)).reshape(-1, 3))
    assert measure_surface(loose).is_closed


def test_missing_side_is_open_and_leaks() -> None:
    cube = _box(0.02, 0.02, 0.02)
    quality = measure_surface(_mesh(trimesh.Trimesh(cube.vertices, cube.faces[cube.face_normals[:, 2] < 0.5])))
    # Four rims of four edges.
    assert quality.open_edges == 16
    assert quality.leaking > 0.2


def test_flipped_faces_are_measured_by_area() -> None:
    cube = _box(0.02, 0.02, 0.02)
    faces = np.array(cube.faces)
    assert measure_surface(
        TriangleMesh(np.asarray(cube.vertices), faces[:, ::-1].astype(np.int32))
    ).inward == pytest.approx(1.0)
    top = cube.face_normals[:, 2] > 0.5
    faces[top] = faces[top][:, ::-1]
    turned = measure_surface(TriangleMesh(np.asarray(cube.vertices), faces.astype(np.int32)))
    assert turned.inward == pytest.approx(1.0 / 6.0)


def test_cavities_and_parts_inside_are_told_apart() -> None:
    outer, inner = _box(0.04, 0.04, 0.04), _box(0.02, 0.02, 0.02)
    solid_inside = measure_surface(_mesh(trimesh.util.concatenate([outer, inner])))
    inner.invert()
    hollow = measure_surface(_mesh(trimesh.util.concatenate([outer, inner])))
    assert (hollow.cavities, hollow.hidden, hollow.inward) == (1, 0.0, 0.0)
    assert solid_inside.cavities == 0
    # The inner cube has a fifth of the area.
    assert solid_inside.hidden == pytest.approx(0.2, abs=0.08)


@pytest.mark.parametrize(
    ("kind", "attributes", "size"),
    [
        (UsdGeom.Sphere, {"radius": 1.0}, (2.0, 2.0, 2.0)),
        (UsdGeom.Cube, {"size": 2.0}, (2.0, 2.0, 2.0)),
        (UsdGeom.Capsule, {"radius": 0.5, "height": 2.0, "axis": "X"}, (3.0, 1.0, 1.0)),
        (UsdGeom.Cylinder, {"radius": 0.5, "height": 2.0, "axis": "Y"}, (1.0, 2.0, 1.0)),
        (UsdGeom.Cone, {"radius": 0.5, "height": 2.0, "axis": "Z"}, (1.0, 1.0, 2.0)),
    ],
)
def test_shapes_become_surfaces_in_the_links_frame(kind, attributes: dict, size: tuple[float, float, float]) -> None:
    """In a stage of centimetres, scaled by two and moved by ten units."""
    stage = create_stage("World")
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    body = UsdGeom.Xform.Define(stage, "/World/Link")
    UsdPhysics.RigidBodyAPI.Apply(body.GetPrim())
    shape = kind.Define(stage, "/World/Link/Shape")
    for name, value in attributes.items():
        shape.GetPrim().GetAttribute(name).Set(value)
    shape.AddTranslateOp().Set((10.0, 0.0, 0.0))
    shape.AddScaleOp().Set((2.0, 2.0, 2.0))
    UsdPhysics.CollisionAPI.Apply(shape.GetPrim())
    (collider,) = read_colliders(body.GetPrim())
    vertices = collider.surface.vertices
    np.testing.assert_allclose(np.ptp(vertices, axis=0), 0.02 * np.array(size), rtol=0.02)
    middle = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
    np.testing.assert_allclose(middle, [0.1, 0.0, 0.0], atol=5e-4)
    assert trimesh.Trimesh(vertices, collider.surface.faces).volume > 0.0


def test_disabled_colliders_do_not_count() -> None:
    stage = Usd.Stage.Open(str(load_hand("barrett").source))
    body = stage.GetPrimAtPath("/barrett/finger_1_distal")
    before = read_colliders(body)
    UsdPhysics.CollisionAPI(stage.GetPrimAtPath(before[0].path)).CreateCollisionEnabledAttr(False)
    assert [collider.path for collider in read_colliders(body)] == [collider.path for collider in before[1:]]


@pytest.mark.parametrize("name", list_names("hands"))
def test_closing_brings_fingertips_together_within_the_limits(name: str) -> None:
    hand = load_hand(name)
    closed = closed_positions(hand)
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    assert np.all(closed >= lower - 1e-12) and np.all(closed <= upper + 1e-12)
    spread = [
        np.linalg.norm(tips - tips.mean(axis=0), axis=1).mean()
        for tips in (fingertip_positions(hand, hand.joint_positions(q)) for q in (hand.open_positions, closed))
    ]
    assert spread[1] < 0.8 * spread[0]


@pytest.mark.filterwarnings("error")
def test_flat_shells_are_measured_without_a_warning() -> None:
    flat = trimesh.Trimesh([[0, 0, 0], [0.01, 0, 0], [0, 0.01, 0]], [[0, 1, 2], [0, 2, 1]], process=False)
    assert measure_surface(_mesh(flat)).volume == 0.0
    assert measure_surface(_mesh(trimesh.util.concatenate([_box(0.02, 0.03, 0.04), flat]))).cavities == 0
