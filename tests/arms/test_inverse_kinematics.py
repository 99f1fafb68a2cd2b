# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Chains against MuJoCo and finite differences; inverse kinematics finds postures back, within limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from six_axis_arm import SEVEN, SIX, arm_urdf

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_import import add_arm
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.inverse_kinematics import ANGLE_TOLERANCE, POSITION_TOLERANCE, manipulability, pose_error, solve
from omni_graspd.arms.seed_bank import SeedBank


@pytest.fixture(scope="module", params=[SIX, SEVEN], ids=["six", "seven"])
def arm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Arm:
    folder = tmp_path_factory.mktemp("arms")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRASPD_HOME", str(folder))
        add_arm("robot", arm_urdf(folder, request.param))
        return load_arm("robot")


def _postures(arm: Arm, count: int) -> np.ndarray:
    return np.random.default_rng(3).uniform(arm.lower, arm.upper, (count, arm.joint_count))


def test_the_flange_is_where_mujoco_has_it(arm: Arm, tmp_path: Path):
    mujoco = pytest.importorskip("mujoco")
    joints = SIX if arm.joint_count == 6 else SEVEN
    text = arm_urdf(tmp_path, joints).read_text(encoding="utf-8")
    keep = '<mujoco><compiler fusestatic="false"/></mujoco></robot>'
    model = mujoco.MjModel.from_xml_string(text.replace("</robot>", keep))
    data = mujoco.MjData(model)
    postures = _postures(arm, 20)
    ends = arm.chain().end(postures)
    for posture, end in zip(postures, ends, strict=True):
        data.qpos[:] = posture
        mujoco.mj_kinematics(model, data)
        flange = data.body("tool0")
        np.testing.assert_allclose(end[:3, 3], flange.xpos, atol=1e-6)
        np.testing.assert_allclose(end[:3, :3], flange.xmat.reshape(3, 3), atol=1e-6)


def test_the_jacobian_is_the_derivative_of_the_pose(arm: Arm):
    chain, postures, step = arm.chain(), _postures(arm, 10), 1e-6
    _, jacobian = chain.end_and_jacobian(postures)
    for joint in range(chain.joint_count):
        moved = step * np.eye(chain.joint_count)[joint]
        difference = pose_error(chain.end(postures - moved), chain.end(postures + moved)) / (2.0 * step)
        np.testing.assert_allclose(jacobian[:, :, joint], difference, atol=1e-6)


def test_postures_are_found_back_from_starts_nearby(arm: Arm):
    chain, postures = arm.chain(), _postures(arm, 60)
    wanted = chain.end(postures)
    bank = SeedBank.of(chain, 5000)
    solved = 0
    for pose in wanted:
        starts = bank.starts(pose, 12)
        found = solve(chain, np.broadcast_to(pose, (len(starts), 4, 4)), starts, 40)
        error = pose_error(chain.end(found.positions[found.solved]), np.broadcast_to(pose, (found.solved.sum(), 4, 4)))
        assert (np.linalg.norm(error[:, :3], axis=1) <= POSITION_TOLERANCE).all()
        assert (np.linalg.norm(error[:, 3:], axis=1) <= ANGLE_TOLERANCE).all()
        assert (found.positions >= chain.lower).all() and (found.positions <= chain.upper).all()
        solved += bool(found.solved.any())
    assert solved >= 58


def test_poses_out_of_reach_are_not_solved(arm: Arm):
    chain = arm.chain()
    wanted = np.eye(4)
    wanted[:3, 3] = [3.0, 0.0, 0.3]
    starts = SeedBank.of(chain, 500).starts(wanted, 8)
    assert not solve(chain, np.broadcast_to(wanted, (len(starts), 4, 4)), starts, 40).solved.any()


def test_a_solution_does_not_depend_on_the_others(arm: Arm):
    chain, postures = arm.chain(), _postures(arm, 33)
    wanted, starts = chain.end(postures), np.clip(postures + 0.3, chain.lower, chain.upper)
    together = solve(chain, wanted, starts, 40)
    for row in (0, 7, 32):
        alone = solve(chain, wanted[row : row + 1], starts[row : row + 1], 40)
        assert (alone.positions[0] == together.positions[row]).all()


def test_a_stretched_arm_has_no_manipulability(arm: Arm):
    chain = arm.chain()
    _, stretched = chain.end_and_jacobian(np.zeros((1, chain.joint_count)))
    _, bent = chain.end_and_jacobian(np.full((1, chain.joint_count), 0.9))
    assert manipulability(stretched)[0] < 1e-9 < 1e-3 < manipulability(bent)[0]
