# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes that are read again and simulated stay as they are, also where the object is round."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from pxr import UsdPhysics

from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.resting_pieces import write_resting_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.drop import Drop, DropConfig, drop_objects
from omni_graspd.scenes.scene_writer import OBJECT_PATH, SceneConfig, author_scene
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.stage import open_stage, save_stage
from omni_graspd.usd.transforms import transform_points


def _moved_when_woken(obj: RigidObject, drop: Drop, folder: Path) -> float:
    """Write a scene, read it, wake the object, simulate, and return how far the farthest vertex got [m]."""
    usd, path = folder / "objects" / f"{obj.name}.usd", folder / "scenes" / obj.name / "scene_0000.usda"
    save_stage(author_scene(path, usd, obj, drop.T_world_object, 0, SceneConfig(), 0), path)
    stage = open_stage(path)
    UsdPhysics.RigidBodyAPI(stage.GetPrimAtPath(OBJECT_PATH)).GetStartsAsleepAttr().Set(False)
    poses = asyncio.run(simulate(stage, SimulateConfig(max_time=2.0, rest_time=np.inf))).poses[:, 0]
    points = [transform_points(pose, obj.mesh.vertices) for pose in poses[::10]]
    return max(float(np.linalg.norm(moved - points[0], axis=1).max()) for moved in points)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["soup_can", "baseball", "apple", "mug"])
def test_object_that_is_woken_moves_less_than_a_millimetre(name: str, tmp_path: Path):
    obj = load_object(name)
    write_resting_object(obj, tmp_path / "objects" / f"{name}.usd")
    drops = asyncio.run(drop_objects(obj, range(4), DropConfig(), 0, simulate))
    assert max(_moved_when_woken(obj, drop, tmp_path) for drop in drops) < 1e-3
