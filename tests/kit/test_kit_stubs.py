# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stubs themselves: planted misuse fails, what is in the facts works."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
from kit_stubs import installed_stubs
from pxr import Gf, Usd, UsdGeom, UsdPhysics, UsdUtils


def test_an_unknown_keyword_is_refused_with_the_signature(kit):
    import omni.replicator.core as rep

    with pytest.raises(TypeError, match=r"render_product.*got an unexpected keyword argument 'size'.*kit_facts.json"):
        rep.create.render_product("/Camera", (8, 8), size=3)


def test_a_missing_argument_is_refused(kit):
    import omni.physx

    with pytest.raises(TypeError, match="missing a required argument: 'current_time'"):
        omni.physx.get_physx_simulation_interface().simulate(0.01)


def test_names_that_are_not_in_the_facts_are_refused_at_every_level(kit):
    import omni.physx
    import omni.replicator.core as rep
    import omni.ui as ui

    for owner, name in ((rep, "nonsense"), (rep.orchestrator, "step_now"), (omni, "nonsense"), (ui.Button, "press")):
        with pytest.raises(AttributeError, match="manifest"):
            getattr(owner, name)
    with pytest.raises(AttributeError, match=r"IPhysxSimulation.step is not in the manifest"):
        omni.physx.get_physx_simulation_interface().step(0.1)
    with pytest.raises(ImportError):
        importlib.import_module("omni.replicator.nonsense")


def test_properties_are_not_called_and_methods_are(kit):
    import omni.ui as ui

    window = ui.Window("Title", width=100)
    assert window.title == "Title"
    assert window.width == 100
    with pytest.raises(TypeError):
        window.title()
    with pytest.raises(AttributeError, match="visibel"):
        window.visibel = False
    with pytest.raises(TypeError, match="'widht' is not among its keywords"):
        ui.Window("Title", widht=100)


def test_what_only_kit_can_make_has_no_constructor(kit):
    import omni.physx.bindings._physx as bindings
    import omni.usd

    with pytest.raises(TypeError, match="no constructor"):
        omni.usd.UsdContext()
    with pytest.raises(TypeError, match="no constructor"):
        bindings.PhysX()


def test_the_blocking_step_raises_and_the_coroutine_is_awaited(kit):
    import omni.replicator.core as rep

    with pytest.raises(RuntimeError, match="OrchestratorError"):
        rep.orchestrator.step()
    kit.run(rep.orchestrator.step_async(delta_time=0.0))
    assert kit.replicator.steps == [{"rt_subframes": -1, "delta_time": 0.0}]


def test_a_coroutine_that_is_never_awaited_is_noticed():
    def forget() -> None:
        with installed_stubs("6.0"):
            import omni.replicator.core as rep

            rep.orchestrator.step_async()

    with pytest.raises(AssertionError, match=r"never awaited: omni.replicator.core.orchestrator.step_async"):
        forget()


def test_calls_are_recorded_with_their_arguments(kit):
    import carb

    carb.log_warn("careful")
    assert [call.args for call in kit.called("carb.log_warn")] == [("careful",)]
    assert kit.log == [("warn", "careful")]


def test_versions_differ_where_the_facts_say_so():
    with installed_stubs("5.1"):
        from isaacsim.core.simulation_manager import SimulationManager

        with pytest.raises(AttributeError):
            SimulationManager.get_active_physics_engine()
        with pytest.raises(TypeError):
            SimulationManager.step(steps=2)
    with installed_stubs("6.0"):
        from isaacsim.core.simulation_manager import SimulationManager

        assert SimulationManager.get_active_physics_engine() == "physx"
        SimulationManager.step(steps=2)
        with pytest.raises(TypeError):
            SimulationManager.step(render=True)


def test_nothing_is_left_behind():
    with installed_stubs("5.1"):
        importlib.import_module("omni.usd")
    assert not [name for name in sys.modules if name.partition(".")[0] in ("omni", "carb", "isaacsim")]


def test_the_loop_notices_who_blocks_it(kit):
    import time

    async def blocks() -> None:
        await omni_app.get_app().next_update_async()
        time.sleep(0.1)
        await omni_app.get_app().next_update_async()

    import omni.kit.app as omni_app

    kit.run(blocks())
    assert 0.1 <= kit.longest_block < 0.5


def test_clicks_and_values_reach_callbacks(kit):
    import omni.ui as ui

    heard = []
    window = ui.Window("Panel")
    with window.frame, ui.VStack(spacing=4):
        ui.Button("Go", clicked_fn=lambda: heard.append("go"))
        field = ui.IntField(identifier="count")
        combo = ui.ComboBox(0, "allegro", "shadow")
        ui.Frame(build_fn=lambda: ui.Label("late"))
    field.model.add_value_changed_fn(lambda model: heard.append(model.get_value_as_int()))
    combo.model.add_item_changed_fn(
        lambda model, item: heard.append(model.get_item_value_model(None, 0).get_value_as_int())
    )
    kit.find("Button", "Go")[0].fake_click()
    kit.find("IntField", identifier="count")[0].fake_input(7)
    kit.find("ComboBox")[0].fake_choose("shadow")
    assert heard == ["go", 7, 1]
    assert [label.text for label in kit.find("Label")] == ["late"]
    field.enabled = False
    with pytest.raises(AssertionError):
        field.fake_input(8)


def test_the_context_has_a_real_stage_and_a_selection(kit):
    import omni.usd

    context = omni.usd.get_context()
    UsdGeom.Cube.Define(context.get_stage(), "/World/Cube")
    assert UsdUtils.StageCache.Get().Find(Usd.StageCache.Id.FromLongInt(context.get_stage_id())) == context.get_stage()
    context.get_selection().set_selected_prim_paths(["/World/Cube"], True)
    assert context.get_selection().get_selected_prim_paths() == ["/World/Cube"]
    with pytest.raises(TypeError):
        context.get_selection().set_selected_prim_paths(["/World/Cube"], expand=True)
    kit.run(context.new_stage_async())
    assert not context.get_stage().GetPrimAtPath("/World/Cube")
    assert context.get_selection().get_selected_prim_paths() == []


def test_a_body_falls_as_in_free_fall_and_stops_on_the_ground(kit):
    import omni.physx

    stage = Usd.Stage.CreateInMemory()
    ball = UsdGeom.Sphere.Define(stage, "/Ball")
    ball.CreateRadiusAttr(0.1)
    ball.AddTranslateOp().Set(Gf.Vec3d(0.0, 0.0, 1.1))
    UsdPhysics.RigidBodyAPI.Apply(ball.GetPrim())
    stage_id = UsdUtils.StageCache.Get().Insert(stage).ToLongInt()
    simulation, physx = omni.physx.get_physx_simulation_interface(), omni.physx.get_physx_interface()
    assert simulation.attach_stage(stage_id)
    heights = []
    for step in range(200):
        simulation.simulate(0.01, (step + 1) * 0.01)
        simulation.fetch_results()
        heights.append(physx.get_rigidbody_transformation("/Ball")["position"][2])
    assert heights[29] == pytest.approx(1.1 - 0.5 * 9.81 * 0.3**2, abs=0.02)
    np.testing.assert_allclose(heights[-1], 0.1, atol=1e-6)
    with pytest.raises(RuntimeError, match="to time"):
        simulation.simulate(0.01, 0.0)
    simulation.detach_stage()
    UsdUtils.StageCache.Get().Erase(stage)
