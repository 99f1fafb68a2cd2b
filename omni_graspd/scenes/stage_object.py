# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""An object on someone's stage: the body that a prim belongs to, and where it stands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pxr import Usd, UsdGeom, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.objects.object_name import name_from_path
from omni_graspd.objects.object_reader import ObjectReaderConfig, read_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.prim_export import prim_layer
from omni_graspd.usd.stage import save_layer
from omni_graspd.user_folders import cache_folder


@dataclass(frozen=True, eq=False)
class StageObject:
    """An object that stands on a stage."""

    prim_path: str
    """Its prim."""
    rigid: RigidObject
    """The object, in a frame that the prim has without its scale."""
    T_world_object: np.ndarray
    """Where it stands in the stage's world frame [m], shape [7]."""


def read_stage_object(stage: Usd.Stage, path: str, config: ObjectReaderConfig | None = None) -> StageObject:
    """Read the object that a prim belongs to, as it is composed on the stage, in real size.

    Args:
        stage: The stage; it is not changed.
        path: The object's prim or one below it, as a click in a viewport selects it.
        config: Assumptions and limits of reading objects.

    Raises:
        GraspdError: If there is no such prim, or it is not one solid object.
    """
    prim = body_of(stage, path)
    file, T_world_object = kept_copy(stage, str(prim.GetPath()))
    return StageObject(str(prim.GetPath()), read_object(file, config), T_world_object)


def body_of(stage: Usd.Stage, path: str) -> Usd.Prim:
    """Return what moves with a prim: the rigid body at or above it, else the prim itself, out of any instance.

    Raises:
        GraspdError: If there is no such prim.
    """
    prim = stage.GetPrimAtPath(path)
    if not prim or prim.IsPseudoRoot():
        raise GraspdError(f"expected a prim of the stage, got {path!r}; select the object on the stage")
    while prim.IsInstanceProxy():
        prim = prim.GetParent()
    above = prim
    while above and not above.IsPseudoRoot():
        if above.HasAPI(UsdPhysics.RigidBodyAPI):
            return above
        above = above.GetParent()
    if not prim.IsA(UsdGeom.Xformable):
        raise GraspdError(
            f"expected an object, got {path}, a {prim.GetTypeName() or 'prim'}; select a mesh or its parent"
        )
    return prim


def kept_copy(stage: Usd.Stage, path: str) -> tuple[Path, np.ndarray]:
    """Write a prim as a file into the user's cache, named after it, and return the file and where it stands [m].

    Equal content gives the same file, so that datasets made from it can be resumed.

    Args:
        stage: The stage.
        path: The prim.

    Raises:
        GraspdError: If there is no such prim, it cannot be moved, or the file cannot be written.
    """
    layer, T_world_prim = prim_layer(stage, path)
    digest = hashlib.sha256(layer.ExportToString().encode()).hexdigest()[:16]
    file = cache_folder("stage") / digest / f"{name_from_path(Path(path))}.usdc"
    if not file.is_file():
        save_layer(layer, file)
    return file, T_world_prim
