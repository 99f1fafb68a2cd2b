# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What is inferred about toys, whose grasp is plain to see, and about our hands without their hand.toml."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from bar_hands import BarJoint, about_z, bar, bar_hand, solid
from scipy.spatial.transform import Rotation

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.inference.digit_surface import closest_surface_point, palm_surface
from omni_graspd.hands.inference.digits import find_digits
from omni_graspd.hands.inference.hand_inference import infer_grasping
from omni_graspd.hands.inference.palm_inference import infer_palm
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import sample_surface_points
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.library import data_folder
from omni_graspd.metrics.self_penetration import self_penetration_areas
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose, transform_points


def _finger(name: str, angle: float, radius: float = 0.045) -> list[BarJoint]:
    """Two bars on the palm's rim; they stand along +Z at 0 and bend toward the middle for positive positions."""
    inward = (0.0, -1.0, 0.0)
    base = about_z(angle, (radius, 0.0, 0.012))
    return [
        BarJoint(f"{name}_inner", "palm", inward, (-1.0, 1.5), base, bar(0.06)),
        BarJoint(f"{name}_outer", f"{name}_inner", inward, (0.0, 1.6), about_z(0.0, (0.0, 0.0, 0.06)), bar(0.05)),
    ]


def _disc() -> TriangleMesh:
    return solid(trimesh.creation.cylinder(0.055, 0.02, sections=48).subdivide())


@pytest.fixture(scope="module")
def claw() -> Hand:
    """Three fingers on a round palm, its face at z = 10 mm."""
    angles = (0.0, 2.0 * np.pi / 3.0, 4.0 * np.pi / 3.0)
    return bar_hand(
        _disc(), [joint for name, angle in zip("abc", angles, strict=True) for joint in _finger(name, angle)]
    )


def test_balls_rest_on_the_mounts_that_stand_around_a_palm() -> None:
    """On the disc a ball has no room between the fingers' mounts; the approach is in their middle all the same."""
    angles = (0.0, 2.0 * np.pi / 3.0, 4.0 * np.pi / 3.0)
    parts = [trimesh.creation.cylinder(0.055, 0.02, sections=48).subdivide()]
    for angle in angles:
        mount = trimesh.creation.box((0.024, 0.024, 0.03)).subdivide()
        parts.append(
            mount.apply_translation((0.04, 0.0, 0.025)).apply_transform(
                trimesh.transformations.rotation_matrix(angle, (0.0, 0.0, 1.0))
            )
        )
    joints = []
    for name, angle in zip("abc", angles, strict=True):
        inner, outer = _finger(name, angle, radius=0.04)
        joints += [replace(inner, pose=about_z(angle, (0.04, 0.0, 0.045))), outer]
    hand = infer_grasping(bar_hand(solid(trimesh.util.concatenate(parts)), joints))
    assert _degrees(hand.approach_direction, np.array([0.0, 0.0, 1.0])) < 10.0
    np.testing.assert_allclose(hand.approach_point[:2], 0.0, atol=0.012)
    assert 0.005 < hand.approach_point[2] < 0.04


def _tips(hand: Hand) -> np.ndarray:
    poses = link_poses(hand, IDENTITY, hand.joint_positions(hand.open_positions))
    return np.array([transform_points(poses[d.tip_link], d.tip_point[None])[0] for d in find_digits(hand)])


def _degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1.0, 1.0))))


def _self_overlap(hand: Hand) -> float:
    positions = hand.joint_positions(hand.open_positions)[None]
    return float(self_penetration_areas(hand, positions, points=sample_surface_points(hand, 2000))[0])


@pytest.mark.parametrize(
    ("parents", "fixed", "hollow", "palm"),
    [
        ([-1, 0, 1, 2, 3, 3, 3, 4, 5], [], [], 3),  # an arm of three links before the palm
        ([-1, 0, 1, 1, 1], [1], [], 1),  # a mount, and a palm welded on it
        ([-1, 0, 0, 1, 1], [1], [], 0),  # a base with the thumb, and the fingers' plate welded on it
        ([-1, 0, 1, 1, 1], [1], [1], 0),  # the palm link is an empty frame on the base that is drawn
        ([-1, 0, 0, 1, 2, 3, 3, 3, 3], [5, 6, 7, 8], [5, 6, 7, 8], 0),  # frames welded to a fingertip
        ([-1, 0, 0, 1, 1, 1, 2], [], [], 0),  # a metacarpal with three fingers, opposite a thumb
        ([-1, 0, 1, 2, 3, 4], [5], [], 3),  # an arm whose gripper has one jaw, with a plate welded on it
        ([-1, 0, 1, 2, 2, 3], [4], [4, 5], 2),  # the same with frames: one on the palm, one that turns on the jaw
        ([-1, 0, 0], [], [1, 2], 0),  # nothing is drawn but the palm
    ],
)
def test_the_palm_is_the_body_that_all_digits_hang_on(parents, fixed, hollow, palm):
    movable = [k not in fixed and k > 0 for k in range(len(parents))]
    assert infer_palm(parents, movable, [k not in hollow for k in range(len(parents))]) == palm


def test_every_chain_that_ends_in_a_drawn_link_is_a_digit(claw):
    digits = find_digits(claw)
    assert [tuple(claw.links[k].name for k in digit.links) for digit in digits] == [
        ("a_inner", "a_outer"),
        ("b_inner", "b_outer"),
        ("c_inner", "c_outer"),
    ]
    # The tip is the mean of the outer third of the last bar, its end included.
    for digit in digits:
        np.testing.assert_allclose(digit.tip_point, [0.0, 0.0, 0.043], atol=2e-3)
        assert digit.length == pytest.approx(0.06 + 0.043, abs=2e-3)


def test_a_claw_approaches_along_its_axis(claw):
    hand = infer_grasping(claw)
    assert _degrees(hand.approach_direction, np.array([0.0, 0.0, 1.0])) < 6.0
    np.testing.assert_allclose(hand.approach_point, [0.0, 0.0, 0.01], atol=0.012)


def test_the_fingers_of_a_claw_surround_the_ball_in_front_of_the_palm(claw):
    hand = infer_grasping(claw)
    radius = 0.65 * min(digit.length for digit in find_digits(hand))
    center = hand.approach_point + radius * hand.approach_direction
    # Half the thickness of a bar lies between the middle of a tip and the ball.
    distances = np.linalg.norm(_tips(hand) - center, axis=1)
    assert np.all(distances > radius) and np.all(distances < 1.5 * radius)
    azimuths = np.sort(np.arctan2(*(_tips(hand) - center)[:, 1::-1].T))
    np.testing.assert_allclose(np.diff(azimuths), 2.0 * np.pi / 3.0, atol=0.35)
    assert _self_overlap(hand) == 0.0


def test_a_thumb_is_turned_against_the_fingers():
    # The thumb turns about its foot, from beside the fingers to beyond them; it bends where it is turned to.
    turn = BarJoint("turn", "palm", (0.0, 0.0, 1.0), (-0.4, 3.2), about_z(0.0, (0.0, 0.0, 0.0)), bar(0.012))
    reach = BarJoint("thumb", "turn", (0.0, -1.0, 0.0), (-0.6, 1.5), about_z(0.0, (0.045, 0.0, 0.012)), bar(0.06))
    end = BarJoint("tip", "thumb", (0.0, -1.0, 0.0), (0.0, 1.6), about_z(0.0, (0.0, 0.0, 0.06)), bar(0.05))
    hand = infer_grasping(bar_hand(_disc(), [*_finger("a", -0.4), *_finger("b", -0.9), turn, reach, end]))
    fingers, thumb = -0.65, float(hand.open_positions[hand.joint_names.index("turn")])
    assert abs(thumb - (fingers + np.pi)) < 0.5


@pytest.mark.parametrize("coupled", [True, False])
def test_a_gripper_with_two_jaws_opens_fully(coupled):
    palm = trimesh.creation.box((0.12, 0.03, 0.04)).subdivide().subdivide()
    jaws = [
        BarJoint("left", "palm", (1.0, 0.0, 0.0), (0.0, 0.025), about_z(0.0, (0.008, 0.0, 0.02)), bar(0.05)),
        BarJoint("right", "palm", (-1.0, 0.0, 0.0), (0.0, 0.025), about_z(0.0, (-0.008, 0.0, 0.02)), bar(0.05)),
    ]
    for k, jaw in enumerate(jaws):
        jaws[k] = replace(jaw, joint_type="prismatic")
    hand = infer_grasping(bar_hand(solid(palm), jaws, {"right": ("left", 1.0)} if coupled else None))
    assert _degrees(hand.approach_direction, np.array([0.0, 0.0, 1.0])) < 2.0
    np.testing.assert_allclose(hand.approach_point, [0.0, 0.0, 0.02], atol=0.002)
    np.testing.assert_allclose(hand.joint_positions(hand.open_positions), 0.025)


def test_a_hand_without_any_surface_still_opens_within_its_limits():
    nothing = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    # Tips are where the last joints are: at the ends of the inner bars.
    joints = [replace(joint, mesh=nothing) for joint in [*_finger("a", 0.0), *_finger("b", np.pi)]]
    hand = infer_grasping(bar_hand(nothing, joints))
    assert _degrees(hand.approach_direction, np.array([0.0, 0.0, 1.0])) < 15.0
    np.testing.assert_allclose(hand.approach_point, [0.0, 0.0, 0.012], atol=1e-9)
    assert np.all((hand.open_positions >= hand.joint_lower) & (hand.open_positions <= hand.joint_upper))


def test_digits_without_length_are_held_in_mid_range():
    nothing = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    ends = [replace(_finger(name, angle)[0], mesh=nothing) for name, angle in (("a", 0.0), ("b", np.pi))]
    hand = infer_grasping(bar_hand(_disc(), ends))
    np.testing.assert_allclose(hand.open_positions, 0.25)


@pytest.mark.slow
def test_turning_the_palm_frame_turns_what_is_inferred(claw):
    turn = np.array([0.02, -0.05, 0.3, *Rotation.from_rotvec([0.4, -1.1, 0.7]).as_quat()])
    palm = claw.links[0].mesh
    links = [replace(claw.links[0], mesh=TriangleMesh(transform_points(turn, palm.vertices), palm.faces))]
    for link in claw.links[1:]:
        links.append(replace(link, T_parent_joint=compose(turn, link.T_parent_joint)) if link.parent == 0 else link)
    plain, turned = infer_grasping(claw), infer_grasping(replace(claw, links=tuple(links)))
    rotation = Rotation.from_quat(turn[3:])
    assert _degrees(turned.approach_direction, rotation.apply(plain.approach_direction)) < 1.0
    np.testing.assert_allclose(turned.approach_point, transform_points(turn, plain.approach_point[None])[0], atol=1e-3)
    np.testing.assert_allclose(turned.open_positions, plain.open_positions, atol=0.05)


@pytest.mark.slow
def test_a_hand_twice_as_large_is_held_the_same_way(claw):
    links = []
    for link in claw.links:
        pose = np.concatenate([2.0 * link.T_parent_joint[:3], link.T_parent_joint[3:]])
        mesh = TriangleMesh(2.0 * link.mesh.vertices, link.mesh.faces)
        links.append(replace(link, T_parent_joint=pose, mesh=mesh))
    plain, large = infer_grasping(claw), infer_grasping(replace(claw, links=tuple(links)))
    assert _degrees(large.approach_direction, plain.approach_direction) < 1.0
    np.testing.assert_allclose(large.approach_point, 2.0 * plain.approach_point, atol=2e-3)
    np.testing.assert_allclose(large.open_positions, plain.open_positions, atol=0.05)


@pytest.mark.slow
def test_the_order_of_links_and_joints_does_not_matter(claw):
    angles = {"a": 0.0, "b": 2.0 * np.pi / 3.0, "c": 4.0 * np.pi / 3.0}
    other = infer_grasping(bar_hand(_disc(), [joint for name in "cab" for joint in _finger(name, angles[name])]))
    plain = infer_grasping(claw)
    assert _degrees(other.approach_direction, plain.approach_direction) < 1.0
    np.testing.assert_allclose(other.approach_point, plain.approach_point, atol=1e-3)
    plain_positions = dict(zip(plain.joint_names, plain.open_positions, strict=True))
    expected = [plain_positions[name] for name in other.joint_names]
    np.testing.assert_allclose(other.open_positions, expected, atol=0.05)


@pytest.fixture(scope="module", params=["allegro", "barrett", "shadow"])
def bare_and_tuned(request, tmp_path_factory) -> tuple[Hand, Hand]:
    """A built-in hand without its hand.toml, and with it."""
    folder = tmp_path_factory.mktemp("bare")
    shutil.copy(data_folder() / "hands" / request.param / f"{request.param}.usda", folder)
    return read_hand(folder / f"{request.param}.usda"), load_hand(request.param)


@pytest.mark.slow
def test_our_hands_approach_as_their_settings_say(bare_and_tuned):
    bare, tuned = bare_and_tuned
    assert bare.links[0].name == tuned.links[0].name
    assert _degrees(bare.approach_direction, tuned.approach_direction) < 10.0
    np.testing.assert_allclose(bare.approach_point, tuned.approach_point, atol=0.03)
    on_palm, _ = closest_surface_point(palm_surface(bare), bare.approach_point)
    np.testing.assert_allclose(on_palm, bare.approach_point, atol=1e-6)


@pytest.mark.slow
def test_our_hands_open_without_overlap_and_with_opposed_digits(bare_and_tuned):
    bare, _ = bare_and_tuned
    # The palm and fingers of our hands are modelled with hinges that reach a little into each other.
    assert _self_overlap(bare) < 1e-5
    positions = bare.joint_positions(bare.open_positions)
    assert np.all((positions >= bare.joint_lower - 1e-9) & (positions <= bare.joint_upper + 1e-9))
    from_axis = _tips(bare) - bare.approach_point
    sideways = from_axis - np.outer(from_axis @ bare.approach_direction, bare.approach_direction)
    unit = sideways / np.linalg.norm(sideways, axis=1, keepdims=True)
    # Seen along the approach, some digit faces another from at least 110 degrees.
    assert (unit @ unit.T).min() < np.cos(np.radians(110.0))


@pytest.mark.slow
def test_what_hand_toml_says_is_kept_and_the_rest_inferred(tmp_path):
    shutil.copy(data_folder() / "hands" / "barrett" / "barrett.usda", tmp_path)
    inferred = read_hand(tmp_path / "barrett.usda")
    settings = "approach_point = [0, 0, 0.0792]\n[open_positions]\nfinger_1_spread_joint = 0.25\n"
    (tmp_path / "hand.toml").write_text(settings)
    hand = read_hand(tmp_path / "barrett.usda")
    np.testing.assert_allclose(hand.approach_point, [0.0, 0.0, 0.0792])
    np.testing.assert_allclose(hand.approach_direction, inferred.approach_direction)
    assert hand.open_positions[0] == 0.25
    assert hand.open_positions[1] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("shadow", [0.0, 1.0, 0.0]),
        # A palm of two plates: the point must not lie between them.
        ("allegro", [-1.0, 0.0, 0.0]),
    ],
)
def test_a_given_direction_decides_on_which_side_of_the_palm_the_point_lies(tmp_path, name, direction):
    shutil.copy(data_folder() / "hands" / name / f"{name}.usda", tmp_path)
    (tmp_path / "hand.toml").write_text(f"approach_direction = {direction}\n")
    hand = read_hand(tmp_path / f"{name}.usda")
    np.testing.assert_allclose(hand.approach_direction, direction)
    assert hand.approach_point @ direction > 0.0
