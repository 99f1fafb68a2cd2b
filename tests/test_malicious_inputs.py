# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Files from strangers: each is refused with one line, runs no code, writes nothing elsewhere and fills no memory."""

from __future__ import annotations

import json
import os
import pickle
import resource
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omni_graspd.cli import main as cli
from omni_graspd.dataset import loader
from omni_graspd.dataset.checksums import read_checksums
from omni_graspd.dataset.manifest import Manifest, read_manifest, write_manifest
from omni_graspd.dataset.remote_folder import RemoteFolder
from omni_graspd.dataset.table_schema import SCHEMA_VERSION
from omni_graspd.dataset.tables import GraspTable, read_grasps, write_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.formats.registry import FORMATS
from omni_graspd.formats.untrusted.plain_yaml import read_yaml
from omni_graspd.formats.untrusted.restricted_pickle import restricted_load
from omni_graspd.hands.importing.known_hands import _unpack
from omni_graspd.hands.importing.urdf_reader import read_urdf
from omni_graspd.objects.object_reader import read_object
from omni_graspd.rendering.image_writer import read_frame
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.self_contained import write_self_contained

_LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
_ROBOT = '<robot name="x"><link name="{}"/></robot>'


class _Bomb:
    """A pickle that makes a folder when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.target),)


def _read(format_name: str, path: Path) -> None:
    read = FORMATS[format_name].read
    assert read is not None
    read(path)


def _pickled_array(folder: Path) -> None:
    np.save(folder / "x.npy", np.array([{"qpos": _Bomb(folder.parent / "elsewhere")}], dtype=object), allow_pickle=True)
    _read("dexgraspnet", folder / "x.npy")


def _pickled_torch_file(folder: Path) -> None:
    with zipfile.ZipFile(folder / "x.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"metadata": _Bomb(folder.parent / "elsewhere")}))
        archive.writestr("archive/version", "3")
    _read("multidex", folder / "x.pt")


def _pickled_frame(folder: Path) -> None:
    bomb = np.array([_Bomb(folder.parent / "elsewhere")], dtype=object)
    np.save(folder / "distance_to_camera_0000.npy", bomb, allow_pickle=True)
    read_frame(folder)


def _declared_array(folder: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1250000000000,), }"
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    (folder / "distance_to_camera_0000.npy").write_bytes(content)
    read_frame(folder)


def _declared_array_of_grasps(folder: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1250000000000,), }"
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    (folder / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    _read("dexgraspnet", folder / "x.npy")


def _table_that_swells(folder: Path) -> None:
    count = 140_000_000  # numbers of 8 bytes: above the limit of 1 GiB
    indices = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int8)), pa.array([0.0]))
    schema = pa.schema([("epsilon", pa.dictionary(pa.int8(), pa.float64()))], {"schema_version": str(SCHEMA_VERSION)})
    pq.write_table(pa.Table.from_arrays([indices], schema=schema), folder / "x.parquet", compression="zstd")
    assert (folder / "x.parquet").stat().st_size < 1e6
    read_grasps(folder / "x.parquet")


def _texts_that_swell(folder: Path) -> None:
    batch = GraspBatch(np.zeros((1, 7)), np.zeros((1, 1)), {}, ("ok",))
    write_grasps(GraspTable("x", "x", ("j",), np.zeros(1, np.int32), 0, batch, {}), folder / "x.parquet")
    schema = pq.read_schema(folder / "x.parquet")
    table = pq.ParquetFile(folder / "x.parquet").read().take(pa.array(np.zeros(20_000, dtype=np.int64)))
    table = table.set_column(0, schema.field(0), pa.array(np.arange(20_000, dtype=np.int32)))
    # What the writer is given is a dictionary of one text; what the file says it holds are texts.
    status = pa.DictionaryArray.from_arrays(np.zeros(20_000, dtype=np.int32), pa.array(["x" * 1_000_000]))
    place = schema.get_field_index("status")
    kept = pa.schema(schema.set(place, pa.field("status", status.type)), schema.metadata)
    packed = pa.Table.from_arrays([*table.columns[:place], status, *table.columns[place + 1 :]], schema=kept)
    pq.write_table(packed, folder / "x.parquet", compression="zstd", store_schema=False)
    assert (folder / "x.parquet").stat().st_size < 100_000
    read_grasps(folder / "x.parquet")


def _checksums_that_swell(folder: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(np.zeros(20_000, dtype=np.int32), pa.array(["x" * 1_000_000]))
    table = pa.table({"file": texts, "sha256": texts})
    pq.write_table(table, folder / "checksums.parquet", compression="zstd", store_schema=False)
    read_checksums(folder)


def _shared_lists(folder: Path) -> None:
    value: object = 0.0
    for _ in range(50):
        value = [value, value]
    np.save(folder / "x.npy", np.array({"grasp_qpos": value}, dtype=object), allow_pickle=True)
    _read("dexgraspbench", folder / "x.npy")


def _shared_lists_as_a_name(folder: Path) -> None:
    value: object = "x"
    for _ in range(50):
        value = (value, value)
    content = {"robot_pose": np.zeros((1, 1, 3, 9)), "manip_name": value, "world_cfg": [{"mesh": {"x": value}}]}
    np.save(folder / "x.npy", np.array(content, dtype=object), allow_pickle=True)
    _read("bodex", folder / "x.npy")


def _shared_tuples_as_keys(folder: Path) -> None:
    """Written by hand: to hash such a key takes forever, in writing, too."""
    nested = pickle.INT + b"1\n" + (pickle.DUP + pickle.TUPLE2) * 60
    content = pickle.PROTO + b"\x02" + pickle.MARK + nested + pickle.INT + b"1\n" + pickle.DICT + pickle.STOP
    restricted_load(content, str(folder / "x.npy"))


def _scenes_without_end(folder: Path) -> None:
    _manifest(folder)
    content = json.loads((folder / "dataset.json").read_text())
    entry = {"file": "objects/x.usd", "source": "x", "hash": "0", "license": None, "provenance": None}
    settings = {"around": "table", "synthesis": {}, "backend": "x", "device": "x", "scene": {"clutter": 0}}
    content["config"] |= settings | {"grasps": 3, "scenes": 10**18}
    (folder / "dataset.json").write_text(json.dumps(content | {"objects": {"x": entry}}))
    pq.write_table(pa.table({"file": ["dataset.json"], "sha256": ["0"]}), folder / "checksums.parquet")
    fault = verify_dataset(folder).faults[-1]
    raise GraspdError(f"{folder / fault.file}: {fault.problem}")


def _grasps_elsewhere(folder: Path) -> None:
    """A table may not say that its hand lies anywhere but where its folder says."""
    batch = GraspBatch(np.zeros((1, 7)), np.zeros((1, 1)), {}, ("ok",))
    path = folder / "grasps" / "x" / "x.parquet"
    path.parent.mkdir(parents=True)
    write_grasps(GraspTable("../../../elsewhere", "x", ("j",), np.zeros(1, np.int32), 0, batch, {}), path)
    _read("dataset", path)


def _picture_of_one_colour(folder: Path) -> None:
    from PIL import Image

    Image.new("L", (13_300, 13_300)).save(folder / "rgb_0000.png")
    read_frame(folder)


def _billion_laughs(folder: Path) -> None:
    text = f'<!DOCTYPE robot [<!ENTITY a0 "ha">{_LAUGHS}]>' + _ROBOT.format("&a11;")
    (folder / "x.urdf").write_text(text)
    read_urdf(folder / "x.urdf")


def _billion_laughs_in_another_encoding(folder: Path) -> None:
    text = f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE robot [<!ENTITY a0 "ha">{_LAUGHS}]>'
    (folder / "x.urdf").write_text(text + _ROBOT.format("&a11;"), encoding="utf-16")
    read_urdf(folder / "x.urdf")


def _external_entity(folder: Path) -> None:
    (folder.parent / "secret").write_text("hush")
    text = f'<!DOCTYPE robot [<!ENTITY x SYSTEM "file://{folder.parent}/secret">]>' + _ROBOT.format("&x;")
    (folder / "x.urdf").write_text(text)
    read_urdf(folder / "x.urdf")


def _manifest(folder: Path, **changes: object) -> None:
    entry = {"file": "hands/x.usd", "source": "x", "hash": "0", "license": None, "provenance": None}
    write_manifest(Manifest({"seed": 0}, {}, {}, {}, {}), folder)
    content = json.loads((folder / "dataset.json").read_text()) | {name: {key: entry} for name, key in changes.items()}
    (folder / "dataset.json").write_text(json.dumps(content))


def _hand_elsewhere(folder: Path) -> None:
    _manifest(folder, hands="../../elsewhere")
    loader.open(folder)


def _object_with_an_absolute_path(folder: Path) -> None:
    _manifest(folder, objects="/etc/passwd")
    read_manifest(folder)


def _checksum_of_a_file_elsewhere(folder: Path) -> None:
    pq.write_table(pa.table({"file": ["../../etc/passwd"], "sha256": ["0"]}), folder / "checksums.parquet")
    read_checksums(folder)


def _deep_manifest(folder: Path) -> None:
    (folder / "dataset.json").write_text("[" * 1_000_000 + "]" * 1_000_000)
    read_manifest(folder)


def _deep_grasps(folder: Path) -> None:
    (folder / "x.json").write_text('{"a":' * 1_000_000 + "0" + "}" * 1_000_000)
    _read("multigrippergrasp", folder / "x.json")


def _picture_that_swells(folder: Path) -> None:
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    size = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)
    packed = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    (folder / "rgb_0000.png").write_bytes(b"\x89PNG\r\n\x1a\n" + packed)
    read_frame(folder)


def _mesh_of_declared_size(folder: Path) -> None:
    header = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 1000000000000\nproperty double x\nproperty double y\n"
    )
    (folder / "x.ply").write_bytes((header + "property double z\nend_header\n").encode() + b"\0" * 24)
    read_object(folder / "x.ply")


def _secret_as_a_texture(folder: Path) -> None:
    (folder.parent / "secret").write_text("hush")
    (folder / "x.usda").write_text(
        '#usda 1.0\n(defaultPrim = "x")\ndef Xform "x" {\n asset inputs:file = @' + f"{folder.parent}/secret" + "@\n}"
    )
    write_self_contained(folder / "x.usda", folder.parent / "elsewhere" / "x.usda")


def _link_as_a_texture(folder: Path) -> None:
    (folder.parent / "secret").write_text("hush")
    (folder / "x.png").symlink_to(folder.parent / "secret")
    (folder / "x.usda").write_text('#usda 1.0\n(defaultPrim = "x")\ndef Xform "x" {\n asset inputs:file = @./x.png@\n}')
    write_self_contained(folder / "x.usda", folder.parent / "elsewhere" / "x.usda")


def _linked_folder_of_textures(folder: Path) -> None:
    (folder.parent / "secrets").mkdir()
    (folder.parent / "secrets" / "x.png").write_text("hush")
    (folder / "look").symlink_to(folder.parent / "secrets")
    text = '#usda 1.0\n(defaultPrim = "x")\ndef Xform "x" {\n asset inputs:file = @./look/x.png@\n}'
    (folder / "x.usda").write_text(text)
    write_self_contained(folder / "x.usda", folder.parent / "elsewhere" / "x.usda")


def _layer_from_the_net(folder: Path) -> None:
    (folder / "x.usda").write_text(
        '#usda 1.0\n(defaultPrim = "x")\ndef Xform "x" (references = @http://127.0.0.1:9/x.usd@) {}'
    )
    read_object(folder / "x.usda")


def _yaml_bomb(folder: Path) -> None:
    laughs = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (folder / "x.yaml").write_text("\n".join(["format: isaac_grasp", "a0: &a0 ha", *laughs]))
    read_yaml(folder / "x.yaml")


def _name_in_a_bucket(folder: Path) -> None:
    RemoteFolder.open("s3://bucket/set", folder)._inside("../../elsewhere")


_INPUTS: tuple[Callable[[Path], None], ...] = (
    _pickled_array,
    _pickled_torch_file,
    _pickled_frame,
    _declared_array,
    _declared_array_of_grasps,
    _table_that_swells,
    _texts_that_swell,
    _checksums_that_swell,
    _shared_lists,
    _shared_lists_as_a_name,
    _shared_tuples_as_keys,
    _scenes_without_end,
    _grasps_elsewhere,
    _picture_of_one_colour,
    _billion_laughs,
    _billion_laughs_in_another_encoding,
    _external_entity,
    _hand_elsewhere,
    _object_with_an_absolute_path,
    _checksum_of_a_file_elsewhere,
    _deep_manifest,
    _deep_grasps,
    _picture_that_swells,
    _mesh_of_declared_size,
    _secret_as_a_texture,
    _link_as_a_texture,
    _linked_folder_of_textures,
    _layer_from_the_net,
    _yaml_bomb,
    _name_in_a_bucket,
)


@contextmanager
def _little_memory() -> Iterator[None]:
    """Let the process have 4 GiB more than it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**32, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit on memory is Linux's")
@pytest.mark.parametrize(
    "attempt",
    [pytest.param(attempt, marks=[pytest.mark.slow] * (attempt is _table_that_swells)) for attempt in _INPUTS],
    ids=lambda attempt: attempt.__name__.strip("_"),
)
def test_it_is_refused_with_one_line(attempt: Callable[[Path], None], tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    with pytest.raises(GraspdError) as refused, _little_memory():
        attempt(folder)
    message = str(refused.value)
    assert str(tmp_path) in message or "s3://bucket" in message  # what is at fault
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600
    assert not (tmp_path / "a" / "elsewhere").exists()
    assert not (tmp_path / "elsewhere").exists()
    assert "hush" not in str(refused.value)


def test_an_archive_writes_into_its_folder_only(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as archive:
        for name in ("data/hand/../../../../stolen.obj", "/stolen.obj", "data/hand/run.py", "data/hand/good.obj"):
            archive.writestr(name, "v 0 0 0")
    with zipfile.ZipFile(tmp_path / "x.whl") as archive:
        _unpack(archive, "data/hand/", tmp_path / "target")
    assert [path.name for path in tmp_path.rglob("*.obj")] == ["good.obj"]
    assert not list(tmp_path.rglob("*.py"))


def test_the_command_says_one_line_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _manifest(tmp_path, hands="../../elsewhere")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["info", str(tmp_path)])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit on memory is Linux's")
@pytest.mark.parametrize("name", ["object/file", "grasps/transforms"])
def test_texts_and_numbers_that_swell_in_hdf5_are_refused(name: str, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["grasps/transforms"] = np.eye(4)[None]
        kind, shape = ("S1000000", (100_000,)) if name == "object/file" else ("f8", (500_000_000, 4, 4))
        if name in file:
            del file[name]
        file.create_dataset(name, shape, kind, chunks=True, compression="gzip")
    assert (tmp_path / "x.h5").stat().st_size < 100_000
    with pytest.raises(GraspdError, match=name), _little_memory():
        _read("acronym", tmp_path / "x.h5")
