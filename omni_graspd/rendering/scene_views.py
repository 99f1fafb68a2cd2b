# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras and labels for scenes that were not made here; all that is added lies in the stage's session layer."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
from pxr import Kind, Usd, UsdGeom, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.cameras import CameraConfig, author_rig, random_view, read_camera_rigs
from omni_graspd.rendering.drawn_prims import DrawnPrim, drawn_prims
from omni_graspd.rendering.frame import CameraRig
from omni_graspd.rendering.surfaces import read_surfaces
from omni_graspd.seeding import random_generator
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.transforms import matrix_to_pose, pose_to_matrix

_VIEWS = "/GraspdViews"
_FILL = (0.85, 1.0)
_Y_TO_Z_UP = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def scene_rigs(stage: Usd.Stage, config: CameraConfig, seed: int) -> list[CameraRig]:
    """Return the views of a scene: its render products, else its cameras, else cameras placed around its geometry.

    Args:
        stage: Any stage; cameras that are placed go to its session layer.
        config: Image size of cameras without a render product; number and kind of cameras that are placed.
        seed: Seed of placed cameras.

    Raises:
        GraspdError: If there is neither a camera nor anything to see.
    """
    rigs = read_camera_rigs(stage) or _lone_cameras(stage, config)
    if not rigs:
        rigs = _place_cameras(stage, config, seed)
    names = Counter(rig.name for rig in rigs)
    paths = [rig.camera_paths[0].strip("/").replace("/", "_") for rig in rigs]
    return [rig if names[rig.name] == 1 else replace(rig, name=path) for rig, path in zip(rigs, paths, strict=True)]


def _lone_cameras(stage: Usd.Stage, config: CameraConfig) -> list[CameraRig]:
    prims = Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies())
    cameras = [UsdGeom.Camera(prim) for prim in prims if prim.IsA(UsdGeom.Camera)]
    perspective = [camera for camera in cameras if camera.GetProjectionAttr().Get() == UsdGeom.Tokens.perspective]
    return [
        CameraRig(camera.GetPrim().GetName(), (str(camera.GetPath()),), config.width, config.height)
        for camera in perspective
    ]


def _place_cameras(stage: Usd.Stage, config: CameraConfig, seed: int) -> list[CameraRig]:
    """Place random views that see all geometry; lengths of the configuration are metres, the stage's are not."""
    surfaces = read_surfaces(stage)
    if not surfaces:
        raise GraspdError(f"{stage.GetRootLayer().identifier} contains neither geometry nor a camera")
    points = np.concatenate([surface.corners.reshape(-1, 3) for surface in surfaces])
    low, high = points.min(axis=0), points.max(axis=0)
    metres = UsdGeom.GetStageMetersPerUnit(stage)
    radius = 0.5 * float(np.linalg.norm(high - low)) * metres
    # Clipping that suits a table cuts the inside of a ball bearing and the far end of a hall.
    near_far = (min(config.near_far[0], 0.05 * radius), max(config.near_far[1], 20.0 * radius))
    offset = min(config.max_target_offset, 0.1 * radius)
    config = replace(config, near_far=near_far, max_target_offset=offset, fill=_FILL)
    is_y_up = UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y
    T_stage_metres = np.diag([1.0 / metres] * 3 + [1.0])
    T_stage_metres = (np.linalg.inv(_Y_TO_Z_UP) if is_y_up else np.eye(4)) @ T_stage_metres
    target = np.linalg.inv(T_stage_metres) @ np.append(0.5 * (low + high), 1.0)
    rigs = []
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        root = UsdGeom.Xform.Define(stage, _VIEWS)
        UsdGeom.Scope.Define(stage, f"{_VIEWS}/Cameras")
        UsdGeom.Scope.Define(stage, f"{_VIEWS}/Render")
        for view in range(max(config.views, 1)):
            rng = random_generator(seed, "camera", "scene", view)
            T_metres_rig = pose_to_matrix(random_view(target[:3], radius, config, rng))
            T_stage_rig = T_stage_metres @ T_metres_rig
            T_stage_rig[:3, :3] *= metres
            in_units = replace(
                config,
                baseline=config.baseline / metres,
                near_far=(near_far[0] / metres, near_far[1] / metres),
            )
            rigs.append(
                author_rig(stage, str(root.GetPath()), f"view_{view:04d}", matrix_to_pose(T_stage_rig), in_units)
            )
    return rigs


def label_by_name(stage: Usd.Stage) -> int:
    """Label what is drawn by the names of its prims, in the session layer, if the stage has no labels at all.

    An object is a component model, a rigid body or an instance, else the prim right below the default prim (or below
    the root) that holds the geometry. Its class is its name without a number at the end: ``Chair_01`` is a ``Chair``.

    Returns:
        How many prims were labelled; 0 where the stage has labels.
    """
    drawn = drawn_prims(stage)
    if any(piece.owner is not None for piece in drawn):
        return 0
    objects = dict.fromkeys(_object_of(piece, stage) for piece in drawn)
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        for path in objects:
            prim = stage.GetPrimAtPath(path)
            apply_label(prim, re.sub(r"[_\-. ]*\d+$", "", prim.GetName()) or prim.GetName())
    return len(objects)


def _object_of(piece: DrawnPrim, stage: Usd.Stage) -> str:
    # A copy by a point instancer is labelled through its instancer.
    prim = stage.GetPrimAtPath(piece.path.partition("[")[0])
    world = stage.GetDefaultPrim()
    found = None
    while prim and not prim.IsPseudoRoot() and prim != world:
        if not prim.IsInstanceProxy():
            found = prim if found is None or not _is_object(found) else found
        prim = prim.GetParent()
    if found is None or (prim == world and not _is_object(found) and _is_object(world)):
        return str(world.GetPath())
    return str(found.GetPath())


def _is_object(prim: Usd.Prim) -> bool:
    is_component = Kind.Registry.IsA(Usd.ModelAPI(prim).GetKind(), Kind.Tokens.component)
    return is_component or prim.IsInstance() or prim.HasAPI(UsdPhysics.RigidBodyAPI)
