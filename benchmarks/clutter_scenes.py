# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps of an object among neighbours on a table, made around them and checked against them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from table_pair import make_grasps

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.clutter import Neighbour, scatter_neighbours
from omni_graspd.scenes.drop import DropConfig, drop_objects
from omni_graspd.scenes.neighbour_clearance import NeighbourClearance
from omni_graspd.scenes.scene_writer import SceneConfig
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.surroundings import table_under
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import compose, invert, transform_points

NEAR = 0.3
"""Neighbours farther than this from the object do not matter [m]."""
STATIONS = ("pregrasp", "hover", "grasp", "lifted")
"""Where hands are checked against neighbours."""
_LIFTS = (0.05, 0.1)
_STRIDE = 1_000_000
_WARM_UP = _STRIDE - 1


@dataclass(frozen=True)
class ClutterScene:
    """An object at rest among neighbours."""

    source: str
    """Name of the object."""
    index: int
    """Number of the scene among the object's."""
    T_world_object: np.ndarray
    """Rest pose, shape [7]."""
    neighbours: tuple[tuple[str, np.ndarray], ...]
    """Name and rest pose of those that are near."""


@dataclass(frozen=True)
class SceneResult:
    """Grasps of one hand in one scene; columns hold a number per grasp that was asked for."""

    hand: str
    """Name of the hand."""
    scene: ClutterScene
    """The scene."""
    cpu: float
    """CPU time of the synthesis [s]."""
    usable: np.ndarray
    """Which grasps are usable, as synthesis says, shape [grasp_count], bool."""
    tries: np.ndarray
    """How often each was tried, shape [grasp_count]."""
    clear: np.ndarray
    """Distance from the neighbours at each of :data:`STATIONS` [m], shape [grasp_count, 4]; NaN if not usable."""
    failures: Counter[str]
    """Why tries failed."""

    @property
    def good(self) -> np.ndarray:
        """Which usable grasps touch no neighbour anywhere, shape [grasp_count], bool."""
        return self.usable & (self.clear > 0.0).all(axis=1)


def find_scenes(source: str, sources: list[str], scenes: int, clutter: int, seed: int) -> list[ClutterScene]:
    """Drop an object and put others beside it.

    Args:
        source: A built-in object.
        sources: Built-in objects that its neighbours are drawn from.
        scenes: How many scenes.
        clutter: Neighbours in each.
        seed: Seed of drops and places.
    """
    obj = load_object(source)
    others = [load_object(name) for name in sources]
    drops = asyncio.run(drop_objects(obj, range(scenes), DropConfig(), seed, simulate))
    found = []
    for index, drop in enumerate(drops):
        rest = obj, drop.T_world_object
        scattered = asyncio.run(
            scatter_neighbours(*rest, others, clutter, index, SceneConfig().table_size, DropConfig(), seed, simulate)
        )
        near = [
            (neighbour.obj.name, neighbour.T_world_object)
            for neighbour in scattered
            if _distance(*rest, neighbour) < NEAR
        ]
        found.append(ClutterScene(source, index, drop.T_world_object, tuple(near)))
    return found


def measure_scenes(
    hand_name: str, scenes: list[ClutterScene], grasps: int, config: SynthesisConfig, seed: int, blind: bool = False
) -> list[SceneResult]:
    """Make grasps of one object around its neighbours in each scene, and check them.

    Args:
        hand_name: The hand.
        scenes: Scenes of one object.
        grasps: Grasps that are asked for in each.
        config: Settings of the synthesis.
        seed: Seed of the starts.
        blind: Make them as if there were no neighbours.
    """
    hand, obj = load_hand(hand_name), load_object(scenes[0].source)
    warm_up = table_under(scenes[0].T_world_object)
    make_grasps(hand, obj, [_WARM_UP], replace(config, tries=1), seed, warm_up)
    return [_measure(hand, obj, scene, grasps, config, seed, blind) for scene in scenes]


def _measure(
    hand: Hand, obj: RigidObject, scene: ClutterScene, grasps: int, config: SynthesisConfig, seed: int, blind: bool
) -> SceneResult:
    neighbours = [Neighbour(load_object(source), pose) for source, pose in scene.neighbours]
    obstacles = tuple(_in_object_frame(neighbour, scene.T_world_object) for neighbour in neighbours)
    indices = range(scene.index * _STRIDE, scene.index * _STRIDE + grasps)
    around = table_under(scene.T_world_object, () if blind else obstacles)
    batch, seconds = make_grasps(hand, obj, indices, config, seed, around)
    assert batch.way is not None
    failures = Counter(reason for texts in batch.way.rejected for reason in texts.split("; ") if reason)
    failures.update(reason for reason in batch.status if reason != "ok")
    clear = _clearances(hand, scene.T_world_object, neighbours, batch)
    return SceneResult(hand.name, scene, seconds, batch.usable, batch.way.tries, clear, failures)


def _clearances(hand: Hand, T_world_object: np.ndarray, neighbours: list[Neighbour], batch: GraspBatch) -> np.ndarray:
    """Return the distance of each usable grasp from the neighbours at each station [m], [grasp_count, 4]."""
    assert batch.way is not None and batch.postures is not None
    way, postures = batch.way, batch.postures
    clear = np.full((len(batch.status), len(STATIONS)), np.nan)
    rows = np.flatnonzero(batch.usable)
    check = NeighbourClearance(hand, neighbours)
    opened, squeezed = postures.pregrasp_joint_positions[rows], postures.squeeze_joint_positions[rows]
    grasp = compose(T_world_object, batch.T_object_palm[rows])
    pregrasp = compose(T_world_object, postures.T_object_pregrasp_palm[rows])
    hover = compose(T_world_object, way.T_object_hover_palm[rows])
    clear[rows, 0] = check.measure(pregrasp, opened)
    clear[rows, 1] = check.measure(hover, opened)
    clear[rows, 2] = check.measure(grasp, batch.joint_positions[rows])
    # The table is level: up in the world is up.
    lifts = [grasp + height * np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]) for height in _LIFTS]
    clear[rows, 3] = np.minimum.reduce([check.measure(lifted, squeezed) for lifted in lifts])
    return clear


def _in_object_frame(neighbour: Neighbour, T_world_object: np.ndarray) -> TriangleMesh:
    T_object_neighbour = compose(invert(T_world_object), neighbour.T_world_object)
    mesh = neighbour.obj.mesh
    return TriangleMesh(transform_points(T_object_neighbour, mesh.vertices), mesh.faces)


def _distance(obj: RigidObject, T_world_object: np.ndarray, neighbour: Neighbour) -> float:
    """Return the least distance between vertices of an object and a neighbour [m]."""
    from scipy.spatial import cKDTree

    own = transform_points(T_world_object, obj.mesh.vertices)
    others = transform_points(neighbour.T_world_object, neighbour.obj.mesh.vertices)
    distances, _ = cKDTree(own).query(others)
    return float(distances.min())
