# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A USD stage with the object and one hand for each grasp around it; hand and object are referenced from beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pxr import Kind, Sdf, Usd, UsdGeom, UsdPhysics, UsdUtils

from omni_graspd.dataset.asset_copies import copy_hand
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format
from omni_graspd.formats.grasp_reading import ReadGrasps
from omni_graspd.formats.object_files import load_scaled_object, scaled_name
from omni_graspd.formats.record import GraspRecord
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.posed_hand import author_posed_hand
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.objects.object_writer import write_object
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage, prim_name, save_stage
from omni_graspd.usd.transforms import IDENTITY, compose

ACTIVE_HANDS = 64
"""Further hands are on the stage, but inactive, so that it opens quickly; they are activated in the stage window."""


def write_grasp_stage(record: GraspRecord, hand: Hand, object_path: Path | None, path: Path, assets: Path) -> None:
    """Write a stage of grasps: ``/Grasps/object`` and ``/Grasps/hands/grasp_0000``, ... in the object frame.

    Physics is off: hands and object are there to be looked at. Each hand's prim has the grasp as attributes
    ``graspd:index``, ``graspd:joint_names``, ``graspd:joint_positions`` and ``graspd:<score>``.

    Args:
        record: Grasps of our hand, in the order of its joints.
        hand: The hand.
        object_path: Mesh or USD file of the object before its scale; without it the stage has hands only.
        path: USD file to write, all or nothing.
        assets: Folder for the hand's and the object's files; those that are there are kept.

    Raises:
        GraspdError: If hand or object cannot be read or written.
    """
    if assets.exists() and not assets.is_dir():
        raise GraspdError(f"expected {assets} to be a folder for hand and object, got a file; choose another name")
    hand_file = assets / f"{hand.name}.usd"
    if not hand_file.is_file():
        copy_hand(hand, hand_file)
    copied = replace(read_hand(hand_file), name=hand.name)
    stage = create_stage("Grasps", path)
    root = stage.GetDefaultPrim()
    if object_path is not None:
        _author_object(stage, record, object_path, assets)
    author_grasps(stage, str(root.GetPath()), copied, record)
    folder = path.absolute().parent
    UsdUtils.ModifyAssetPaths(stage.GetRootLayer(), lambda asset: _relative(asset, folder))
    save_stage(stage, path)


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
        place = f"{path}/hands/grasp_{index:04d}"
        prim = author_posed_hand(stage, place, hand, poses[index], record.joint_positions[index])
        apply_label(prim, hand.name)
        for joint in [part for part in Usd.PrimRange(prim) if part.IsA(UsdPhysics.Joint)]:
            joint.SetActive(False)  # joints need a body that physics moves
        _author_grasp(prim, record, index)
        if index >= ACTIVE_HANDS:
            prim.SetActive(False)


def _author_object(stage: Usd.Stage, record: GraspRecord, source: Path, assets: Path) -> None:
    name = scaled_name(record) or source.stem
    file = assets / f"{name}.usd"
    if not file.is_file():
        write_object(load_scaled_object(source, name, record.object_scale), file)
    prim = UsdGeom.Xform.Define(stage, f"{stage.GetDefaultPrim().GetPath()}/object").GetPrim()
    prim.GetReferences().AddReference(str(file.absolute()))
    # The object belongs to the picture, not to a simulation: the hands around it overlap.
    prim.CreateAttribute("physics:rigidBodyEnabled", Sdf.ValueTypeNames.Bool, custom=False).Set(False)


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


def _write(entry: ReadGrasps, record: GraspRecord, path: Path, assets: Path) -> None:
    if entry.hand is None:
        raise GraspdError(f"expected one of our hands for a USD stage, got {record.hand!r}; name one with --hand")
    write_grasp_stage(record, entry.hand, entry.object_path, path, assets)


FORMAT = Format(
    name="usd",
    title="a stage with one hand for each grasp",
    place=15,
    suffixes=(".usd", ".usda", ".usdc"),
    write_with_assets=_write,
    needs_our_hand=True,
)
