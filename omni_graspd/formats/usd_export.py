# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A USD stage with the object and a hand once for each grasp, side by side; both are referenced from beside it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from pxr import Gf, Kind, Sdf, Usd, UsdGeom, UsdPhysics, UsdUtils

from omni_graspd.dataset.asset_copies import copy_hand
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format
from omni_graspd.formats.grasp_reading import ReadGrasps
from omni_graspd.formats.object_files import load_scaled_object, scaled_name
from omni_graspd.formats.record import GraspRecord
from omni_graspd.formats.usd_motion import animate_grasp, set_times
from omni_graspd.formats.usd_play import play_folder, write_play_stages
from omni_graspd.formats.world_ways import world_ways
from omni_graspd.geometry.corner_normals import corner_normals
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.posed_hand import author_posed_hand, posed_mesh
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.object_writer import write_object
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage, prim_name, save_stage
from omni_graspd.usd.transforms import IDENTITY, author_pose, compose

ACTIVE_GRASPS = 64
"""Further grasps are on the stage, but inactive, so that it opens quickly; they are activated in the stage window."""
_GAP = 0.05
"""Room between two grasps [m]."""
_TABLE_COLOR = (0.55, 0.5, 0.42)
_PHASES = LiftConfig.of("dexgraspbench").phases


def write_grasp_stage(record: GraspRecord, hand: Hand, object_path: Path | None, path: Path, assets: Path) -> int:
    """Write a stage of grasps: ``/Grasps/grasp_0000`` with ``object`` and ``hand``, ``/Grasps/grasp_0001``, ...

    Each is moved aside so that none hides another; the first stays where it is. Below its own prim, the object is at
    the origin, or, for grasps in a scene, lies in the world as there, over the scene's ``table``. Physics is off: hands
    and objects are there to be looked at. Played, the active ones with a way move along it; for each usable grasp with
    one there is a scene with physics besides, see :mod:`omni_graspd.formats.usd_play`. Each hand's prim has the grasp
    as attributes ``graspd:index``, ``graspd:joint_names``, ``graspd:joint_positions`` and ``graspd:<score>``.

    Args:
        record: Grasps of our hand, in the order of its joints.
        hand: The hand.
        object_path: Mesh or USD file of the object before its scale; without it the stage has hands only.
        path: USD file to write, all or nothing.
        assets: Folder for the hand's and the object's files; those that are there are kept.

    Returns:
        How many scenes with physics were written.

    Raises:
        GraspdError: If hand or object cannot be read or written.
    """
    if assets.exists() and not assets.is_dir():
        raise GraspdError(f"expected {assets} to be a folder for hand and object, got a file; choose another name")
    hand_file = assets / f"{hand.name}.usd"
    if not hand_file.is_file():
        copy_hand(hand, hand_file)
    copied = replace(read_hand(hand_file), name=hand.name)
    object_file = None if object_path is None else _object_file(record, object_path, assets)
    stage = create_stage("Grasps", path)
    ways: list[HandWay | None] = [None] * len(record)
    played = 0
    if object_file is not None:
        ways = world_ways(record, read_object(object_file).center_of_mass)
        played = write_play_stages(record, ways, copied, object_file, path, assets)
    if any(way is not None for way in ways):
        set_times(stage, _PHASES)
    Usd.ModelAPI(stage.GetDefaultPrim()).SetKind(Kind.Tokens.assembly)
    for index, place in enumerate(_places(record, copied)):
        cell = UsdGeom.Xform.Define(stage, f"/Grasps/grasp_{index:04d}")
        cell.AddTranslateOp().Set(Gf.Vec3d(*place.tolist()))
        Usd.ModelAPI(cell).SetKind(Kind.Tokens.group)
        _author_cell(stage, str(cell.GetPath()), record, index, copied, place, object_file, ways[index])
        if index >= ACTIVE_GRASPS:
            cell.GetPrim().SetActive(False)
    folder = path.absolute().parent
    UsdUtils.ModifyAssetPaths(stage.GetRootLayer(), lambda asset: _relative(asset, folder))
    save_stage(stage, path)
    return played


def author_grasps(
    stage: Usd.Stage, path: str, hand: Hand, record: GraspRecord, T_world_object: np.ndarray = IDENTITY
) -> None:
    """Put a hand for each grasp on a stage, below ``hands`` of a prim; physics is off, the grasp is in attributes.

    Args:
        stage: The stage.
        path: The prim, made if it is not there; it must not be scaled or moved afterwards.
        hand: The hand; its file is referenced.
        record: Its grasps, in the order of its joints.
        T_world_object: Where the object stands [m], shape [7].
    """
    Usd.ModelAPI(UsdGeom.Xform.Define(stage, path)).SetKind(Kind.Tokens.assembly)
    Usd.ModelAPI(UsdGeom.Xform.Define(stage, f"{path}/hands")).SetKind(Kind.Tokens.group)
    poses = compose(T_world_object, record.T_object_palm)
    for index in range(len(record)):
        prim = _author_hand(stage, f"{path}/hands/grasp_{index:04d}", record, index, hand, poses[index])
        if index >= ACTIVE_GRASPS:
            prim.SetActive(False)


def _author_cell(
    stage: Usd.Stage,
    cell: str,
    record: GraspRecord,
    index: int,
    hand: Hand,
    place: np.ndarray,
    object_file: Path | None,
    way: HandWay | None,
) -> None:
    placement = record.placement
    T_cell_object = IDENTITY if placement is None else placement.T_world_object
    if object_file is not None:
        _author_object(stage, f"{cell}/object", object_file, T_cell_object)
    if placement is not None:
        _author_table(stage, f"{cell}/table", placement.table)
    T_world_palm = compose(T_cell_object, record.T_object_palm[index])
    T_world_palm[:3] += place
    _author_hand(stage, f"{cell}/hand", record, index, hand, T_world_palm)
    if way is not None and index < ACTIVE_GRASPS:
        paths = f"{cell}/hand", f"{cell}/object"
        animate_grasp(stage, *paths, hand, way, T_cell_object, place, _PHASES)


def _author_hand(
    stage: Usd.Stage, path: str, record: GraspRecord, index: int, hand: Hand, T_world_palm: np.ndarray
) -> Usd.Prim:
    """Put the hand of a grasp on a stage; physics is off, the grasp is in attributes."""
    prim = author_posed_hand(stage, path, hand, T_world_palm, record.joint_positions[index])
    apply_label(prim, hand.name)
    for joint in [part for part in Usd.PrimRange(prim) if part.IsA(UsdPhysics.Joint)]:
        joint.SetActive(False)  # joints need a body that physics moves
    _author_grasp(prim, record, index)
    return prim


def _places(record: GraspRecord, hand: Hand) -> np.ndarray:
    """Return where each grasp's own origin is, in rows and columns, shape [grasp_count, 3]; the first at zero."""
    count = len(record)
    if not count:
        return np.zeros((0, 3))
    T_cell_object = IDENTITY if record.placement is None else record.placement.T_world_object
    poses = compose(T_cell_object, record.T_object_palm)
    shown = [posed_mesh(hand, poses[i], record.joint_positions[i]) for i in range(min(count, ACTIVE_GRASPS))]
    shown += [] if record.placement is None else [record.placement.table]
    points = np.concatenate([mesh.vertices[:, :2] for mesh in shown])
    # Objects are between the fingers, and no larger than what hands can grasp.
    width = float(np.ptp(points, axis=0).max()) + _GAP
    columns = math.ceil(math.sqrt(min(count, ACTIVE_GRASPS)))
    numbers = np.arange(count)
    return np.stack([width * (numbers % columns), -width * (numbers // columns), np.zeros(count)], axis=1)


def _object_file(record: GraspRecord, source: Path, assets: Path) -> Path:
    """Return the object's file among the assets, written if it is not there."""
    name = scaled_name(record) or source.stem
    file = assets / f"{name}.usd"
    if not file.is_file():
        write_object(load_scaled_object(source, name, record.object_scale), file)
    return file


def _author_object(stage: Usd.Stage, prim_path: str, file: Path, pose: np.ndarray) -> None:
    prim = UsdGeom.Xform.Define(stage, prim_path).GetPrim()
    prim.GetReferences().AddReference(str(file.absolute()))
    author_pose(prim, pose)
    # The object belongs to the picture, not to a simulation.
    prim.CreateAttribute("physics:rigidBodyEnabled", Sdf.ValueTypeNames.Bool, custom=False).Set(False)


def _author_table(stage: Usd.Stage, prim_path: str, table: TriangleMesh) -> None:
    bare = TriangleMesh(table.vertices, table.faces)
    mesh = author_mesh(stage, prim_path, bare, normals=corner_normals(bare, crease_angle=0.5))
    mesh.CreateDisplayColorAttr([Gf.Vec3f(*_TABLE_COLOR)])
    apply_label(mesh.GetPrim(), "table")


def _author_grasp(prim: Usd.Prim, record: GraspRecord, index: int) -> None:
    kinds = Sdf.ValueTypeNames
    prim.CreateAttribute("graspd:index", kinds.Int, custom=True).Set(index)
    prim.CreateAttribute("graspd:joint_names", kinds.TokenArray, custom=True).Set(list(record.joint_names))
    prim.CreateAttribute("graspd:joint_positions", kinds.DoubleArray, custom=True).Set(record.joint_positions[index])
    for name, values in record.scores.items():
        if np.isfinite(values[index]):
            attribute = prim.CreateAttribute(f"graspd:{prim_name(name)}", kinds.Double, custom=True)
            attribute.Set(float(values[index]))


def _relative(asset: str, folder: Path) -> str:
    """Refer to files below or beside the stage's folder relatively, so that the whole can be moved."""
    target = Path(asset)
    if not target.is_absolute():
        return asset
    if target.is_relative_to(folder):
        return f"./{target.relative_to(folder).as_posix()}"
    return f"../{target.relative_to(folder.parent).as_posix()}" if target.is_relative_to(folder.parent) else asset


def _write(entry: ReadGrasps, record: GraspRecord, path: Path, assets: Path) -> tuple[str, ...]:
    if entry.hand is None:
        raise GraspdError(f"expected one of our hands for a USD stage, got {record.hand!r}; name one with --hand")
    count = write_grasp_stage(record, entry.hand, entry.object_path, path, assets)
    return (f"{count} scenes that play are in {play_folder(path)}",) if count else ()


FORMAT = Format(
    name="usd",
    title="a stage with object and hand once for each grasp, and a scene that plays for each usable one",
    place=15,
    suffixes=(".usd", ".usda", ".usdc"),
    write_with_assets=_write,
    needs_our_hand=True,
    has_placement=True,
    has_way=True,
)
