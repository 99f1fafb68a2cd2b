# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The gate for tables: whatever is wrong with a file is told in one line that names file and column."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omni_graspd.dataset import loader
from omni_graspd.dataset.checksums import CHECKSUM_FILE, read_checksums
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.restored_config import restore_config
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import GRASPS
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.formats.registry import FORMATS
from omni_graspd.inspection.grasp_catalog import GraspCatalog
from omni_graspd.inspection.summary import summarize_dataset
from omni_graspd.rendering.camera_file import read_camera_file
from omni_graspd.rendering.image_writer import read_frame
from omni_graspd.synthesis.config import SynthesisConfig

_TABLE = "grasps/barrett/block.parquet"
_SCENE_TABLE = "scenes/block/scene_0000.grasps.parquet"
_EYE = "renders/block/scene_0000/view_0000/left"


@pytest.fixture
def dataset(block_dataset: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(block_dataset, tmp_path / "set"))


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), pa.field(name, column.type), column)


def _said(table: pa.Table, **metadata: str) -> pa.Table:
    kept = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    return table.replace_schema_metadata({name: text for name, text in (kept | metadata).items() if text})


_DAMAGES: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "a column there twice": (lambda t: t.append_column(t.schema.field("epsilon"), t["epsilon"]), "'epsilon'"),
    "a column missing": (lambda t: t.drop_columns("status"), "without status"),
    "half a group": (lambda t: t.drop_columns("pregrasp_clearance"), "'pregrasp_clearance'"),
    "lists without width": (
        lambda t: _with(t, "joint_positions", pa.array([[]] * len(t), pa.list_(pa.float64(), 0))), "'joint_positions'"
    ),
    "lists of any length": (
        lambda t: _with(t, "T_object_palm", pa.array([[0.0] * 7] * len(t))), "'T_object_palm'"
    ),
    "texts for numbers": (lambda t: _with(t, "epsilon", pa.array(["x"] * len(t))), "'epsilon'"),
    "tables for truth values": (lambda t: _with(t, "force_closure", pa.array([{"x": 1}] * len(t))), "'force_closure'"),
    "a seed that is missing": (lambda t: _with(t, "seed", pa.nulls(len(t), pa.int64())), "'seed'"),
    "a negative number": (lambda t: _with(t, "index", pa.array([-1, 0, 1], pa.int32())), "'index'"),
    "numbers that fall": (lambda t: _with(t, "index", pa.array([2, 1, 0], pa.int32())), "'index'"),
    "joint names that are no JSON": (lambda t: _said(t, joint_names="["), "joint_names"),
    "joint names that are a number": (lambda t: _said(t, joint_names="1"), "joint_names"),
    "fewer joint names": (lambda t: _said(t, joint_names='["one"]'), "'joint_positions'"),
    "no hand": (lambda t: _said(t, hand=""), "without hand"),
    "another version": (lambda t: _said(t, schema_version="99"), "version 99"),
}  # fmt: skip


def _readers(root: Path) -> dict[str, Callable[[], object]]:
    read = FORMATS["table"].read
    assert read is not None
    return {
        "loader": lambda: loader.open(root).grasps("barrett"),
        "summary": lambda: summarize_dataset(root),
        "catalog": lambda: GraspCatalog(root).grasp(0) and GraspCatalog(root).metrics_of(0),
        "convert": lambda: read(root / _TABLE),
        "evaluate": lambda: evaluate_dataset(root, workers=1),
    }


@pytest.mark.parametrize("damage", _DAMAGES)
def test_every_reader_of_grasps_names_file_and_column(damage: str, dataset: Path) -> None:
    change, named = _DAMAGES[damage]
    pq.write_table(change(pq.ParquetFile(dataset / _TABLE).read()), dataset / _TABLE)
    told = [fault.problem for fault in verify_dataset(dataset).faults if fault.file == _TABLE]
    assert told and all("\n" not in problem for problem in told)
    readers = _readers(dataset)
    if damage in ("a negative number", "numbers that fall", "a seed that is missing"):
        readers = {name: readers[name] for name in ("summary", "convert")}  # the others read no numbers of grasps
    for name, read in readers.items():
        with pytest.raises(GraspdError) as error:
            read()
        text = str(error.value)
        assert "block.parquet" in text and named in text, (name, text)
        assert "\n" not in text and len(text) < 600


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t.append_column(t.schema.field("collides"), t["collides"]), "'collides'"),
        (lambda t: _with(t, "hand", pa.array([[]] * len(t))), "'hand'"),
        (lambda t: _with(t, "grasp_index", pa.array([-1] * len(t), pa.int32())), "'grasp_index'"),
        (lambda t: _said(t, scene_index="x"), "scene_index"),
        (lambda t: _said(t, rest_pose="-1"), "rest_pose"),
    ],
)
def test_scene_tables_go_through_the_gate(change: Callable, named: str, dataset: Path) -> None:
    pq.write_table(change(pq.ParquetFile(dataset / _SCENE_TABLE).read()), dataset / _SCENE_TABLE)
    with pytest.raises(GraspdError, match=named):
        summarize_dataset(dataset)
    faults = [fault.problem for fault in verify_dataset(dataset).faults if fault.file == _SCENE_TABLE]
    assert faults and all("\n" not in problem for problem in faults)


@pytest.mark.slow
def test_texts_that_swell_are_told_before_they_do(dataset: Path) -> None:
    """A few kilobytes with 20 GB of texts; a process of little memory reads them elsewhere in the tests."""
    table = pq.ParquetFile(dataset / _TABLE).read()
    rows = table.take(np.zeros(4000, dtype=np.int64))
    rows = _with(rows, "index", pa.array(np.arange(4000, dtype=np.int32)))
    rows = _with(rows, "status", pa.array(["x" * 1_000_000]).take(pa.array([0])).dictionary_encode().take(
        pa.array(np.zeros(4000, dtype=np.int64))))  # fmt: skip
    schema = rows.schema.set(rows.schema.get_field_index("status"), pa.field("status", pa.string()))
    with pq.ParquetWriter(dataset / "x.parquet", schema, compression="zstd") as writer:
        for start in range(0, 4000, 500):
            writer.write_table(rows.slice(start, 500).cast(schema))
    assert (dataset / "x.parquet").stat().st_size < 2**20
    opened = open_table(dataset / "x.parquet", GRASPS)
    for read in (opened.arrays, opened.arrow):
        with pytest.raises(GraspdError, match=r"would take 4 GiB of memory"):
            read()


@pytest.mark.parametrize(
    "columns",
    [
        {"file": ["a"]},
        {"file": ["a", "a"], "sha256": ["0", "0"]},
        {"file": ["n" * 300], "sha256": ["0"]},
        {"file": ["a\x1b[31m"], "sha256": ["0"]},
        {"file": [[1]], "sha256": ["0"]},
        {"file": [None], "sha256": ["0"]},
        {"file": pa.array([b"\xff"]).cast(pa.string(), safe=False), "sha256": ["0"]},
    ],
)
def test_checksums_go_through_the_gate(columns: dict, tmp_path: Path) -> None:
    pq.write_table(pa.table(columns), tmp_path / CHECKSUM_FILE)
    with pytest.raises(GraspdError, match=CHECKSUM_FILE) as error:
        read_checksums(tmp_path)
    assert str(error.value).isprintable() and len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("config", "scenes"), "x"),
        (("config", "seed"), -1),
        (("config", "camera"), []),
        (("config", "render", "annotators"), [[]]),
        (("config", "backend"), None),
        (("counts", "grasps"), "many"),
        (("packages", "numpy"), 1),
        (("hands", "barrett", "license"), 7),
        (("hands", "barrett"), []),
        (("evaluation",), {"hold": 1}),
        (("objects",), {"n" * 300: {}}),
    ],
)
def test_settings_of_another_kind_are_named(path: tuple[str, ...], value: object, dataset: Path) -> None:
    content = json.loads((dataset / "dataset.json").read_text())
    place = content
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    (dataset / "dataset.json").write_text(json.dumps(content))
    with pytest.raises(GraspdError, match=r"dataset\.json") as error:
        read_manifest(dataset)
    assert len(str(error.value)) < 600


@dataclass(frozen=True)
class _Setting:
    """Settings with a list of numbers."""

    range: tuple[float, float] = (0.0, 1.0)


@pytest.mark.parametrize("settings", [{"iterations": "x"}, {"iterations": 1.5}, {"draft": 1}, {"optimizer": []}])
def test_settings_come_back_with_their_types_only(settings: dict) -> None:
    with pytest.raises(GraspdError, match=f"SynthesisConfig.{next(iter(settings))}"):
        restore_config(SynthesisConfig, settings)
    with pytest.raises(GraspdError, match=r"_Setting\.range"):
        restore_config(_Setting, {"range": [0.0]})


def test_scenes_of_other_names_are_told(dataset: Path) -> None:
    (dataset / "scenes" / "block" / "scene_abc.usda").write_text("#usda 1.0\n")
    with pytest.raises(GraspdError, match=r"scene_abc\.usda"):
        loader.open(dataset).views()
    assert any("scene_abc.usda" in fault.problem for fault in verify_dataset(dataset).faults)


@pytest.mark.parametrize(
    "changes",
    [
        {"cameraViewTransform": "x"},
        {"cameraViewTransform": [0.0] * 16},
        {"cameraViewTransform": [1e300] * 16},
        {"cameraAperture": [0.0, 1.0]},
        {"cameraFocalLength": None},
        {"renderProductResolution": {"a": 1}},
        {"renderProductResolution": [10**30, 1]},
    ],
)
def test_cameras_that_cannot_be_are_told(changes: dict, dataset: Path) -> None:
    path = dataset / _EYE / "camera_params_0000.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    for read in (lambda: read_camera_file(path), lambda: loader.open(dataset).samples()[0]):
        with pytest.raises(GraspdError, match=r"camera_params_0000\.json") as error:
            read()
        assert len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("semantic_segmentation_labels_0000.json", b'{"(1, 2)": {}}'),
        ("semantic_segmentation_labels_0000.json", b"[]"),
        ("bounding_box_2d_tight_prim_paths_0000.json", b"{}"),
        ("bounding_box_2d_tight_labels_0000.json", b"\xff"),
        ("rgb_0000.png", b"\x89PNG\r\n\x1a\nx"),
    ],
)
def test_labels_and_pictures_that_cannot_be_are_told(name: str, content: bytes, dataset: Path) -> None:
    (dataset / _EYE / name).write_bytes(content)
    with pytest.raises(GraspdError, match="is damaged"):
        read_frame(dataset / _EYE)


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((36, 48), dtype="<U4"), np.zeros((36, 48, 2), "<f4")])
def test_arrays_of_another_kind_are_told(values: np.ndarray, dataset: Path) -> None:
    np.save(dataset / _EYE / "distance_to_camera_0000.npy", values)
    with pytest.raises(GraspdError, match=r"distance_to_camera_0000\.npy"):
        read_frame(dataset / _EYE)
