# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The examples for Isaac Sim run against Kit's stubs; that for Isaac Lab against an Isaac Lab of two versions."""

from __future__ import annotations

import importlib.util
import json
import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kit_fakes.replicator import synthetic_channels
from kit_stubs import Kit
from pxr import Usd, UsdGeom, UsdLux

from omni_graspd.errors import GraspdError
from omni_graspd.formats.projects.isaac_grasp import write_isaac_grasp
from omni_graspd.formats.record import GraspRecord
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "isaac"


def _view(stage: Usd.Stage, path: str, resolution: tuple[int, int]) -> dict[str, Any]:
    made = synthetic_channels(stage, path, resolution)
    params = read_pinhole_camera(stage, path, *resolution).camera_params()
    return made | {"camera_params": (made["camera_params"][0], params)}


def _stage_with_cameras(stage: Usd.Stage, *names: str) -> None:
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.Xform.Define(stage, "/World")
    for index, name in enumerate(names):
        camera = UsdGeom.Camera.Define(stage, f"/World/{name}")
        camera.AddTranslateOp().Set((0.06 * index, 0.0, 1.0))
    UsdLux.SphereLight.Define(stage, "/World/Light")


@pytest.fixture
def started(kit: Kit):
    """Kit with our writer registered, as the extension does on startup."""
    from omni_graspd.kit.writer import register_writer

    kit.extensions["omni.graspd-0.1.0"] = "there"
    kit.replicator.renderer = _view
    register_writer()
    return kit


def test_the_script_for_the_script_editor_writes_views_that_differ(started, tmp_path):
    _stage_with_cameras(started.usd.stage, "Camera")
    code = (_EXAMPLES / "script_editor.py").read_text(encoding="utf-8").replace("/tmp/graspd_views", str(tmp_path))

    async def run() -> None:
        names: dict[str, Any] = {}
        exec(compile(code, "script_editor.py", "exec"), names)
        await names["running"]

    started.run(run())
    files = sorted(tmp_path.glob("view_*/camera_params_0000.json"))
    assert [path.parent.name for path in files] == ["view_0000", "view_0001", "view_0002", "view_0003"]
    views = {tuple(json.loads(path.read_text())["cameraViewTransform"]) for path in files}
    assert len(views) == 4
    assert started.replicator.products == []


def test_the_script_for_python_sh_writes_pairs_through_a_backend(started, tmp_path, monkeypatch):
    scene = Usd.Stage.CreateNew(str(tmp_path / "scene.usda"))
    _stage_with_cameras(scene, "left", "right")
    scene.Save()
    monkeypatch.setattr(sys, "argv", ["write_views.py", str(tmp_path / "scene.usda"), str(tmp_path / "out"), "3"])
    runpy.run_path(str(_EXAMPLES / "write_views.py"), run_name="__main__")
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.npy")}
    assert {f"view_0002/{eye}/stereo_disparity_0000.npy" for eye in ("left", "right")} <= written
    light = UsdLux.LightAPI(started.usd.stage.GetPrimAtPath("/World/Light"))
    assert light.GetExposureAttr().Get() == 1.0
    assert started.called("set_extension_enabled_immediate")[0].args == ("omni.graspd", True)


@pytest.fixture
def lab():
    spec = importlib.util.spec_from_file_location("isaac_lab_replay", _EXAMPLES / "isaac_lab_replay.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def grasps(lab, tmp_path) -> list[dict[str, Any]]:
    """Two grasps of two joints as ``graspd convert`` writes them, read by the example."""
    pytest.importorskip("yaml")
    half = np.sqrt(0.5)
    record = GraspRecord(
        hand="claw",
        object="ball",
        palm_path="/claw/palm",
        joint_names=("a", "b"),
        T_object_palm=np.array([[0.0, 0.0, 0.1, 1.0, 0.0, 0.0, 0.0], [0.1, 0.0, 0.0, 0.0, half, 0.0, half]]),
        joint_positions=np.array([[1.0, 0.5], [0.8, 0.4]]),
        pregrasp_joint_positions=np.array([[0.0, 0.5], [0.0, 0.0]]),
        scores={"confidence": np.array([0.2, 0.9])},
    )
    write_isaac_grasp(record, tmp_path / "grasps.yaml")
    return lab.read_grasps(tmp_path / "grasps.yaml")


def test_the_files_of_convert_are_read_best_first(lab, grasps):
    assert [grasp["confidence"] for grasp in grasps] == [0.9, 0.2]
    assert lab.targets(grasps[1], ["b", "a", "other"], "open") == [0.5, 0.0, 0.0]
    assert lab.targets(grasps[1], ["b", "a", "other"], "close") == [0.5, 1.0, 0.0]
    assert lab.targets(grasps[1], ["a"], "squeeze") == pytest.approx([1.0 + lab.SQUEEZE])
    start, end = lab.palm_pose(grasps[0], "open", 1.0), lab.palm_pose(grasps[0], "lift", 1.0)
    assert start == pytest.approx([0.1, 0.0, lab.HEIGHT, np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0])
    assert end[2] - start[2] == pytest.approx(lab.LIFT)


class _Array2:
    """Version 2: poses with w first, writers that take an argument."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.joint_names, self.pose, self.targets = names, None, []
        self.data = self

    def write_root_pose_to_sim(self, root_pose: Any) -> None:
        self.pose = root_pose

    def write_root_velocity_to_sim(self, root_velocity: Any) -> None:
        assert root_velocity.shape == (len(self.pose), 6)

    def set_joint_position_target(self, target: Any) -> None:
        self.targets.append(target)


class _Array3(_Array2):
    """Version 3: w last, keywords only, arrays behind ``torch``."""

    def write_root_pose_to_sim_index(self, *, root_pose: Any, env_ids: Any = None) -> None:
        self.pose = root_pose[:, [0, 1, 2, 6, 3, 4, 5]]

    def write_root_velocity_to_sim_index(self, *, root_velocity: Any, env_ids: Any = None) -> None:
        assert root_velocity.shape == (len(self.pose), 6)

    def set_joint_position_target_index(self, *, target: Any, joint_ids: Any = None, env_ids: Any = None) -> None:
        self.targets.append(target)


@pytest.mark.parametrize("version", [_Array2, _Array3])
def test_the_replay_closes_the_hand_and_counts_what_rises(lab, grasps, version, monkeypatch):
    """The first object follows its palm once the hand has squeezed; the second stays."""
    shim = SimpleNamespace(tensor=lambda values, device: np.array(values), zeros_like=np.zeros_like)
    monkeypatch.setitem(sys.modules, "torch", shim)
    hand, obj = version(("a", "b")), version()
    state = {"steps": 0}

    class Scene(dict):
        env_origins, device = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), "cpu"

        def write_data_to_sim(self) -> None:
            state["steps"] += 1

        def update(self, dt: float) -> None:
            where = np.array([[0.0, 0.0, lab.HEIGHT], [1.0, 0.0, lab.HEIGHT]])
            where[0, 2] += hand.pose[0, 2] - lab.palm_pose(grasps[0], "open", 0.0)[2]
            obj.root_pos_w = where if version is _Array2 else SimpleNamespace(torch=where)

    sim = SimpleNamespace(step=lambda: None, get_physics_dt=lambda: 1.0 / 120.0)
    assert lab.replay(Scene(hand=hand, object=obj), sim, grasps) == 1
    assert state["steps"] == sum(count for _, count in lab.PHASES)
    np.testing.assert_allclose(hand.targets[0], [[0.0, 0.0], [0.0, 0.5]], atol=1e-6)
    np.testing.assert_allclose(hand.targets[100], [[0.8, 0.4], [1.0, 0.5]], atol=1e-6)
    # The palm of the second environment, with w first.
    np.testing.assert_allclose(hand.pose[1], [1.0, 0.0, 0.1 + lab.HEIGHT + lab.LIFT, 0, 1, 0, 0], atol=1e-6)


def test_the_scene_names_what_isaac_lab_has(lab, monkeypatch, tmp_path):
    """Every name and keyword is one of Isaac Lab 2.3's; values go where they belong."""

    def made(*allowed: str) -> type:
        def __init__(self: Any, **given: Any) -> None:
            assert set(given) <= set(allowed), set(given) - set(allowed)
            vars(self).update(given)

        return type("Made", (), {"__init__": __init__})

    sim = ModuleType("isaaclab.sim")
    sim.RigidBodyPropertiesCfg = made("disable_gravity")
    sim.DomeLightCfg = made("intensity", "color")
    sim.UsdFileCfg = made("usd_path", "rigid_props", "articulation_props")
    assets, scene = ModuleType("isaaclab.assets"), ModuleType("isaaclab.scene")
    assets.AssetBaseCfg = made("prim_path", "spawn")
    assets.ArticulationCfg = made("prim_path", "spawn", "init_state", "actuators")
    assets.RigidObjectCfg = made("prim_path", "spawn", "init_state")
    assets.RigidObjectCfg.InitialStateCfg = made("pos", "rot")
    actuators, tools = ModuleType("isaaclab.actuators"), ModuleType("isaaclab.utils")
    actuators.ImplicitActuatorCfg = made("joint_names_expr", "stiffness", "damping")
    scene.InteractiveSceneCfg = made("num_envs", "env_spacing")
    tools.configclass = lambda cls: cls
    root = ModuleType("isaaclab")
    for module in (root, sim, assets, scene, actuators, tools):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        if module is not root:
            setattr(root, module.__name__.partition(".")[2], module)
    config = lab.scene_config(tmp_path / "hand.usd", tmp_path / "mug.usd", 3)
    assert (config.num_envs, config.hand.spawn.usd_path) == (3, str(tmp_path / "hand.usd"))
    assert config.object.init_state.pos == (0.0, 0.0, lab.HEIGHT)
    assert config.hand.prim_path == "{ENV_REGEX_NS}/Hand"


def test_the_grasps_for_the_evaluation_are_asked_of_the_open_stage(kit):
    """It runs up to the stage, which has no such prim; what follows is Isaac Sim's own extension."""
    module = ModuleType("isaacsim.replicator.grasping.grasping_manager")
    module.GraspingManager = object
    code = (_EXAMPLES / "evaluate_grasps.py").read_text(encoding="utf-8").replace("/World/Box", "/World/None")

    async def run() -> None:
        names: dict[str, Any] = {}
        exec(compile(code, "evaluate_grasps.py", "exec"), names)
        await names["running"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with pytest.raises(GraspdError, match="expected a prim of the stage, got '/World/None'"):
            kit.run(run())


@pytest.mark.parametrize("path", sorted(_EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_each_says_that_it_was_not_run(path):
    assert "ot yet run in" in path.read_text(encoding="utf-8")
