# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The accepted grasps as files that Isaac Sim's Grasp Editor opens, one per hand and object."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.isaac_grasp import write_isaac_grasp
from omni_graspd.formats.record import GraspRecord
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.inspection.decisions import MendedGrasp
from omni_graspd.inspection.grasp_catalog import CatalogGrasp
from omni_graspd.inspection.inspection import Inspection


def export_accepted(inspection: Inspection, folder: Path) -> list[Path]:
    """Write all accepted grasps as isaac_grasp YAML, those that were mended as they were accepted.

    Args:
        inspection: The session; its decisions are exported, whatever is filtered.
        folder: Gets ``<hand>/<object>.yaml``.

    Returns:
        The files.

    Raises:
        GraspdError: If nothing is accepted, or an accepted grasp cannot be read.
    """
    groups: dict[tuple[str, str], list[tuple[CatalogGrasp, MendedGrasp | None]]] = {}
    for (hand, obj, index), decision in inspection.decisions.items():
        row = inspection.catalog.row_of(hand, obj, index)
        if decision.verdict == "accepted" and row is not None:
            other = decision.mended.object if decision.mended else ""
            name = Path(other).stem if other else obj
            groups.setdefault((hand, name), []).append((inspection.catalog.grasp(row), decision.mended))
    if not groups:
        raise GraspdError("expected accepted grasps, got none; accept some first")
    written = []
    for (hand_name, object_name), grasps in groups.items():
        hand = load_hand(str(inspection.catalog.layout.hand(hand_name)))
        path = folder / hand_name / f"{object_name}.yaml"
        write_isaac_grasp(_record(hand, object_name, grasps), path)
        written.append(path)
    return written


def _record(hand: Hand, object_name: str, grasps: list[tuple[CatalogGrasp, MendedGrasp | None]]) -> GraspRecord:
    poses = [grasp.T_object_palm if mended is None else mended.T_object_palm for grasp, mended in grasps]
    joints = [grasp.joint_positions if mended is None else mended.joint_positions for grasp, mended in grasps]
    # A mended grasp comes from an open hand: the table's pregrasp belongs to another pose.
    opened = hand.joint_positions(hand.open_positions)
    before = [
        opened if mended is not None or grasp.pregrasp_joint_positions is None else grasp.pregrasp_joint_positions
        for grasp, mended in grasps
    ]
    return GraspRecord(
        hand=hand.name,
        object=object_name,
        joint_names=hand.joint_names,
        T_object_palm=np.array(poses),
        joint_positions=np.array(joints),
        palm_path=hand.links[0].prim_path,
        pregrasp_joint_positions=np.array(before),
        scores={"confidence": np.ones(len(grasps))},
    )
