# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Simulation: what standalone and Kit both promise, and what only Kit's adapter has to mind."""

from __future__ import annotations

import asyncio
import importlib.util
import time

import numpy as np
import pytest
from kit_stubs import VERSIONS, installed_stubs, skip_without
from pxr import Gf, Usd, UsdGeom, UsdPhysics, UsdUtils

from omni_graspd.backend import load_backend
from omni_graspd.errors import GraspdError
from omni_graspd.scenes.simulation import SimulateConfig

_HEIGHT, _RADIUS = 0.15, 0.05
_BACKENDS = ["standalone", *(f"kit {version}" for version in VERSIONS)]


@pytest.fixture(params=_BACKENDS)
def simulate(request):
    """Each backend's simulate as a plain function."""
    name, _, version = request.param.partition(" ")
    if name == "standalone":
        skip_without("ovphysx")
        backend = load_backend("standalone")
        yield lambda stage, config: asyncio.run(backend.simulate(stage, config))
        return
    with installed_stubs(version) as kit:
        backend = load_backend("kit")
        yield lambda stage, config: kit.run(backend.simulate(stage, config))


def _balls(*heights: float, unit: float = 1.0) -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, unit)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/World").GetPrim())
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0, 0, -1))
    scene.CreateGravityMagnitudeAttr(9.81 / unit)
    ground = UsdGeom.Plane.Define(stage, "/World/Ground")
    UsdPhysics.CollisionAPI.Apply(ground.GetPrim())
    for index, height in enumerate(heights):
        ball = UsdGeom.Sphere.Define(stage, f"/World/Ball_{index}")
        ball.CreateRadiusAttr(_RADIUS / unit)
        ball.AddTranslateOp().Set(Gf.Vec3d(0.5 * index / unit, 0, (height + _RADIUS) / unit))
        UsdPhysics.RigidBodyAPI.Apply(ball.GetPrim())
        UsdPhysics.CollisionAPI.Apply(ball.GetPrim())
    return stage


class TestContract:
    """What every backend's simulate promises."""

    def test_a_ball_falls_freely_and_comes_to_rest_on_the_ground(self, simulate):
        result = simulate(_balls(_HEIGHT), SimulateConfig(max_time=3.0))
        assert result.body_paths == ("/World/Ball_0",)
        z, times = result.poses[:, 0, 2], result.times
        falling = times < np.sqrt(2.0 * _HEIGHT / 9.81) - 0.02
        expected = _HEIGHT + _RADIUS - 0.5 * 9.81 * times**2
        np.testing.assert_allclose(z[falling], expected[falling], atol=0.005)
        assert z[-1] == pytest.approx(_RADIUS, abs=2e-3)
        assert result.at_rest.all()
        assert np.linalg.norm(result.linear_velocities) < 1e-3
        np.testing.assert_allclose(result.poses[-1, 0, 3:], [0, 0, 0, 1], atol=0.05)

    def test_it_stops_once_all_have_rested_long_enough(self, simulate):
        config = SimulateConfig(max_time=3.0)
        result = simulate(_balls(0.0, _HEIGHT), config)
        assert result.times[0] == 0.0
        assert result.times[-1] < 2.0
        assert 0 < result.rest_records[0] < result.rest_records[1] == len(result.times) - 1
        assert result.times[result.rest_records[0]] >= config.rest_time
        np.testing.assert_allclose(np.diff(result.times), config.record_interval, atol=1e-9)

    def test_time_that_is_up_leaves_bodies_not_at_rest(self, simulate):
        result = simulate(_balls(_HEIGHT), SimulateConfig(max_time=0.1))
        assert result.times[-1] == pytest.approx(0.1)
        assert not result.at_rest.any()
        assert list(result.rest_records) == [-1]
        assert result.linear_velocities[0, 2] == pytest.approx(-0.981, abs=0.02)

    def test_the_stage_is_not_changed(self, simulate):
        stage = _balls(_HEIGHT)
        before = stage.ExportToString(), stage.GetSessionLayer().ExportToString()
        simulate(stage, SimulateConfig(max_time=0.2))
        assert (stage.ExportToString(), stage.GetSessionLayer().ExportToString()) == before

    def test_the_same_stage_gives_the_same_bits(self, simulate):
        first, second = (simulate(_balls(_HEIGHT, 0.02), SimulateConfig(max_time=0.5)) for _ in range(2))
        np.testing.assert_array_equal(first.poses, second.poses)

    def test_lengths_are_metres_whatever_the_stage_unit(self, simulate):
        result = simulate(_balls(_HEIGHT, unit=0.01), SimulateConfig(max_time=0.1))
        assert result.poses[0, 0, 2] == pytest.approx(_HEIGHT + _RADIUS)

    def test_a_stage_without_bodies_is_refused(self, simulate):
        with pytest.raises(GraspdError, match="no dynamic rigid body"):
            simulate(_balls(), SimulateConfig())


def _kit_simulate():
    return load_backend("kit").simulate


def test_auto_takes_kit_inside_kit_and_standalone_outside():
    if importlib.util.find_spec("ovphysx") is not None:
        assert load_backend("auto").name == "standalone"
    with pytest.raises(GraspdError, match="only inside Isaac Sim"):
        load_backend("kit")
    with installed_stubs("5.1"):
        assert load_backend("auto").name == "kit"


def test_kit_draws_on_while_steps_take_long(kit):
    fetch = kit.physics.fetch
    kit.physics.fetch = lambda: (time.sleep(0.004), fetch())
    kit.run(_kit_simulate()(_balls(_HEIGHT), SimulateConfig(max_time=0.25)))
    names = [call.name.rpartition(".")[2] for call in kit.calls]
    steps_between = "".join({"fetch_results": "s", "next_update_async": "|"}.get(name, "") for name in names).split("|")
    assert sum(map(len, steps_between)) == 60
    assert max(map(len, steps_between)) <= 3


def test_neither_timeline_nor_renderer_is_touched(kit):
    kit.run(_kit_simulate()(_balls(_HEIGHT), SimulateConfig(max_time=0.1)))
    touched = {call.name for call in kit.calls if call.name.startswith(("omni.timeline", "omni.replicator"))}
    assert touched <= {"omni.timeline.get_timeline_interface", "omni.timeline.Timeline.is_stopped"}


def test_physx_takes_its_former_stage_back(kit):
    import omni.physx

    stage_id = UsdUtils.StageCache.Get().GetId(kit.usd.stage).ToLongInt()
    simulation = omni.physx.get_physx_simulation_interface()
    simulation.attach_stage(stage_id)
    kit.run(_kit_simulate()(_balls(_HEIGHT), SimulateConfig(max_time=0.1)))
    assert simulation.get_attached_stage() == stage_id
    kit.physics.refused = {"/World/Ball_0"}
    with pytest.raises(GraspdError, match="PhysX does not simulate"):
        kit.run(_kit_simulate()(_balls(_HEIGHT), SimulateConfig(max_time=0.1)))
    assert simulation.get_attached_stage() == stage_id
    assert len(UsdUtils.StageCache.Get().GetAllStages()) == 1
    simulation.detach_stage()


def test_two_simulations_at_once_wait_for_each_other(kit):
    async def both():
        config = SimulateConfig(max_time=0.2)
        return await asyncio.gather(*(_kit_simulate()(_balls(_HEIGHT), config) for _ in range(2)))

    first, second = kit.run(both())
    np.testing.assert_array_equal(first.poses, second.poses)


def test_a_playing_timeline_is_refused(kit):
    kit.is_playing = True
    with pytest.raises(GraspdError, match="press Stop"):
        kit.run(_kit_simulate()(_balls(_HEIGHT), SimulateConfig()))


def test_newton_is_refused_where_it_can_run():
    with installed_stubs("6.0") as kit:
        kit.engine = "newton"
        with pytest.raises(GraspdError, match=r"got newton; .*switch_physics_engine\('physx'\)"):
            kit.run(_kit_simulate()(_balls(_HEIGHT), SimulateConfig()))
    with installed_stubs("5.1") as kit:
        kit.engine = "newton"
        kit.run(_kit_simulate()(_balls(_HEIGHT), SimulateConfig(max_time=0.1)))
