# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A posed hand on a stage shows the links where forward kinematics puts them."""

from __future__ import annotations

import numpy as np
import pytest
from pxr import UsdGeom, UsdPhysics

from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.posed_hand import author_posed_hand, posed_mesh
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.usd.meshes import read_meshes_below
from omni_graspd.usd.stage import create_stage

# A pincer in centimetres, Y up: nested bodies, the palm scaled and turned, a forearm that is not part of the hand.
_TETRAHEDRON = """
                int[] faceVertexCounts = [3, 3, 3, 3]
                int[] faceVertexIndices = [0, 2, 1, 0, 1, 3, 1, 2, 3, 0, 3, 2]
                point3f[] points = [(0, 0, 0), (2, 0, 0), (0, 3, 0), (0, 0, 4)]"""
_PINCER = f"""#usda 1.0
(
    defaultPrim = "pincer"
    metersPerUnit = 0.01
    upAxis = "Y"
)
def Xform "pincer" (prepend apiSchemas = ["PhysicsArticulationRootAPI"])
{{
    double3 xformOp:translate = (7, 0, 0)
    uniform token[] xformOpOrder = ["xformOp:translate"]
    def Xform "forearm" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
    {{
        def Mesh "shape" {{{_TETRAHEDRON}
        }}
        def Xform "palm" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
        {{
            double3 xformOp:translate = (0, 10, 0)
            float xformOp:rotateY = 90
            float3 xformOp:scale = (2, 2, 2)
            uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:rotateY", "xformOp:scale"]
            def Mesh "shape" (prepend apiSchemas = ["PhysicsCollisionAPI"]) {{{_TETRAHEDRON}
            }}
            def Xform "left" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
            {{
                def Mesh "shape" {{{_TETRAHEDRON}
                }}
            }}
            def Xform "right" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
            {{
                def Mesh "shape" {{{_TETRAHEDRON}
                }}
            }}
        }}
    }}
    def PhysicsFixedJoint "wrist"
    {{
        rel physics:body0 = </pincer/forearm>
        rel physics:body1 = </pincer/forearm/palm>
    }}
    def PhysicsRevoluteJoint "left_joint"
    {{
        rel physics:body0 = </pincer/forearm/palm>
        rel physics:body1 = </pincer/forearm/palm/left>
        uniform token physics:axis = "X"
        float physics:lowerLimit = 0
        float physics:upperLimit = 90
    }}
    def PhysicsPrismaticJoint "right_joint"
    {{
        rel physics:body0 = </pincer/forearm/palm>
        rel physics:body1 = </pincer/forearm/palm/right>
        uniform token physics:axis = "Z"
        float physics:lowerLimit = 0
        float physics:upperLimit = 5
    }}
}}
"""
_POSE = np.array([0.1, -0.2, 0.3, 0.5, 0.5, -0.5, 0.5])
_JOINTS = np.array([0.7, 0.03])


@pytest.fixture
def pincer(tmp_path):
    path = tmp_path / "pincer.usda"
    path.write_text(_PINCER)
    return read_hand(path)


def test_each_link_is_drawn_where_forward_kinematics_puts_it(pincer):
    stage = create_stage("World")
    author_posed_hand(stage, "/World/Hand", pincer, _POSE, _JOINTS)
    root = stage.GetDefaultPrim()
    expected = posed_mesh(pincer, _POSE, _JOINTS)
    drawn = read_meshes_below(root)
    # The forearm comes first on the stage; the hand's own links follow in stage order.
    forearm_count = len(drawn.vertices) - len(expected.vertices)
    assert forearm_count == 4
    np.testing.assert_allclose(drawn.vertices[forearm_count:], expected.vertices, atol=1e-7)


def test_the_forearm_keeps_its_place_relative_to_the_palm(pincer):
    stage = create_stage("World")
    author_posed_hand(stage, "/World/Hand", pincer, _POSE, _JOINTS)
    cache = UsdGeom.XformCache()
    forearm, palm = (
        np.array(cache.GetLocalToWorldTransform(stage.GetPrimAtPath(f"/World/Hand/forearm{name}"))).T
        for name in ("", "/palm")
    )
    np.testing.assert_allclose(np.linalg.norm(forearm[:3, 3] - palm[:3, 3]), 0.1, atol=1e-9)


def test_the_merged_mesh_follows_the_link_poses(pincer):
    mesh = posed_mesh(pincer, _POSE, _JOINTS)
    poses = link_poses(pincer, _POSE, _JOINTS)
    # The first vertex of each link is the link's origin.
    np.testing.assert_allclose(mesh.vertices[::4], poses[:, :3], atol=1e-9)


def test_a_posed_hand_has_no_physics(pincer):
    stage = create_stage("World")
    author_posed_hand(stage, "/World/Hand", pincer, _POSE, _JOINTS)
    bodies = [p for p in stage.Traverse() if p.HasAPI(UsdPhysics.RigidBodyAPI)]
    joints = [p for p in stage.Traverse() if p.IsA(UsdPhysics.Joint)]
    colliders = [p for p in stage.Traverse() if p.HasAPI(UsdPhysics.CollisionAPI)]
    assert (len(bodies), len(joints), len(colliders)) == (4, 3, 1)
    assert not any(UsdPhysics.RigidBodyAPI(p).GetRigidBodyEnabledAttr().Get() for p in bodies)
    assert not any(UsdPhysics.Joint(p).GetJointEnabledAttr().Get() for p in joints)
    assert not any(UsdPhysics.CollisionAPI(p).GetCollisionEnabledAttr().Get() for p in colliders)
