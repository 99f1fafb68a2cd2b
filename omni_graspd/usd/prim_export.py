# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One prim of an open stage as a layer of its own, as it is composed there."""

from __future__ import annotations

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.usd.transforms import local_to_world, matrix_to_pose


def prim_layer(stage: Usd.Stage, path: str) -> tuple[Sdf.Layer, np.ndarray]:
    """Return a prim and what is below it as a layer whose frame is the prim's own, without its scale.

    It is as the open stage composes it: references, variants, unsaved edits, and what came from a server. The
    materials that it uses come along. What its textures are called stays, absolute where it was relative.

    Args:
        stage: The stage; it is not changed.
        path: The prim; it can be moved, and is not inside an instance.

    Returns:
        The layer, and where its frame is on the stage: its pose in the stage's world frame [m], shape [7].

    Raises:
        GraspdError: If there is no such prim, or it cannot be moved.
    """
    prim = stage.GetPrimAtPath(path)
    if not prim or not prim.IsA(UsdGeom.Xformable) or prim.IsInstanceProxy():
        raise GraspdError(f"expected a prim with a transform and not inside an instance, got {path}; select its parent")
    _, stretch = _rigid_and_stretch(local_to_world(prim), path)
    layer = _flattened(stage, prim.GetPath())
    alone = Usd.Stage.Open(layer)
    # What a stage does not state is centimetres, but a file that does not state it is guessed.
    UsdGeom.SetStageMetersPerUnit(alone, UsdGeom.GetStageMetersPerUnit(stage))
    UsdGeom.SetStageUpAxis(alone, UsdGeom.Tokens.z)
    for above in prim.GetPath().GetParentPath().GetPrefixes():
        _stay(alone.GetPrimAtPath(above))
    UsdGeom.Xformable(alone.GetPrimAtPath(path)).MakeMatrixXform().Set(Gf.Matrix4d(stretch.T))
    layer.documentation = ""
    return layer, standing_pose(prim)


def standing_pose(prim: Usd.Prim) -> np.ndarray:
    """Return where a prim stands in the world of its stage, without its scale [m], shape [7].

    Raises:
        GraspdError: If it is flat along an axis.
    """
    rigid, _ = _rigid_and_stretch(local_to_world(prim), str(prim.GetPath()))
    pose = matrix_to_pose(rigid)
    pose[:3] *= UsdGeom.GetStageMetersPerUnit(prim.GetStage())
    return pose


def _flattened(stage: Usd.Stage, path: Sdf.Path) -> Sdf.Layer:
    """Flatten what is at and below a prim, with its materials."""
    mask = Usd.StagePopulationMask([path])
    masked = Usd.Stage.OpenMasked(stage.GetRootLayer(), stage.GetSessionLayer(), mask)
    masked.ExpandPopulationMask(lambda rel: rel.GetName().startswith("material:binding"), lambda attr: False)
    layer = masked.Flatten()
    layer.ClearDefaultPrim()  # all that is there is the prim
    return layer


def _rigid_and_stretch(matrix: np.ndarray, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Split a local-to-world matrix into where the prim stands and how it is stretched, both [4, 4]."""
    left, sizes, right = np.linalg.svd(matrix[:3, :3])
    if sizes.min() < 1e-12 * max(sizes.max(), 1e-300):
        raise GraspdError(f"expected {path} to have a size, but its scale is 0 along an axis; mend the scale")
    rotation = left @ right
    if np.linalg.det(rotation) < 0.0:  # a mirror belongs to the stretch
        rotation = -rotation
    rigid, stretch = np.eye(4), np.eye(4)
    rigid[:3, :3], rigid[:3, 3] = rotation, matrix[:3, 3]
    stretch[:3, :3] = rotation.T @ matrix[:3, :3]
    return rigid, stretch


def _stay(prim: Usd.Prim) -> None:
    """Take the transform off a prim above: what it did is in the matrix of the exported one."""
    if prim.IsA(UsdGeom.Xformable):
        UsdGeom.Xformable(prim).SetXformOpOrder([])
