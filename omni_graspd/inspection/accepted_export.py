# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The accepted grasps in any format that ``graspd convert`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from omni_graspd.dataset.tables import read_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.formats.conversion import Conversion, write_reading
from omni_graspd.formats.grasp_reading import GraspReading, ReadGrasps
from omni_graspd.formats.grasp_table import table_record
from omni_graspd.formats.record import POSTURES, GraspRecord
from omni_graspd.formats.registry import DATASET, export_names
from omni_graspd.hands.hand import Hand
from omni_graspd.inspection.decisions import MendedGrasp
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.usd_object_reader import USD_SUFFIXES
from omni_graspd.plural import counted
from omni_graspd.synthesis.models import object_model
from omni_graspd.synthesis.search import postures_of

ISAAC_GRASP = "isaac_grasp"
_Accepted = tuple[int, MendedGrasp | None]
"""Row in the catalogue, and what took the place of the table's pose."""


async def export_accepted(inspection: Inspection, to_name: str = ISAAC_GRASP) -> Conversion:
    """Write all accepted grasps, whatever is filtered; those that were mended as they were accepted.

    Files go to a folder of the format's name below the session's folder for exports; where it is taken, to the next
    with a number, so that nothing of an earlier export is mixed in or lost. Mended grasps get pregrasp and squeeze
    postures of their own; where some of a hand and object are mended, none has metrics but the ranking score.

    Args:
        inspection: The session.
        to_name: Name of the format, as for ``graspd convert --to``.

    Returns:
        What was written and lost.

    Raises:
        GraspdError: If nothing is accepted, an accepted grasp cannot be read, or the format is unknown.
    """
    if to_name not in export_names():
        raise GraspdError(f"expected a format among {', '.join(export_names())}, got {to_name!r}")
    return await inspection.in_thread(lambda: _export(inspection, to_name))


def export_line(conversion: Conversion) -> str:
    """Return what was written and lost as one line."""
    count = sum(file.count for file in conversion.files)
    unit = next((file.unit for file in conversion.files if file.unit != "grasp"), "accepted grasp")
    where = ", ".join(str(file.path) for file in conversion.files)
    left_out = [f"left out: {refusal.reason}" for refusal in conversion.refused]
    return "; ".join([f"wrote {counted(count, unit)} to {where}", *conversion.notes, *left_out])


def _export(inspection: Inspection, to_name: str) -> Conversion:
    groups: dict[tuple[str, str, str], list[_Accepted]] = {}
    for (hand, obj, index), decision in inspection.decisions.items():
        row = inspection.catalog.row_of(hand, obj, index)
        if decision.verdict == "accepted" and row is not None:
            other = decision.mended.object if decision.mended else ""
            groups.setdefault((hand, obj, other), []).append((row, decision.mended))
    if not groups:
        raise GraspdError("no grasps have been accepted; accept some first")
    with TemporaryDirectory(prefix="graspd_export_") as folder:
        grasps = tuple(
            _group(inspection, *names, sorted(accepted, key=lambda each: each[0]), Path(folder))
            for names, accepted in groups.items()
        )
        reading = GraspReading(DATASET, "accepted in an inspection", grasps, ())
        return write_reading(reading, _free_folder(inspection.export_folder / to_name), to_name)


def _group(
    inspection: Inspection, hand_name: str, own: str, other: str, accepted: Sequence[_Accepted], folder: Path
) -> ReadGrasps:
    layout = inspection.catalog.layout
    hand = inspection.assets.hand(hand_name)
    record, lacking = _record(inspection, accepted)
    name, source, obj = own, layout.object(own), None
    if other:
        name, obj = Path(other).stem, load_object(other)
        source = obj.source if obj.source.suffix.lower() in USD_SUFFIXES else _as_usd(obj, folder)
    if lacking.any():
        record = _with_postures(record, hand, obj or inspection.assets.object(own), lacking, inspection)
    return ReadGrasps(replace(record, object=name), hand, source, layout.grasps(hand_name, own))


def _as_usd(obj: RigidObject, folder: Path) -> Path:
    """Write a mesh as USD, which states the unit that was guessed in reading the mesh."""
    path = folder / str(len(list(folder.iterdir()))) / f"{obj.name}.usd"
    path.parent.mkdir()
    write_object(obj, path)
    return path


def _record(inspection: Inspection, accepted: Sequence[_Accepted]) -> tuple[GraspRecord, np.ndarray]:
    """Return grasps as they were accepted, and which of them have no pregrasp and squeeze of their own."""
    catalog, rows = inspection.catalog, np.array([row for row, _ in accepted])
    for row in rows:
        catalog.grasp(int(row))  # says which is damaged
    table = catalog.table_of(int(rows[0]))
    record = table_record(read_grasps(table.path)).rows(rows - table.first)
    poses, joints = record.T_object_palm.copy(), record.joint_positions.copy()
    scores = {**record.scores, "confidence": np.ones(len(rows))}
    is_mended = np.array([mended is not None for _, mended in accepted])
    for place, (_, mended) in enumerate(accepted):
        if mended is None:
            continue
        poses[place], joints[place] = mended.T_object_palm, mended.joint_positions
    if is_mended.any():
        escapes = scores.get("loss_escape", np.full(len(rows), np.nan))
        own = [
            escape if mended is None else mended.score for escape, (_, mended) in zip(escapes, accepted, strict=True)
        ]
        scores = {"confidence": scores["confidence"], "loss_escape": np.array(own)}
        # Another pose has another way, and perhaps another object.
        record = replace(record, way=None, rest_poses=None, pregrasp_clearance=None)
    record = replace(record, T_object_palm=poses, joint_positions=joints, scores=scores)
    has_postures = all(getattr(record, name) is not None for name in POSTURES)
    return record, is_mended if has_postures else np.ones_like(is_mended)


def _with_postures(
    record: GraspRecord, hand: Hand, obj: RigidObject, lacking: np.ndarray, inspection: Inspection
) -> GraspRecord:
    """Find pregrasp and squeeze of grasps whose table has none, or has those of another pose."""
    config, device = inspection.synthesis, inspection.device
    model = object_model(obj, config.distance, device)
    found = postures_of(hand, model, record.T_object_palm[lacking], record.joint_positions[lacking], config, device)
    postures = {}
    for name in POSTURES:
        mine: np.ndarray = getattr(found, name)
        there = None if lacking.all() else getattr(record, name)
        postures[name] = mine if there is None else np.where(lacking[:, None], mine[np.cumsum(lacking) - 1], there)
    return replace(record, **postures)


def _free_folder(wanted: Path) -> Path:
    folder, number = wanted, 1
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}_{number}")
    return folder
