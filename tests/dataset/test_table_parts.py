# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Tables joined from parts: in the order of the grasps' numbers, with the same bytes however they were cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.dataset import table_parts
from omni_graspd.dataset.grasp_numbers import LARGEST_COUNT, LARGEST_REST_POSE, grasp_indices, rest_pose_of, rows_of
from omni_graspd.dataset.table_parts import grasp_counts, join_parts
from omni_graspd.dataset.tables import GraspTable, read_grasps, write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.synthesis.grasp import GraspBatch


def _table(indices: np.ndarray) -> GraspTable:
    """Return a table whose numbers say which grasp they belong to."""
    poses = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], (len(indices), 1))
    poses[:, 0] = indices
    batch = GraspBatch(poses, indices[:, None].astype(np.float64), {}, tuple(f"apart {index}" for index in indices))
    metrics = {"epsilon": indices / 7.0}
    return GraspTable("claw", "mug", ("bend",), indices, 0, batch, metrics, rest_pose_of(indices))


def _write(folder: Path, *stretches: tuple[int, int, int]) -> Path:
    """Write one part with the given stretches of rest poses; return its path."""
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    write_grasps(_table(np.concatenate([grasp_indices(*stretch) for stretch in stretches])), path)
    return path


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """The table of two rest poses with nine grasps and of a third with four, made at once."""
    folder = tmp_path / "whole"
    folder.mkdir()
    join_parts([_write(folder, (0, 0, 9), (1, 0, 9), (2, 0, 4))], folder / "joined.parquet")
    return (folder / "joined.parquet").read_bytes()


_CUTS = {
    "grasp by grasp": [
        [(pose, number, number + 1)] for pose, count in ((0, 9), (1, 9), (2, 4)) for number in range(count)
    ],
    "more grasps in every rest pose": [[(0, 0, 2), (1, 0, 2), (2, 0, 2)], [(0, 2, 9)], [(1, 2, 9)], [(2, 2, 4)]],
    "more rest poses": [[(0, 0, 9)], [(1, 0, 9)], [(2, 0, 4)]],
    "both": [[(0, 0, 3), (1, 0, 3)], [(0, 3, 7)], [(0, 7, 9)], [(1, 3, 9)], [(2, 0, 4)]],
    "in any order": [[(2, 0, 4)], [(1, 4, 9)], [(0, 0, 9), (1, 0, 4)]],
}


@pytest.mark.parametrize("cut", _CUTS)
@pytest.mark.parametrize("row_group", [4, 1 << 16])
def test_bytes_do_not_depend_on_the_cuts(
    cut: str, row_group: int, whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    monkeypatch.setattr(table_parts, "_ROW_GROUP_SIZE", row_group)
    parts = [_write(folder, *stretches) for stretches in _CUTS[cut]]
    join_parts(parts, parts[0])
    joined = read_grasps(parts[0])
    assert (np.diff(joined.indices) > 0).all() and len(joined.indices) == 22
    np.testing.assert_array_equal(joined.grasps.T_object_palm[:, 0], joined.indices)
    assert joined.grasps.status[-1] == "apart 2000003"
    if row_group > 22:
        assert parts[0].read_bytes() == whole


def test_row_groups_do_not_depend_on_the_cuts_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_parts, "_ROW_GROUP_SIZE", 5)
    made = set()
    for cut, parts in _CUTS.items():
        folder = tmp_path / cut.replace(" ", "_")
        folder.mkdir()
        join_parts([_write(folder, *stretches) for stretches in parts], folder / "joined.parquet")
        made.add((folder / "joined.parquet").read_bytes())
    assert len(made) == 1


def test_grasps_of_each_rest_pose_are_counted(tmp_path: Path) -> None:
    path = _write(tmp_path, (0, 0, 3), (2, 0, 1))
    assert grasp_counts(path, 4) == [3, 0, 1, 0]


def test_a_damaged_part_is_named_in_one_line(tmp_path: Path) -> None:
    part = _write(tmp_path, (0, 0, 3))
    part.write_bytes(part.read_bytes()[:200])
    with pytest.raises(GraspdError, match=r"0\.parquet is not a readable Parquet table") as error:
        join_parts([part], tmp_path / "joined.parquet")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "joined.parquet").exists()


def test_numbers_of_the_last_rest_pose_fit_and_lead_back() -> None:
    indices = grasp_indices(LARGEST_REST_POSE, LARGEST_COUNT - 2, LARGEST_COUNT)
    assert indices.dtype == np.int32 and (indices > 0).all()
    assert rest_pose_of(indices).tolist() == [LARGEST_REST_POSE] * 2
    assert np.iinfo(np.int32).max < (LARGEST_REST_POSE + 1) * LARGEST_COUNT + LARGEST_COUNT - 1


def test_rows_are_found_by_number() -> None:
    indices = np.array([0, 1, 1_000_000, 1_000_001], dtype=np.int32)
    assert rows_of(indices, np.array([1_000_001, 0])).tolist() == [3, 0]
    with pytest.raises(KeyError, match="2"):
        rows_of(indices, np.array([1, 2]))


def test_joining_keeps_what_evaluation_added(tmp_path: Path) -> None:
    table = _table(grasp_indices(0, 0, 3))
    write_grasps(replace(table, metrics=table.metrics | {"held": np.ones(3)}), tmp_path / "0.parquet")
    join_parts([tmp_path / "0.parquet"], tmp_path / "joined.parquet")
    assert list(read_grasps(tmp_path / "joined.parquet").metrics) == ["epsilon", "held"]
