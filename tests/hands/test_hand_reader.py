# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Reading articulations that are not ours: nested bodies, centimetres, Y up, prismatic and mimic joints."""

from __future__ import annotations

import math

import numpy as np
import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.usd.transforms import IDENTITY, transform_points

# A palm above a wrist, a finger of two coupled revolute joints, and a sliding thumb whose joint points at its parent.
_GRIPPER = """#usda 1.0
(
    defaultPrim = "gripper"
    metersPerUnit = 0.01
    upAxis = "Y"
)
def Xform "gripper" (prepend apiSchemas = ["PhysicsArticulationRootAPI"])
{
    def Xform "wrist" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
    {
        def Xform "palm" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
        {
            float physics:mass = 0.5
            double3 xformOp:translate = (0, 10, 0)
            uniform token[] xformOpOrder = ["xformOp:translate"]
            def Mesh "shape"
            {
                int[] faceVertexCounts = [3, 3, 3, 3]
                int[] faceVertexIndices = [0, 2, 1, 0, 1, 3, 1, 2, 3, 0, 3, 2]
                point3f[] points = [(0, 0, 0), (4, 0, 0), (0, 4, 0), (0, 0, 4)]
                double3 xformOp:scale = (2, 2, 2)
                uniform token[] xformOpOrder = ["xformOp:scale"]
            }
            def Xform "finger" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
            {
                double3 xformOp:translate = (3, 0, 0)
                uniform token[] xformOpOrder = ["xformOp:translate"]
                def Xform "tip" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
                {
                    double3 xformOp:translate = (5, 0, 0)
                    uniform token[] xformOpOrder = ["xformOp:translate"]
                }
            }
            def Xform "thumb" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
            {
                double3 xformOp:translate = (0, 0, 2)
                uniform token[] xformOpOrder = ["xformOp:translate"]
            }
        }
    }
    def PhysicsFixedJoint "world_anchor"
    {
        rel physics:body1 = </gripper/wrist>
    }
    def PhysicsRevoluteJoint "wrist_joint"
    {
        rel physics:body0 = </gripper/wrist>
        rel physics:body1 = </gripper/wrist/palm>
        point3f physics:localPos0 = (0, 10, 0)
        uniform token physics:axis = "X"
    }
    def PhysicsRevoluteJoint "finger_joint"
    {
        rel physics:body0 = </gripper/wrist/palm>
        rel physics:body1 = </gripper/wrist/palm/finger>
        point3f physics:localPos0 = (3, 0, 0)
        uniform token physics:axis = "Z"
        float physics:lowerLimit = -10
        float physics:upperLimit = 90
    }
    def PhysicsRevoluteJoint "tip_joint" (prepend apiSchemas = ["PhysxMimicJointAPI:rotZ"])
    {
        rel physics:body0 = </gripper/wrist/palm/finger>
        rel physics:body1 = </gripper/wrist/palm/finger/tip>
        point3f physics:localPos0 = (5, 0, 0)
        uniform token physics:axis = "Z"
        float physics:lowerLimit = -90
        float physics:upperLimit = 90
        rel physxMimicJoint:rotZ:referenceJoint = </gripper/finger_joint>
        float physxMimicJoint:rotZ:gearing = -0.5
        float physxMimicJoint:rotZ:offset = -6
    }
    def PhysicsPrismaticJoint "thumb_joint"
    {
        rel physics:body0 = </gripper/wrist/palm/thumb>
        rel physics:body1 = </gripper/wrist/palm>
        point3f physics:localPos1 = (0, 0, 2)
        uniform token physics:axis = "Y"
        float physics:lowerLimit = 0
        float physics:upperLimit = 3
    }
}
"""


@pytest.fixture
def gripper_file(tmp_path):
    path = tmp_path / "gripper.usda"
    path.write_text(_GRIPPER)
    return path


def test_the_palm_is_where_digits_branch_and_the_wrist_is_left_out(gripper_file):
    hand = read_hand(gripper_file)
    assert [link.name for link in hand.links] == ["palm", "finger", "tip", "thumb"]
    assert [link.parent for link in hand.links] == [-1, 0, 1, 0]
    assert hand.joint_names == ("finger_joint", "tip_joint", "thumb_joint")


def test_limits_and_lengths_are_radians_and_metres(gripper_file):
    hand = read_hand(gripper_file)
    np.testing.assert_allclose(hand.joint_lower, [math.radians(-10), math.radians(-90), 0.0], atol=1e-7)
    np.testing.assert_allclose(hand.joint_upper, [math.radians(90), math.radians(90), 0.03], atol=1e-7)
    palm = hand.links[0]
    np.testing.assert_allclose(palm.mesh.vertices.max(axis=0), [0.08, 0.08, 0.08])
    assert palm.mass == 0.5
    assert len(hand.links[1].mesh.faces) == 0


def test_mimic_joints_become_the_coupling(gripper_file):
    hand = read_hand(gripper_file)
    np.testing.assert_array_equal(hand.actuated, [0, 2])
    positions = hand.joint_positions(np.array([0.4, 0.01]))
    np.testing.assert_allclose(positions, [0.4, 0.5 * 0.4 + math.radians(6.0), 0.01], atol=1e-7)


def test_links_move_as_the_joints_say(gripper_file):
    hand = read_hand(gripper_file)
    angle, follow = 0.3, 0.15 + math.radians(6.0)
    poses = link_poses(hand, IDENTITY, hand.joint_positions(np.array([angle, 0.02])))
    tip = transform_points(poses[2], np.array([[0.02, 0.0, 0.0]]))[0]
    expected = np.array([0.03, 0.0, 0.0])
    expected[:2] += 0.05 * np.array([math.cos(angle), math.sin(angle)])
    expected[:2] += 0.02 * np.array([math.cos(angle + follow), math.sin(angle + follow)])
    np.testing.assert_allclose(tip, expected, atol=1e-7)
    # The thumb's joint names the palm second: moving the palm along +Y of the thumb moves the thumb along -Y.
    np.testing.assert_allclose(poses[3][:3], [0.0, -0.02, 0.02], atol=1e-7)


def test_settings_beside_the_file_override_what_is_inferred(gripper_file):
    (gripper_file.parent / "hand.toml").write_text(
        'palm = "palm"\napproach_direction = [0, 2, 0]\napproach_point = [0, 0.01, 0]\nexcluded_links = ["thumb"]\n'
        "[open_positions]\nfinger_joint = 0.2\n"
    )
    hand = read_hand(gripper_file)
    assert [link.name for link in hand.links] == ["palm", "finger", "tip"]
    np.testing.assert_allclose(hand.approach_direction, [0, 1, 0])
    np.testing.assert_allclose(hand.open_positions, [0.2])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('palm = "plam"', "expected a link .* 'plam'; links: wrist, palm, finger, tip, thumb"),
        ("[open_positions]\nknuckle = 0.1", "'knuckle'; joints: finger_joint, tip_joint, thumb_joint"),
        ("[open_positions]\nfinger_joint = 3.0", "within -0.1745 to 1.571, got 3"),
        ("aproach_point = [0, 0, 0]", "expected the keys .* got aproach_point"),
        ("approach_point = [0, 0]", "three finite numbers"),
        ("palm = ", "TOML"),
        ("palm = 3", "expected palm .* to be a link's name, got 3"),
        ("excluded_links = 5", "expected excluded_links .* to be a list of link names, got 5"),
        ('excluded_links = "thumb"', "list of link names, got 'thumb'"),
        ("excluded_links = [1]", "list of link names, got"),
        ('palm = "palm"\nexcluded_links = ["palm"]', "'palm', the palm, .* excluded_links"),
        ('excluded_links = ["palm"]', "'palm', the palm, .* excluded_links"),
        ("approach_direction = [nan, 0, 1]", "three finite numbers, got"),
        ("approach_point = [0, inf, 1]", "three finite numbers, got"),
        ("approach_point = [true, 0, 1]", "three finite numbers, got"),
        ("open_positions = 1", "joint = finite number, got 1"),
        ("[open_positions]\nfinger_joint = true", "joint = finite number, got"),
        ("[open_positions]\nfinger_joint = nan", "joint = finite number, got"),
    ],
)
def test_wrong_settings_are_one_line_with_the_valid_names(gripper_file, settings, message):
    (gripper_file.parent / "hand.toml").write_text(settings)
    with pytest.raises(GraspdError, match=message) as error:
        read_hand(gripper_file)
    assert "\n" not in str(error.value)


def test_an_axis_that_is_none_is_refused(gripper_file):
    text = gripper_file.read_text()
    gripper_file.write_text(text.replace('physics:axis = "Z"', 'physics:axis = "W"', 1))
    with pytest.raises(GraspdError, match=r"expected the axis of /gripper/\S+ in .* to be X, Y or Z, got 'W'; set it"):
        read_hand(gripper_file)


def test_a_file_without_joints_is_refused(tmp_path):
    path = tmp_path / "rock.usda"
    path.write_text('#usda 1.0\n(defaultPrim = "rock")\ndef Xform "rock" {}\n')
    with pytest.raises(GraspdError, match="no joint between rigid bodies"):
        read_hand(path)


# A rod from the wrist to the fingertip closes a loop of bodies.
_LOOP_JOINT = """
    def PhysicsRevoluteJoint "rod_joint"
    {
        rel physics:body0 = </gripper/wrist>
        rel physics:body1 = </gripper/wrist/palm/finger/tip>
        uniform token physics:axis = "Z"
        EXCLUDED
    }
    def PhysicsRevoluteJoint "finger_joint"
"""


def _write_loop(gripper_file, excluded: str) -> None:
    loop = _LOOP_JOINT.replace("EXCLUDED", excluded).strip("\n")
    gripper_file.write_text(_GRIPPER.replace('    def PhysicsRevoluteJoint "finger_joint"', loop))


def test_joints_excluded_from_the_articulation_are_no_part_of_the_tree(gripper_file):
    plain = read_hand(gripper_file)
    _write_loop(gripper_file, "uniform bool physics:excludeFromArticulation = true")
    hand = read_hand(gripper_file.rename(gripper_file.with_name("looped.usda")))
    assert hand.joint_names == plain.joint_names
    assert [link.parent for link in hand.links] == [link.parent for link in plain.links]


def test_a_joint_within_one_body_closes_no_loop(gripper_file):
    names = read_hand(gripper_file).joint_names
    joint = _LOOP_JOINT[: _LOOP_JOINT.rindex("    def")].replace("EXCLUDED", "")
    joint = joint.replace("</gripper/wrist/palm/finger/tip>", "</gripper/wrist>")
    gripper_file.with_name("within.usda").write_text(_GRIPPER.rstrip().removesuffix("}") + joint + "}\n")
    assert read_hand(gripper_file.with_name("within.usda")).joint_names == names


def test_a_loop_of_joints_is_refused_with_the_remedy(gripper_file):
    _write_loop(gripper_file, "")
    with pytest.raises(GraspdError, match=r"a tree of joints .*_joint.*set physics:excludeFromArticulation") as error:
        read_hand(gripper_file)
    assert "\n" not in str(error.value)


def test_an_unknown_name_lists_the_built_in_hands():
    with pytest.raises(GraspdError, match=r"got 'alegro'.*allegro"):
        load_hand("alegro")


def test_transforms_and_points_with_time_samples_only_are_read_at_the_start(gripper_file):
    still = read_hand(gripper_file)
    text = _GRIPPER.replace(
        "double3 xformOp:scale = (2, 2, 2)",
        "double3 xformOp:scale.timeSamples = {5: (2, 2, 2), 9: (3, 3, 3)}",
    )
    text = text.replace("point3f[] points = [", "point3f[] points.timeSamples = {5: [").replace(
        "(0, 0, 4)]", "(0, 0, 4)]}"
    )
    moving = gripper_file.with_name("moving.usda")
    moving.write_text(text.replace("metersPerUnit", "startTimeCode = 5\n    metersPerUnit"))
    np.testing.assert_allclose(read_hand(moving).links[0].mesh.vertices, still.links[0].mesh.vertices)


def test_a_point_instancer_on_a_link_is_refused_by_name(gripper_file):
    instancer = 'def PointInstancer "screws"\n            {\n            }\n            def Mesh "shape"'
    gripper_file.write_text(_GRIPPER.replace('def Mesh "shape"', instancer))
    with pytest.raises(GraspdError, match=r"PointInstancer /gripper/wrist/palm/screws; make its copies meshes"):
        read_hand(gripper_file)
