# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The contract of simulate, against closed forms, for every backend that is there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import numpy as np
import pytest
from kit_stubs import installed_stubs
from pxr import Gf, Usd, UsdGeom, UsdPhysics

from omni_graspd.backend import load_backend
from omni_graspd.errors import GraspdError
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult
from omni_graspd.usd.physics import (
    apply_collider,
    apply_rigid_body,
    author_physics_material,
    bind_physics_material,
)
from omni_graspd.usd.stage import create_stage, save_stage
from omni_graspd.usd.transforms import author_pose, compose

_GRAVITY = 9.81
_LYING = np.array([0.0, 0.0, 0.0, 1.0])


def _stage(friction: float = 0.5, tilt: float = 0.0) -> Usd.Stage:
    """A floor whose top passes through the origin, tilted about Y [rad]."""
    stage = create_stage("World")
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0, 0, -1))
    scene.CreateGravityMagnitudeAttr(_GRAVITY)
    material = author_physics_material(stage, "/World/Material", friction=friction, restitution=0.0)
    floor = UsdGeom.Cube.Define(stage, "/World/Floor")
    floor.CreateSizeAttr(10.0)
    author_pose(floor.GetPrim(), compose(_tilted(tilt), np.array([0, 0, -5, 0, 0, 0, 1.0])))
    apply_collider(floor.GetPrim(), approximation=None)
    bind_physics_material(stage.GetDefaultPrim(), material)
    return stage


def _tilted(angle: float) -> np.ndarray:
    return np.array([0, 0, 0, 0, np.sin(angle / 2), 0, np.cos(angle / 2)])


def _add_cube(stage: Usd.Stage, pose: np.ndarray, *, size: float = 0.05, path: str = "/World/Cube") -> Usd.Prim:
    body = UsdGeom.Xform.Define(stage, path).GetPrim()
    author_pose(body, pose)
    mass = 0.1
    apply_rigid_body(body, mass=mass, center_of_mass=np.zeros(3), inertia=np.eye(3) * mass * size**2 / 6)
    shape = UsdGeom.Cube.Define(stage, f"{path}/Shape")
    shape.CreateSizeAttr(size)
    apply_collider(shape.GetPrim(), approximation=None)
    return body


def _in_unit(stage: Usd.Stage, unit: float) -> None:
    """Have an empty stage of :func:`_stage` in a unit of its own [m]."""
    UsdGeom.SetStageMetersPerUnit(stage, unit)
    UsdPhysics.Scene(stage.GetPrimAtPath("/World/PhysicsScene")).GetGravityMagnitudeAttr().Set(_GRAVITY / unit)


def _animate(stage: Usd.Stage, prim: Usd.Prim, times, positions) -> None:
    operation = UsdGeom.Xformable(prim).GetOrderedXformOps()[0]
    for time, position in zip(times, positions, strict=True):
        operation.Set(Gf.Vec3d(*position), time * stage.GetTimeCodesPerSecond())


def _hang(stage: Usd.Stage, door: Usd.Prim) -> UsdPhysics.DriveAPI:
    """Hinge a body to the world where it is, with a stiff drive about Z."""
    joint = UsdPhysics.RevoluteJoint.Define(stage, f"{door.GetPath()}_hinge")
    joint.CreateAxisAttr("Z")
    joint.CreateBody1Rel().SetTargets([door.GetPath()])
    joint.CreateLocalPos0Attr(Gf.Vec3f(UsdGeom.Xformable(door).GetLocalTransformation().ExtractTranslation()))
    drive = UsdPhysics.DriveAPI.Apply(joint.GetPrim(), "angular")
    drive.CreateTypeAttr("acceleration")
    # Per degree; critically damped at 160 rad/s.
    drive.CreateStiffnessAttr(160.0**2 * np.pi / 180.0)
    drive.CreateDampingAttr(2.0 * 160.0 * np.pi / 180.0)
    return drive


@pytest.fixture(scope="module", params=["standalone", pytest.param("kit 6.0", marks=pytest.mark.slow)])
def run(request) -> Iterator[Callable[..., SimulateResult]]:
    """A backend's ``simulate``, called with a stage and the settings that differ from the defaults.

    Kit's runs on stubs, behind which the same PhysX steps.
    """
    name, _, version = request.param.partition(" ")
    with installed_stubs(version) if version else nullcontext() as kit:
        if kit is not None:
            kit.physics.with_ovphysx = True
        backend = load_backend(name)
        yield lambda stage, **config: asyncio.run(backend.simulate(stage, SimulateConfig(**config)))


class TestSimulateContract:
    """What every backend's simulation does."""

    def test_cube_settles_on_the_ground(self, run):
        stage = _stage()
        _add_cube(stage, np.array([0.2, -0.1, 0.125, *_LYING]))
        result = run(stage)
        assert result.body_paths == ("/World/Cube",)
        assert result.at_rest.tolist() == [True]
        np.testing.assert_allclose(result.poses[0, 0], [0.2, -0.1, 0.125, 0, 0, 0, 1], atol=1e-6)
        np.testing.assert_allclose(result.poses[-1, 0, :3], [0.2, -0.1, 0.025], atol=1e-4)
        assert np.linalg.norm(result.linear_velocities) < 1e-3
        assert np.linalg.norm(result.angular_velocities) < 0.05
        assert result.times[-1] < 1.0

    def test_free_fall_follows_the_closed_form(self, run):
        stage = _stage()
        _add_cube(stage, np.array([0, 0, 3.0, *_LYING]))
        result = run(stage, max_time=0.5)
        fallen = 3.0 - result.poses[:, 0, 2]
        np.testing.assert_allclose(result.times, np.arange(len(result.times)) / 60, atol=1e-9)
        # Semi-implicit Euler is early by at most g t dt / 2.
        np.testing.assert_allclose(fallen, 0.5 * _GRAVITY * result.times**2, atol=0.5 * _GRAVITY * 0.5 / 240 + 1e-5)
        np.testing.assert_allclose(result.linear_velocities[0], [0, 0, -_GRAVITY * 0.5], atol=1e-4)
        assert not result.at_rest[0]

    def test_cube_stays_on_a_slope_below_the_friction_angle(self, run):
        angle = np.arctan(0.5) - np.radians(5)
        stage = _stage(friction=0.5, tilt=angle)
        start = compose(_tilted(angle), np.array([0, 0, 0.025, *_LYING]))
        _add_cube(stage, start)
        result = run(stage, max_time=2.0)
        assert result.at_rest[0]
        assert np.linalg.norm(result.poses[-1, 0, :3] - start[:3]) < 1e-3

    def test_cube_slides_down_a_slope_above_the_friction_angle_as_fast_as_coulomb_says(self, run):
        angle, friction = np.radians(35), 0.4
        stage = _stage(friction=friction, tilt=angle)
        _add_cube(stage, compose(_tilted(angle), np.array([0, 0, 0.025, *_LYING])))
        result = run(stage, max_time=0.5)
        speed = _GRAVITY * (np.sin(angle) - friction * np.cos(angle)) * 0.5
        assert not result.at_rest[0]
        np.testing.assert_allclose(np.linalg.norm(result.linear_velocities[0]), speed, rtol=0.02)

    @pytest.mark.parametrize(("speed", "rests"), [(0.0, True), (0.3, False)])
    def test_ball_rests_only_when_it_does_not_roll(self, run, speed: float, rests: bool):
        stage = _stage()
        radius, mass = 0.03, 0.1
        ball = UsdGeom.Xform.Define(stage, "/World/Ball").GetPrim()
        author_pose(ball, np.array([0, 0, radius, *_LYING]))
        apply_rigid_body(ball, mass=mass, center_of_mass=np.zeros(3), inertia=np.eye(3) * 0.4 * mass * radius**2)
        UsdPhysics.RigidBodyAPI(ball).CreateVelocityAttr(Gf.Vec3f(speed, 0, 0))
        shape = UsdGeom.Sphere.Define(stage, "/World/Ball/Shape")
        shape.CreateRadiusAttr(radius)
        apply_collider(shape.GetPrim(), approximation=None)
        result = run(stage, max_time=1.0)
        assert bool(result.at_rest[0]) is rests
        # Sliding turns into rolling at 5/7 of the speed.
        np.testing.assert_allclose(result.linear_velocities[0, 0], speed * 5 / 7, rtol=0.08, atol=1e-3)

    def test_linear_velocity_is_that_of_the_centre_of_mass(self, run):
        stage = _stage()
        body = _add_cube(stage, np.array([0, 0, 2.0, *_LYING]))
        UsdPhysics.MassAPI(body).CreateCenterOfMassAttr(Gf.Vec3f(0.1, 0, 0))
        UsdPhysics.RigidBodyAPI(body).CreateAngularVelocityAttr(Gf.Vec3f(0, 0, 360))
        result = run(stage, max_time=0.25)
        np.testing.assert_allclose(result.linear_velocities[0], [0, 0, -_GRAVITY * 0.25], atol=0.02)
        np.testing.assert_allclose(result.angular_velocities[0], [0, 0, 2 * np.pi], rtol=0.03)

    def test_several_bodies_keep_their_rows_and_kinematic_ones_have_none(self, run):
        stage = _stage()
        sizes = {"/World/A": 0.04, "/World/B": 0.1, "/World/C": 0.07}
        for index, (path, size) in enumerate(sizes.items()):
            _add_cube(stage, np.array([index, 0, 0.1 + size / 2, *_LYING]), size=size, path=path)
        kinematic = _add_cube(stage, np.array([5, 0, 1.0, *_LYING]), path="/World/Kinematic")
        UsdPhysics.RigidBodyAPI(kinematic).CreateKinematicEnabledAttr(True)
        result = run(stage)
        assert result.body_paths == tuple(sizes)
        assert result.at_rest.all()
        np.testing.assert_allclose(result.poses[-1, :, 0], [0, 1, 2], atol=1e-4)
        np.testing.assert_allclose(result.poses[-1, :, 2], np.array(list(sizes.values())) / 2, atol=1e-4)

    def test_centimetre_stages_and_moved_parents_give_metres_in_the_world(self, run):
        stage = create_stage("World")
        UsdGeom.SetStageMetersPerUnit(stage, 0.01)
        scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
        scene.CreateGravityDirectionAttr(Gf.Vec3f(0, 0, -1))
        scene.CreateGravityMagnitudeAttr(_GRAVITY * 100)
        author_pose(UsdGeom.Xform.Define(stage, "/World/Group").GetPrim(), np.array([30, 0, 500, *_LYING]))
        _add_cube(stage, np.array([0, 20, 0, *_LYING]), size=5.0, path="/World/Group/Cube")
        result = run(stage, max_time=0.2)
        np.testing.assert_allclose(result.poses[0, 0, :3], [0.3, 0.2, 5.0], atol=1e-6)
        np.testing.assert_allclose(result.linear_velocities[0], [0, 0, -_GRAVITY * 0.2], atol=1e-3)

    def test_references_beside_the_file_are_followed(self, run, tmp_path):
        part = create_stage("Part", tmp_path / "parts" / "part.usda")
        _add_cube(part, np.array([0, 0, 0, *_LYING]), path="/Part/Cube")
        save_stage(part, tmp_path / "parts" / "part.usda")
        stage = _stage()
        save_stage(stage, tmp_path / "scene.usda")
        stage = Usd.Stage.Open(str(tmp_path / "scene.usda"))
        holder = UsdGeom.Xform.Define(stage, "/World/Holder").GetPrim()
        holder.GetReferences().AddReference("./parts/part.usda")
        author_pose(holder, np.array([0, 0, 0.1, *_LYING]))
        result = run(stage)
        assert result.body_paths == ("/World/Holder/Cube",)
        np.testing.assert_allclose(result.poses[-1, 0, 2], 0.025, atol=1e-4)

    @pytest.mark.slow
    def test_same_stage_gives_the_same_bits_whatever_ran_before(self, run):
        tumbling = np.array([0, 0, 0.2, 0.3, 0.4, 0.5, np.sqrt(0.5)])
        stage, other = _stage(), _stage(friction=0.1)
        _add_cube(stage, tumbling)
        _add_cube(other, tumbling + np.eye(7)[2] * 0.1, size=0.03)
        first = run(stage)
        for _ in range(5):
            run(other, max_time=0.5)
            again = run(stage)
            for name in ("times", "poses", "linear_velocities", "angular_velocities", "at_rest"):
                assert np.array_equal(getattr(first, name), getattr(again, name)), name

    @pytest.mark.slow
    @pytest.mark.parametrize("nested", [False, True])
    def test_a_stage_that_is_kept_gives_the_same_bits_as_one_that_is_loaded_anew(self, run, nested: bool):
        stage = _stage()
        folder = "/World/Cubes" if nested else "/World"
        if nested:
            group = UsdGeom.Xform.Define(stage, folder).GetPrim()
            author_pose(group, np.array([0.3, 0, 0.05, 0, 0, *_LYING[2:]]))
        cube = _add_cube(stage, np.array([0, 0, 0.1, 0.3, 0.4, 0.5, np.sqrt(0.5)]), path=f"{folder}/Cube")
        floor = stage.GetPrimAtPath("/World/Floor")
        changes = (
            lambda: None,
            lambda: author_pose(floor, compose(_tilted(0.3), np.array([0, 0, -5, *_LYING]))),
            lambda: author_pose(cube, np.array([0.1, 0, 0.2, 0.5, -0.5, 0.5, 0.5])),
            lambda: UsdPhysics.MaterialAPI(stage.GetPrimAtPath("/World/Material")).CreateDynamicFrictionAttr(0.1),
            lambda: author_pose(floor, np.array([0, 0, -4.9, *_LYING])),
            lambda: author_pose(stage.GetPrimAtPath(folder), np.array([0, 0, 0.1, *_LYING])) if nested else None,
        )
        ends = []
        for change in changes:
            change()
            kept = run(stage, max_time=0.5, keep_loaded=True)
            anew = run(stage, max_time=0.5)
            for name in ("times", "poses", "linear_velocities", "angular_velocities"):
                assert np.array_equal(getattr(kept, name), getattr(anew, name)), name
            ends.append(kept.poses[-1, 0])
        assert len(np.unique(ends, axis=0)) == len(changes) - (not nested)

    @pytest.mark.slow
    @pytest.mark.parametrize("unit", [1.0, 0.01])
    def test_an_animated_kinematic_body_carries_what_lies_on_it(self, run, unit: float):
        stage = _stage()
        _in_unit(stage, unit)
        group = UsdGeom.Xform.Define(stage, "/World/Group").GetPrim()
        author_pose(group, np.array([0.3, 0, 0, *_LYING]) / np.array([*3 * [unit], 1, 1, 1, 1]))
        plate = _add_cube(stage, np.array([0, 0, 0.5 / unit, *_LYING]), size=0.2 / unit, path="/World/Group/Plate")
        UsdPhysics.RigidBodyAPI(plate).CreateKinematicEnabledAttr(True)
        _add_cube(stage, np.array([0.3 / unit, 0, 0.625 / unit, *_LYING]), size=0.05 / unit)
        times = np.linspace(0.0, 1.0, 61)
        # As slow at the ends as friction can follow: 0.1 m / 2 times pi squared is 0.5 m/s2.
        way = 0.05 * (1.0 - np.cos(np.pi * times))
        _animate(stage, plate, times, [np.array([x, 0, 0.5 + x]) / unit for x in way])
        result = run(stage, max_time=1.0)
        assert result.body_paths == ("/World/Cube",)
        moved = result.poses[:, 0, :3] - result.poses[0, 0, :3]
        np.testing.assert_allclose(moved, np.stack([way, 0 * way, way], axis=1), atol=1e-3)
        # Without friction it stays behind.
        UsdPhysics.MaterialAPI(stage.GetPrimAtPath("/World/Material")).CreateStaticFrictionAttr(0.0)
        UsdPhysics.MaterialAPI(stage.GetPrimAtPath("/World/Material")).CreateDynamicFrictionAttr(0.0)
        slipped = run(stage, max_time=1.0).poses[-1, 0, :3]
        np.testing.assert_allclose(slipped, [0.3, 0, 0.725], atol=2e-3)

    @pytest.mark.slow
    def test_a_drive_follows_its_animated_target(self, run):
        stage = _stage()
        door = _add_cube(stage, np.array([0, 0, 1.0, *_LYING]))
        drive = _hang(stage, door)
        stage.SetTimeCodesPerSecond(50.0)
        drive.CreateTargetPositionAttr(0.0)
        for code, degrees in ((0, 0.0), (10, 0.0), (60, 90.0)):
            drive.GetTargetPositionAttr().Set(degrees, code)
        result = run(stage, max_time=1.5)
        expected = np.interp(result.times, [0.2, 1.2], [0.0, 90.0])
        angle = 2.0 * np.degrees(np.arctan2(result.poses[:, 0, 5], result.poses[:, 0, 6]))
        np.testing.assert_allclose(angle, expected, atol=1.5)
        assert angle[-1] == pytest.approx(90.0, abs=0.1)

    def test_gravity_may_be_switched_on(self, run):
        stage = _stage()
        _add_cube(stage, np.array([0, 0, 3.0, *_LYING]))
        stage.SetTimeCodesPerSecond(240.0)
        magnitude = UsdPhysics.Scene(stage.GetPrimAtPath("/World/PhysicsScene")).GetGravityMagnitudeAttr()
        magnitude.Set(0.0)
        for code, value in ((0, 0.0), (60, 0.0), (61, _GRAVITY), (62, _GRAVITY)):
            magnitude.Set(value, code)
        result = run(stage, max_time=0.75)
        fallen = 3.0 - result.poses[:, 0, 2]
        expected = 0.5 * _GRAVITY * np.maximum(result.times - 0.25, 0.0) ** 2
        np.testing.assert_allclose(fallen, expected, atol=0.5 * _GRAVITY * 0.5 / 240 + 1e-5)

    @pytest.mark.slow
    def test_motion_on_a_stage_that_is_kept_begins_anew_and_may_change(self, run):
        stage = _stage()
        plate = _add_cube(stage, np.array([0, 0, 0.5, *_LYING]), size=0.2, path="/World/Plate")
        UsdPhysics.RigidBodyAPI(plate).CreateKinematicEnabledAttr(True)
        _add_cube(stage, np.array([0, 0, 0.625, *_LYING]))
        drive = _hang(stage, _add_cube(stage, np.array([1.0, 0, 1.0, *_LYING]), path="/World/Door"))
        drive.CreateTargetPositionAttr(0.0)
        ends = []
        for speed in (0.1, 0.1, 0.2):
            _animate(stage, plate, [0.0, 1.0], [np.array([0, 0, 0.5]), np.array([speed, 0, 0.5])])
            for code, degrees in ((0, 0.0), (24, 900.0 * speed)):
                drive.GetTargetPositionAttr().Set(degrees, code)
            kept = run(stage, max_time=0.5, keep_loaded=True)
            anew = run(stage, max_time=0.5)
            for name in ("times", "poses", "linear_velocities", "angular_velocities"):
                assert np.array_equal(getattr(kept, name), getattr(anew, name)), name
            ends.append(kept.poses[-1])
        assert np.array_equal(ends[0], ends[1])
        assert not np.isclose(ends[2], ends[1], atol=1e-3).all(axis=1).any()

    def test_stage_is_not_changed(self, run):
        stage = _stage()
        _add_cube(stage, np.array([0, 0, 0.125, *_LYING]))
        before = stage.ExportToString(), len(stage.GetLayerStack())
        run(stage)
        assert (stage.ExportToString(), len(stage.GetLayerStack())) == before

    def test_stage_without_a_dynamic_body_is_refused(self, run):
        with pytest.raises(GraspdError, match="no dynamic rigid body"):
            run(_stage())

    def test_independent_bodies_stop_when_each_has_rested_once_and_say_when(self, run):
        stage = _stage()
        for index, height in enumerate((0.03, 0.5)):
            _add_cube(stage, np.array([index, 0, height, *_LYING]), path=f"/World/Cube_{index}")
        result, together = run(stage, independent=True), run(stage)
        assert (result.rest_records > 0).all()
        assert result.rest_records[0] < result.rest_records[1] == len(result.times) - 1
        assert np.array_equal(result.rest_records, together.rest_records)
        falling = run(stage, max_time=0.1)
        assert falling.rest_records.tolist() == [-1, -1]


def test_errors_of_physx_are_logged_and_warnings_are_not_shown(capfd, caplog):
    stage = _stage()
    slide = UsdPhysics.PrismaticJoint.Define(stage, "/World/Slide")
    slide.CreateAxisAttr("X")
    slide.CreateBody1Rel().SetTargets([_add_cube(stage, np.array([0, 0, 1.0, *_LYING])).GetPath()])
    # Off its zero along an oblique axis; PhysX warns of it.
    x, y, z, w = 0.5, -0.5, 0.5, 0.5
    slide.CreateLocalRot0Attr(Gf.Quatf(w, x, y, z))
    slide.CreateLocalRot1Attr(Gf.Quatf(w, x, y, z))
    weld = UsdPhysics.FixedJoint.Define(stage, "/World/Weld")
    weld.CreateBody1Rel().SetTargets(["/World/Floor"])
    asyncio.run(load_backend("standalone").simulate(stage, SimulateConfig(max_time=0.1)))
    assert [record.levelname for record in caplog.records if record.name == "omni_graspd.physx"] == ["ERROR"]
    assert "/World/Weld" in caplog.text
    shown = "".join(capfd.readouterr())
    assert "/World/Slide" not in shown
    assert "PhysicsUSD" not in shown


@pytest.mark.slow
def test_all_native_libraries_live_in_one_quiet_process():
    code = """
import sys
import warp as wp
wp.init()  # announces itself
print("begin", flush=True)
print("begin", file=sys.stderr, flush=True)
import mitsuba
mitsuba.set_variant("scalar_rgb")
import asyncio
import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdPhysics
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.standalone.simulate import simulate
stage = Usd.Stage.CreateInMemory()
UsdGeom.SetStageMetersPerUnit(stage, 1.0)
UsdPhysics.Scene.Define(stage, "/Scene")
UsdPhysics.RigidBodyAPI.Apply(UsdGeom.Cube.Define(stage, "/Cube").GetPrim())
UsdPhysics.CollisionAPI.Apply(stage.GetPrimAtPath("/Cube"))
result = asyncio.run(simulate(stage, SimulateConfig(max_time=0.1)))
ball = mitsuba.load_dict({"type": "sphere"})
assert np.isfinite(result.poses).all() and ball.bbox().max.x == 1.0
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("begin\n")
    assert result.stderr.endswith("begin\n")
