# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""PhysX takes each hand as one articulation, and its drives bring the links where our forward kinematics says."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from physx_links import link_states
from pxr import Gf, Usd, UsdGeom, UsdPhysics

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.library import list_names
from omni_graspd.standalone.physx_stage import LoadedStage
from omni_graspd.usd.stage import create_stage, save_stage
from omni_graspd.usd.transforms import IDENTITY, compose, invert

_STEP = 1.0 / 240.0


@pytest.fixture(scope="module", params=list_names("hands"))
def hand(request: pytest.FixtureRequest) -> Hand:
    return load_hand(request.param)


def _hand_in_space(hand: Hand, path: Path, targets: np.ndarray) -> Path:
    """Write a stage with the hand, free and weightless, its drives set to the targets of the actuated joints [rad]."""
    stage = create_stage("World", path)
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    scene.CreateGravityMagnitudeAttr(0.0)
    prim = UsdGeom.Xform.Define(stage, "/World/Hand").GetPrim()
    prim.GetReferences().AddReference(str(hand.source))
    for joint, target in zip(hand.actuated, targets, strict=True):
        drive = UsdPhysics.DriveAPI(stage.GetPrimAtPath(f"/World/Hand/joints/{hand.joint_names[joint]}"), "angular")
        drive.GetTargetPositionAttr().Set(math.degrees(target))
    save_stage(stage, path)
    return path


def _simulated(path: Path, *durations: float) -> list[dict[str, np.ndarray]]:
    """Return the links' poses at the start and after each duration [s], which follow one another."""
    with closing(LoadedStage(path)) as loaded, loaded.attached() as physx:
        states = [link_states(physx)]
        for duration in durations:
            for _ in range(round(duration / _STEP)):
                physx.step_sync(_STEP)
            states.append(link_states(physx))
    return states


def _degrees_between(a: np.ndarray, b: np.ndarray) -> float:
    """Return the angle between two rotations as unit quaternions."""
    chord = min(np.linalg.norm(a - b), np.linalg.norm(a + b))
    return math.degrees(4.0 * math.asin(0.5 * float(chord)))


@pytest.mark.parametrize("fraction", [0.6, *(pytest.param(share, marks=pytest.mark.slow) for share in (0.1, 0.9))])
def test_drives_move_the_links_as_forward_kinematics_says(hand: Hand, tmp_path: Path, fraction: float) -> None:
    """Every drive reaches its target, other joints follow: all links of a chain turn within one degree."""
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    targets = lower + fraction * (upper - lower)
    before, after = _simulated(_hand_in_space(hand, tmp_path / "hand_in_space.usda", targets), 3.0)
    assert set(after) >= {link.name for link in hand.links}
    rest = np.clip(0.0, hand.joint_lower, hand.joint_upper)
    for states, positions, tolerance in ((before, rest, 1e-6), (after, hand.joint_positions(targets), 2e-4)):
        expected = link_poses(hand, states["palm"], positions)
        for link, pose in zip(hand.links, expected, strict=True):
            np.testing.assert_allclose(states[link.name][:3], pose[:3], atol=tolerance, err_msg=link.name)
            assert _degrees_between(states[link.name][3:], pose[3:]) < 0.2, link.name
    # The base is free: the fingers' motion moved the palm.
    assert np.linalg.norm(after["palm"][:3] - before["palm"][:3]) > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("end", ["joint_lower", "joint_upper"])
def test_drives_reach_their_limits(hand: Hand, tmp_path: Path, end: str) -> None:
    """Within one degree each; joints that follow stop at their own limits."""
    targets = getattr(hand, end)[hand.actuated]
    _, after = _simulated(_hand_in_space(hand, tmp_path / "hand_in_space.usda", targets), 3.0)
    positions = np.clip(hand.joint_positions(targets), hand.joint_lower, hand.joint_upper)
    expected = link_poses(hand, IDENTITY, positions)
    for link, pose in zip(hand.links[1:], expected[1:], strict=True):
        turn = compose(invert(after[hand.links[link.parent].name]), after[link.name])
        assert _degrees_between(turn[3:], compose(invert(expected[link.parent]), pose)[3:]) < 1.0, link.name


def test_links_do_not_fight_when_they_collide_with_each_other(hand: Hand, tmp_path: Path) -> None:
    """With self-collision on, the filtered pairs let every joint reach the open posture and stay there."""
    path = _hand_in_space(hand, tmp_path / "hand_in_space.usda", hand.open_positions)
    stage = Usd.Stage.Open(str(path))
    flag = stage.GetPrimAtPath("/World/Hand").GetAttribute("physxArticulation:enabledSelfCollisions")
    assert flag.Get() is False and flag.Set(True)
    stage.GetRootLayer().Save()
    _, moved, later = _simulated(path, 3.0, 1.0)
    for states in (moved, later):
        expected = link_poses(hand, states["palm"], hand.joint_positions(hand.open_positions))
        for link, pose in zip(hand.links, expected, strict=True):
            assert _degrees_between(states[link.name][3:], pose[3:]) < 0.5, link.name


@pytest.mark.slow
def test_hand_rests_once_it_has_moved(hand: Hand, tmp_path: Path) -> None:
    targets = (0.4 * hand.joint_lower + 0.6 * hand.joint_upper)[hand.actuated]
    _, moved, later = _simulated(_hand_in_space(hand, tmp_path / "hand_in_space.usda", targets), 3.0, 10.0)
    # Against the palm: where that floats to after a fast motion is a matter of the integrator.
    first, last = ({name: compose(invert(s["palm"]), pose) for name, pose in s.items()} for s in (moved, later))
    for link in hand.links:
        np.testing.assert_allclose(last[link.name][:3], first[link.name][:3], atol=1e-5, err_msg=link.name)
        assert _degrees_between(last[link.name][3:], first[link.name][3:]) < 0.01, link.name
