# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes that are there when a dataset grows: what they lack, and where their objects lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pxr import Usd

from omni_graspd.dataset.run import Run
from omni_graspd.dataset.tables import row_count
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.clutter import Neighbour
from omni_graspd.scenes.scene_writer import OBJECT_PATH, neighbour_path
from omni_graspd.usd.stage import open_stage


def lacks_grasps_or_views(run: Run, object_name: str, scene_index: int) -> bool:
    """Tell whether a scene that is there was made for fewer grasps, hands or views than the run asks for."""
    grasps = run.config.grasps * len(run.hands)
    if row_count(run.layout.scene_grasps(object_name, scene_index)) < grasps:
        return True
    # Not opened as a stage: that would take a hundred times as long, and most runs have nothing to add.
    last_view = f'"view_{run.config.camera.views - 1:04d}"'
    text = run.layout.scene(object_name, scene_index).read_text(encoding="utf-8")
    return run.config.camera.views > 0 and last_view not in text


def read_rest(run: Run, object_name: str, scene_index: int) -> tuple[np.ndarray, tuple[Neighbour, ...]]:
    """Return where the objects of a scene lie, bit by bit as they were written.

    Returns:
        T_world_object of the grasped object, shape [7], and its neighbours.
    """
    stage = open_stage(run.layout.scene(object_name, scene_index))
    return _pose(stage.GetPrimAtPath(OBJECT_PATH)), tuple(_neighbours(stage, {obj.name: obj for obj in run.objects}))


def _neighbours(stage: Usd.Stage, objects: dict[str, RigidObject]) -> Iterator[Neighbour]:
    number = 0
    while prim := stage.GetPrimAtPath(neighbour_path(number)):
        spec = stage.GetRootLayer().GetPrimAtPath(prim.GetPath())
        name = Path(spec.referenceList.GetAddedOrExplicitItems()[0].assetPath).stem
        yield Neighbour(objects[name], _pose(prim))
        number += 1


def _pose(prim: Usd.Prim) -> np.ndarray:
    translate, orient = (prim.GetAttribute(f"xformOp:{name}").Get() for name in ("translate", "orient"))
    return np.array([*translate, *orient.GetImaginary(), orient.GetReal()], dtype=np.float64)
