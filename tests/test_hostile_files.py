# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Small meshes and USD files that ask for much: each ends in a line, within two seconds and a gigabyte."""

from __future__ import annotations

import json
import resource
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from pxr import Usd

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.mesh_file import load_mesh_file
from omni_graspd.hands.importing.urdf_reader import read_urdf
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.hands.usd.hand_settings import read_hand_settings
from omni_graspd.objects.object_reader import read_object
from omni_graspd.usd.stage import open_stage

_HEAD = '#usda 1.0\n(\n    defaultPrim = "x"\n    metersPerUnit = 1\n)\n'
_TRIANGLE = """
    int[] faceVertexCounts = [3]
    int[] faceVertexIndices = [0, 1, 2]
    point3f[] points = [(0, 0, 0), (0.1, 0, 0), (0, 0.1, 0)]
"""


def _mesh(body: str) -> str:
    return f'{_HEAD}def Xform "x" {{\n  def Mesh "m" {{\n{body}\n  }}\n}}\n'


def _nested(arc: str) -> str:
    """Return a file of ten to the ninth prims, ten of each level in each of the next."""
    levels = [f'class "c0" {{\n  def Mesh "m" {{\n{_TRIANGLE}\n  }}\n}}\n']
    for level in range(1, 10):
        prims = "".join(f'  def "r{k}" ({arc} = </c{level - 1}>) {{}}\n' for k in range(10))
        levels.append(f'class "c{level}" {{\n{prims}}}\n')
    return _HEAD + "".join(levels) + 'def Xform "x" (references = </c9>) {}\n'


def _diamonds() -> str:
    """Return a file of few prims, one of which two to the 25th arcs lead to."""
    pairs = [
        f'class "{name}{k}" (references = [</c{k - 1}>, </d{k - 1}>]) {{}}\n' for k in range(1, 26) for name in "cd"
    ]
    return f'{_HEAD}class "c0" {{}}\nclass "d0" {{}}\n{"".join(pairs)}def Xform "x" (references = </c25>) {{}}\n'


def _instancers() -> str:
    """Return a file of twenty to the seventh copies of a ball."""
    inner = 'def Sphere "p" {\n double radius = 0.01\n}\n'
    for level in range(7):
        copies = (
            f"int[] protoIndices = [{', '.join(['0'] * 20)}]\npoint3f[] positions = [{', '.join(['(0, 0, 0)'] * 20)}]"
        )
        inner = f'def PointInstancer "p" {{\n{copies}\nrel prototypes = </x{"/p" * (8 - level)}>\n{inner}}}\n'
    return f'{_HEAD}def Xform "x" {{\n{inner}}}\n'


_USDA = {
    "corners of a face": _mesh(_TRIANGLE.replace("[3]", "[2000000000]")),
    "corners that cancel": _mesh(_TRIANGLE.replace("[3]", "[2000000000, -1999999997]")),
    "holes": _mesh(_TRIANGLE + "    int[] holeIndices = [2000000000, -2000000000]"),
    "references": _nested("references"),
    "payloads": _nested("payload"),
    "inherits": _nested("inherits"),
    "instances": _nested("instanceable = true\n references"),
    "diamonds": _diamonds(),
    "instancers": _instancers(),
    "brackets": _mesh(_TRIANGLE.replace("[3]", "(" * 100_000)),
    "another kind": _mesh(_TRIANGLE.replace("int[] faceVertexCounts = [3]", 'string faceVertexCounts = "x"')),
    "unit": _mesh(_TRIANGLE).replace("metersPerUnit = 1", "metersPerUnit = nan"),
    "principal axes": _mesh(_TRIANGLE + "quatf physics:principalAxes = (1, 0, nan, 0)"),
    "operation": _mesh(_TRIANGLE + 'uniform token[] xformOpOrder = ["xformOp:orien"]'),
    "no known type": _mesh(_TRIANGLE + "nothing xformOp:translate = (1, 2, 3)"),
    "long name": f'{_HEAD}def Xform "x" (references = @./{"a" * 300}.usda@) {{}}\n',
    "no UTF-8": _mesh(_TRIANGLE) + "\udcff\udcfe",
}


def _ended(read: Callable[[Path], Any], path: Path) -> str:
    """Return what reading a file says; that it ends in a line, soon, and in little memory is checked."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**30, before[1]))
    began = time.process_time()
    try:
        with pytest.raises(GraspdError) as refused:
            read(path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    message = str(refused.value)
    assert time.process_time() - began < 2.0
    assert "\n" not in message
    assert len(message) < 700
    return message


pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit on memory is Linux's")


@pytest.mark.parametrize("kind", _USDA)
def test_usd_that_asks_for_much_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.usda"
    path.write_text(_USDA[kind], encoding="utf-8", errors="surrogateescape")
    assert str(path) in (said := _ended(read_object, path)) or "/x/m" in said
    if kind in ("references", "payloads", "inherits", "instances", "diamonds"):
        assert "at most 100000 prims" in said
        assert "at most 100000 prims" in _ended(read_hand, path)


def test_references_between_files_are_counted_and_circles_are_left_to_usd(tmp_path: Path) -> None:
    for level in range(10):
        prims = "".join(f'  def "r{k}" (references = @./{level + 1}.usda@) {{}}\n' for k in range(10))
        (tmp_path / f"{level}.usda").write_text(f'{_HEAD}def Xform "x" {{\n{prims}}}\n')
    (tmp_path / "10.usda").write_text(_mesh(_TRIANGLE))
    assert "at most 100000 prims" in _ended(open_stage, tmp_path / "0.usda")
    assert len(list(open_stage(tmp_path / "8.usda").TraverseAll())) == 1 + 10 + 10 * 10 * 2
    (tmp_path / "a.usda").write_text(f'{_HEAD}def Xform "x" (references = @./a.usda@</x>) {{}}\n')
    assert isinstance(open_stage(tmp_path / "a.usda"), Usd.Stage)


@pytest.mark.parametrize(
    ("value", "told"),
    [("(1e30, 0, 0)", "finite"), ("(0, inf, 0)", "finite"), ("(nan, 0, 0)", "finite")],
)
def test_placed_by_no_number_is_refused(value: str, told: str, tmp_path: Path) -> None:
    place = f'double3 xformOp:translate = {value}\n    uniform token[] xformOpOrder = ["xformOp:translate"]'
    (tmp_path / "a.usda").write_text(_mesh(_TRIANGLE + place))
    assert told in _ended(open_stage, tmp_path / "a.usda")


def _glb(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """Return a box as GLB with its JSON changed."""
    content = trimesh.creation.box((0.05, 0.06, 0.07)).export(file_type="glb")
    assert isinstance(content, bytes)
    length = struct.unpack_from("<I", content, 12)[0]
    described = json.loads(content[20 : 20 + length])
    change(described)
    header = json.dumps(described).encode()
    header += b" " * (-len(header) % 4)
    chunks = struct.pack("<II", len(header), 0x4E4F534A) + header + content[20 + length :]
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def _each(kind: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    def change(described: dict[str, Any]) -> None:
        for entry in described[kind]:
            entry.update(values)
            if values.get("bufferView", 0) is None:
                del entry["bufferView"]

    return change


def _copies(described: dict[str, Any]) -> None:
    described["nodes"] = [{"children": list(range(1, 5000))}, *[{"mesh": 0}] * 4999]
    described["scenes"] = [{"nodes": [0]}]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_each("accessors", count=2_000_000_000), "declares"),
        (_each("accessors", count=2_000_000_000, bufferView=None), "it has no data"),
        (_each("accessors", count=-5), "declares"),
        (_each("bufferViews", byteLength=2**40), "damaged"),
        (_each("bufferViews", byteStride=0), "damaged"),
        (_copies, "places 4999 meshes"),
        (lambda described: described.update(meshes=None), "damaged"),
    ],
)
def test_glb_that_declares_more_than_it_has_is_refused(
    change: Callable[[dict[str, Any]], None], told: str, tmp_path: Path
) -> None:
    (tmp_path / "a.glb").write_bytes(_glb(change))
    assert told in _ended(read_object, tmp_path / "a.glb")


@pytest.mark.parametrize(
    ("face", "place", "told"),
    [("3 0 1 9", "0 0 0", "vertex 9"), ("3 0 1 2", "nan 0 0", "finite"), ("3 0 1 2", "1e300 0 0", "up to 1e+09")],
)
def test_faces_and_vertices_that_cannot_be_are_refused_in_every_format(
    face: str, place: str, told: str, tmp_path: Path
) -> None:
    header = "ply\nformat ascii 1.0\nelement vertex 3\nproperty double x\nproperty double y\nproperty double z\n"
    header += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    (tmp_path / "a.ply").write_text(f"{header}{place}\n1 0 0\n0 1 0\n{face}\n")
    assert told in _ended(load_mesh_file, tmp_path / "a.ply")


def test_a_picture_of_many_pixels_is_left_out_and_said(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    size = chunk(b"IHDR", struct.pack(">IIBBBBB", 13_300, 13_300, 8, 2, 0, 0, 0))
    packed = chunk(b"IDAT", zlib.compress(bytes(13_300 * 3 + 1))) + chunk(b"IEND", b"")
    (tmp_path / "wood.png").write_bytes(b"\x89PNG\r\n\x1a\n" + size + packed)
    (tmp_path / "a.mtl").write_text("newmtl m\nmap_Kd wood.png\n")
    box = trimesh.creation.box((0.05, 0.06, 0.07))
    lines = ["mtllib a.mtl", *(f"v {x} {y} {z}" for x, y, z in box.vertices), "vt 0 0", "usemtl m"]
    lines += [f"f {a}/1 {b}/1 {c}/1" for a, b, c in box.faces + 1]
    (tmp_path / "a.obj").write_text("\n".join(lines))
    rigid = read_object(tmp_path / "a.obj")
    assert "lost its texture wood.png: 13300 x 13300 pixels, save it with at most 8192 x 8192" in rigid.notes
    assert rigid.appearance.texture is None


@pytest.mark.parametrize(
    ("was", "is_now"),
    [
        ('size="0.1 0.1 0.1"', 'size="1e300 1 1"'),
        ('name="j"', ""),
        ('name="a"', 'name="b"'),
        ("a.stl", "a" * 300 + ".stl"),
    ],
)
def test_urdf_of_no_hand_is_refused(was: str, is_now: str, tmp_path: Path) -> None:
    text = '<robot name="x"><link name="a"><visual><geometry><box size="0.1 0.1 0.1"/></geometry></visual></link>'
    text += '<link name="b"><visual><geometry><mesh filename="a.stl"/></geometry></visual></link>'
    text += '<joint name="j" type="revolute"><parent link="a"/><child link="b"/><limit lower="0" upper="1"/></joint>'
    (tmp_path / "a.urdf").write_text(f"{text.replace(was, is_now, 1)}</robot>")
    trimesh.creation.box((0.05, 0.06, 0.07)).export(tmp_path / "a.stl")
    _ended(read_urdf, tmp_path / "a.urdf")


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "approach_point = [0, 0, 1e300]",
        f"approach_point = [0, 0, 0x{'f' * 5000}]",
        "palm = nan",
    ],
    ids=["deep", "far", "long", "another kind"],
)
def test_hand_settings_that_cannot_be_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "hand.toml").write_text(text)
    assert str(tmp_path) in _ended(read_hand_settings, tmp_path / "hand.toml")


def test_texture_coordinates_that_are_no_numbers_cost_the_texture_only(tmp_path: Path) -> None:
    box = trimesh.creation.box((0.05, 0.06, 0.07))
    from PIL import Image

    material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.new("RGB", (4, 4)))
    box.visual = trimesh.visual.TextureVisuals(uv=np.full((8, 2), np.nan), material=material)
    box.export(tmp_path / "a.glb")
    rigid = read_object(tmp_path / "a.glb")
    assert rigid.appearance.texture is None
    assert any(note.startswith("lost its texture") for note in rigid.notes)
