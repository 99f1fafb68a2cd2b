# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Mesh files in the forms that the world writes them in: polygons, compressed numbers, odd text, textures elsewhere."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from pxr import Usd, UsdGeom, Vt

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.mesh_file import load_mesh_file
from omni_graspd.hands.importing.mesh_files import read_mesh_file
from omni_graspd.objects.object_reader import ObjectReaderConfig, read_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.shared_units import shared_units
from omni_graspd.usd.polygons import triangulate

# An L of 60 x 60 mm with arms of 20 mm, 30 mm high: no corner of its caps sees all others from the first one on.
CAP = 0.01 * np.array([[6, 0], [6, 2], [2, 2], [2, 6], [0, 6], [0, 0.0]])
CAP_AREA = 0.0020
POINTS = np.concatenate([np.c_[CAP, np.zeros(6)], np.c_[CAP, np.full(6, 0.03)]])
POLYGONS = [[5, 4, 3, 2, 1, 0], [6, 7, 8, 9, 10, 11], *([i, (i + 1) % 6, (i + 1) % 6 + 6, i + 6] for i in range(6))]
BOX = np.array([0.04, 0.06, 0.10])


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def obj_text(polygons: list[list[int]] = POLYGONS) -> str:
    lines = [f"v {x:g} {y:g} {z:g}" for x, y, z in POINTS]
    return "\n".join([*lines, *("f " + " ".join(str(i + 1) for i in polygon) for polygon in polygons)]) + "\n"


def ply_text() -> str:
    header = ["ply", "format ascii 1.0", f"element vertex {len(POINTS)}", *(f"property float {a}" for a in "xyz")]
    header += [f"element face {len(POLYGONS)}", "property list uchar int vertex_indices", "end_header"]
    rows = [" ".join(f"{value:g}" for value in point) for point in POINTS]
    rows += [" ".join(map(str, [len(polygon), *polygon])) for polygon in POLYGONS]
    return "\n".join([*header, *rows]) + "\n"


def save_usd(path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    mesh = UsdGeom.Mesh.Define(stage, "/L")
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(POINTS.astype(np.float32)))
    mesh.CreateFaceVertexCountsAttr([len(polygon) for polygon in POLYGONS])
    mesh.CreateFaceVertexIndicesAttr([index for polygon in POLYGONS for index in polygon])
    stage.SetDefaultPrim(mesh.GetPrim())
    stage.Save()


def upward_area(vertices: np.ndarray, faces: np.ndarray) -> float:
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(0.5 * normals[normals[:, 2] > 0.0, 2].sum())


def assert_is_the_l(rigid: RigidObject) -> None:
    assert upward_area(rigid.mesh.vertices, rigid.mesh.faces) == pytest.approx(CAP_AREA, rel=1e-5)
    assert rigid.mass == pytest.approx(300.0 * CAP_AREA * 0.03, rel=1e-5)
    assert rigid.closed


def test_concave_polygons_of_obj_ply_and_usd_are_not_folded(tmp_path: Path) -> None:
    (tmp_path / "l.obj").write_text(obj_text())
    (tmp_path / "l.ply").write_text(ply_text())
    save_usd(tmp_path / "l.usda")
    for suffix in (".obj", ".ply", ".usda"):
        assert_is_the_l(read_object(tmp_path / f"l{suffix}"))


def test_concave_polygons_of_a_hands_mesh_are_not_folded(tmp_path: Path) -> None:
    (tmp_path / "l.obj").write_text(obj_text())
    (shape,) = read_mesh_file(tmp_path / "l.obj", np.ones(3))
    assert upward_area(shape.mesh.vertices, shape.mesh.faces) == pytest.approx(CAP_AREA, rel=1e-5)


def test_a_concave_quadrilateral_is_cut_at_its_inner_corner() -> None:
    dart = np.array([[0, 0, 0], [4, 0, 0], [1, 1, 0], [0, 4, 0.0]])
    for first in range(4):
        faces, _ = triangulate(np.array([4]), np.roll(np.arange(4), first), dart)
        assert upward_area(dart, faces) == pytest.approx(4.0)


def test_the_triangles_of_any_simple_polygon_fill_it_once() -> None:
    generator = np.random.default_rng(3)
    for count in (5, 9, 40, 400):
        angles = np.sort(generator.uniform(0.0, 2.0 * np.pi, count))
        radii = generator.uniform(0.3, 1.0, count)
        # In a tilted plane, far from the origin.
        flat = np.c_[radii * np.cos(angles), radii * np.sin(angles), np.zeros(count)]
        turn = trimesh.transformations.euler_matrix(0.4, 0.2, 0.7)[:3, :3]
        faces, corners = triangulate(np.array([count]), np.arange(count), flat @ turn.T + 5.0)
        following = np.roll(flat, -1, axis=0)
        area = 0.5 * np.sum(flat[:, 0] * following[:, 1] - flat[:, 1] * following[:, 0])
        assert upward_area(flat, faces) == pytest.approx(area, rel=1e-9)
        assert len(faces) == len(corners) == count - 2


def test_textured_concave_ply_polygons_keep_their_texture_coordinates(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (200, 10, 10)).save(tmp_path / "skin.png")
    text = ply_text().replace("element vertex", "comment TextureFile skin.png\nelement vertex")
    text = text.replace("property float z", "property float z\nproperty float s\nproperty float t")
    rows = text.split("end_header\n")[1].split("\n")
    rows[:12] = [f"{row} {row.split(' ')[0]} {row.split(' ')[1]}" for row in rows[:12]]
    (tmp_path / "l.ply").write_text(text.split("end_header\n")[0] + "end_header\n" + "\n".join(rows))
    (part,) = load_mesh_file(tmp_path / "l.ply").parts
    np.testing.assert_allclose(part.visual.uv, part.vertices[:, :2], atol=1e-6)
    rigid = read_object(tmp_path / "l.ply")
    assert_is_the_l(rigid)
    assert rigid.appearance.texture is not None


def test_colours_of_concave_ply_faces_follow_their_triangles(tmp_path: Path) -> None:
    text = ply_text().replace(
        "vertex_indices\n",
        "vertex_indices\n" + "".join(f"property uchar {name}\n" for name in ("red", "green", "blue")),
    )
    header, body = text.split("end_header\n")
    rows = body.strip().split("\n")
    rows[12:] = [f"{row} {250 if number < 2 else 0} 0 0" for number, row in enumerate(rows[12:])]
    (tmp_path / "l.ply").write_text(header + "end_header\n" + "\n".join(rows) + "\n")
    (part,) = load_mesh_file(tmp_path / "l.ply").parts
    is_cap = np.abs(part.face_normals[:, 2]) > 0.5
    np.testing.assert_array_equal(part.visual.face_colors[:, 0], np.where(is_cap, 250, 0))


FORMS = {
    "tabs": lambda text: text.replace(" ", "\t").encode(),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "old Mac": lambda text: text.replace("\n", "\r").encode(),
    "Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "indented": lambda text: text.replace("\n", "  \n   ").encode(),
    "blank lines": lambda text: text.replace("\n", "\n\n").encode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl"])
def test_text_in_any_form_gives_the_same_object(tmp_path: Path, suffix: str, form: str) -> None:
    path = tmp_path / f"l{suffix}"
    solid = trimesh.Trimesh(*read_object_faces(tmp_path), process=False)
    text = {".obj": obj_text(), ".ply": ply_text(), ".stl": trimesh.exchange.stl.export_stl_ascii(solid)}[suffix]
    path.write_bytes(FORMS[form](text))
    assert_is_the_l(read_object(path))


def read_object_faces(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    (folder / "source.obj").write_text(obj_text())
    mesh = read_object(folder / "source.obj").mesh
    return mesh.vertices, mesh.faces


def test_obj_lines_may_be_continued_end_in_comments_and_count_backwards(tmp_path: Path) -> None:
    backwards = [[index - len(POINTS) - 1 for index in polygon] for polygon in POLYGONS]
    text = obj_text(backwards).replace("f -7 -8 ", "f -7 \\\n -8 ").replace("v 0 0 0\n", "v 0 0 0 # corner\n")
    # What follows the faces does not shift what they count from.
    (tmp_path / "l.obj").write_text(text + "v 9 9 9\nv 8 8 8\n")
    assert_is_the_l(read_object(tmp_path / "l.obj"))


def test_an_obj_face_of_a_vertex_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "l.obj").write_text(obj_text() + "f 1 2 3 99\n")
    with pytest.raises(GraspdError, match=r"l\.obj \(a face names vertex 99 of 12\)"):
        read_object(tmp_path / "l.obj")


def test_ply_and_stl_text_on_one_very_long_line_is_read(tmp_path: Path) -> None:
    header, body = ply_text().split("end_header\n")
    (tmp_path / "l.ply").write_text(header + "end_header\n" + body.replace("\n", " "))
    solid = trimesh.Trimesh(*read_object_faces(tmp_path), process=False)
    (tmp_path / "l.stl").write_text("solid l " + trimesh.exchange.stl.export_stl_ascii(solid).replace("\n", " ")[6:])
    (tmp_path / "c.obj").write_text("#" + 300_000 * "x" + "\n" + obj_text())
    for name in ("l.ply", "l.stl", "c.obj"):
        assert_is_the_l(read_object(tmp_path / name))


def test_a_ply_header_with_a_comment_before_its_format_is_read(tmp_path: Path) -> None:
    (tmp_path / "l.ply").write_text(ply_text().replace("ply\n", "ply\ncomment made by hand\n", 1))
    assert_is_the_l(read_object(tmp_path / "l.ply"))


def textured_box(folder: Path, material_line: str, name: str = "crate.obj") -> Path:
    """A box as OBJ, each corner with a texture coordinate of its own, whose material has one line."""
    box = trimesh.creation.box(BOX)
    lines = ["mtllib crate.mtl", *(f"v {x} {y} {z}" for x, y, z in box.vertices)]
    lines += [f"vt {0.1 * k} {0.2}" for k in range(8)]
    lines += ["usemtl wood", *("f " + " ".join(f"{i + 1}/{i + 1}" for i in face) for face in box.faces)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines))
    (folder / "crate.mtl").write_text(f"newmtl wood\nKd 0.5 0.5 0.5\n{material_line}\n")
    return folder / name


def save_picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (20, 200, 30)).save(path)


@pytest.mark.parametrize(
    "place", ["materials/textures/texture.png", "meshes/textures/texture.png", "textures/Texture.PNG"]
)
def test_textures_are_found_where_collections_of_objects_keep_them_with_a_note(tmp_path: Path, place: str) -> None:
    path = textured_box(tmp_path / "meshes", "map_Kd texture.png")
    save_picture(tmp_path / place)
    rigid = read_object(path)
    assert rigid.appearance.texture is not None
    assert any("found its texture texture.png in" in note for note in rigid.notes)


@pytest.mark.parametrize(
    "line",
    [
        "map_Kd -clamp off texture one.png",
        "map_Kd -s 1 1 1 -o 0 0 0 texture one.png",
        "map_Kd -blendu on -mm 0 1 -texres 512 texture one.png",
        "map_kd  C:\\art\\Texture One.png",
        "map_Kd\ttexture one.png\r",
    ],
)
def test_options_blanks_and_slashes_before_a_textures_name_do_not_lose_it(tmp_path: Path, line: str) -> None:
    save_picture(tmp_path / "texture one.png")
    assert read_object(textured_box(tmp_path, line)).appearance.texture is not None


def test_scale_and_offset_of_a_texture_move_its_coordinates(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png")
    (plain,) = load_mesh_file(textured_box(tmp_path / "p", "map_Kd ../a.png")).parts
    (moved,) = load_mesh_file(textured_box(tmp_path / "m", "map_Kd -s 2 3 1 -o 0.25 ../a.png")).parts
    np.testing.assert_allclose(moved.visual.uv, plain.visual.uv * [2.0, 3.0] + [0.25, 0.0], atol=1e-6)


def test_options_that_change_colours_are_told(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png")
    notes = read_object(textured_box(tmp_path, "map_Kd -mm 0.1 0.5 a.png")).notes
    assert "drawn without the option -mm of its texture a.png" in notes


def test_a_material_that_is_in_no_file_is_told(tmp_path: Path) -> None:
    path = textured_box(tmp_path, "")
    path.write_text(path.read_text().replace("usemtl wood", "usemtl steel"))
    assert "lost the look of its material steel: in no material file" in read_object(path).notes


def test_several_material_files_are_all_read(tmp_path: Path) -> None:
    path = textured_box(tmp_path, "")
    save_picture(tmp_path / "a.png")
    (tmp_path / "more.mtl").write_text("newmtl steel\nmap_Kd a.png\n")
    text = path.read_text().replace("mtllib crate.mtl", "mtllib crate.mtl more.mtl")
    path.write_text(text.replace("usemtl wood", "usemtl steel"))
    assert read_object(path).appearance.texture is not None


def gltf(folder: Path, accessor: dict, data: np.ndarray, **more: object) -> Path:
    """A box as glTF with positions of any kind."""
    faces = trimesh.creation.box(BOX).faces.astype("<u2").ravel()
    packed, start = data.tobytes(), len(data.tobytes())
    content = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "count": 8, "type": "VEC3", **accessor},
            {"bufferView": 1, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": start, **({"byteStride": 8} if data.shape[1] == 4 else {})},
            {"buffer": 0, "byteOffset": start, "byteLength": faces.nbytes},
        ],
        "buffers": [{"byteLength": start + faces.nbytes, "uri": "box.bin"}],
        **more,
    }
    folder.mkdir(exist_ok=True)
    (folder / "box.bin").write_bytes(packed + faces.tobytes())
    (folder / "box.gltf").write_text(json.dumps(content))
    return folder / "box.gltf"


def corners(kind: str, largest: float, columns: int = 4) -> np.ndarray:
    values = np.zeros((8, columns), dtype=kind)
    values[:, :3] = np.round(trimesh.creation.box(BOX).vertices / 0.05 * largest)
    return values


@pytest.mark.parametrize(
    ("component", "kind", "largest", "normalized"),
    [(5120, "i1", 127, True), (5122, "<i2", 32767, True), (5122, "<i2", 1000, False)],
)
def test_quantised_positions_are_read_at_their_size(
    tmp_path: Path, component: int, kind: str, largest: int, normalized: bool
) -> None:
    scale = 0.05 if normalized else 0.05 / largest
    path = gltf(
        tmp_path,
        {"componentType": component, "normalized": normalized},
        corners(kind, largest, 4 if kind != "i1" else 8),
        nodes=[{"mesh": 0, "scale": [scale] * 3}],
        extensionsRequired=["KHR_mesh_quantization"],
    )
    if kind == "i1":
        text = json.loads(path.read_text())
        text["bufferViews"][0]["byteStride"] = 8
        path.write_text(json.dumps(text))
    x, y, z = BOX
    sizes = np.ptp(read_object(path).mesh.vertices, axis=0)
    np.testing.assert_allclose(sizes, [x, z, y], atol=0.0005 if kind == "i1" else 2e-5)


def test_sparse_positions_are_filled_in(tmp_path: Path) -> None:
    box = trimesh.creation.box(BOX).vertices.astype("<f4")
    flat = box.copy()
    flat[:4] = 0.0
    path = gltf(tmp_path, {"componentType": 5126}, flat)
    content = json.loads(path.read_text())
    raw = (tmp_path / "box.bin").read_bytes()
    raw += bytes(-len(raw) % 4) + np.arange(4, dtype="<u2").tobytes() + box[:4].tobytes()
    views = content["bufferViews"]
    views += [
        {"buffer": 0, "byteOffset": len(raw) - 56, "byteLength": 8},
        {"buffer": 0, "byteOffset": len(raw) - 48, "byteLength": 48},
    ]
    content["accessors"][0]["sparse"] = {
        "count": 4,
        "indices": {"bufferView": 2, "componentType": 5123},
        "values": {"bufferView": 3},
    }
    content["buffers"][0]["byteLength"] = len(raw)
    (tmp_path / "box.bin").write_bytes(raw)
    path.write_text(json.dumps(content))
    assert read_object(path).mass == pytest.approx(300.0 * BOX.prod(), rel=1e-4)


@pytest.mark.parametrize("name", ["EXT_meshopt_compression", "EXT_mesh_gpu_instancing", "KHR_draco_mesh_compression"])
def test_extensions_that_we_lack_are_refused_by_name_with_the_way_out(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "DracoPy", None)
    path = gltf(
        tmp_path, {"componentType": 5126}, trimesh.creation.box(BOX).vertices.astype("<f4"), extensionsUsed=[name]
    )
    content = json.loads(path.read_text())
    if "draco" in name:
        content["meshes"][0]["primitives"][0]["extensions"] = {name: {"bufferView": 0, "attributes": {"POSITION": 0}}}
    path.write_text(json.dumps(content))
    with pytest.raises(GraspdError, match=rf"box\.gltf: it needs the extension {name}; .{{10}}"):
        read_object(path)
    assert capsys.readouterr() == ("", "")


def test_draco_positions_are_read_at_their_size(tmp_path: Path) -> None:
    draco = pytest.importorskip("DracoPy")
    box = trimesh.creation.box(BOX)
    packed = draco.encode(box.vertices.astype(np.float32), box.faces.astype(np.uint32), quantization_bits=14)
    content = {
        "asset": {"version": "2.0"},
        "extensionsRequired": ["KHR_draco_mesh_compression"],
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [
            {
                "primitives": [
                    {
                        "attributes": {"POSITION": 0},
                        "indices": 1,
                        "extensions": {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}},
                    }
                ]
            }
        ],
        "accessors": [
            {"componentType": 5126, "count": 8, "type": "VEC3"},
            {"componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
        "bufferViews": [{"buffer": 0, "byteLength": len(packed)}],
        "buffers": [{"byteLength": len(packed)}],
    }
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    packed += bytes(-len(packed) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(packed), 0x004E4942) + packed
    (tmp_path / "box.glb").write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)
    x, y, z = BOX
    np.testing.assert_allclose(np.ptp(read_object(tmp_path / "box.glb").mesh.vertices, axis=0), [x, z, y], atol=1e-5)


def test_a_texture_reads_the_set_of_coordinates_that_its_material_names_moved_as_it_says(tmp_path: Path) -> None:
    save_picture(tmp_path / "a b.png")
    box = trimesh.creation.box(BOX).vertices.astype("<f4")
    first, second = np.full((8, 2), 0.9, dtype="<f4"), np.linspace(0.0, 0.5, 16, dtype="<f4").reshape(8, 2)
    path = gltf(tmp_path, {"componentType": 5126}, box)
    raw = (tmp_path / "box.bin").read_bytes()
    content = json.loads(path.read_text())
    for values in (first, second):
        content["bufferViews"].append({"buffer": 0, "byteOffset": len(raw), "byteLength": values.nbytes})
        content["accessors"].append(
            {"bufferView": len(content["bufferViews"]) - 1, "componentType": 5126, "count": 8, "type": "VEC2"}
        )
        raw += values.tobytes()
    content["buffers"][0]["byteLength"] = len(raw)
    primitive = content["meshes"][0]["primitives"][0]
    primitive["attributes"] |= {"TEXCOORD_0": 2, "TEXCOORD_1": 3}
    primitive["material"] = 0
    transform = {"scale": [0.5, 2.0], "offset": [0.1, 0.2]}
    texture = {"index": 0, "texCoord": 1, "extensions": {"KHR_texture_transform": transform}}
    content |= {
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": texture}}],
        "textures": [{"source": 0}],
        "images": [{"uri": "a%20b.png"}],
    }
    (tmp_path / "box.bin").write_bytes(raw)
    path.write_text(json.dumps(content))
    (part,) = load_mesh_file(path).parts
    u, v = (second * [0.5, 2.0] + [0.1, 0.2]).T
    np.testing.assert_allclose(part.visual.uv, np.stack([u, 1.0 - v], axis=-1), atol=1e-6)
    assert read_object(path).appearance.texture is not None
    content["images"] = [{"uri": "gone.png"}]
    path.write_text(json.dumps(content))
    rigid = read_object(path)
    assert rigid.appearance.texture is None
    assert "lost its texture gone.png: missing" in rigid.notes


@pytest.mark.parametrize(
    ("suffix", "extents", "metres"),
    [
        (".obj", (25.0, 60.0), 0.001),
        (".obj", (4.0, 12.0, 60.0), 0.01),
        (".obj", (0.02, 0.9, 3.1, 0.3), 1.0),
        (".stl", (12.0, 25.0, 60.0), 0.001),
    ],
)
def test_files_of_one_set_get_one_unit_said_once(
    tmp_path: Path, suffix: str, extents: tuple[float, ...], metres: float
) -> None:
    paths = [tmp_path / f"part_{index}{suffix}" for index in range(len(extents))]
    for path, extent in zip(paths, extents, strict=True):
        trimesh.creation.box(BOX / BOX.max() * extent).export(path)
    units = shared_units(paths)
    for path, extent in zip(paths, extents, strict=True):
        if extent * metres <= 1.0:
            rigid = read_object(path, shared_unit=units[path])
            assert np.ptp(rigid.mesh.vertices, axis=0).max() == pytest.approx(extent * metres, rel=1e-5)
    said = [note for path in paths for note in units[path].notes]
    assert len(said) == 1
    assert f"all {len(paths)} {suffix} files" in said[0]


def test_a_given_unit_leaves_nothing_to_share(tmp_path: Path) -> None:
    paths = [tmp_path / "a.obj", tmp_path / "b.obj"]
    for path in paths:
        trimesh.creation.box(BOX).export(path)
    assert shared_units(paths, ObjectReaderConfig(unit="m")) == {}


def test_triangle_strips_of_ply_are_triangles(tmp_path: Path) -> None:
    """The four sides of a box as a strip, its top and bottom as two more; the strip's order turns every other one."""
    corners = np.array([[x, y, z] for z in (-0.5, 0.5) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]) * BOX
    strip = [4, 0, 5, 1, 6, 2, 7, 3, 4, 0, -1, 0, 3, 1, 2, -1, 4, 5, 7, 6, -1]
    head = "ply\nformat ascii 1.0\nelement vertex 8\nproperty float x\nproperty float y\nproperty float z\n"
    rows = "\n".join(" ".join(f"{value:g}" for value in corner) for corner in corners)
    text = f"{head}element tristrips 1\nproperty list int int vertex_indices\nend_header\n{rows}\n"
    (tmp_path / "scan.ply").write_text(f"{text}{len(strip)} {' '.join(map(str, strip))}\n")
    box = load_mesh_file(tmp_path / "scan.ply").parts[0]
    assert len(box.faces) == 12
    assert box.is_watertight and box.is_winding_consistent
    assert box.volume == pytest.approx(BOX.prod())
