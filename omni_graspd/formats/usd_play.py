# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes that play, one for each usable grasp: the lift test's stage, drawn, with palm and drives on their way."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import trimesh
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdPhysics

from omni_graspd.formats.record import GraspRecord
from omni_graspd.formats.usd_motion import CODES_PER_SECOND, set_times
from omni_graspd.geometry.corner_normals import corner_normals
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.resting_pieces import resting_pieces
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.scenes.grasp_tests.hold_stage import METERS_PER_UNIT
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay, hand_motion
from omni_graspd.scenes.grasp_tests.lift_place import LiftPlace, author_table_top, make_blind
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.stage import create_stage, save_stage

_SCALE = 1.0 / METERS_PER_UNIT
_FOLDER = "/World/lift"
_TABLE_SIZE = (0.6, 0.6, 0.03)
_HAND_COLOR, _TABLE_COLOR = (0.6, 0.62, 0.66), (0.55, 0.5, 0.42)


def play_folder(path: Path) -> Path:
    """Return the folder for the scenes that belong to a stage of grasps."""
    return path.with_name(f"{path.stem}_play")


def write_play_stages(
    record: GraspRecord, ways: list[HandWay | None], hand: Hand, object_file: Path, path: Path, assets: Path
) -> int:
    """Write a scene for each usable grasp with a way: ``<stem>_play/grasp_0000.usd``; others of such names are removed.

    A scene is in centimetres. Its hand is made of rigid bodies with joints between them; the palm is kinematic. Time
    samples, 60 a second, say where the palm goes and toward what the joints are driven: pregrasp, hover, grasp,
    squeeze, lift. Masses, drives and friction are those of the lift test. ``/World`` has the grasp's number and how far
    the object should have moved at the end [m], as ``graspd:index`` and ``graspd:lift``.

    Args:
        record: Grasps of our hand, in the order of its joints.
        ways: Their ways in the world.
        hand: The hand.
        object_file: USD file of the object at its scale, among the assets.
        path: The stage of all grasps to which the scenes belong.
        assets: Folder for what all scenes have in common.

    Returns:
        How many scenes were written.
    """
    good = np.asarray(record.scores.get("confidence", np.ones(len(record)))) > 0.0
    rows = [row for row, way in enumerate(ways) if way is not None and good[row]]
    folder = play_folder(path)
    for stale in set(folder.glob("grasp_[0-9]*.usd")) - {_scene_file(folder, row) for row in rows}:
        stale.unlink()
    if not rows:
        return 0
    scene = "" if record.placement is None else f"_{record.placement.scene}"
    common = assets / f"{object_file.stem}_by_{hand.name}{scene}_lift.usd"
    obj, config = read_object(object_file), LiftConfig.of("dexgraspbench")
    _write_common(record, hand, obj, object_file, common, config)
    for row in rows:
        way = ways[row]
        assert way is not None
        _write_scene(row, way, hand, obj, common, _scene_file(folder, row), config)
    return len(rows)


def _scene_file(folder: Path, row: int) -> Path:
    return folder / f"grasp_{row:04d}.usd"


def _write_common(
    record: GraspRecord, hand: Hand, obj: RigidObject, object_file: Path, path: Path, config: LiftConfig
) -> None:
    """Write what all scenes have in common: the lift test's stage with one place, drawn."""
    stage = create_stage("World", path)
    author_table_top(stage, config.physics)
    # How Isaac Sim steps unless it is told otherwise.
    scene = stage.GetPrimAtPath("/World/PhysicsScene")
    steps = scene.CreateAttribute("physxScene:timeStepsPerSecond", Sdf.ValueTypeNames.UInt, custom=False)
    steps.Set(round(1.0 / config.time_step))
    place = LiftPlace(stage, _FOLDER, hand, obj.center_of_mass)
    mass = obj.mass if config.object_mass is None else config.object_mass
    tested = replace(obj, mass=mass, inertia=obj.inertia * (mass / obj.mass))
    pieces = obj.convex_pieces or resting_pieces(obj)
    place.author(hand_colliders(hand), tested, pieces, config.physics, config.drive)
    make_blind(stage, [place])
    _name_parts(stage, hand)
    for link, prim_path in zip(hand.links, place.link_paths, strict=True):
        _draw(stage, f"{prim_path}/look", link.mesh, _HAND_COLOR)
    _draw_object(stage, f"{place.object_path}/look", object_file, obj)
    table = _bare_table() if record.placement is None else record.placement.table
    _draw(stage, "/World/TableLook", table, _TABLE_COLOR)
    UsdGeom.Imageable(stage.GetPrimAtPath("/World/Table")).CreatePurposeAttr(UsdGeom.Tokens.guide)
    UsdLux.DomeLight.Define(stage, "/World/Sky").CreateIntensityAttr(500.0)
    lamp = UsdLux.DistantLight.Define(stage, "/World/Sun")
    lamp.CreateIntensityAttr(1500.0)
    lamp.AddRotateXYZOp().Set(Gf.Vec3f(40.0, 20.0, 0.0))
    set_times(stage, config.phases)
    save_stage(stage, path)


def _write_scene(
    row: int, way: HandWay, hand: Hand, obj: RigidObject, common: Path, path: Path, config: LiftConfig
) -> None:
    stage = create_stage("World", path)
    UsdGeom.SetStageMetersPerUnit(stage, METERS_PER_UNIT)
    stage.GetRootLayer().subLayerPaths.append(
        Path(os.path.relpath(common.absolute(), path.absolute().parent)).as_posix()
    )
    place, motion = LiftPlace(stage, _FOLDER, hand, obj.center_of_mass), hand_motion(way, config.phases)
    codes = (CODES_PER_SECOND * motion.times).round(6).tolist()
    for attribute_path, values, moves in place.values(way.T_world_object, motion, np.zeros(7)):
        attribute = stage.GetAttributeAtPath(attribute_path)
        attribute.Set(values[0])
        for code, value in zip(codes, values, strict=True) if moves else ():
            attribute.Set(value, code)
    world, kinds = stage.GetDefaultPrim(), Sdf.ValueTypeNames
    world.CreateAttribute("graspd:index", kinds.Int, custom=True).Set(row)
    rise = config.phases.lift_height * way.lift_direction
    world.CreateAttribute("graspd:lift", kinds.Double3, custom=True).Set(Gf.Vec3d(*rise.tolist()))
    set_times(stage, config.phases)
    save_stage(stage, path)


def _name_parts(stage: Usd.Stage, hand: Hand) -> None:
    """Show links and joints under the names that they have in the hand."""
    for index, link in enumerate(hand.links):
        stage.GetPrimAtPath(f"{_FOLDER}/link_{index}").SetDisplayName(link.name)
        if link.joint >= 0:
            stage.GetPrimAtPath(f"{_FOLDER}/joint_{index}").SetDisplayName(hand.joint_names[link.joint])


def _draw(stage: Usd.Stage, path: str, mesh: TriangleMesh, color: tuple[float, float, float]) -> None:
    if len(mesh.faces):
        scaled = TriangleMesh(mesh.vertices * _SCALE, mesh.faces)
        drawn = author_mesh(stage, path, scaled, normals=corner_normals(scaled, crease_angle=0.5))
        drawn.CreateDisplayColorAttr([Gf.Vec3f(*color)])


def _draw_object(stage: Usd.Stage, path: str, file: Path, obj: RigidObject) -> None:
    """Show an object as its file has it, without the file's physics, about the centre of mass."""
    look = UsdGeom.Xform.Define(stage, path)
    prim = look.GetPrim()
    prim.GetReferences().AddReference(f"./{file.name}")
    matrix = Gf.Matrix4d(_SCALE)
    matrix[3, 3] = 1.0
    matrix.SetTranslateOnly(Gf.Vec3d(*(-_SCALE * obj.center_of_mass).tolist()))
    look.MakeMatrixXform().Set(matrix)
    for part in Usd.PrimRange(prim):
        part.RemoveAPI(UsdPhysics.RigidBodyAPI)
        part.RemoveAPI(UsdPhysics.MassAPI)
        part.RemoveAPI(UsdPhysics.CollisionAPI)
    stage.OverridePrim(f"{path}/collisions").SetActive(False)


def _bare_table() -> TriangleMesh:
    """Return a piece of the table top, for grasps that have no scene [m]."""
    box = trimesh.creation.box(_TABLE_SIZE)
    return TriangleMesh(box.vertices - [0.0, 0.0, 0.5 * _TABLE_SIZE[2]], box.faces.astype(np.int32))
