# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The motion on its slider, the camera above the table, the object as it is painted, and what the header says."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh
from PIL import Image

from omni_graspd.cli import main as cli
from omni_graspd.inspection.grasp_catalog import CatalogGrasp, GraspCatalog
from omni_graspd.inspection.grasp_list import GraspFilter
from omni_graspd.inspection.grasp_motion import motion_at, motion_frames
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.inspection.shown_units import shown_unit
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.viewer.camera_view import camera_above
from omni_graspd.viewer.grasp_scene import textured_mesh
from omni_graspd.viewer.inspection_page import InspectionPage

_UP = np.array([0.48, -0.6, 0.64])


def _press(page: InspectionPage, name: str, run_on: Callable) -> None:
    run_on(page.server, page.decide._work[name](SimpleNamespace(client_id=1, client=None)))


def _grasp(**known: np.ndarray) -> CatalogGrasp:
    pose = np.array([0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 1.0])
    return CatalogGrasp(0, "claw", "box", 0, "ok", pose, np.array([1.0, 2.0]), **{
        "T_object_pregrasp_palm": None, "pregrasp_joint_positions": None, "table_plane": None, **known
    })  # fmt: skip


def test_a_motion_goes_from_pregrasp_to_lift() -> None:
    quarter = np.sqrt(0.5)
    frames = motion_frames(
        _grasp(
            T_object_pregrasp_palm=np.array([0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 1.0]),
            T_object_hover_palm=np.array([0.0, 0.0, 0.2, 0.0, 0.0, quarter, quarter]),
            pregrasp_joint_positions=np.zeros(2),
            squeeze_joint_positions=np.array([1.5, 2.5]),
            lift_direction=_UP,
        )
    )
    assert [frame.name for frame in frames] == ["pregrasp", "hover", "grasp", "squeeze", "lift"]
    half = motion_at(frames, 0.5)
    # Half of a quarter turn about the vertical, half-way down, and still open.
    np.testing.assert_allclose(half.T_object_palm, [0, 0, 0.25, 0, 0, np.sin(np.pi / 8), np.cos(np.pi / 8)], atol=1e-12)
    np.testing.assert_array_equal(half.joint_positions, [0.0, 0.0])
    np.testing.assert_allclose(motion_at(frames, 1.25).joint_positions, [0.25, 0.5])
    np.testing.assert_allclose(motion_at(frames, 2.5).joint_positions, [1.25, 2.25])
    lifted = motion_at(frames, 4.0)
    np.testing.assert_allclose(lifted.lifted, 0.1 * _UP)
    np.testing.assert_allclose(lifted.T_object_palm[:3], [0.0, 0.0, 0.1] + 0.1 * _UP)
    np.testing.assert_allclose(motion_at(frames, 3.5).lifted, 0.05 * _UP)


def test_the_motion_of_a_floating_grasp_has_no_hover_and_no_lift() -> None:
    joints = {"pregrasp_joint_positions": np.zeros(2), "squeeze_joint_positions": np.ones(2)}
    known = motion_frames(_grasp(T_object_pregrasp_palm=np.eye(7)[6], **joints))
    assert [frame.name for frame in known] == ["pregrasp", "grasp", "squeeze"]
    assert [frame.name for frame in motion_frames(_grasp())] == ["grasp"]


@pytest.mark.parametrize("up", [_UP, np.array([0.0, 0.0, -1.0]), np.array([1.0, 0.0, 0.0])])
def test_the_camera_stands_above_the_table_and_sees_the_object(up: np.ndarray) -> None:
    vertices = np.array([0.3, 0.2, -0.1]) + 0.05 * np.random.default_rng(0).uniform(-1, 1, (50, 3))
    position, look_at = camera_above(up, vertices)
    to_camera = position - look_at
    assert np.degrees(np.arcsin(to_camera @ up / np.linalg.norm(to_camera))) == pytest.approx(30.0)
    np.testing.assert_allclose(look_at, 0.5 * (vertices.min(axis=0) + vertices.max(axis=0)))
    sight = -to_camera / np.linalg.norm(to_camera)
    rays = vertices - position
    # Well within the 75 degrees that viser's camera sees.
    assert np.degrees(np.arccos(rays @ sight / np.linalg.norm(rays, axis=1))).max() < 20.0


@pytest.mark.parametrize("side", [0.0, 1.0, 2.0, 4.0])
def test_the_camera_does_not_stand_behind_the_hand(side: float) -> None:
    """A plate as large as the object, upright beside it: the camera stands on another side."""
    up = np.array([0.0, 0.0, 1.0])
    box = 0.04 * np.random.default_rng(0).uniform(-1, 1, (200, 3))
    across, high = np.meshgrid(np.linspace(-0.06, 0.06, 20), np.linspace(-0.06, 0.12, 20))
    toward = np.array([np.cos(side), np.sin(side), 0.0])
    plate = 0.06 * toward + across.reshape(-1, 1) * np.cross(up, toward) + high.reshape(-1, 1) * up
    position, look_at = camera_above(up, box, plate)
    assert (position - look_at) @ toward < 0.1 * np.linalg.norm(position - look_at)
    assert position[2] > 0.1


def test_the_slider_moves_the_hand_and_lifts_the_object(page: InspectionPage, run_on: Callable) -> None:
    motion, grasp = page.motion, page.session.grasp
    names = [mark.label for mark in motion.slider._marks]
    assert names == ["pregrasp", "hover", "grasp", "squeeze", "lift"] and motion.slider.value == 20
    run_on(page.server, page.tasks.callback(lambda _: motion.show(1.0))(SimpleNamespace(client_id=1)))
    np.testing.assert_allclose(page.scene.link_nodes[0].position, grasp.T_object_hover_palm[:3], atol=1e-6)
    run_on(page.server, page.tasks.callback(lambda _: motion.show(4.0))(SimpleNamespace(client_id=1)))
    rise = 0.1 * grasp.lift_direction
    np.testing.assert_allclose(page.scene._drawn["object"].position, rise, atol=1e-6)
    np.testing.assert_allclose(page.scene.link_nodes[0].position, grasp.T_object_palm[:3] + rise, atol=1e-6)
    _press(page, "Next", run_on)
    assert motion.slider.value == 20
    np.testing.assert_array_equal(page.scene._drawn["object"].position, np.zeros(3))


def test_a_scene_is_looked_at_from_above_its_table(page: InspectionPage, run_on: Callable) -> None:
    page.scenes.choice.value = "scene 0"
    run_on(page.server, page.tasks.callback(lambda _: page.scenes._show())(SimpleNamespace(client_id=1)))
    plane = page.session.table_plane
    assert page.server.initial_camera.position @ plane[:3] > plane[3] + 0.1
    assert not page.scene._drawn["table"].visible
    page.scenes.hide()
    run_on(page.server, page.show_again())
    assert page.scene._drawn["table"].visible


def test_a_texture_is_drawn_as_paint_in_its_own_colours(tmp_path: Path) -> None:
    """In glTF, what is not said to be paint is metal, and trimesh darkens textures to four tenths."""
    Image.new("RGB", (4, 4), (255, 250, 245)).save(tmp_path / "white.png")
    mesh = TriangleMesh(np.eye(3), np.array([[0, 1, 2]]), uvs=np.zeros((1, 3, 2)))
    content = textured_mesh(mesh, tmp_path / "white.png").export(file_type="glb")
    material = trimesh.load_mesh(io.BytesIO(content), file_type="glb").visual.material
    assert material.metallicFactor == 0.0
    assert material.baseColorFactor.tolist() == [255, 255, 255, 255]
    assert material.baseColorTexture.convert("RGB").getpixel((1, 1)) == (255, 250, 245)


def test_accepting_under_a_filter_selects_the_next_grasp_and_no_other(page: InspectionPage, run_on: Callable) -> None:
    session = page.session
    session.list.show(GraspFilter(decision="undecided"))
    seen = [session.grasp.index]
    for _ in range(3):
        _press(page, "Accept", run_on)
        seen.append(session.grasp.index)
    assert seen == [0, 1, 2, 3] and session.list.rows.tolist() == [3, 4, 5, 6, 7]
    _press(page, "Undo", run_on)
    assert session.grasp.index == 2


def test_the_header_names_the_object_that_is_drawn(page: InspectionPage, run_on: Callable) -> None:
    assert page.figures.content.startswith("### barrett · block · 0\n")
    run_on(page.server, page.session.swap_object("soup_can"))
    run_on(page.server, page.show_again())
    assert page.figures.content.startswith("### barrett · soup_can in place of block · 0\n")
    _press(page, "Next", run_on)
    assert page.figures.content.startswith("### barrett · block · 1\n")


def test_figures_have_units(page: InspectionPage, run_on: Callable) -> None:
    page.session.select(int(np.flatnonzero(np.isfinite(page.session.catalog.metric("contact_area")))[0]))
    run_on(page.server, page.show_selected())
    table = page.session.catalog.metrics_of(page.session.grasp.row)
    lines = dict(line.split(" | ")[0::2][:2] for line in page.figures.content.splitlines() if line.startswith("| "))
    assert float(lines["| contact_area [cm²]"].rstrip(" |")) == pytest.approx(1e4 * table["contact_area"], rel=1e-3)
    assert float(lines["| grasp_clearance [mm]"].rstrip(" |")) == pytest.approx(
        1e3 * table["grasp_clearance"], rel=1e-3
    )
    assert shown_unit("epsilon") == shown_unit("tries") == ("", 1.0)


def test_grasps_from_above_are_filtered(dataset: Path) -> None:
    catalog = GraspCatalog(dataset)
    grasps = [catalog.grasp(row) for row in range(catalog.count)]
    way = [grasp.T_object_hover_palm[:3] - grasp.T_object_pregrasp_palm[:3] for grasp in grasps]
    angles = [
        np.degrees(np.arccos(-motion @ grasp.table_plane[:3] / np.linalg.norm(motion)))
        for motion, grasp in zip(way, grasps, strict=True)
    ]
    np.testing.assert_array_equal(catalog.from_above(), np.array(angles) <= 60.0)
    session = Inspection(dataset)
    session.list.show(GraspFilter(status="usable from above"))
    np.testing.assert_array_equal(session.list.rows, np.flatnonzero(catalog.usable() & catalog.from_above()))
    session.close()


def test_opening_a_dataset_does_not_count_files(
    dataset: Path, port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_graspd.cli.inspect._wait", lambda *_: None)
    cli.main(["inspect", str(dataset), "--port", str(port)])
    out = capsys.readouterr().out
    assert "8 grasps · decisions" in out and "read " not in out
