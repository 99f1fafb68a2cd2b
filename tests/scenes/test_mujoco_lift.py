# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The lift test of the benchmarks, on a block between two jaws whose force is known."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest
from lift_jaws import box, jaw
from pxr import Usd
from scipy.spatial.transform import Rotation

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way, join_batches
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose, pose_to_matrix, transform_points

_SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "mujoco_lift.py"
_SPEC = importlib.util.spec_from_file_location("mujoco_lift", _SCRIPT)
script = importlib.util.module_from_spec(_SPEC)
sys.modules["mujoco_lift"] = script
_SPEC.loader.exec_module(script)

_HALF, _HEIGHT = 0.02, 0.06
_OPENING = 0.02
_GRASP_HEIGHT = 0.13
_STIFFNESS = 1000.0
# The block weighs 1 N; at friction 0.6 two jaws hold it if each presses with more than 0.83 N.
_HARD, _WEAK = 4.0 / _STIFFNESS, 0.5 / _STIFFNESS


def _jaws(folder: Path, *, coupled: bool) -> Hand:
    """Two jaws, either each with its drive or the second following the first."""
    stage = Usd.Stage.CreateNew(str(folder / "jaws.usda"))
    stage.Save()
    palm = box([0.1, 0.03, 0.02], [0.0, 0.0, 0.0])
    palm_link = Link("palm", "/none", -1, -1, "root", np.zeros(3), IDENTITY, IDENTITY, palm, 0.3)
    coupling = np.array([[1.0], [1.0]]) if coupled else np.eye(2)
    return Hand(
        name="jaws",
        source=folder / "jaws.usda",
        links=(palm_link, jaw(0, -1.0), jaw(1, 1.0)),
        joint_names=("left", "right"),
        joint_lower=np.full(2, -0.01),
        joint_upper=np.full(2, 0.05),
        actuated=np.array([0]) if coupled else np.array([0, 1]),
        coupling=coupling,
        coupling_offset=np.zeros(2),
        approach_direction=np.array([0.0, 0.0, -1.0]),
        approach_point=np.array([0.0, 0.0, -0.05]),
        open_positions=np.zeros(coupling.shape[1]),
    )


@pytest.fixture
def jaws(tmp_path: Path) -> Hand:
    return _jaws(tmp_path, coupled=False)


def _block(T_object_table: np.ndarray = IDENTITY) -> RigidObject:
    """A block that stands on the table's origin."""
    upright = box([2 * _HALF, 2 * _HALF, _HEIGHT], [0.0, 0.0, _HEIGHT / 2])
    mesh = TriangleMesh(transform_points(T_object_table, upright.vertices), upright.faces)
    turn = pose_to_matrix(T_object_table)[:3, :3]
    size = np.array([2 * _HALF, 2 * _HALF, _HEIGHT])
    inertia = turn @ np.diag((size**2).sum() - size**2) @ turn.T * 0.3 / 12.0
    center = transform_points(T_object_table, np.array([[0.0, 0.0, _HEIGHT / 2]]))[0]
    return RigidObject(
        "block", Path("block.obj"), mesh, mesh, Appearance(), True, 0.3, center, inertia, "block"
    )  # weighs other than in the test


def _grasp(
    squeeze: float,
    *,
    aside: float = 0.0,
    pregrasp_height: float = 0.1,
    hover_aside: float = 0.0,
    T_object_table: np.ndarray = IDENTITY,
) -> GraspBatch:
    """One grasp from above: the jaws touch the block and the targets of the squeeze are ``squeeze`` deeper [m]."""

    def palm(height: float, x: float) -> np.ndarray:
        return compose(T_object_table, np.array([x, 0.0, _GRASP_HEIGHT + height, 0.0, 0.0, 0.0, 1.0]))[None]

    matrix = pose_to_matrix(T_object_table)
    normal = matrix[:3, 2]
    zeros = np.zeros(1)
    plane = np.append(normal, normal @ matrix[:3, 3])[None]
    way = Way(plane, palm(0.06, hover_aside), normal[None], *[zeros] * 5, np.array([True]), np.ones(1, np.int32), ("",))
    postures = Postures(
        palm(pregrasp_height, hover_aside), np.zeros((1, 2)), zeros, np.full((1, 2), _OPENING + squeeze)
    )
    return GraspBatch(palm(0.0, aside), np.full((1, 2), _OPENING), {}, ("ok",), postures, way=way)


def _lift(hand: Hand, batch: GraspBatch, protocol=script.DEXGRASPBENCH, obj: RigidObject | None = None):
    obj = obj or _block()
    (outcome,) = script.lift_batch(hand, obj, [obj.mesh], batch, protocol, threads=1)
    return outcome


@pytest.mark.parametrize("protocol", [script.DEXGRASPBENCH, script.DEXGRASPBENCH.hard(), script.OURS])
def test_jaws_that_press_enough_lift_the_block_straight_up(jaws, protocol):
    outcome = _lift(jaws, _grasp(_HARD), protocol)
    assert (outcome.lifted, outcome.reason, outcome.touched_table) == (True, "", False)
    assert outcome.position_error < 0.01
    assert outcome.angle < np.radians(5.0)
    assert outcome.moved_before_lift < 0.001


def test_friction_decides_as_coulomb_says(jaws):
    for squeeze, friction, lifted in ((_HARD, 0.0, False), (_WEAK, 0.6, False), (_WEAK, 3.0, True), (0.0, 0.6, False)):
        outcome = _lift(jaws, _grasp(squeeze), replace(script.DEXGRASPBENCH, friction=friction))
        assert (outcome.lifted, outcome.reason) == (lifted, "" if lifted else "slipped")


def test_a_coupled_jaw_follows_and_shares_the_force(tmp_path):
    """One drive of 1.2 N leaves 0.6 N to each jaw: less than it takes; with two it is enough."""
    squeeze = 1.2 / _STIFFNESS
    gentle = replace(script.DEXGRASPBENCH, steps=40, weld_time=0.05)
    assert not _lift(_jaws(tmp_path, coupled=True), _grasp(squeeze), gentle).lifted
    assert _lift(_jaws(tmp_path, coupled=False), _grasp(squeeze), gentle).lifted
    assert _lift(_jaws(tmp_path, coupled=True), _grasp(2.0 * _HARD)).lifted


def test_a_coupling_gives_way_by_less_than_a_tenth_of_a_millimetre_under_load(tmp_path):
    hand, block = _jaws(tmp_path, coupled=True), _block()
    test = script.MujocoLift(hand, block, [block.mesh])
    plan = script.plan_lift(hand, block, block.mesh.vertices, _grasp(2.0 * _HARD), 0, script.DEXGRASPBENCH)
    data = test.place(plan)
    for index in range(1, plan.squeezed + 1):
        test.steer(data, plan.T_world_palm[index], plan.joints[index])
        mujoco.mj_step(test.model, data, nstep=plan.steps[index])
    left, right = data.qpos[test.joint_qpos]
    assert abs(left - right) < 1e-4
    assert left - _OPENING < 1e-3  # the block stops the jaws 8 mm before their targets


def test_a_hand_far_away_moves_nothing(jaws):
    outcome = _lift(jaws, _grasp(_HARD, aside=0.3, hover_aside=0.3))
    assert (outcome.lifted, outcome.reason) == (False, "slipped")
    assert outcome.moved_before_lift < 3e-4  # it sinks into the soft contact with the table
    assert outcome.position_error == pytest.approx(0.1, abs=1e-3)


def test_a_hand_that_comes_from_the_side_pushes_the_block_away(jaws):
    low = _grasp(_HARD, aside=0.1, hover_aside=-0.15)
    low.way.T_object_hover_palm[0, 2] = _GRASP_HEIGHT
    outcome = _lift(jaws, low)
    assert (outcome.lifted, outcome.reason) == (False, "pushed away")
    assert outcome.moved_before_lift > 0.03


def test_a_block_held_at_its_edge_turns(jaws):
    batch = _grasp(_HARD)
    for poses in (batch.T_object_palm, batch.postures.T_object_pregrasp_palm, batch.way.T_object_hover_palm):
        poses[0, 1:3] += [0.026, 0.024]
    outcome = _lift(jaws, batch, replace(script.DEXGRASPBENCH, torsional_friction=1e-4))
    assert (outcome.lifted, outcome.reason) == (False, "tilted")


def test_a_pregrasp_in_the_object_or_in_the_table_is_no_start(jaws):
    in_object = _grasp(_HARD, pregrasp_height=0.0, hover_aside=0.03)
    assert _lift(jaws, in_object).reason == "penetrates at the pregrasp"
    in_table = _lift(jaws, _grasp(_HARD, pregrasp_height=-0.05))
    assert (in_table.reason, in_table.touched_table) == ("penetrates at the pregrasp", True)


def test_a_hand_that_reaches_the_table_is_noted(jaws):
    batch = _grasp(_HARD)
    batch.T_object_palm[0, 2] -= 0.032
    outcome = _lift(jaws, batch)
    assert outcome.touched_table
    assert outcome.lifted


def test_the_object_frame_may_be_turned_in_any_way(jaws):
    T_object_table = np.array([0.3, -0.2, 0.1, *Rotation.from_euler("xyz", [2.5, 0.4, -1.0]).as_quat()])
    turned = _lift(jaws, _grasp(_HARD, T_object_table=T_object_table), obj=_block(T_object_table))
    straight = _lift(jaws, _grasp(_HARD))
    assert turned.lifted
    assert turned.position_error == pytest.approx(straight.position_error, abs=1e-3)


def test_rows_without_numbers_are_no_grasps_and_batches_without_a_way_are_refused(jaws):
    batch = _grasp(_HARD)
    batch.T_object_palm[0, 0] = np.nan
    assert _lift(jaws, batch).reason == "no grasp"
    with pytest.raises(GraspdError, match="without"):
        _lift(jaws, replace(batch, way=None))
    batch = _grasp(_HARD)
    batch.way.table_plane[0] = np.nan
    with pytest.raises(GraspdError, match="table"):
        _lift(jaws, batch)


def test_threads_and_neighbours_change_nothing(jaws):
    batch = join_batches([_grasp(squeeze) for squeeze in (_HARD, _WEAK, 0.0, _HARD)])
    block = _block()
    one = script.lift_batch(jaws, block, [block.mesh], batch, threads=1)
    two = script.lift_batch(jaws, block, [block.mesh], batch, threads=2, rows=[3, 1, 2])
    assert two == [one[3], one[1], one[2]]
    assert one[3] == one[0]


def test_recorded_poses_start_at_the_pregrasp_and_end_lifted(jaws):
    block = _block()
    (outcome,) = script.lift_batch(jaws, block, [block.mesh], _grasp(_HARD), record=True)
    assert outcome.object_poses.shape == outcome.palm_poses.shape == (41, 7)
    np.testing.assert_allclose(outcome.palm_poses[0, :3], [0.0, 0.0, _GRASP_HEIGHT + 0.1], atol=1e-12)
    np.testing.assert_allclose(outcome.object_poses[0], IDENTITY, atol=1e-12)
    assert outcome.object_poses[-1, 2] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("name", ["allegro", "barrett", "shadow"])
def test_hands_in_free_air_are_where_they_should_be(name):
    """At the start exactly, by our own kinematics; after 0.8 rad in a phase, joints, couplings and palm are there."""
    hand, block, hold = load_hand(name), _block(), script.DEXGRASPBENCH
    test = script.MujocoLift(hand, block, [block.mesh])
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    middle, reach = (lower + upper) / 2, np.minimum((upper - lower) / 3, 0.4)
    start, end = hand.joint_positions(middle - reach), hand.joint_positions(middle + reach)
    palm = np.array([0.1, 0.2, 0.8, *Rotation.from_euler("xyz", [0.5, 0.6, 0.7]).as_quat()])
    waypoints = np.linspace(start, end, hold.waypoints + 1)
    plan = script.LiftPlan(IDENTITY, np.tile(palm, (11, 1)), waypoints, np.full(11, hold.steps), 10, np.zeros(3))
    data = test.place(plan)
    bodies = [test.model.body(f"link_{index}").id for index in range(len(hand.links))]
    np.testing.assert_allclose(data.xpos[bodies], link_poses(hand, palm, start)[:, :3], atol=1e-9)
    for target in waypoints[1:]:
        test.steer(data, palm, target)
        mujoco.mj_step(test.model, data, nstep=hold.steps)
    arrived = data.qpos[test.joint_qpos]
    np.testing.assert_allclose(arrived, end, atol=0.05)
    np.testing.assert_allclose(arrived, hand.joint_positions(arrived[hand.actuated]), atol=0.01)
    assert np.linalg.norm(data.xpos[test.palm_body] - palm[:3]) < 1e-3


def test_pictures_are_drawn_where_there_is_a_context(jaws, tmp_path):
    block = _block()
    test = script.MujocoLift(jaws, block, [block.mesh])
    if not test.render(tmp_path / "start.png", _grasp(_HARD), 0, target=0):
        pytest.skip("needs an offscreen GL context (MUJOCO_GL=egl or osmesa)")
    test.render(tmp_path / "end.png", _grasp(_HARD), 0)
    assert (tmp_path / "start.png").read_bytes() != (tmp_path / "end.png").read_bytes()
