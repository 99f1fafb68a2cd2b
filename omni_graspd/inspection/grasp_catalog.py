# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""All base grasps of a dataset as a list that is read lazily: a hundred thousand rows open in a second.

Only the columns that are asked for are read. Poses and joints of one table at a time are kept in memory.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Manifest, read_manifest
from omni_graspd.dataset.selection import comes_from_above
from omni_graspd.dataset.table_gate import OpenTable, open_table
from omni_graspd.dataset.table_kinds import GRASPS
from omni_graspd.dataset.table_schema import GRASP_COLUMNS, POSTURE_COLUMNS, REST_POSE_COLUMNS, WAY_COLUMNS
from omni_graspd.errors import GraspdError

_NORM_TOLERANCE = 1e-3
_OPTIONAL = (
    *("T_object_pregrasp_palm", "pregrasp_joint_positions", "table_plane"),
    *("T_object_hover_palm", "squeeze_joint_positions", "lift_direction"),
)
_VECTORS = ("T_object_palm", "joint_positions", *_OPTIONAL)


@dataclass(frozen=True)
class CatalogTable:
    """One table of base grasps: its place in the catalogue and what its footer says."""

    hand: str
    """Name of the hand."""
    object: str
    """Name of the object."""
    path: Path
    """The Parquet file."""
    first: int
    """Row of its first grasp in the catalogue."""
    count: int
    """How many grasps it has."""
    metric_names: tuple[str, ...]
    """Columns of single numbers: metrics, and losses with the prefix ``loss_``."""


@dataclass(frozen=True, eq=False)
class CatalogGrasp:
    """One grasp of a catalogue."""

    row: int
    """Row in the catalogue."""
    hand: str
    """Name of the hand."""
    object: str
    """Name of the object."""
    index: int
    """Number of the grasp in its table."""
    status: str
    """``"ok"``, or why it failed."""
    T_object_palm: np.ndarray
    """Pose of the palm in the object frame, shape [7]."""
    joint_positions: np.ndarray
    """All joints [rad or m], shape [joint_count]."""
    T_object_pregrasp_palm: np.ndarray | None
    """Pose of the palm before the grasp, shape [7]; None where the dataset has none."""
    pregrasp_joint_positions: np.ndarray | None
    """All joints before the grasp [rad or m], shape [joint_count]."""
    table_plane: np.ndarray | None
    """Table top in the object frame: unit normal and offset [m], shape [4]; None where the object floats."""
    T_object_hover_palm: np.ndarray | None = None
    """Pose of the palm where the open hand begins to close, shape [7]; None where the object floats."""
    squeeze_joint_positions: np.ndarray | None = None
    """Joint targets of the squeeze [rad or m], shape [joint_count]; None where the dataset has none."""
    lift_direction: np.ndarray | None = None
    """Unit direction of the lift in the object frame, shape [3]; None where the object floats."""


class GraspCatalog:
    """The base grasps of a dataset, in the order hands, objects, index. Tables are never written."""

    def __init__(self, root: Path) -> None:
        """Open a dataset; reads the manifest and the footers of the tables.

        Args:
            root: The dataset folder.

        Raises:
            GraspdError: If the folder is no dataset or has no grasps, or a table is damaged.
        """
        self.root = root
        self.layout = DatasetLayout(root)
        self.manifest: Manifest = read_manifest(root)
        self.tables = self._open_tables()
        self.count = sum(table.count for table in self.tables)
        if not self.count:
            raise GraspdError(f"there are no grasps in {root}; run `graspd synthesize` with the same options")
        self._ends = np.cumsum([table.count for table in self.tables])
        # One table's vectors at a time: what is in memory does not grow while browsing.
        self._vectors = functools.lru_cache(maxsize=1)(self._read_vectors)
        self._columns: dict[str, np.ndarray] = {}

    def _open_tables(self) -> tuple[CatalogTable, ...]:
        tables, first = [], 0
        for hand, obj, path in self.layout.grasp_tables(self.manifest.hands, self.manifest.objects):
            opened = self._opened(path)
            tables.append(CatalogTable(hand, obj, path, first, opened.row_count, _metric_names(opened)))
            first += opened.row_count
        return tuple(tables)

    def _opened(self, path: Path) -> OpenTable:
        if not path.is_file():
            raise GraspdError(
                f"the table {path} has gone since the dataset was opened; restore it or open another dataset; "
                "decisions made so far are kept"
            )
        return open_table(path, GRASPS)

    def _read(self, table: CatalogTable, columns: list[str]) -> dict[str, np.ndarray]:
        opened = self._opened(table.path)
        if opened.row_count != table.count:
            raise GraspdError(
                f"{table.path} has changed since the dataset was opened: expected {table.count} grasps, got "
                f"{opened.row_count}; open the dataset again"
            )
        missing = [name for name in columns if name not in opened.names]
        if missing:
            raise GraspdError(
                f"expected the column {missing[0]} in {table.path} as when it was opened, got none; "
                "open the dataset again"
            )
        return opened.arrays(columns)

    def metric_names(self) -> list[str]:
        """Return the names of all columns of single numbers, in the order of the tables."""
        return list(dict.fromkeys(name for table in self.tables for name in table.metric_names))

    def metric(self, name: str) -> np.ndarray:
        """Return one column over all grasps, NaN where a table does not have it, shape [count].

        Raises:
            GraspdError: If no table has it.
        """
        if name not in self.metric_names():
            raise GraspdError(f"expected a metric among {', '.join(self.metric_names())}, got {name!r}")
        if name not in self._columns:
            parts = [
                np.asarray(self._read(table, [name])[name], dtype=np.float64)
                if name in table.metric_names
                else np.full(table.count, np.nan)
                for table in self.tables
            ]
            self._columns[name] = np.concatenate(parts)
        return self._columns[name]

    def ok(self) -> np.ndarray:
        """Return which grasps did not fail, shape [count], bool."""
        if "status" not in self._columns:
            parts = [self._read(table, ["status"])["status"] == "ok" for table in self.tables]
            self._columns["status"] = np.concatenate(parts).astype(bool)
        return self._columns["status"]

    def usable(self) -> np.ndarray:
        """Return which grasps can be carried out, shape [count], bool; without known ways, those that did not fail."""
        if "usable" not in self.metric_names():
            return self.ok()
        usable = self.metric("usable")
        return np.where(np.isnan(usable), self.ok(), usable == 1.0)

    def from_above(self) -> np.ndarray:
        """Return which hands come from above over the table, within 60 degrees, shape [count], bool; afloat none."""
        if "from above" not in self._columns:
            parts = [self._comes_from_above(table) for table in self.tables]
            self._columns["from above"] = np.concatenate(parts)
        return self._columns["from above"]

    def _comes_from_above(self, table: CatalogTable) -> np.ndarray:
        needed = ["T_object_pregrasp_palm", "T_object_hover_palm", "table_plane"]
        if not set(needed) <= set(self._opened(table.path).names):
            return np.zeros(table.count, dtype=bool)
        columns = self._read(table, needed)
        return comes_from_above(*(columns[name] for name in needed))

    def table_of(self, row: int) -> CatalogTable:
        """Return the table of a row."""
        if not 0 <= row < self.count:
            raise GraspdError(f"expected a row from 0 to {self.count - 1}, got {row}")
        return self.tables[int(np.searchsorted(self._ends, row, side="right"))]

    def row_of(self, hand: str, obj: str, index: int) -> int | None:
        """Return the row of a grasp by its number; None where the dataset has none such."""
        for table in self.tables:
            if (table.hand, table.object) == (hand, obj):
                indices = self._indices()[table.first : table.first + table.count]
                # Tables are written in the order of their numbers.
                place = int(np.searchsorted(indices, index))
                return table.first + place if place < table.count and indices[place] == index else None
        return None

    def index_of(self, row: int) -> int:
        """Return the number of a grasp in its table."""
        return int(self._indices()[row])

    def _indices(self) -> np.ndarray:
        if "index" not in self._columns:
            parts = [self._read(each, ["index"])["index"] for each in self.tables]
            self._columns["index"] = np.concatenate(parts)
        return self._columns["index"]

    def grasp(self, row: int) -> CatalogGrasp:
        """Read one grasp.

        Raises:
            GraspdError: If its table is gone or damaged, or the row holds no pose.
        """
        table = self.table_of(row)
        vectors = self._vectors(table)
        if not table.path.is_file():
            self._opened(table.path)  # says that it is gone
        place = row - table.first
        pose, joints = vectors["T_object_palm"][place], vectors["joint_positions"][place]
        norm = float(np.linalg.norm(pose[3:]))
        if not (np.isfinite(pose).all() and np.isfinite(joints).all() and abs(norm - 1.0) < _NORM_TOLERANCE):
            raise GraspdError(
                f"expected a finite pose with a unit quaternion in row {place} of {table.path}, got something else; "
                "skip this grasp, or make the table again"
            )
        there = {name: vectors[name][place] for name in _OPTIONAL if name in vectors}
        optional = [
            values if (values := there.get(n)) is not None and np.isfinite(values).all() else None for n in _OPTIONAL
        ]
        index, status = int(vectors["index"][place]), str(vectors["status"][place])
        return CatalogGrasp(row, table.hand, table.object, index, status, pose, joints, *optional)

    def _read_vectors(self, table: CatalogTable) -> dict[str, np.ndarray]:
        there = set(self._opened(table.path).names)
        return self._read(table, [name for name in ("index", "status", *_VECTORS) if name in there])

    def metrics_of(self, row: int) -> dict[str, float]:
        """Return all single numbers of one grasp by name."""
        table = self.table_of(row)
        return {name: float(self.metric(name)[row]) for name in table.metric_names}


def _metric_names(table: OpenTable) -> tuple[str, ...]:
    import pyarrow as pa

    known = {*GRASP_COLUMNS, *POSTURE_COLUMNS}
    single = [
        field.name
        for field in table.schema
        if field.name not in known and not pa.types.is_nested(field.type) and not pa.types.is_string(field.type)
    ]
    # How good a grasp is comes first, the way to it last.
    return tuple(sorted(single, key=lambda name: name in REST_POSE_COLUMNS or name in WAY_COLUMNS))
