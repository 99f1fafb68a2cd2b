# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Accepted grasps keep the ways of their table, unless one was mended: another pose has another way."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from lift_jaws import make_grasp

from omni_graspd.dataset.tables import GraspTable, write_grasps
from omni_graspd.inspection import accepted_export
from omni_graspd.synthesis.grasp import join_batches


def test_a_mended_grasp_has_no_way_of_before(tmp_path: Path) -> None:
    batch = join_batches([make_grasp(0.001), make_grasp(0.002)])
    indices = np.arange(2, dtype=np.int32)
    table = GraspTable("jaws", "block", ("left", "right"), indices, 0, batch, {}, np.zeros(2, np.int32))
    write_grasps(table, tmp_path / "block.parquet")
    place = SimpleNamespace(path=tmp_path / "block.parquet", first=0)
    catalog = SimpleNamespace(grasp=lambda row: None, table_of=lambda row: place)
    session = cast(Any, SimpleNamespace(catalog=catalog))
    kept, _ = accepted_export._record(session, [(0, None), (1, None)])
    assert kept.way is not None and kept.rest_poses is not None
    mended = SimpleNamespace(T_object_palm=batch.T_object_palm[0], joint_positions=batch.joint_positions[0], score=0.1)
    record, lacking = accepted_export._record(session, cast(Any, [(0, None), (1, mended)]))
    assert (record.way, record.rest_poses, record.pregrasp_clearance) == (None, None, None)
    assert lacking.tolist() == [False, True]
