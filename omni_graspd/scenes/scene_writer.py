# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The scene file: a table, an object at rest on it, and lights. Cameras are added by the rendering side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from pxr import Gf, Kind, Usd, UsdGeom, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.corner_normals import corner_normals
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_not_negative
from omni_graspd.scenes.scene_lights import LightConfig, author_lights
from omni_graspd.scenes.scene_variation import VariationConfig, author_variation, draw_variation
from omni_graspd.scenes.table_looks import draw_table_look, require_table_looks, texture_extent, write_table_look
from omni_graspd.seeding import random_generator
from omni_graspd.usd.materials import author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.physics import apply_collider, author_physics_material, bind_physics_material
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import author_pose, transform_points

OBJECT_PATH = "/World/Object"
"""Prim of the object in every scene."""
TABLE_PATH = "/World/Table"
"""Prim of the table in every scene."""

_FLOOR_SIZE = (8.0, 8.0, 0.02)


@dataclass(frozen=True, kw_only=True)
class SceneConfig:
    """Table and lights of a scene. The table top is the plane z = 0, centred on the origin."""

    table_size: tuple[float, float, float] = (0.8, 0.8, 0.04)
    """Length, width and thickness of the tabletop [m]."""
    clutter: int = 0
    """Extra objects on the table, drawn from the run's objects."""
    table_looks: tuple[str, ...] = ("wood", "cloth", "stone", "metal", "plain")
    """Table looks to draw from: materials, or single looks such as oak."""
    friction: float = 0.5
    """Coulomb friction of the table, static and dynamic."""
    lights: LightConfig = field(default_factory=LightConfig)
    """Surroundings, lamp and sun."""
    variation: VariationConfig = field(default_factory=VariationConfig)
    """Variation of the table's size and height and the object's colour."""

    def __post_init__(self) -> None:
        """Check the looks and the table."""
        require_table_looks(self.table_looks)
        require_not_negative(self, "scene", "clutter", "friction")
        if not all(0.0 < length < np.inf for length in self.table_size):
            raise GraspdError(f"expected scene.table_size to be three lengths above 0 m, got {self.table_size}")


def author_scene(
    path: Path,
    object_usd: Path,
    obj: RigidObject,
    T_world_object: np.ndarray,
    index: int,
    config: SceneConfig,
    seed: int,
    neighbours: Sequence[tuple[Path, np.ndarray]] = (),
) -> Usd.Stage:
    """Author the stage of a scene; write it with :func:`~omni_graspd.usd.stage.save_stage`.

    The object is referenced, not copied, and asleep until something touches it. Textures of tables and surroundings
    are written once to ``textures/`` beside the folder of the scene. Look and lights depend on the seed, the object's
    name and the index only.

    Args:
        path: Where the scene will be saved; references and textures are relative to it.
        object_usd: The object's USD file.
        obj: The object.
        T_world_object: Rest pose, shape [7].
        index: Number of the scene among the object's.
        config: Table and lights.
        seed: Seed of the run.
        neighbours: USD file and rest pose of each further object; they become ``Neighbour_00``, ...

    Returns:
        The stage: ``/World`` with ``PhysicsScene``, ``Table``, ``Object``, ``Lights`` and ``Looks``.

    Raises:
        GraspdError: If the object reaches over the edge of the table.
    """
    config = replace(config, table_size=drawn_table_size(config, seed, obj.name, index))
    _check_on_table(obj, T_world_object, config)
    random = random_generator(seed, "scene", obj.name, index)
    stage = create_stage("World", path)
    Usd.ModelAPI(stage.GetDefaultPrim()).SetKind(Kind.Tokens.assembly)
    physics_scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    physics_scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    physics_scene.CreateGravityMagnitudeAttr(9.81)
    _author_table(stage, path, config, random)
    _author_object(stage, OBJECT_PATH, _relative(object_usd, path), T_world_object)
    for number, (usd, pose) in enumerate(neighbours):
        _author_object(stage, neighbour_path(number), _relative(usd, path), pose)
    reach = 0.5 * float(np.linalg.norm(np.ptp(obj.mesh.vertices, axis=0)))
    author_lights(stage, path, path.parent.parent / "textures", config.lights, random, reach)
    variation = draw_variation(config.variation, seed, obj.name, index)
    author_variation(stage, variation, table_mesh(_FLOOR_SIZE), stage.GetPrimAtPath(OBJECT_PATH))
    return stage


def drawn_table_size(config: SceneConfig, seed: int, object_name: str, index: int) -> tuple[float, float, float]:
    """Return length, width and thickness of a scene's table [m]."""
    length, width, thickness = config.table_size
    scale = draw_variation(config.variation, seed, object_name, index).table_scale
    return length * scale[0], width * scale[1], thickness


def neighbour_path(number: int) -> str:
    """Return the path of a further object in a scene with clutter."""
    return f"/World/Neighbour_{number:02d}"


def _author_object(stage: Usd.Stage, prim_path: str, file: str, pose: np.ndarray) -> None:
    prim = UsdGeom.Xform.Define(stage, prim_path).GetPrim()
    prim.GetReferences().AddReference(file)
    author_pose(prim, pose)
    # Awake, it would move a little: where PhysX finds it at rest is not where its surface touches the table.
    UsdPhysics.RigidBodyAPI(prim).CreateStartsAsleepAttr(True)


def _relative(file: Path, scene: Path) -> str:
    return Path(os.path.relpath(file.absolute(), scene.absolute().parent)).as_posix()


def _check_on_table(obj: RigidObject, T_world_object: np.ndarray, config: SceneConfig) -> None:
    reach = np.abs(transform_points(T_world_object, obj.mesh.vertices)[:, :2]).max(axis=0) * 2.0
    if np.any(reach > config.table_size[:2]):
        raise GraspdError(
            f"{obj.name} does not fit on the table: it needs {reach[0]:.2f} x {reach[1]:.2f} m, and the table is "
            f"{config.table_size[0]:g} x {config.table_size[1]:g} m; enlarge the table or rescale the object"
        )


def _author_table(stage: Usd.Stage, path: Path, config: SceneConfig, random: np.random.Generator) -> None:
    UsdGeom.Scope.Define(stage, "/World/Looks")
    look = draw_table_look(config.table_looks, random)
    appearance = write_table_look(look, path.parent.parent / "textures")
    textures = {
        name: _relative(Path(file), path)
        for name in ("texture", "roughness_texture", "normal_texture")
        if (file := getattr(appearance, name)) is not None
    }
    shift = (float(random.uniform()), float(random.uniform()))
    mesh = table_mesh(config.table_size, texture_extent(look), shift, is_turned=bool(random.integers(2)))
    table = author_mesh(stage, TABLE_PATH, mesh, normals=corner_normals(mesh, crease_angle=0.5)).GetPrim()
    bind_material(table, author_material(stage, "/World/Looks/Table", replace(appearance, **textures)))
    apply_label(table, "table")
    apply_collider(table)
    contact = author_physics_material(stage, "/World/Looks/TableContact", friction=config.friction, restitution=0.0)
    bind_physics_material(table, contact)


def table_mesh(
    size: tuple[float, float, float],
    extent: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    *,
    is_turned: bool = False,
) -> TriangleMesh:
    """Return a box of ``size`` [m] below the plane z = 0, with texture coordinates.

    Args:
        size: Length, width and thickness [m].
        extent: Width and height of what the texture shows [m].
        shift: What is added to the texture coordinates.
        is_turned: Whether the texture is turned by a quarter.
    """
    corners = np.array([[x, y, z] for z in (-1.0, 0.0) for y in (-0.5, 0.5) for x in (-0.5, 0.5)])
    vertices = corners * np.asarray(size)
    quads = [(4, 5, 7, 6), (0, 2, 3, 1), (0, 1, 5, 4), (3, 2, 6, 7), (1, 3, 7, 5), (2, 0, 4, 6)]
    axes = [(0, 1), (0, 1), (0, 2), (0, 2), (1, 2), (1, 2)]
    faces = np.array([face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))], dtype=np.int32)
    uvs = np.stack([vertices[face][:, axes[index // 2]] for index, face in enumerate(faces)])
    if is_turned:
        uvs = uvs[..., ::-1] * [1.0, -1.0]
    return TriangleMesh(vertices, faces, uvs / extent + shift)
