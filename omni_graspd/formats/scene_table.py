# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Our tables of grasps placed in a scene: hand and object in the world, over the scene's table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from pxr import Usd, UsdPhysics, UsdShade

from omni_graspd.dataset.grasp_numbers import rows_of
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.reach.reach_columns import scene_reach_columns
from omni_graspd.dataset.scene_files import read_rest_pose
from omni_graspd.dataset.tables import SceneGraspTable, read_grasps, read_scene_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, Signature
from omni_graspd.formats.grasp_table import table_record
from omni_graspd.formats.placement import Placement
from omni_graspd.formats.record import GraspRecord
from omni_graspd.plain_text import shortened
from omni_graspd.scenes.scene_grasps import SceneGrasps
from omni_graspd.scenes.scene_writer import TABLE_PATH, neighbour_path
from omni_graspd.usd.meshes import read_meshes_below
from omni_graspd.usd.stage import open_stage

_SUFFIX = ".grasps.parquet"


def read_scene_table(path: Path) -> list[GraspRecord]:
    """Read the grasps of a scene, hand by hand; those without a posture are left out.

    Confidence is 1 for grasps that can be carried out in this scene. The scene and the base grasps are read from the
    dataset to which the table belongs.

    Args:
        path: ``scenes/<object>/scene_0000.grasps.parquet`` of a dataset.

    Raises:
        GraspdError: If it is no such table, or the dataset around it lacks the scene or the base grasps.
    """
    table = read_scene_grasps(path)
    layout = DatasetLayout(path.absolute().parents[2])
    # Names become those of files: they must not lead out of the dataset.
    folder = path.absolute().parent.name
    wrong = [name for name in (table.object, *table.hands) if Path(name).name != name]
    if wrong or table.object != folder:
        raise GraspdError(
            f"expected grasps of {folder} in {path}, got the name {shortened((*wrong, table.object)[0])!r}; run "
            f"`graspd verify {layout.root}`"
        )
    placement, notes = _placement(path)
    return [_record(table, hand, layout, placement, notes, path) for hand in dict.fromkeys(table.hands)]


def _placement(path: Path) -> tuple[Placement, tuple[str, ...]]:
    """Return the scene beside a table, and what of it is left out."""
    name = path.name.removesuffix(_SUFFIX)
    file = path.with_name(f"{name}.usda")
    if not file.is_file():
        raise GraspdError(f"expected the scene {file} beside {path.name}, got none; leave tables in their dataset")
    stage = open_stage(file)
    table = stage.GetPrimAtPath(TABLE_PATH)
    if not table:
        raise GraspdError(f"expected {TABLE_PATH} in {file}, got another scene; settle it again")
    others = sum(1 for _ in _neighbours(stage))
    notes = (f"{others} other objects on the table of {name} are left out",) if others else ()
    placed = Placement(name, read_rest_pose(file), read_meshes_below(table), _friction(table))
    return placed, notes


def _neighbours(stage: Usd.Stage) -> Iterator[Usd.Prim]:
    number = 0
    while prim := stage.GetPrimAtPath(neighbour_path(number)):
        yield prim
        number += 1


def _friction(table: Usd.Prim) -> float:
    material, _ = UsdShade.MaterialBindingAPI(table).ComputeBoundMaterial("physics")
    value = UsdPhysics.MaterialAPI(material.GetPrim()).GetStaticFrictionAttr().Get() if material else None
    return 0.5 if value is None else float(value)


def _record(
    table: SceneGraspTable,
    hand: str,
    layout: DatasetLayout,
    placement: Placement,
    notes: tuple[str, ...],
    path: Path,
) -> GraspRecord:
    base = read_grasps(layout.grasps(hand, table.object))
    mine = np.flatnonzero([name == hand for name in table.hands])
    try:
        record = table_record(base).rows(rows_of(base.indices, table.grasp_indices[mine]))
    except KeyError as error:
        raise GraspdError(
            f"expected the grasps of {path} in {layout.grasps(hand, table.object)}, got number {error} besides; run "
            f"`graspd verify {layout.root}`"
        ) from error
    placed = {name: values[mine] for name, values in _columns(table.grasps).items()}
    ok = np.array([status == "ok" for status in table.status])[mine]
    usable = ok & placed.get("usable", ~placed["collides"])
    reach = scene_reach_columns(layout, hand, table.object, table.scene_index, table.grasp_indices[mine])
    record = replace(
        record,
        object_file=str(layout.object(table.object)),
        scores=record.scores | {"confidence": usable.astype(np.float64)},
        facts=record.facts | placed | {"usable": usable, "ok": ok} | reach,
        placement=placement,
    )
    finite = np.isfinite(np.concatenate([record.T_object_palm, record.joint_positions], axis=1)).all(axis=1)
    if not finite.all():
        notes = (*notes, f"{int((~finite).sum())} failed grasps without a posture left out")
    return replace(record.rows(np.flatnonzero(finite)), notes=notes)


def _columns(grasps: SceneGrasps) -> dict[str, np.ndarray]:
    """Return the columns of one value that there are."""
    columns = {field.name: getattr(grasps, field.name) for field in fields(SceneGrasps)}
    return {name: values for name, values in columns.items() if values is not None and values.ndim == 1}


def _is_scene_table(head: bytes, content: bytes) -> bool:
    return head.startswith(b"PAR1") and b"scene_index" in content


FORMAT = Format(
    name="scene",
    title="our table of grasps in a scene",
    place=125,
    suffixes=(".parquet",),
    signature=Signature(_is_scene_table, "it is a Parquet file of grasps in a scene", rank=-1),
    read=read_scene_table,
    hand_file=lambda record, table: DatasetLayout(table.absolute().parents[2]).hand(record.hand),
    is_ours=True,
    needs_our_hand=True,
)
