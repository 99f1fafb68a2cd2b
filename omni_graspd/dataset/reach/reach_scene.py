# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The reach table of one scene: a pure function of the dataset's files, for worker processes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_reader import read_arm
from omni_graspd.arms.reach import Reach
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.seed_bank import SeedBank
from omni_graspd.arms.way_reach import OBJECT, pieces_of, reach_ways
from omni_graspd.arms.workspace import Thing, Workspace
from omni_graspd.dataset.content_hash import content_hash
from omni_graspd.dataset.grasp_numbers import rows_of
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.reach.reach_lift import lift_rows, lift_settings, lifts_of
from omni_graspd.dataset.reach.reach_table import ArmLifts, ReachTable, read_reach, write_reach
from omni_graspd.dataset.scene_files import neighbour_names, read_rest, read_rest_pose
from omni_graspd.dataset.tables import SceneGraspTable, read_grasps, read_scene_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.clutter import Neighbour
from omni_graspd.scenes.scene_writer import TABLE_PATH
from omni_graspd.scenes.way_stations import STATION_COUNT, Station, way_stations
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.meshes import read_meshes_below
from omni_graspd.usd.stage import open_stage
from omni_graspd.usd.transforms import IDENTITY

_TABLE = "table"
_FORMAT = 1
"""To be counted up when the same input comes out otherwise."""


@dataclass(frozen=True)
class SceneToReach:
    """A scene, an arm, and how it is found out what it reaches there."""

    root: Path
    """The dataset folder."""
    arm: str
    """Name of the arm."""
    object: str
    """The object of the scene."""
    scene_index: int
    """Number of the scene."""
    config: ReachConfig
    """Settings."""
    lift: bool = False
    """Whether reachable grasps are tried in PhysX by the whole robot."""


@dataclass(frozen=True)
class ReachedScene:
    """What became of a scene."""

    written: bool
    """Whether its table was written; else it was there and would come out the same."""
    usable: int
    """Usable grasps."""
    reasons: tuple[str, ...]
    """How the reasons of those that are not reachable begin."""
    lifted: int | None = None
    """Objects that the whole robot lifted; None where that was not tried."""


def reach_scene(scene: SceneToReach) -> ReachedScene:
    """Write the table of a scene, unless it is there and would come out the same.

    Raises:
        GraspdError: If the scene, a table or an asset is missing or damaged, or grasps have no known way.
    """
    layout = DatasetLayout(scene.root)
    path = layout.reach(scene.arm, scene.object, scene.scene_index)
    placed = read_scene_grasps(layout.scene_grasps(scene.object, scene.scene_index))
    if placed.grasps.usable is None:
        raise GraspdError(
            f"expected grasps made on a table in {scene.root}, got floating ones, whose way is unknown; make some with "
            "--around table"
        )
    usable = np.flatnonzero(placed.grasps.usable)
    settings = _settings(scene, layout, placed, usable)
    there = _current(path, settings) if path.is_file() else None
    table = there or _table(scene, layout, placed, usable, settings)
    if scene.lift and (table.lifts is None or table.lifts.settings != lift_settings(settings)):
        table = replace(table, lifts=_lifts(scene, layout, placed, table))
    if table is not there:
        write_reach(table, path)
    lifted = int(table.lifts.lifted.sum()) if table.lifts is not None and scene.lift else None
    return ReachedScene(table is not there, len(usable), table.reach.failures, lifted)


def _settings(scene: SceneToReach, layout: DatasetLayout, placed: SceneGraspTable, usable: np.ndarray) -> str:
    """Return what a table depends on; if that changes, the table does."""
    arm = _arm(layout.arm(scene.arm))
    digest = content_hash(arm.articulation)
    flange = [arm.flange_link, *arm.T_link_flange.tolist()]
    rows = [[placed.hands[row], int(placed.grasp_indices[row])] for row in usable]
    poses = placed.grasps.T_world_palm[usable].tolist()
    scene_file = layout.scene(scene.object, scene.scene_index).read_bytes()
    below = [hashlib.sha256(scene_file).hexdigest(), *_way_digests(scene, layout, placed, usable)]
    content = json.dumps([_FORMAT, digest, flange, rows, poses, below], sort_keys=True)
    return json.dumps(asdict(scene.config) | {"content": content_digest(content)}, sort_keys=True)


def _way_digests(
    scene: SceneToReach, layout: DatasetLayout, placed: SceneGraspTable, usable: np.ndarray
) -> Iterator[str]:
    """Yield for each hand a name of what its ways are made of: joints, postures, and the places before the grasp."""
    for name in dict.fromkeys(placed.hands[row] for row in usable):
        mine = [row for row in usable if placed.hands[row] == name]
        batch = _base_grasps(layout, scene.object, name, placed.grasp_indices[mine])
        digest = hashlib.sha256(np.ascontiguousarray(batch.joint_positions).tobytes())
        for part in (batch.postures, batch.way):
            arrays = {} if part is None else vars(part)
            for values in arrays.values():
                if isinstance(values, np.ndarray):
                    digest.update(np.ascontiguousarray(values).tobytes())
        yield digest.hexdigest()


def _base_grasps(layout: DatasetLayout, object_name: str, hand: str, indices: np.ndarray) -> GraspBatch:
    base = read_grasps(layout.grasps(hand, object_name))
    try:
        return base.grasps.take(rows_of(base.indices, indices))
    except KeyError as error:
        raise GraspdError(
            f"expected the base grasps of {object_name} by {hand} to have those of its scenes, got none of number "
            f"{error}; run `graspd synthesize` with the same options again"
        ) from error


def content_digest(text: str) -> str:
    """Return a short name of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _current(path: Path, settings: str) -> ReachTable | None:
    try:
        table = read_reach(path)
    except GraspdError:
        return None  # it is written anew
    return table if table.settings == settings else None


def _table(
    scene: SceneToReach, layout: DatasetLayout, placed: SceneGraspTable, usable: np.ndarray, settings: str
) -> ReachTable:
    arm = _arm(layout.arm(scene.arm))
    T_world_base = scene.config.drawn_base_pose(scene.object, scene.scene_index)
    names = list(dict.fromkeys(placed.hands))
    mounts = {name: scene.config.mount_pose(_hand(layout.hand(name))) for name in names}
    parts, rows = [_no_reach(len(arm.joint_names))], []
    for name in names:
        mine = [int(row) for row in usable if placed.hands[row] == name]
        parts.append(_reach_of_hand(scene, layout, placed, np.array(mine, dtype=int), name, T_world_base, mounts[name]))
        rows += mine
    return ReachTable(
        arm=scene.arm,
        joint_names=arm.joint_names,
        object=scene.object,
        scene_index=scene.scene_index,
        settings=settings,
        T_world_base=T_world_base,
        mounts=mounts,
        hands=tuple(placed.hands[row] for row in rows),
        grasp_indices=placed.grasp_indices[rows],
        reach=_joined(parts),
    )


def _lifts(scene: SceneToReach, layout: DatasetLayout, placed: SceneGraspTable, table: ReachTable) -> ArmLifts:
    """Try the reachable grasps of a scene with the whole robot."""
    arm, obj = _arm(layout.arm(scene.arm)), _object(layout.object(scene.object))
    T_world_object = read_rest_pose(layout.scene(scene.object, scene.scene_index))
    reasons = [""] * len(table.hands)
    for name in dict.fromkeys(table.hands):
        rows, mine = table.of_hand(name), np.flatnonzero([hand == name for hand in placed.hands])
        batch = _base_grasps(layout, scene.object, name, table.grasp_indices[rows])
        palms = placed.grasps.T_world_palm[mine[rows_of(placed.grasp_indices[mine], table.grasp_indices[rows])]]
        stations = scene_stations(T_world_object, palms, batch)
        robot = arm, _hand(layout.hand(name))
        for row, reason in zip(rows, lift_rows(table, rows, robot, obj, T_world_object, stations), strict=True):
            reasons[row] = reason
    return lifts_of(reasons, lift_settings(table.settings))


def _no_reach(joint_count: int) -> Reach:
    places = np.zeros((0, STATION_COUNT, joint_count))
    return Reach(np.zeros(0, dtype=bool), (), places, np.zeros(0), np.zeros(0))


def _joined(parts: Sequence[Reach]) -> Reach:
    return Reach(
        np.concatenate([part.reachable for part in parts]),
        tuple(reason for part in parts for reason in part.reason),
        np.concatenate([part.arm_positions for part in parts]),
        np.concatenate([part.manipulability for part in parts]),
        np.concatenate([part.limit_margin for part in parts]),
    )


def _reach_of_hand(
    scene: SceneToReach,
    layout: DatasetLayout,
    placed: SceneGraspTable,
    rows: np.ndarray,
    hand_name: str,
    T_world_base: np.ndarray,
    T_flange_palm: np.ndarray,
) -> Reach:
    batch = _base_grasps(layout, scene.object, hand_name, placed.grasp_indices[rows])
    scene_file = layout.scene(scene.object, scene.scene_index)
    objects = [_object(layout.object(name)) for name in neighbour_names(scene_file)]
    T_world_object, neighbours = read_rest(scene_file, objects)
    arm = _arm(layout.arm(scene.arm))
    stations = scene_stations(T_world_object, placed.grasps.T_world_palm[rows], batch)
    workspace = _workspace(layout, scene, hand_name, T_flange_palm, neighbours)
    workspace.place(_TABLE, IDENTITY)
    for number, neighbour in enumerate(neighbours):
        workspace.place(_neighbour_name(number, neighbour), neighbour.T_world_object)
    bank = _bank(layout.arm(scene.arm), scene.config.postures)
    poses = T_world_base, T_flange_palm, T_world_object
    return reach_ways(arm, bank, workspace, *poses, stations, scene.config)


def scene_stations(T_world_object: np.ndarray, T_world_palm: np.ndarray, batch: GraspBatch) -> list[Station]:
    """Return the places of the ways of usable grasps in a scene.

    Args:
        T_world_object: Rest pose of the object, shape [7].
        T_world_palm: Palm poses of the grasps, shape [grasp_count, 7].
        batch: The base grasps; usable, so that they have postures and ways.
    """
    assert batch.postures is not None and batch.way is not None
    return way_stations(T_world_object, T_world_palm, batch.joint_positions, batch.postures, batch.way)


def _workspace(
    layout: DatasetLayout,
    scene: SceneToReach,
    hand_name: str,
    T_flange_palm: np.ndarray,
    neighbours: Sequence[Neighbour],
) -> Workspace:
    """Return the model of a scene; scenes with the same things share it, for as long as the process lives."""
    stage = open_stage(layout.scene(scene.object, scene.scene_index))
    table = read_meshes_below(stage.GetPrimAtPath(TABLE_PATH))
    size = tuple(np.round(np.concatenate([table.vertices.min(axis=0), table.vertices.max(axis=0)]), 9).tolist())
    others = tuple(neighbour.obj.name for neighbour in neighbours)
    mount = tuple(T_flange_palm.tolist())
    paths = (layout.arm(scene.arm), layout.hand(hand_name))
    return _cached_workspace(layout.root, paths, scene.object, others, mount, size, scene.config.clearance)


@lru_cache(maxsize=4)
def _cached_workspace(
    root: Path,
    paths: tuple[Path, Path],
    object_name: str,
    others: tuple[str, ...],
    mount: tuple[float, ...],
    table: tuple[float, ...],
    clearance: float,
) -> Workspace:
    layout = DatasetLayout(root)
    corners = np.array([[x, y, z] for x in table[0::3] for y in table[1::3] for z in table[2::3]])
    things = [Thing(_TABLE, (convex_hull(corners),)), Thing(OBJECT, pieces_of(_object(layout.object(object_name))))]
    for number, name in enumerate(others):
        things.append(Thing(f"{name} {number}", pieces_of(_object(layout.object(name)))))
    return Workspace(_arm(paths[0]), _hand(paths[1]), np.array(mount), things, clearance)


def _neighbour_name(number: int, neighbour: Neighbour) -> str:
    return f"{neighbour.obj.name} {number}"


@lru_cache(maxsize=4)
def _arm(path: Path) -> Arm:
    return read_arm(path)


@lru_cache(maxsize=2)
def _bank(path: Path, count: int) -> SeedBank:
    return SeedBank.of(_arm(path).chain(), count)


@lru_cache(maxsize=8)
def _hand(path: Path) -> Hand:
    return load_hand(str(path))


@lru_cache(maxsize=64)
def _object(path: Path) -> RigidObject:
    return load_object(str(path))


def forget_assets() -> None:
    """Forget arms, hands and objects that this process has read: their files may be others by now."""
    for cached in (_cached_workspace, _arm, _bank, _hand, _object):
        cached.cache_clear()
