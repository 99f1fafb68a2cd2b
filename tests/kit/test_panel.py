# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel under Kit's stubs: a dataset by clicking, grasps in the viewport, decisions, errors, shutdown."""

from __future__ import annotations

import asyncio
import importlib
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import trimesh
from kit_stubs import skip_without
from panel_clicks import click, settled
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

pytest.importorskip("pyarrow", reason="datasets are Parquet tables; Kit's Python has no pyarrow of its own")

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.stages.pipeline import STAGES
from omni_graspd.formats.conversion import convert
from omni_graspd.formats.registry import export_names
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.progress import no_progress
from omni_graspd.synthesis.presets import synthesis_preset


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three grasps of a block."""
    folder = tmp_path_factory.mktemp("panel")
    trimesh.creation.box((0.05, 0.06, 0.07)).export(folder / "block.ply")
    config = GenerateConfig(
        hand=("barrett",),
        object=(str(folder / "block.ply"),),
        grasps=3,
        scenes=0,
        around="nothing",
        out=folder / "set",
        synthesis=synthesis_preset("fast"),
        metrics=MetricsConfig(point_count=400),
    )

    async def synthesize_only() -> None:
        with open_run(config) as run:
            await STAGES["synthesize"](run, no_progress)

    asyncio.run(synthesize_only())
    return folder


@pytest.fixture
def window(kit, made, tmp_path):
    """The panel, opened by its menu entry."""
    panel = importlib.import_module("omni_graspd.kit.panel")
    menu = panel.PanelMenu()
    menu.start()
    (create,) = kit.menus.values()
    opened = create()
    opened.made = shutil.copytree(made / "set", tmp_path / "set")
    yield opened
    menu.stop()
    assert not kit.menus and not kit.windows
    assert not kit.usd.stage.GetPrimAtPath("/GraspdInspection")


def _open(kit, window):
    async def work():
        window.grasps.open(window.made)
        await settled(window)

    kit.run(work())


def test_menu_entry_stands_under_replicator(kit, window):
    assert list(kit.menus) == ["Tools/Replicator/Grasp'D"]
    assert [each.title for each in kit.windows] == ["Grasp'D"]


@pytest.mark.slow
def test_dataset_is_made_by_clicking_and_the_interface_is_never_held_up(kit, window, made, tmp_path):
    skip_without("ovphysx")
    kit.physics.with_ovphysx = True
    section = window.generate

    async def work():
        section._hand.model.set_value("barrett")
        section._object.model.set_value(str(made / "block.ply"))
        section.widgets["grasps"].model.set_value(2)
        section.widgets["scenes"].model.set_value(1)
        section.widgets["out"].model.set_value(str(tmp_path / "clicked"))
        click(kit, "Grasps")
        await settled(window)

    kit.run(work())
    assert window.grasps.inspection is not None, window._line.text
    assert window.grasps.inspection.catalog.count == 2
    assert section._bar.model.get_value_as_float() == 1.0
    kit.draw()
    (plot,) = kit.find("Plot")
    assert len(plot.fake_data) > 5 and max(plot.fake_data) > min(plot.fake_data)
    assert kit.longest_block < 0.5


@pytest.mark.slow
def test_panel_is_free_within_a_second_of_cancel(kit, window, made, tmp_path):
    skip_without("ovphysx")
    kit.physics.with_ovphysx = True
    section = window.generate

    # What is sampled once per hand and kept is not what is tested here.
    async def work():
        section._hand.model.set_value("barrett")
        section._object.model.set_value(str(made / "block.ply"))
        section.widgets["grasps"].model.set_value(400)
        section.widgets["out"].model.set_value(str(tmp_path / "cancelled"))
        click(kit, "Grasps")
        for _ in range(400):
            await asyncio.sleep(0.02)
            if section._bar.model.get_value_as_float() > 0.0:
                break
        begin = time.perf_counter()
        click(kit, "Cancel")
        await settled(window)
        return time.perf_counter() - begin

    assert kit.run(work()) < 1.0
    assert "stopped" in window._line.text
    assert window.grasps.inspection is None


def test_grasp_stands_in_the_viewport_and_the_users_layer_is_not_touched(kit, window):
    before = kit.usd.stage.GetRootLayer().ExportToString()
    _open(kit, window)
    stage = kit.usd.stage
    session = window.grasps.inspection
    np.testing.assert_allclose(
        window.grasps.view.palm_on_stage(), session.posture.T_object_palm * _sign(window, session), atol=1e-6
    )
    points = UsdGeom.Points(stage.GetPrimAtPath("/GraspdInspection/Contacts"))
    count = len(points.GetPointsAttr().Get())
    assert count > 10 and len(points.GetDisplayColorAttr().Get()) == count
    assert len(stage.GetPrimAtPath("/GraspdInspection/FrictionCones").GetAttribute("points").Get()) > 0
    assert "epsilon" in window.grasps._figures.text
    assert stage.GetRootLayer().ExportToString() == before


@pytest.mark.slow
def test_hand_is_hidden_so_that_contacts_are_seen(kit, window):
    click(kit, "Show/hide hand")
    assert "select a grasp first" in window._line.text
    _open(kit, window)
    hand = UsdGeom.Imageable(kit.usd.stage.GetPrimAtPath("/GraspdInspection/Hand"))
    for expected in ("invisible", "inherited"):
        click(kit, "Show/hide hand")
        assert hand.ComputeVisibility() == expected


def _sign(window, session):
    """Return 1, or -1 for the quaternion where the stage's has the other sign."""
    same = float(window.grasps.view.palm_on_stage()[3:] @ session.posture.T_object_palm[3:]) > 0.0
    return np.array([1.0] * 3 + [1.0 if same else -1.0] * 4)


def test_table_sorts_by_metric_and_decisions_are_exported(kit, window):
    _open(kit, window)

    async def work():
        click(kit, "escape")
        await settled(window)
        window.grasps.inspection.select(int(window.grasps.inspection.list.rows[0]))
        click(kit, "Accept")
        await settled(window)
        click(kit, "Next")
        await settled(window)
        click(kit, "Reject")
        await settled(window)
        click(kit, "Export accepted")
        await settled(window)

    kit.run(work())
    rows = window.grasps.inspection.list.rows
    escapes = window.grasps.inspection.catalog.metric("loss_escape")[rows]
    assert (np.diff(escapes) >= 0.0).all()
    assert [label.text for label in kit.find("Label") if label.text in ("accepted", "rejected")] == [
        "accepted",
        "rejected",
    ]
    assert "wrote" in window._line.text
    assert (window.made.parent / "set_accepted" / "isaac_grasp" / "barrett" / "block.yaml").is_file()


@pytest.mark.slow
def test_a_grasp_file_of_another_program_is_opened_and_exported_in_another_format(kit, window, tmp_path):
    convert(window.made, tmp_path / "foreign" / "block.yaml")

    async def work():
        window.grasps.open(tmp_path / "foreign" / "block.yaml")
        await settled(window)
        click(kit, "Accept")
        await settled(window)
        window.grasps._format.model.get_item_value_model().set_value(export_names().index("graspgen"))
        click(kit, "Export accepted")
        await settled(window)

    kit.run(work())
    assert window.grasps.inspection.catalog.count == 3
    exported = tmp_path / "foreign" / "block_accepted" / "graspgen" / "barrett" / "block.json"
    assert f"wrote 1 accepted grasp to {exported}" in window._line.text
    assert len(json.loads(exported.read_text())["grasps"]["transforms"]) == 1


@pytest.mark.slow
def test_trajectory_is_recorded_and_scrubbed(kit, window):
    _open(kit, window)

    async def work():
        click(kit, "Trajectory")
        await settled(window)

    kit.run(work())
    section = window.grasps
    section._scrubber.model.set_value(1)
    first = section.view.palm_on_stage()
    section._scrubber.model.set_value(100)
    assert np.linalg.norm(section.view.palm_on_stage()[:3] - section.inspection.posture.T_object_palm[:3]) < 1e-4
    assert np.linalg.norm(first[:3] - section.view.palm_on_stage()[:3]) > 1e-3
    assert "step" in section._figures.text


@pytest.mark.slow
def test_palm_dragged_in_the_viewport_forms_a_grasp_and_the_edit_target_comes_back(kit, window):
    _open(kit, window)
    stage, section = kit.usd.stage, window.grasps
    target = stage.GetEditTarget()
    before = stage.GetRootLayer().ExportToString()

    async def work():
        click(kit, "Drag palm")
        for _ in range(300):
            await asyncio.sleep(0.01)
            if kit.usd.selected:
                break
        await section.inspection.prepare()
        await asyncio.sleep(0.1)
        prim = UsdGeom.Xformable(stage.GetPrimAtPath("/GraspdInspection/Hand"))
        moved = prim.GetLocalTransformation() * Gf.Matrix4d().SetTranslate(Gf.Vec3d(0.01, 0.0, 0.01))
        prim.MakeMatrixXform().Set(moved)
        for _ in range(400):
            await asyncio.sleep(0.01)
            if section.inspection._posture is not None and np.isfinite(section.inspection._posture.score):
                break
        click(kit, "Stop")
        await settled(window)

    kit.run(work())
    posture = section.inspection.posture
    assert np.isfinite(posture.score), window._line.text
    np.testing.assert_allclose(section.view.palm_on_stage()[:3], posture.T_object_palm[:3], atol=1e-6)
    assert stage.GetEditTarget() == target
    assert stage.GetRootLayer().ExportToString() == before


@pytest.mark.parametrize(
    ("press", "said"),
    [
        ("Next", "no dataset is open"),
        ("Export accepted", "no dataset is open"),
        ("Open report", "the open dataset has no report"),
    ],
)
def test_errors_are_said_in_the_panel_with_a_remedy(kit, window, press, said):
    click(kit, press)
    assert said in window._line.text and ";" in window._line.text


def test_unknown_hand_is_said_in_the_panel(kit, window, tmp_path):
    async def work():
        window.generate._hand.model.set_value("claw")
        window.generate.widgets["out"].model.set_value(str(tmp_path / "none"))
        click(kit, "Grasps")
        await settled(window)

    kit.run(work())
    assert "expected hand to be a built-in name" in window._line.text


def test_file_of_the_selected_prim_becomes_the_object(kit, window):
    path = window.made / "objects" / "block.usd"
    stage = kit.usd.stage
    UsdGeom.Xform.Define(stage, "/World/Thing").GetPrim().GetReferences().AddReference(str(path))
    kit.usd.selected = ["/World/Thing"]
    kit.find("Button", "Selected")[1].fake_click()
    assert window.generate._object.model.get_value_as_string() == str(path)
    kit.usd.selected = []
    kit.find("Button", "Selected")[1].fake_click()
    assert "no prim is selected" in window._line.text


def _cube(layer) -> None:
    stage = Usd.Stage.Open(layer)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/Asset").GetPrim())
    UsdGeom.Cube.Define(stage, "/Asset/Geometry").CreateSizeAttr(0.05)


@pytest.mark.parametrize("where", ["on a server", "on the stage itself"])
def test_what_has_no_local_file_is_taken_as_it_is_composed_on_the_stage(kit, window, tmp_path, monkeypatch, where):
    """A layer that is in memory only stands for one that Kit fetched from a server."""
    from omni_graspd.objects.object_reader import read_object

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stage, fetched = kit.usd.stage, Sdf.Layer.CreateAnonymous()
    if where == "on a server":
        _cube(fetched)
        UsdGeom.Xform.Define(stage, "/World/Mug").GetPrim().GetReferences().AddReference(fetched.identifier)
    else:
        UsdGeom.Cube.Define(stage, "/World/Mug/Geometry").CreateSizeAttr(0.05)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    kit.usd.selected = ["/World/Mug/Geometry"]
    kit.find("Button", "Selected")[1].fake_click()
    file = Path(window.generate._object.model.get_value_as_string())
    assert file.is_relative_to(tmp_path) and file.stem == ("Mug" if where == "on a server" else "Geometry")
    np.testing.assert_allclose(np.ptp(read_object(file).mesh.vertices, axis=0), 0.05, atol=1e-7)


def test_addresses_are_no_local_files_even_where_kit_has_a_copy(kit, tmp_path):
    from omni_graspd.kit.selection import local_file

    copy = tmp_path / "ab12.usd"
    copy.write_text("")
    assert local_file(str(copy), str(copy)) == copy
    for address in ("https://host/Isaac/Props/mug.usd", "omniverse://host/mug.usd"):
        assert local_file(address, str(copy)) is None
        assert local_file(address, address) is None


def test_buttons_rest_while_something_long_runs_and_stop_works_then_only(kit, window):
    async def forever() -> None:
        await asyncio.sleep(60.0)

    def enabled(text: str) -> bool:
        (button,) = kit.find("Button", text)
        return vars(button).get("enabled", True)

    async def work() -> None:
        window.tasks.start(forever(), "wait")
        for text in ("Scenes", "Find grasps", "Export accepted", "Next"):
            assert not enabled(text)
        assert enabled("Cancel") and enabled("Stop")
        click(kit, "Cancel")
        await settled(window)

    assert not enabled("Cancel")
    kit.run(work())
    assert enabled("Scenes") and enabled("Next") and not enabled("Stop")


def test_the_windows_x_stops_the_work_takes_the_hand_away_and_the_menu_opens_it_anew(kit, window):
    _open(kit, window)
    assert kit.usd.stage.GetPrimAtPath("/GraspdInspection/Hand")

    async def forever() -> None:
        await asyncio.sleep(60.0)

    async def close() -> None:
        window.tasks.start(forever(), "wait")
        await asyncio.sleep(0.01)
        window.visible = False
        for _ in range(5):
            await asyncio.sleep(0.01)

    kit.run(close())
    assert not window.tasks.is_busy
    assert kit.windows == [] and not kit.usd.stage.GetPrimAtPath("/GraspdInspection")
    (open_again,) = kit.menus.values()
    again = open_again()
    assert kit.windows == [again] != [window]


def test_play_does_not_move_what_is_shown(kit, window):
    """Neither the hand nor the object of the panel takes part in the user's simulation."""
    _open(kit, window)
    shown = list(Usd.PrimRange(kit.usd.stage.GetPrimAtPath("/GraspdInspection")))
    bodies = [UsdPhysics.RigidBodyAPI(prim) for prim in shown if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    colliders = [UsdPhysics.CollisionAPI(prim) for prim in shown if prim.HasAPI(UsdPhysics.CollisionAPI)]
    assert len(bodies) > 1 and any(str(body.GetPath()).startswith("/GraspdInspection/Object") for body in bodies)
    assert not any(body.GetRigidBodyEnabledAttr().Get() for body in bodies)
    assert not any(collider.GetCollisionEnabledAttr().Get() for collider in colliders)


def test_damaged_dataset_is_said_and_the_panel_lives_on(kit, window):
    _open(kit, window)
    hand = window.made / "hands" / "barrett.usd"
    shutil.rmtree(window.made)

    async def work():
        click(kit, "Next")
        await settled(window)

    kit.run(work())
    assert not hand.exists()
    assert "decisions made so far are kept" in window._line.text
