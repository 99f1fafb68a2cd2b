# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of grasps on a table: up is up, the hand moves along its way, and the best usable grasps are shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pxr import Usd, UsdGeom

from omni_graspd.backend import Backend
from omni_graspd.dataset.evaluation.measured_grasps import MeasuredGrasps
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.inspection import report_gallery
from omni_graspd.inspection.annotations import color_normals
from omni_graspd.inspection.grasp_pictures import render_grasp
from omni_graspd.inspection.overview_table import (
    WAY_PICTURE_COUNT,
    choose_on_table,
    draw_on_table,
    table_figures,
)
from omni_graspd.inspection.report_gallery import Shown, draw_shown
from omni_graspd.inspection.studio import camera_pose, project
from omni_graspd.inspection.table_pictures import (
    TableStudio,
    View,
    rest_on_table,
    table_views,
    way_moments,
)
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.annotator_data import BACKGROUND_ID, AnnotatorData
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.synthesis.grasp import Way
from omni_graspd.usd.transforms import (
    compose,
    local_to_world,
    matrix_to_pose,
    pose_to_matrix,
    transform_points,
)

_PLANES = np.array([[0.0, 0.0, 1.0, -0.035]] * 2 + [[0.0, -1.0, 0.0, -0.03]] * 2)
_USABLE = np.array([True, True, False, True])
_ESCAPE = np.array([0.3, 0.2, 0.1, 0.4])


class _Camera:
    """A backend that renders nothing and notes what stands where."""

    def __init__(self) -> None:
        self.palms: list[np.ndarray] = []
        self.objects: list[np.ndarray] = []
        self.cameras: list[np.ndarray] = []
        self.tables: list[np.ndarray] = []
        self.channels: set[tuple[str, ...]] = set()

    def backend(self, palm: str = "") -> Backend:
        async def render(stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig) -> AsyncIterator[Frame]:
            for rig in rigs:
                self.channels.add(config.annotators)
                self.objects.append(local_to_world(stage.GetPrimAtPath("/World/Object")))
                self.cameras.append(local_to_world(stage.GetPrimAtPath(rig.camera_paths[0])))
                if palm:
                    self.palms.append(local_to_world(stage.GetPrimAtPath(palm)))
                if table := stage.GetPrimAtPath("/World/Table"):
                    points = np.array(UsdGeom.Mesh(table).GetPointsAttr().Get(), dtype=np.float64)
                    self.tables.append(points @ local_to_world(table)[:3, :3].T + local_to_world(table)[:3, 3])
                rgb = np.full((rig.height, rig.width, 4), 9, dtype=np.uint8)
                labels = np.full((rig.height, rig.width), BACKGROUND_ID + 1)
                channels = {"rgb": AnnotatorData(rgb, {}), "semantic_segmentation": AnnotatorData(labels, {})}
                yield Frame(rig.camera_paths[0], channels)

        return Backend("none", None, render, None)  # type: ignore[arg-type]


def _on_table(root: Path) -> GraspTable:
    """Give the four grasps of the block ways over two rest poses."""
    table = read_grasps(DatasetLayout(root).grasps("barrett", "block"))
    hover, number = table.grasps.T_object_palm.copy(), np.zeros(4)
    hover[:, :3] += 0.04 * _PLANES[:, :3]
    way = Way(
        table_plane=_PLANES,
        T_object_hover_palm=hover,
        lift_direction=_PLANES[:, :3],
        approach_clearance=number,
        closing_clearance=number,
        grasp_clearance=number,
        squeeze_clearance=number,
        lift_clearance=number,
        usable=_USABLE,
        tries=np.ones(4, dtype=np.int32),
        rejected=("",) * 4,
    )
    losses = {name: values for name, values in table.grasps.losses.items() if name != "drop"} | {"escape": _ESCAPE}
    grasps = replace(table.grasps, way=way, losses=losses, status=("ok",) * 4)
    indices = np.array([0, 1, 1_000_000, 1_000_001], dtype=np.int32)
    return replace(table, grasps=grasps, rest_poses=np.array([0, 0, 1, 1], dtype=np.int32), indices=indices)


@pytest.fixture
def scene(dataset: Path) -> tuple[Hand, RigidObject, Path, GraspTable]:
    """Hand, object, its USD file, and grasps on a table."""
    layout = DatasetLayout(dataset)
    usd = layout.object("block")
    return load_hand(str(layout.hand("barrett"))), load_object(str(usd)), usd, _on_table(dataset)


@pytest.mark.parametrize(
    "normal", [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0), (0.6, -0.48, 0.64), (0.0, 1e-9, -1.0)]
)
def test_the_table_top_is_z_0_and_the_object_above_the_origin(normal):
    normal = np.array(normal) / np.linalg.norm(normal)
    points = np.random.default_rng(0).normal(size=(40, 3))
    offset = float((points @ normal).min())
    placed = transform_points(rest_on_table(np.append(normal, offset), points), points)
    # Heights are distances from the plane; a rotation keeps all others.
    np.testing.assert_allclose(placed[:, 2], points @ normal - offset, atol=1e-7)
    np.testing.assert_allclose(placed[:, :2].min(axis=0), -placed[:, :2].max(axis=0), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(placed - placed[0], axis=1), np.linalg.norm(points - points[0], axis=1))


@pytest.mark.parametrize("turn", range(12))
def test_cameras_stand_above_the_table_on_both_sides_of_the_hand(scene, turn):
    hand = scene[0]
    random = np.random.default_rng(turn)
    matrix = np.eye(4)
    matrix[:3, :3] = np.linalg.qr(random.normal(size=(3, 3)))[0]
    matrix[:3, 0] *= np.linalg.det(matrix[:3, :3])
    if turn == 0:  # straight from above
        matrix[:3, :3] = matrix[:3, :3] @ _turn_between(matrix[:3, :3] @ hand.approach_direction, matrix)
    one, other = table_views(hand, matrix_to_pose(matrix))
    for direction in (one, other):
        assert np.linalg.norm(direction) == pytest.approx(1.0)
        assert 0.3 < direction[2] < 0.6
    assert one[:2] @ other[:2] < 0.0
    ahead = (matrix[:3, :3] @ hand.approach_direction)[:2]
    if np.linalg.norm(ahead) > 0.35:
        assert one[:2] @ ahead == pytest.approx(other[:2] @ ahead)
        assert one[:2] @ ahead > 0.0


def _turn_between(ahead: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return the rotation of the palm, in its own frame, that turns the approach straight down."""
    from scipy.spatial.transform import Rotation

    world, _ = Rotation.align_vectors([[0.0, 0.0, -1.0]], [ahead])
    return matrix[:3, :3].T @ world.as_matrix() @ matrix[:3, :3]


@pytest.mark.parametrize("aspect", [1.0, 4 / 3, 0.5])
def test_a_camera_sees_all_and_no_more(aspect):
    points = np.random.default_rng(1).uniform(-0.2, 0.3, (200, 3))
    back = np.array([0.6, 0.48, 0.64])
    seen = project(points, camera_pose(points, back, aspect=aspect), 300)
    low, high = np.array([0.0, 150.0 - 150.0 / aspect]), np.array([300.0, 150.0 + 150.0 / aspect])
    assert (seen > low).all() and (seen < high).all()
    margins = np.minimum(seen - low, high - seen).min(axis=0) / (high - low)
    assert margins.min() < 0.04


def test_the_way_opens_descends_and_lifts(scene):
    grasps = scene[3].grasps
    moments = way_moments(grasps, 3)
    assert list(moments) == ["pregrasp", "hover", "grasp", "lifted 10 cm"]
    opened = grasps.postures.pregrasp_joint_positions[3]
    for name, pose, joints in (
        ("pregrasp", grasps.postures.T_object_pregrasp_palm[3], opened),
        ("hover", grasps.way.T_object_hover_palm[3], opened),
        ("grasp", grasps.T_object_palm[3], grasps.joint_positions[3]),
        ("lifted 10 cm", grasps.T_object_palm[3], grasps.postures.squeeze_joint_positions[3]),
    ):
        np.testing.assert_array_equal(moments[name].T_object_palm, pose)
        np.testing.assert_array_equal(moments[name].joint_positions, joints)
    assert [moment.lifted for moment in moments.values()] == [0.0, 0.0, 0.0, 0.1]
    with pytest.raises(ValueError, match="floating"):
        way_moments(replace(grasps, way=None), 0)


def test_hand_and_object_stand_where_the_way_says(scene):
    hand, obj, usd, table = scene
    camera, moments = _Camera(), way_moments(table.grasps, 3)
    palm = hand.links[0].prim_path.removeprefix("/").partition("/")[2]
    studio = TableStudio(
        camera.backend(f"/World/Hand/{palm}".rstrip("/")), hand, obj, usd, _PLANES[3], moments["grasp"]
    )
    rest = rest_on_table(_PLANES[3], obj.mesh.vertices)
    for moment in moments.values():
        view = View(studio.sides[0], (40, 30))
        (picture,) = asyncio.run(studio.draw(moment, [view], RenderConfig(samples_per_pixel=1)))
        assert picture.shape == (30, 40, 3) and (picture == 9).all()
        expected = compose(rest, moment.T_object_palm)
        expected[2] += moment.lifted
        np.testing.assert_allclose(camera.palms[-1][:3, 3], expected[:3], atol=1e-6)
        T_world_object = pose_to_matrix(rest)
        T_world_object[2, 3] += moment.lifted
        np.testing.assert_allclose(camera.objects[-1], T_world_object, atol=1e-6)
        seen = project(studio.points(moment), matrix_to_pose(camera.cameras[-1]), 40)
        assert (seen > [0.0, 5.0]).all() and (seen < [40.0, 35.0]).all()
        assert camera.cameras[-1][2, 3] > 0.0
        np.testing.assert_allclose(camera.tables[-1][:, 2].max(), 0.0, atol=1e-9)
    assert transform_points(rest, obj.mesh.vertices)[:, 2].min() == pytest.approx(0.0, abs=1e-6)
    reach = np.linalg.norm(studio.points(moments["grasp"])[:, :2], axis=1).max()
    assert np.linalg.norm(camera.tables[0][:, :2], axis=1).max() > reach
    assert camera.channels == {("rgb", "semantic_segmentation")}


def test_the_best_usable_grasp_and_one_of_another_rest_pose_are_shown(scene):
    table = scene[3]
    # Row 2 ranks before all, but is not usable.
    assert choose_on_table(table) == [1, 3]
    one_pose = replace(table, rest_poses=np.zeros(4, dtype=np.int32))
    assert choose_on_table(one_pose) == [1, 0]
    unusable = replace(table, grasps=replace(table.grasps, way=replace(table.grasps.way, usable=_USABLE & False)))
    assert choose_on_table(unusable) == [2, 1]
    lost = table.grasps.T_object_palm.copy()
    lost[[0, 1, 3]] = np.nan
    assert choose_on_table(replace(table, grasps=replace(table.grasps, T_object_palm=lost))) == [2]


def test_the_heading_counts_what_is_usable(scene):
    table = scene[3]
    area = np.array([1e-3, 3e-3, 9.0, 2e-3])
    told = replace(table, metrics=table.metrics | {"contact_area": area})
    assert table_figures(told) == "4 asked · 3 usable · 2 rest poses · contact 20.0 sq cm"
    alone = replace(told, rest_poses=np.zeros(4, dtype=np.int32))
    assert "3 usable · 1 rest pose ·" in table_figures(alone)


def test_an_overview_shows_two_sides_the_way_and_another_grasp(scene):
    hand, obj, usd, table = scene
    camera = _Camera()
    drawn = asyncio.run(draw_on_table(camera.backend(), hand, obj, usd, table, RenderConfig(), size=48, aspect=4 / 3))
    assert [tile.picture.shape for tile in drawn.sides] == [(48, 48, 3)] * 2
    assert drawn.sides[0].caption == "best: grasp 1, rest pose 0"
    assert [tile.caption for tile in drawn.way] == ["pregrasp", "hover", "grasp", "lifted 10 cm"]
    assert {tile.picture.shape for tile in drawn.way} == {(24, 24, 3)}
    assert [(tile.picture.shape, tile.caption) for tile in drawn.other] == [((36, 48, 3), "grasp 1000001, rest pose 1")]
    assert len(camera.cameras) == WAY_PICTURE_COUNT + 1
    # All pictures of the way are taken from one place, so that the hand is seen to move.
    way = [camera.cameras[index] for index in (0, 1, 4, 5)]
    for place in way[1:]:
        np.testing.assert_array_equal(place, way[0])


def test_pictures_of_floating_grasps_have_no_table(scene):
    hand, obj, usd, table = scene
    for plane, tables in ((None, 0), (np.full(4, np.nan), 0), (_PLANES[0], 2)):
        camera = _Camera()
        row = (table.grasps.T_object_palm[0], table.grasps.joint_positions[0])
        pictures = asyncio.run(
            render_grasp(camera.backend(), hand, obj, usd, *row, size=20, config=RenderConfig(), table_plane=plane)
        )
        assert [picture.shape for picture in pictures] == [(20, 20, 3)] * 2
        assert len(camera.tables) == tables


def test_reports_draw_the_table_of_the_grasp(dataset, monkeypatch):
    planes = []

    async def noted(*_, table_plane, **__):
        planes.append(table_plane)
        return [np.zeros((2, 2, 3), dtype=np.uint8)] * 2

    monkeypatch.setattr(report_gallery, "render_grasp", noted)
    table = _on_table(dataset)
    draw_shown(Shown(MeasuredGrasps("set", dataset, table), 3, ""))
    draw_shown(Shown(MeasuredGrasps("set", dataset, replace(table, grasps=replace(table.grasps, way=None))), 3, ""))
    np.testing.assert_array_equal(planes[0], _PLANES[3])
    assert planes[1] is None


def test_normals_become_colours():
    normals = np.array([[[1.0, 0.0, -1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]], dtype=np.float32)
    picture = color_normals(normals)
    assert picture[0, 0].tolist() == [255, 128, 0]
    assert picture[0, 1].tolist() == [240, 242, 245]
