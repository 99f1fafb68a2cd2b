# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The lift test of arms: joints follow the stored way, and what nothing holds stays on the table."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from six_axis_arm import SEVEN, arm_urdf

pytest.importorskip("mujoco")
sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from mujoco_arm_lift import ArmWay, MujocoArmLift
from mujoco_lift import _Run

from omni_graspd.arms.arm_import import add_arm
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.mount import default_mount
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.way_stations import STATION_COUNT
from omni_graspd.usd.transforms import compose, matrix_to_pose


@pytest.mark.slow
def test_the_arm_follows_its_way_and_lifts_nothing_that_it_does_not_hold(tmp_path, monkeypatch):
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path))
    add_arm("seven", arm_urdf(tmp_path, SEVEN))
    arm, hand, obj = load_arm("seven"), load_hand("barrett"), load_object("wood_block")
    corners = np.array([[x, y, z] for x in (-0.4, 0.4) for y in (-0.4, 0.4) for z in (-0.04, 0.0)])
    mount = default_mount(hand)
    test = MujocoArmLift(arm, hand, mount, obj, [convex_hull(obj.mesh.vertices)], convex_hull(corners))
    postures = np.linspace([0.0, 0.2, 0.0, 0.9, 0.0, 0.8, 0.0], [0.4, 0.5, 0.1, 0.7, 0.0, 0.9, 0.3], STATION_COUNT)
    fingers = np.tile(hand.joint_positions(hand.open_positions), (STATION_COUNT, 1))
    base = np.array([-0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    lowest = -obj.mesh.vertices[:, 2].min()
    way = ArmWay(base, np.array([0.25, -0.25, lowest, 0, 0, 0, 1]), postures, fingers, np.array([0.0, 0.0, 1.0]))
    run = _Run(test, test.plan(way), record=False)
    for index in range(1, len(run.plan.joints)):
        run.advance(index)
        if index % 100 == 0:
            wanted = compose(compose(base, matrix_to_pose(arm.chain().end(run.plan.joints[index, None, :7])[0])), mount)
            assert np.linalg.norm(test.palm_pose(run.data)[:3] - wanted[:3]) < 0.015
    np.testing.assert_allclose(run.plan.joints[[0, -1], :7], postures[[0, -1]])
    outcome = test.lift_way(way)
    assert not outcome.lifted
    assert outcome.moved_before_lift < 0.01
