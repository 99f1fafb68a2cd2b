# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of packed values in binary USD files: as OpenUSD reads them, and told before it does."""

from __future__ import annotations

import random
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom, Vt

from omni_graspd.errors import GraspdError
from omni_graspd.library import data_folder
from omni_graspd.usd.crate_size import unpacked_bytes
from omni_graspd.usd.stage import open_stage

_PACKED = ("int[]", "uint[]", "int64[]", "uint64[]", "half[]", "float[]", "double[]")
_SHORTEST = 16  # arrays with fewer values are not packed


def _bytes_read(path: Path) -> int:
    """Return how many bytes OpenUSD returns of arrays that it may pack."""
    layer, size = Sdf.Layer.OpenAsAnonymous(str(path)), 0

    def add(spec_path: Sdf.Path) -> None:
        nonlocal size
        spec = layer.GetAttributeAtPath(spec_path)
        if spec is None or str(spec.typeName) not in _PACKED:
            return
        values = [spec.default] if spec.HasInfo("default") else []
        values += [layer.QueryTimeSample(spec_path, time) for time in layer.ListTimeSamplesForPath(spec_path)]
        size += sum(np.asarray(value).nbytes for value in values if len(value) >= _SHORTEST)

    layer.Traverse("/", add)
    return size


def _section(crate: bytes, name: bytes) -> int:
    """Return where a section begins, by the table of contents."""
    return struct.unpack_from("<q", crate, crate.rindex(name.ljust(16, b"\0")) + 16)[0]


def _token_bytes(crate: bytes) -> int:
    return struct.unpack_from("<Q", crate, _section(crate, b"TOKENS") + 8)[0]


def test_packed_values_are_as_large_as_what_usd_reads(tmp_path: Path) -> None:
    path = tmp_path / "some.usdc"
    stage = Usd.Stage.CreateNew(str(path))
    generator = np.random.default_rng(0)
    for number in range(40):
        prim = stage.DefinePrim(f"/prim_{number}", "Mesh")
        for name, kind, values in (
            ("equal", Sdf.ValueTypeNames.IntArray, np.full(1000, 3, dtype=np.int32)),  # one field for all prims
            ("any", Sdf.ValueTypeNames.IntArray, generator.integers(-(2**31), 2**31, 100 + number, dtype=np.int32)),
            ("whole", Sdf.ValueTypeNames.FloatArray, np.arange(50.0, dtype=np.float32)),
            ("few", Sdf.ValueTypeNames.DoubleArray, generator.choice([0.25, 0.5], 2000)),
            ("long", Sdf.ValueTypeNames.Int64Array, np.arange(number, 60 + number, dtype=np.int64)),
            ("short", Sdf.ValueTypeNames.IntArray, np.arange(15, dtype=np.int32)),
        ):
            prim.CreateAttribute(name, kind).Set(values)
        moving = prim.CreateAttribute("moving", Sdf.ValueTypeNames.IntArray)
        for time in range(3):
            moving.Set(Vt.IntArray(list(range(100 + 10 * time + number))), time)
    stage.Save()
    arrays = unpacked_bytes(path.read_bytes()) - _token_bytes(path.read_bytes())
    assert arrays == _bytes_read(path) > 40 * 20_000


@pytest.mark.parametrize("hand", ["allegro", pytest.param("shadow", marks=pytest.mark.slow)])
def test_so_are_those_of_a_hand(hand: str, tmp_path: Path) -> None:
    path = tmp_path / f"{hand}.usdc"
    Sdf.Layer.OpenAsAnonymous(str(data_folder() / f"hands/{hand}/{hand}.usda")).Export(str(path))
    counted = unpacked_bytes(path.read_bytes())
    assert counted - _token_bytes(path.read_bytes()) == _bytes_read(path) > 0
    with zipfile.ZipFile(tmp_path / "hand.usdz", "w") as package:
        package.writestr("hand.usdc", path.read_bytes())
    inside = (tmp_path / "hand.usdz").read_bytes()
    assert unpacked_bytes(inside, inside.index(b"PXR-USDC")) == counted


def test_an_empty_file_is_none_to_refuse(tmp_path: Path) -> None:
    Sdf.Layer.CreateNew(str(tmp_path / "empty.usdc")).Save()
    open_stage(tmp_path / "empty.usdc")


def test_arrays_in_dictionaries_count(tmp_path: Path) -> None:
    path = tmp_path / "some.usdc"
    layer = Sdf.Layer.CreateNew(str(path))
    numbers = Vt.IntArray(1000)
    layer.customLayerData = {"a": numbers, "b": {"c": {"d": numbers, "e": 1.0, "f": "text"}}, "g": numbers}
    Sdf.CreatePrimInLayer(layer, "/prim").SetInfo("customData", {"h": Vt.FloatArray(500), "i": "text"})
    layer.Save()
    counted = unpacked_bytes(path.read_bytes()) - _token_bytes(path.read_bytes())
    assert counted == 3 * 4000 + 2000


def test_the_name_of_the_format_in_a_text_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "noted.usdz"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("a.usda", '#usda 1.0\n(doc = "converted from PXR-USDC")\ndef Xform "a" {}\n')
    open_stage(path)


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a few kilobytes of counts of faces that would be 384 MiB."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.usdc"
    stage = Usd.Stage.CreateNew(str(path))
    counts = Vt.IntArray(2**20)
    for number in range(96):
        UsdGeom.Mesh.Define(stage, f"/mesh_{number}").CreateFaceVertexCountsAttr(counts)
    stage.SetDefaultPrim(stage.GetPrimAtPath("/mesh_0"))
    stage.Save()
    return path


@pytest.mark.parametrize("kind", ["itself", "package", "reference"])
def test_few_bytes_that_ask_for_much_memory_are_refused(kind: str, bomb: Path, tmp_path: Path) -> None:
    assert bomb.stat().st_size < 20_000
    path = bomb
    if kind == "package":
        path = tmp_path / "bomb.usdz"
        with zipfile.ZipFile(path, "w") as package:
            package.write(bomb, "bomb.usdc")
    if kind == "reference":
        path = tmp_path / "asset.usda"
        path.write_text(f'#usda 1.0\ndef "a" (references = @{bomb}@) {{}}\n')
    with pytest.raises(GraspdError, match=r"bomb\.usd[cz], which is \d+ bytes and whose values would take 0\.4 GiB"):
        open_stage(path)


@pytest.mark.parametrize("section", [b"TOKENS", b"STRINGS", b"PATHS", b"FIELDS", b"FIELDSETS", b"SPECS"])
def test_counts_that_no_file_has_are_refused(section: bytes, tmp_path: Path) -> None:
    """OpenUSD asks for 16 GiB where a file claims two thousand million names."""
    stage = Usd.Stage.CreateNew(str(tmp_path / "small.usdc"))
    stage.DefinePrim("/prim")
    stage.Save()
    data = bytearray((tmp_path / "small.usdc").read_bytes())
    struct.pack_into("<Q", data, _section(bytes(data), section), 2**31)
    (tmp_path / "bad.usdc").write_bytes(data)
    with pytest.raises(GraspdError, match=r"bad\.usdc is not a readable USD file \(2147483648 entries"):
        open_stage(tmp_path / "bad.usdc")


def _packed(values: list[int]) -> bytes:
    """Pack whole numbers as OpenUSD unpacks them: each difference in four bytes, and no byte as one before."""
    steps = np.diff(np.array(values, dtype=np.int32), prepend=np.int32(0)).astype("<i4").tobytes()
    data = struct.pack("<i", 0) + b"\xff" * ((2 * len(values) + 7) // 8) + steps
    more, rest = divmod(len(data) - 15, 255)
    block = b"\0\xf0" + b"\xff" * more + bytes([rest]) + data
    return struct.pack("<Q", len(block)) + block


@pytest.mark.parametrize(("jumps", "told"), [([1] * 39 + [-2], "no tree"), ([-1] * 40, "no tree"), (None, "")])
def test_paths_that_are_no_tree_are_refused(jumps: list[int] | None, told: str, tmp_path: Path) -> None:
    """Forty paths, each of which has the next one as child and as sibling, are 2^40 to walk."""
    stage = Usd.Stage.CreateNew(str(tmp_path / "small.usdc"))
    for number in range(38):
        stage.DefinePrim(f"/prim_{number}")
    stage.Save()
    data = bytearray((tmp_path / "small.usdc").read_bytes())
    entry = data.rindex(b"PATHS".ljust(16, b"\0"))
    (count,) = struct.unpack_from("<Q", data, _section(bytes(data), b"PATHS"))
    if jumps:
        struct.pack_into("<q", data, entry + 16, len(data))
        numbers, names = list(range(count)), [1] * count
        data += struct.pack("<QQ", count, count) + _packed(numbers) + _packed(names)
        data += _packed([*jumps, *[-2] * count][:count])
    path = tmp_path / "bad.usdc"
    path.write_bytes(data)
    if not jumps:
        open_stage(path)
        return
    with pytest.raises(GraspdError, match=told):
        open_stage(path)


def test_damaged_files_are_told_by_nothing_but_these_errors(tmp_path: Path) -> None:
    path = tmp_path / "hand.usdc"
    Sdf.Layer.OpenAsAnonymous(str(data_folder() / "hands/barrett/barrett.usda")).Export(str(path))
    good, generator, refused = path.read_bytes(), random.Random(1), 0
    sections = good.index(b"TOKENS\0")  # the table of contents; structure lies before it
    for _ in range(300):
        data = bytearray(good)
        for _ in range(generator.choice((1, 4, 32))):
            data[generator.randrange(sections - 20_000, len(data))] = generator.randrange(256)
        try:
            unpacked_bytes(bytes(data[: generator.choice((len(data), generator.randrange(88, len(data))))]))
        except (ValueError, IndexError):
            refused += 1
        except Exception as error:
            assert type(error).__name__ == "error", error  # of struct
            refused += 1
    assert refused > 50
