# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What stands around an object on someone's stage, as obstacles of its grasps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.geometry.thickening import thickened
from omni_graspd.objects.usd_surface_parts import placed_mesh
from omni_graspd.scenes.stage_object import StageObject
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.placed_prims import placed_prims
from omni_graspd.usd.shapes import is_surface, read_surface
from omni_graspd.usd.transforms import local_to_world, pose_to_matrix, transform_points

_REACH = 0.5
"""What is farther from the object is out of a hand's way, lift included [m]."""
_THICKNESS = 0.01
"""Of ground planes and other open surfaces, behind them [m]."""
_SAVED_GRASP = "graspd:index"
"""Attribute of hands that show a grasp, as our USD exports have them; they are no obstacles."""
_TOUCHES = 0.005
"""A support is so near below the object [m]."""


@dataclass(frozen=True, eq=False)
class StageSurroundings:
    """Surroundings of an object, and what of the stage they are."""

    surroundings: Surroundings
    """What a hand must not touch, in the object frame."""
    prim_paths: tuple[str, ...]
    """Prims of the obstacles."""
    support: str | None
    """Prim on whose level top the object lies; None where there is none."""


def stage_surroundings(
    stage: Usd.Stage, around: StageObject, leave_out: Sequence[str] = (), within: float = _REACH
) -> StageSurroundings:
    """Read all visible surfaces near an object, but its own.

    Open surfaces, such as ground planes, count as boards of 1 cm. What lies level under the object is its table, too.

    Args:
        stage: The stage; it is not changed.
        around: The object.
        leave_out: Prims that are no obstacles with all that is below them, for example the robot that grasps.
        within: What is farther from the object is left out [m].
    """
    saved = [prim.GetPath() for prim in stage.Traverse() if prim.HasAttribute(_SAVED_GRASP)]
    skipped = [*saved, *(Sdf.Path(path) for path in (around.prim_path, *leave_out))]
    own = transform_points(around.T_world_object, around.rigid.mesh.vertices)
    low, high = own.min(axis=0), own.max(axis=0)
    up = _up(stage)
    obstacles, paths, support = [], [], None
    for path, mesh in _world_surfaces(stage, skipped, (low + high) / 2.0, within):
        if not len(mesh.faces) or (mesh.vertices.min(axis=0) > high + within).any():
            continue
        if (mesh.vertices.max(axis=0) < low - within).any():
            continue
        solid = thickened(mesh, _THICKNESS)
        obstacles.append(solid)
        paths.append(path)
        if support is None and _carries(solid, own, up):
            support = path
    T_object_world = np.linalg.inv(pose_to_matrix(around.T_world_object))
    upward = T_object_world[:3, :3] @ up
    plane = None
    if support is not None:
        plane = np.append(upward, (around.rigid.mesh.vertices @ upward).min())
    meshes = tuple(placed_mesh(mesh, T_object_world) for mesh in obstacles)
    return StageSurroundings(Surroundings(plane, meshes, upward), tuple(paths), support)


def _up(stage: Usd.Stage) -> np.ndarray:
    return np.array([0.0, 1.0, 0.0] if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y else [0.0, 0.0, 1.0])


def _world_surfaces(
    stage: Usd.Stage, skipped: Sequence[Sdf.Path], middle: np.ndarray, within: float
) -> Iterator[tuple[str, TriangleMesh]]:
    """Yield path and surface [m] of what is seen, and of planes that only PhysX sees."""
    units = np.diag([*(3 * [UsdGeom.GetStageMetersPerUnit(stage)]), 1.0])
    for one in placed_prims(stage.GetPseudoRoot()):
        path = one.prim.GetPath() if one.copy is None else one.copy.instancer.GetPath()
        if is_surface(one.prim) and not any(path.HasPrefix(other) for other in skipped):
            mesh = read_surface(one.prim)
            yield str(path), placed_mesh(TriangleMesh(mesh.vertices, mesh.faces), units @ one.T_world_prim)
    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies()):
        is_plane = prim.IsA(UsdGeom.Plane) and prim.HasAPI(UsdPhysics.CollisionAPI)
        if is_plane and not any(prim.GetPath().HasPrefix(other) for other in skipped):
            yield str(prim.GetPath()), _plane(prim, units, middle, within)


def _plane(prim: Usd.Prim, units: np.ndarray, middle: np.ndarray, within: float) -> TriangleMesh:
    """Return the part near a point of a plane, which PhysX takes to be endless."""
    T_world_plane = units @ local_to_world(prim)
    axis = "XYZ".index(UsdGeom.Plane(prim).GetAxisAttr().Get())
    normal, first, second = (T_world_plane[:3, (axis + k) % 3] for k in range(3))
    normal, first, second = (v / np.linalg.norm(v) for v in (normal, first, second))
    foot = middle - normal * float(normal @ (middle - T_world_plane[:3, 3]))
    corners = foot + 2.0 * within * np.array([-first - second, first - second, first + second, second - first])
    return TriangleMesh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))


def _carries(solid: TriangleMesh, own: np.ndarray, up: np.ndarray) -> bool:
    """Tell whether a level face of an obstacle is right below the object's lowest points."""
    heights = own @ up
    lowest = heights.min()
    across = np.flatnonzero(up == 0.0)
    feet = own[heights < lowest + _TOUCHES].mean(axis=0)[across]
    corners = solid.vertices[solid.faces]
    level = np.ptp(corners @ up, axis=1) < 1e-4
    near = np.abs((corners @ up).mean(axis=1) - lowest) < _TOUCHES
    return any(_contains(triangle, feet) for triangle in corners[level & near][:, :, across])


def _contains(triangle: np.ndarray, point: np.ndarray) -> bool:
    """Tell whether a triangle [3, 2] contains a point [2]."""
    sides = np.roll(triangle, -1, axis=0) - triangle
    offsets = point - triangle
    turns = sides[:, 0] * offsets[:, 1] - sides[:, 1] * offsets[:, 0]
    return bool((turns >= -1e-12).all() or (turns <= 1e-12).all())
