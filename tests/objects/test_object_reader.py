# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Reading objects: formats, units, repairs, names, and errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdUtils

from omni_graspd.errors import GraspdError
from omni_graspd.objects.object_reader import read_object
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.stage import create_stage, save_stage

SIZES = np.array([0.04, 0.06, 0.10])
MASS = 300.0 * SIZES.prod()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def box(scale: float = 1.0) -> trimesh.Trimesh:
    return trimesh.creation.box(SIZES * scale)


def box_inertia(mass: float) -> np.ndarray:
    x, y, z = SIZES**2
    return np.diag([y + z, x + z, x + y]) * mass / 12.0


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl"])
def test_mesh_files_give_a_welded_box_with_its_mass_and_inertia(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"brick{suffix}"
    box().export(path)
    rigid = read_object(path)
    assert (rigid.name, rigid.label, rigid.closed) == ("brick", "brick", True)
    assert rigid.mesh.vertices.shape == (8, 3)
    assert rigid.mesh.faces.shape == (12, 3)
    assert rigid.mass == pytest.approx(MASS, rel=1e-5)
    np.testing.assert_allclose(rigid.center_of_mass, 0.0, atol=1e-8)
    np.testing.assert_allclose(rigid.inertia, box_inertia(MASS), rtol=1e-5, atol=1e-12)
    assert any("density" in note for note in rigid.notes)


@pytest.mark.parametrize(
    ("suffix", "scale", "unit"),
    [
        (".ply", 9000.0, "millimetres"),
        (".ply", 1000.0, "millimetres"),
        (".ply", 700.0, "millimetres"),
        (".ply", 400.0, "millimetres"),
        (".ply", 290.0, "centimetres"),
        (".ply", 120.0, "centimetres"),
        (".ply", 80.0, "centimetres"),
        (".ply", 31.0, "centimetres"),
        (".stl", 9000.0, "millimetres"),
        (".stl", 290.0, "millimetres"),
        (".stl", 200.0, "millimetres"),
        (".stl", 60.0, "millimetres"),
    ],
)
def test_large_files_are_read_as_what_makes_them_fit_a_hand_with_a_note(
    tmp_path: Path, suffix: str, scale: float, unit: str
) -> None:
    path = tmp_path / f"brick{suffix}"
    box(scale).export(path)
    rigid = read_object(path)
    factor = scale * {"millimetres": 0.001, "centimetres": 0.01}[unit]
    np.testing.assert_allclose(np.ptp(rigid.mesh.vertices, axis=0), SIZES * factor, rtol=1e-6)
    assert any(f"read as {unit}" in note and "give --unit" in note for note in rigid.notes)


@pytest.mark.parametrize("extent", [1.2, 2.5, 1200.0])
def test_files_that_fit_no_unit_are_refused(tmp_path: Path, extent: float) -> None:
    path = tmp_path / "brick.stl"
    box(extent / SIZES.max()).export(path)
    with pytest.raises(GraspdError, match=r"expected an object between .* got .*brick\.stl"):
        read_object(path)


def test_a_tiny_stl_asks_for_its_unit_instead_of_being_blown_up_to_centimetres(tmp_path: Path) -> None:
    path = tmp_path / "brick.stl"
    box(31.0).export(path)
    with pytest.raises(GraspdError, match=r"got 0\.0031 m in .*give its unit with --unit"):
        read_object(path)


def test_gltf_is_in_metres_and_never_guessed(tmp_path: Path) -> None:
    path = tmp_path / "crane.glb"
    box(120.0).export(path)
    with pytest.raises(GraspdError, match=r"got 12 m in .*crane\.glb"):
        read_object(path)


def test_inward_and_scrambled_faces_are_turned_outward(tmp_path: Path) -> None:
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=0.04)
    for name, turned in (("all", slice(None)), ("some", slice(0, None, 3))):
        faces = np.array(sphere.faces)
        faces[turned] = faces[turned, ::-1]
        path = tmp_path / f"{name}.ply"
        trimesh.Trimesh(sphere.vertices, faces, process=False).export(path)
        mesh = read_object(path).mesh
        corners = mesh.vertices[mesh.faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert (np.sum(normals * corners.mean(axis=1), axis=-1) > 0).all()


def test_an_inner_void_stays_a_void_and_is_told_by_winding_numbers(tmp_path: Path) -> None:
    outer, inner = (trimesh.creation.icosphere(subdivisions=3, radius=radius) for radius in (0.04, 0.02))
    inner.invert()
    path = tmp_path / "shell.ply"
    trimesh.util.concatenate([outer, inner]).export(path)
    rigid = read_object(path)
    assert rigid.mass == pytest.approx(300.0 * (outer.volume + inner.volume), rel=1e-5)
    assert inner.volume < 0
    assert not rigid.closed


def test_useless_faces_are_dropped_and_small_holes_filled(tmp_path: Path) -> None:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=0.04)
    faces = np.array(sphere.faces)[1:]
    faces = np.concatenate([faces, faces[:3], [[5, 5, 7]]])
    path = tmp_path / "ball.ply"
    trimesh.Trimesh(sphere.vertices, faces, process=False).export(path)
    rigid = read_object(path)
    assert trimesh.Trimesh(rigid.mesh.vertices, rigid.mesh.faces, process=False).is_watertight
    assert "dropped 4 degenerate or repeated faces" in rigid.notes
    assert "filled 1 small hole" in rigid.notes
    assert rigid.mass == pytest.approx(300.0 * sphere.volume, rel=1e-3)


def test_texture_and_seams_survive_welding(tmp_path: Path) -> None:
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(tmp_path / "art.png")
    (tmp_path / "look.mtl").write_text("newmtl m\nmap_Kd art.png\n")
    vertices, faces = box().vertices, box().faces
    lines = ["mtllib look.mtl", "usemtl m"]
    lines += [f"v {x} {y} {z}" for x, y, z in vertices[faces].reshape(-1, 3)]
    uvs = np.random.default_rng(0).uniform(size=(36, 2)).round(4)
    lines += [f"vt {u} {v}" for u, v in uvs]
    lines += [f"f {i}/{i} {i + 1}/{i + 1} {i + 2}/{i + 2}" for i in range(1, 37, 3)]
    folder = tmp_path / "025_crate"
    folder.mkdir()
    (tmp_path / "look.mtl").rename(folder / "look.mtl")
    (tmp_path / "art.png").rename(folder / "art.png")
    (folder / "textured.obj").write_text("\n".join(lines))
    rigid = read_object(folder / "textured.obj")
    assert (rigid.name, rigid.label) == ("025_crate", "crate")
    assert rigid.mesh.uvs is None
    assert len(rigid.visual.vertices) == 8
    np.testing.assert_allclose(rigid.visual.uvs.reshape(-1, 2), uvs, atol=1e-6)
    assert rigid.appearance.texture is not None
    assert np.array(Image.open(rigid.appearance.texture)).ravel().tolist() == list(range(48))


def test_embedded_texture_of_a_glb_gets_a_file_and_y_up_becomes_z_up(tmp_path: Path) -> None:
    mesh = box()
    image = Image.fromarray(np.full((8, 8, 3), (200, 30, 40), dtype=np.uint8))
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=image, roughnessFactor=0.25, metallicFactor=0.0)
    mesh.visual = trimesh.visual.TextureVisuals(uv=np.zeros((len(mesh.vertices), 2)), material=material)
    path = tmp_path / "model.glb"
    trimesh.Scene(mesh).export(path)
    rigid = read_object(path)
    assert rigid.appearance.roughness == 0.25
    assert np.array(Image.open(rigid.appearance.texture))[0, 0].tolist() == [200, 30, 40]
    np.testing.assert_allclose(np.ptp(rigid.mesh.vertices, axis=0), SIZES[[0, 2, 1]], rtol=1e-6)
    assert any("Y up" in note for note in rigid.notes)


def author_box(stage: Usd.Stage, path: str, size: np.ndarray) -> UsdGeom.Mesh:
    source = trimesh.creation.box(size)
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr([Gf.Vec3f(*map(float, v)) for v in source.vertices])
    mesh.CreateFaceVertexCountsAttr([3] * len(source.faces))
    mesh.CreateFaceVertexIndicesAttr(source.faces.ravel().tolist())
    return mesh


def test_usd_in_centimetres_and_y_up_with_instances_comes_out_in_metres_and_z_up(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "rack.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    root = UsdGeom.Xform.Define(stage, "/rack")
    stage.SetDefaultPrim(root.GetPrim())
    stage.CreateClassPrim("/part")
    author_box(stage, "/part/mesh", SIZES * 100)
    for i, x in enumerate((-10.0, 10.0)):
        instance = UsdGeom.Xform.Define(stage, f"/rack/part_{i}")
        instance.AddTranslateOp().Set(Gf.Vec3d(x, 20.0, 0.0))
        instance.GetPrim().GetReferences().AddInternalReference("/part")
        instance.GetPrim().SetInstanceable(True)
    stage.Save()
    rigid = read_object(tmp_path / "rack.usda")
    x, y, z = SIZES
    np.testing.assert_allclose(rigid.mesh.vertices.min(axis=0), [-0.1 - x / 2, -z / 2, 0.2 - y / 2], atol=1e-7)
    np.testing.assert_allclose(rigid.mesh.vertices.max(axis=0), [0.1 + x / 2, z / 2, 0.2 + y / 2], atol=1e-7)
    assert rigid.mass == pytest.approx(2 * MASS, rel=1e-5)
    assert rigid.closed


def test_usd_mass_centre_inertia_and_label_are_taken_over(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "thing.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    UsdPhysics.SetStageKilogramsPerUnit(stage, 0.001)
    root = UsdGeom.Xform.Define(stage, "/thing")
    stage.SetDefaultPrim(root.GetPrim())
    UsdPhysics.RigidBodyAPI.Apply(root.GetPrim())
    api = UsdPhysics.MassAPI.Apply(root.GetPrim())
    api.CreateMassAttr(250.0)
    api.CreateCenterOfMassAttr(Gf.Vec3f(0.5, 0.0, 1.0))
    api.CreateDiagonalInertiaAttr(Gf.Vec3f(1e3, 2e3, 3e3))
    half = float(np.sqrt(0.5))
    api.CreatePrincipalAxesAttr(Gf.Quatf(half, 0.0, 0.0, half))
    root.GetPrim().AddAppliedSchema("SemanticsLabelsAPI:class")
    root.GetPrim().CreateAttribute("semantics:labels:class", Sdf.ValueTypeNames.TokenArray).Set(["gadget"])
    author_box(stage, "/thing/mesh", SIZES * 100)
    stage.Save()
    rigid = read_object(tmp_path / "thing.usda")
    assert rigid.mass == pytest.approx(0.25)
    np.testing.assert_allclose(rigid.center_of_mass, [0.005, 0.0, 0.01], atol=1e-9)
    np.testing.assert_allclose(rigid.inertia, np.diag([2e-4, 1e-4, 3e-4]), atol=1e-10)
    assert rigid.label == "gadget"


def test_mirrored_usd_mesh_still_points_outward(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "mirrored.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/mirrored").GetPrim())
    author_box(stage, "/mirrored/mesh", SIZES).AddScaleOp().Set(Gf.Vec3f(-1.0, 1.0, 1.0))
    stage.Save()
    rigid = read_object(tmp_path / "mirrored.usda")
    assert trimesh.Trimesh(rigid.mesh.vertices, rigid.mesh.faces).volume == pytest.approx(SIZES.prod(), rel=1e-5)
    assert not any("turned" in note for note in rigid.notes)


def write_broken(folder: Path, kind: str) -> Path:
    path = folder / "thing.ply"
    mesh = trimesh.creation.icosphere(subdivisions=3, radius=0.04)
    if kind == "missing":
        return path
    if kind == "suffix":
        path = folder / "thing.step"
        path.write_text("ISO-10303-21;")
    elif kind == "unreadable":
        path.write_bytes(b"ply\nformat ascii 1.0\nelement vertex banana\n")
    elif kind == "unreadable usd":
        path = folder / "thing.usda"
        path.write_text("#usda 1.0\ndef Mesh {{{")
    elif kind == "empty":
        path = folder / "thing.obj"
        path.write_text("v 0 0 0\nv 1 0 0\n")
    elif kind == "open":
        trimesh.Trimesh(mesh.vertices, mesh.faces[mesh.triangles_center[:, 2] < 0.01], process=False).export(path)
    elif kind == "nan":
        mesh.vertices[3] = np.nan
        trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(path)
    elif kind == "flat":
        trimesh.Trimesh(mesh.vertices * [1, 1, 0], mesh.faces, process=False).export(path)
    else:
        mesh.apply_scale({"huge": 5e4, "tiny": 0.01}[kind])
        mesh.export(path)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "does not exist"),
        ("suffix", ".usdz"),
        ("unreadable", "readable mesh"),
        ("unreadable usd", "readable USD"),
        ("empty", "faces"),
        ("open", "open edges"),
        ("nan", "finite"),
        ("flat", "without volume"),
        ("huge", "4 m"),
        ("tiny", "0.0008 m"),
    ],
)
def test_bad_files_raise_one_line_that_names_the_file(tmp_path: Path, kind: str, words: str) -> None:
    path = write_broken(tmp_path, kind)
    with pytest.raises(GraspdError) as caught:
        read_object(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_all_benchmark_scans_are_accepted(shared_folder: Path) -> None:
    paths = [*sorted((shared_folder / "objects").glob("egad/*.ply"))[:2]]
    paths += [shared_folder / "objects/ycb/005_tomato_soup_can.ply", shared_folder / "objects/ycb/025_mug/textured.obj"]
    for path in paths:
        rigid = read_object(path)
        assert rigid.closed
        assert 0.02 < rigid.mass < 1.0
        assert rigid.name in (path.stem, path.parent.name)


@pytest.mark.parametrize("content", [b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 30])
def test_a_broken_texture_in_a_usdz_is_lost_with_a_note(tmp_path: Path, content: bytes) -> None:
    stage = create_stage("brick", tmp_path / "brick.usda")
    (tmp_path / "art.png").write_bytes(content)
    mesh = author_box(stage, "/brick/mesh", SIZES)
    bind_material(mesh.GetPrim(), author_material(stage, "/brick/look", Appearance(texture="./art.png")))
    save_stage(stage, tmp_path / "brick.usda")
    package = tmp_path / "brick.usdz"
    assert UsdUtils.CreateNewUsdzPackage(str(tmp_path / "brick.usda"), str(package))
    rigid = read_object(package)
    assert rigid.appearance.texture is None
    (note,) = [note for note in rigid.notes if note.startswith("lost its texture art.png")]
    assert "\n" not in note


def test_unwritable_texture_cache_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = box()
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.new("RGB", (4, 4), (1, 2, 3)))
    mesh.visual = trimesh.visual.TextureVisuals(uv=np.zeros((len(mesh.vertices), 2)), material=material)
    trimesh.Scene(mesh).export(tmp_path / "brick.glb")
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a_file"))
    with pytest.raises(GraspdError, match="XDG_CACHE_HOME"):
        read_object(tmp_path / "brick.glb")
