# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which bodies of a stage move freely."""

from __future__ import annotations

from pxr import Usd, UsdGeom, UsdPhysics

from omni_graspd.scenes.motion_record import dynamic_bodies


def test_links_of_an_articulation_are_none_of_them():
    stage = Usd.Stage.CreateInMemory()
    for path in ("/World/robot/base", "/World/robot/finger", "/World/cup"):
        UsdPhysics.RigidBodyAPI.Apply(UsdGeom.Cube.Define(stage, path).GetPrim())
    assert len(dynamic_bodies(stage)) == 3
    UsdPhysics.ArticulationRootAPI.Apply(stage.GetPrimAtPath("/World/robot"))
    assert dynamic_bodies(stage) == ("/World/cup",)
