# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand that presses holds what a fixed one lets go, an open one holds nothing, and shaking is felt."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.usd.hand_design import HandDesign, JointDesign, LinkDesign, LinkShape
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.hands.usd.hand_writer import write_hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.driven_hold import DrivenHoldConfig, measure_driven_hold
from omni_graspd.scenes.grasp_tests.hold import HoldConfig, HoldResult, measure_hold
from omni_graspd.scenes.grasp_tests.hold_stage import HoldPhysics
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY

_HALF = 0.02
_GAP = 0.001


def _box(size: tuple[float, float, float], center: tuple[float, float, float]) -> TriangleMesh:
    box = trimesh.creation.box(size, trimesh.transformations.translation_matrix(center))
    return TriangleMesh(np.array(box.vertices), np.array(box.faces, dtype=np.int32))


def _link(name: str, piece: TriangleMesh, joint: JointDesign | None) -> LinkDesign:
    solid = trimesh.Trimesh(piece.vertices, piece.faces, process=False)
    normals = np.repeat(solid.face_normals[:, None], 3, axis=1)
    shape = LinkShape(piece, normals, ("grey",) * len(piece.faces), (piece,))
    return LinkDesign(name, None if joint is None else "palm", joint, shape, 0.1)


@pytest.fixture
def gripper(tmp_path: Path) -> Hand:
    """Two plates beside a brick at the origin, 1 mm away from it; they turn about axes 8 cm below."""
    links = [_link("palm", _box((0.1, 0.02, 0.01), (0.0, 0.0, -0.09)), None)]
    for name, side in (("left", -1.0), ("right", 1.0)):
        x = side * (_HALF + _GAP + 0.004)
        joint = JointDesign(name, np.array([x, 0, -0.08, 0, 0, 0, 1.0]), (0, 1, 0), -1.0, 1.0)
        links.append(_link(name, _box((0.008, 0.03, 0.1), (0.0, 0.0, 0.05)), joint))
    write_hand(HandDesign("gripper", "hand", tuple(links), {"grey": Appearance()}), tmp_path / "gripper.usda", {})
    return read_hand(tmp_path / "gripper.usda")


@pytest.fixture
def brick() -> RigidObject:
    surface, size = _box((2 * _HALF, 0.03, 0.03), (0, 0, 0)), np.array([2 * _HALF, 0.03, 0.03])
    inertia = np.diag((size**2).sum() - size**2) * 0.1 / 12.0
    return RigidObject(
        name="brick",
        source=Path("brick.obj"),
        mesh=surface,
        visual=surface,
        appearance=Appearance(),
        closed=True,
        mass=0.1,
        center_of_mass=np.zeros(3),
        inertia=inertia,
        label="brick",
    )


def _measure(hand: Hand, obj: RigidObject, squeeze: list[float], config: DrivenHoldConfig | None = None) -> HoldResult:
    # Plates lean inward by turning about +y (left) and -y (right).
    grasp = np.zeros((1, 2))
    return asyncio.run(measure_driven_hold(simulate, hand, obj, IDENTITY[None], grasp, np.array([squeeze]), config))


def test_a_hand_that_presses_holds_what_a_fixed_one_lets_go(gripper: Hand, brick: RigidObject):
    fixed = asyncio.run(measure_hold(simulate, gripper, brick, IDENTITY[None], np.zeros((1, 2))))
    assert fixed.held.tolist() == [[True, True, False, False, False, False]]
    assert _measure(gripper, brick, [0.2, -0.2]).held.tolist() == [[True] * 6]


def test_a_hand_that_opens_holds_nothing_across_its_plates(gripper: Hand, brick: RigidObject):
    assert not _measure(gripper, brick, [-0.8, 0.8]).held[0, 2:].any()


def test_without_friction_pressing_holds_in_two_directions_at_most(gripper: Hand, brick: RigidObject):
    config = DrivenHoldConfig(hold=HoldConfig(physics=HoldPhysics(friction=0.0)))
    assert _measure(gripper, brick, [0.2, -0.2], config).held.sum() <= 2


@pytest.mark.slow
def test_a_light_press_holds_still_and_loses_when_it_is_shaken(gripper: Hand, brick: RigidObject):
    # Friction carries 2.2 N: more than the weight of 1 N, less than the 8 N that shaking takes.
    squeeze = [0.08, -0.08]
    assert _measure(gripper, brick, squeeze).held[0, 2:].all()
    shaken = _measure(gripper, brick, squeeze, DrivenHoldConfig(shake_amplitude=0.06, shake_frequency=6.0))
    assert not shaken.held[0, 2:].any()


def test_the_same_grasp_gives_the_same_bits(gripper: Hand, brick: RigidObject):
    first, second = (_measure(gripper, brick, [0.1, -0.1]) for _ in range(2))
    assert np.array_equal(first.displacements, second.displacements)


def test_squeezes_that_do_not_fit_are_refused(gripper: Hand, brick: RigidObject):
    with pytest.raises(GraspdError, match=r"joint and squeeze positions of shape \[1, 2\]"):
        _measure(gripper, brick, [0.1, -0.1, 0.0])
