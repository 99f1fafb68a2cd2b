# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What lies where in the scene files of a dataset, bit by bit as it was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Gf, Sdf

from omni_graspd.errors import GraspdError
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.clutter import Neighbour
from omni_graspd.scenes.scene_writer import OBJECT_PATH, neighbour_path
from omni_graspd.usd.stage import open_layer


def read_rest(scene: Path, objects: Sequence[RigidObject]) -> tuple[np.ndarray, tuple[Neighbour, ...]]:
    """Return where the objects of a scene lie.

    Args:
        scene: Its USD file.
        objects: Those of the run, or fewer, among which are its neighbours.

    Returns:
        T_world_object of the grasped object, shape [7], and its neighbours.

    Raises:
        GraspdError: If the file is missing or is no such scene.
    """
    layer = open_layer(scene)
    return _pose(layer, scene, OBJECT_PATH), tuple(_neighbours(layer, scene, {obj.name: obj for obj in objects}))


def read_rest_pose(scene: Path) -> np.ndarray:
    """Return T_world_object of the grasped object of a scene, shape [7]; half a millisecond.

    Raises:
        GraspdError: If the file is missing or is no such scene.
    """
    return _pose(open_layer(scene), scene, OBJECT_PATH)


def neighbour_names(scene: Path) -> tuple[str, ...]:
    """Return the names of the objects that lie around the grasped one in a scene, each once.

    Raises:
        GraspdError: If the file is missing.
    """
    return tuple(dict.fromkeys(_neighbour_names(open_layer(scene), scene)))


def _neighbours(layer: Sdf.Layer, scene: Path, objects: dict[str, RigidObject]) -> Iterator[Neighbour]:
    for number, name in enumerate(_neighbour_names(layer, scene)):
        if name not in objects:
            raise GraspdError(
                f"expected objects of the run around the grasped one in {scene}, got {name!r}; delete the file and run "
                "`graspd settle` with the same options again"
            )
        yield Neighbour(objects[name], _pose(layer, scene, neighbour_path(number)))


def _neighbour_names(layer: Sdf.Layer, scene: Path) -> Iterator[str]:
    number = 0
    while spec := layer.GetPrimAtPath(neighbour_path(number)):
        references = spec.referenceList.GetAddedOrExplicitItems()
        if not references:
            raise GraspdError(
                f"{scene} has no object at {spec.path}; delete the file and run `graspd settle` with the same options "
                "again"
            )
        yield Path(references[0].assetPath).stem
        number += 1


def _pose(layer: Sdf.Layer, scene: Path, prim_path: str) -> np.ndarray:
    spec = layer.GetPrimAtPath(prim_path)
    ops = (spec and spec.attributes.get(f"xformOp:{name}") for name in ("translate", "orient"))
    values: list[Any] = [op.default if op else None for op in ops]
    translate, orient = values
    # Values of a type that OpenUSD does not know come as they stand in the file.
    if not isinstance(translate, Gf.Vec3d | Gf.Vec3f) or not isinstance(orient, Gf.Quatd | Gf.Quatf):
        raise GraspdError(
            f"{scene} has no {prim_path} with a pose; delete the file and run `graspd settle` with the same options "
            "again"
        )
    return np.array([*translate, *orient.GetImaginary(), orient.GetReal()], dtype=np.float64)
