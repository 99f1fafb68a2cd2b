# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""USD files in the forms that the world writes them in: time samples, point instancers, materials of many kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, Vt

from omni_graspd.objects.intake import check_object
from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.surfaces import read_surfaces
from omni_graspd.usd.self_contained import write_self_contained
from omni_graspd.usd.still_stage import open_still

CORNERS = np.array([[x, y, z] for z in (-1, 1) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))], dtype=np.float32)
QUADS = [0, 3, 2, 1, 4, 5, 6, 7, 0, 1, 5, 4, 1, 2, 6, 5, 2, 3, 7, 6, 3, 0, 4, 7]
SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def stage(tmp_path: Path) -> Usd.Stage:
    stage = Usd.Stage.CreateNew(str(tmp_path / "thing.usda"))
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/Thing").GetPrim())
    stage.SetStartTimeCode(10)
    stage.SetEndTimeCode(20)
    return stage


def cube(stage: Usd.Stage, path: str, half: float = 0.02) -> UsdGeom.Mesh:
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(CORNERS * half))
    mesh.CreateFaceVertexCountsAttr([4] * 6)
    mesh.CreateFaceVertexIndicesAttr(QUADS)
    return mesh


def read(stage: Usd.Stage) -> RigidObject:
    stage.Save()
    return read_object(Path(stage.GetRootLayer().realPath))


def sizes(rigid: RigidObject) -> np.ndarray:
    return np.round(1e3 * np.ptp(rigid.mesh.vertices, axis=0), 3)


def drawn_sizes(stage: Usd.Stage) -> np.ndarray:
    """What ``render --scene`` sees."""
    stage.Save()
    surfaces = read_surfaces(open_still(Path(stage.GetRootLayer().realPath)))
    corners = np.concatenate([surface.corners.reshape(-1, 3) for surface in surfaces])
    return np.round(1e3 * np.ptp(corners, axis=0), 3)


def test_points_with_time_samples_only_are_read_at_the_start(stage: Usd.Stage) -> None:
    points = cube(stage, "/Thing/a").GetPointsAttr()
    points.Clear()
    for time, half in ((10, 0.03), (20, 0.05)):
        points.Set(Vt.Vec3fArray.FromNumpy(CORNERS * half), time)
    rigid = read(stage)
    assert sizes(rigid).tolist() == drawn_sizes(stage).tolist() == [60.0, 60.0, 60.0]
    assert "read as it is at the start of its animation" in rigid.notes


def test_transforms_with_time_samples_only_are_read_at_the_start(stage: Usd.Stage) -> None:
    cube(stage, "/Thing/a")
    move = UsdGeom.Xformable(cube(stage, "/Thing/b")).AddTranslateOp()
    for time, x in ((10, 0.06), (20, 0.5)):
        move.Set(Gf.Vec3d(x, 0.0, 0.0), time)
    assert sizes(read(stage)).tolist() == drawn_sizes(stage).tolist() == [100.0, 40.0, 40.0]


def test_a_stage_without_a_start_is_read_at_its_first_samples(stage: Usd.Stage) -> None:
    stage.ClearMetadata("startTimeCode")
    stage.ClearMetadata("endTimeCode")
    cube(stage, "/Thing/a")
    move = UsdGeom.Xformable(cube(stage, "/Thing/b")).AddTranslateOp()
    move.Set(Gf.Vec3d(0.06, 0.0, 0.0), 7)
    move.Set(Gf.Vec3d(0.9, 0.0, 0.0), 8)
    assert sizes(read(stage)).tolist() == drawn_sizes(stage).tolist() == [100.0, 40.0, 40.0]


def test_what_is_invisible_at_the_start_is_left_out_and_what_appears_later_is_not_waited_for(stage: Usd.Stage) -> None:
    cube(stage, "/Thing/a")
    visibility = cube(stage, "/Thing/b", 0.1).CreateVisibilityAttr()
    visibility.Set(UsdGeom.Tokens.invisible, 10)
    visibility.Set(UsdGeom.Tokens.inherited, 20)
    assert sizes(read(stage)).tolist() == drawn_sizes(stage).tolist() == [40.0, 40.0, 40.0]


def test_sizes_of_shapes_with_time_samples_are_read_at_the_start(stage: Usd.Stage) -> None:
    size = UsdGeom.Cube.Define(stage, "/Thing/a").GetSizeAttr()
    size.Set(0.08, 10)
    size.Set(0.5, 20)
    assert sizes(read(stage)).tolist() == drawn_sizes(stage).tolist() == [80.0, 80.0, 80.0]


def test_animation_within_instances_is_held_too(stage: Usd.Stage) -> None:
    source = UsdGeom.Xform.Define(stage, "/Source")
    cube(stage, "/Source/a")
    move = UsdGeom.Xformable(cube(stage, "/Source/b")).AddTranslateOp()
    move.Set(Gf.Vec3d(0.0, 0.06, 0.0), 10)
    for number in range(2):
        copy = UsdGeom.Xform.Define(stage, f"/Thing/copy_{number}")
        copy.GetPrim().GetReferences().AddInternalReference(source.GetPath())
        copy.GetPrim().SetInstanceable(True)
        copy.AddTranslateOp().Set(Gf.Vec3d(0.1 * number, 0.0, 0.0))
    assert sizes(read(stage)).tolist() == [140.0, 100.0, 40.0]


def test_a_self_contained_copy_keeps_the_start(stage: Usd.Stage, tmp_path: Path) -> None:
    cube(stage, "/Thing/a")
    UsdGeom.Xformable(cube(stage, "/Thing/b")).AddTranslateOp().Set(Gf.Vec3d(0.06, 0.0, 0.0), 10)
    stage.Save()
    write_self_contained(Path(stage.GetRootLayer().realPath), tmp_path / "copy" / "thing.usda")
    copied = Usd.Stage.Open(str(tmp_path / "copy" / "thing.usda"))
    matrix = UsdGeom.XformCache().GetLocalToWorldTransform(copied.GetPrimAtPath("/Thing/b"))
    assert matrix.ExtractTranslation() == Gf.Vec3d(0.06, 0.0, 0.0)


def instancer(stage: Usd.Stage, path: str, prototype: str) -> UsdGeom.PointInstancer:
    pile = UsdGeom.PointInstancer.Define(stage, path)
    pile.CreatePrototypesRel().AddTarget(f"{path}/{prototype}")
    pile.CreateProtoIndicesAttr([0, 0, 0])
    pile.CreatePositionsAttr([(0.0, 0.0, 0.0), (0.1, 0.0, 0.0), (0.2, 0.0, 0.0)])
    return pile


def test_copies_of_a_point_instancer_stand_where_it_puts_them(stage: Usd.Stage) -> None:
    pile = instancer(stage, "/Thing/pile", "one")
    half = np.sqrt(0.5)
    pile.CreateOrientationsAttr([Gf.Quath(1, 0, 0, 0), Gf.Quath(half, 0, 0, half), Gf.Quath(1, 0, 0, 0)])
    pile.CreateScalesAttr([(1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 2.0, 1.0)])
    UsdGeom.Xformable(cube(stage, "/Thing/pile/one")).AddTranslateOp().Set(Gf.Vec3d(0.0, 0.01, 0.0))
    rigid = read(stage)
    # The second is turned: it stands 10 mm nearer along x. The third reaches from -20 to 60 mm along y.
    assert sizes(rigid).tolist() == drawn_sizes(stage).tolist() == [240.0, 80.0, 40.0]
    assert rigid.mass == pytest.approx(300.0 * 0.04**3 * 4.0, rel=1e-3)


def test_hidden_copies_and_nested_instancers(stage: Usd.Stage) -> None:
    pile = instancer(stage, "/Thing/pile", "row")
    pile.GetPositionsAttr().Set([(0.0, 0.0, 0.0), (0.0, 0.1, 0.0), (0.0, 0.9, 0.0)])
    pile.CreateInvisibleIdsAttr([2])
    instancer(stage, "/Thing/pile/row", "one")
    cube(stage, "/Thing/pile/row/one")
    assert sizes(read(stage)).tolist() == drawn_sizes(stage).tolist() == [240.0, 140.0, 40.0]


def test_curves_beside_a_solid_are_left_out_with_a_note(stage: Usd.Stage) -> None:
    cube(stage, "/Thing/a")
    curve = UsdGeom.BasisCurves.Define(stage, "/Thing/curve")
    curve.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0)])
    curve.CreateCurveVertexCountsAttr([4])
    assert "left out 1 BasisCurves: no surface of a solid" in read(stage).notes


def textured_cube(stage: Usd.Stage, uv_name: str) -> UsdGeom.Mesh:
    mesh = cube(stage, "/Thing/a")
    uvs = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        uv_name, Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying
    )
    uvs.Set(Vt.Vec2fArray(SQUARE * 6))
    return mesh


def picture(stage: Usd.Stage, color: tuple[int, int, int] = (200, 100, 20)) -> str:
    path = Path(stage.GetRootLayer().realPath).with_name("art.png")
    Image.new("RGB", (4, 4), color).save(path)
    return "./art.png"


def preview(stage: Usd.Stage, mesh: UsdGeom.Mesh, varname: str) -> UsdShade.Shader:
    """Bind a UsdPreviewSurface whose texture reads the primvar ``varname``; return the texture's shader."""
    material = UsdShade.Material.Define(stage, "/Thing/look")
    surface = UsdShade.Shader.Define(stage, "/Thing/look/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    texture = UsdShade.Shader.Define(stage, "/Thing/look/texture")
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(picture(stage))
    reader = UsdShade.Shader.Define(stage, "/Thing/look/reader")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    # Blender and Maya set the name on the material, and connect the reader to it.
    name = material.CreateInput("frame:stPrimvarName", Sdf.ValueTypeNames.String)
    name.Set(varname)
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).ConnectToSource(name)
    texture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(reader.ConnectableAPI(), "result")
    color = surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f)
    color.ConnectToSource(texture.ConnectableAPI(), "rgb")
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    return texture


@pytest.mark.parametrize("name", ["st", "UVMap", "map1", "Texture_uv"])
def test_texture_coordinates_have_the_name_that_the_material_asks_for(stage: Usd.Stage, name: str) -> None:
    preview(stage, textured_cube(stage, name), name)
    rigid = read(stage)
    assert rigid.appearance.texture is not None
    assert rigid.visual.uvs is not None
    assert np.ptp(rigid.visual.uvs.reshape(-1, 2), axis=0).tolist() == [1.0, 1.0]


def test_a_texture_without_its_coordinates_is_lost_with_a_note(stage: Usd.Stage) -> None:
    preview(stage, textured_cube(stage, "map1"), "map2")
    rigid = read(stage)
    assert rigid.appearance.texture is None
    assert "lost its texture art.png: it has no texture coordinates map2" in rigid.notes


def test_coordinates_of_a_usual_name_stand_in_with_a_note(stage: Usd.Stage) -> None:
    preview(stage, textured_cube(stage, "st"), "map2")
    rigid = read(stage)
    assert rigid.appearance.texture is not None
    assert "drawn with the texture coordinates st, since it has no map2" in rigid.notes


def test_scale_of_a_texture_darkens_its_picture(stage: Usd.Stage) -> None:
    texture = preview(stage, textured_cube(stage, "st"), "st")
    texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
    texture.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(0.0, 1.0, 1.0, 1.0))
    shown = Image.open(read(stage).appearance.texture).getpixel((1, 1))
    assert shown == (0, 100, 20)


def mdl(stage: Usd.Stage, mesh: UsdGeom.Mesh, module: str, name: str, inputs: dict[str, tuple[str, object]]) -> None:
    material = UsdShade.Material.Define(stage, "/Thing/look")
    shader = UsdShade.Shader.Define(stage, "/Thing/look/shader")
    shader.SetSourceAsset(module, "mdl")
    shader.SetSourceAssetSubIdentifier(name, "mdl")
    for key, (kind, value) in inputs.items():
        shader.CreateInput(key, getattr(Sdf.ValueTypeNames, kind)).Set(value)
    material.CreateSurfaceOutput("mdl").ConnectToSource(shader.ConnectableAPI(), "out")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)


def test_the_texture_of_an_mdl_material_is_taken(stage: Usd.Stage) -> None:
    mesh = textured_cube(stage, "st")
    inputs = {"diffuse_texture": ("Asset", picture(stage)), "texture_scale": ("Float2", Gf.Vec2f(3.0, 2.0))}
    mdl(stage, mesh, "OmniPBR.mdl", "OmniPBR", inputs)
    rigid = read(stage)
    assert rigid.appearance.texture is not None
    assert np.ptp(rigid.visual.uvs.reshape(-1, 2), axis=0).tolist() == [3.0, 2.0]


def test_colour_and_tint_of_an_mdl_material_are_taken(stage: Usd.Stage) -> None:
    color = {"diffuse_color_constant": ("Color3f", (0.8, 0.4, 0.2)), "diffuse_tint": ("Color3f", (0.5, 1.0, 0.5))}
    more = {"reflection_roughness_constant": ("Float", 0.25), "metallic_constant": ("Float", 0.75)}
    mdl(stage, cube(stage, "/Thing/a"), "OmniPBR.mdl", "OmniPBR", color | more)
    look = read(stage).appearance
    assert look.color == pytest.approx((0.4, 0.4, 0.1))
    assert (look.roughness, look.metallic) == (0.25, 0.75)


def test_an_mdl_material_without_inputs_has_its_default_colour(stage: Usd.Stage) -> None:
    mdl(stage, cube(stage, "/Thing/a"), "OmniPBR.mdl", "OmniPBR", {})
    rigid = read(stage)
    assert rigid.appearance.color == (0.2, 0.2, 0.2)
    assert not any("lost" in note for note in rigid.notes)


def test_a_material_that_cannot_be_read_is_told(stage: Usd.Stage) -> None:
    mdl(stage, cube(stage, "/Thing/a"), "Walnut_Planks.mdl", "Walnut_Planks", {})
    assert any("lost the look of its material look:" in note for note in read(stage).notes)


def test_the_image_of_a_materialx_surface_is_taken(stage: Usd.Stage) -> None:
    mesh = textured_cube(stage, "st")
    material = UsdShade.Material.Define(stage, "/Thing/look")
    surface = UsdShade.Shader.Define(stage, "/Thing/look/surface")
    surface.CreateIdAttr("ND_standard_surface_surfaceshader")
    image = UsdShade.Shader.Define(stage, "/Thing/look/image")
    image.CreateIdAttr("ND_image_color3")
    image.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(picture(stage))
    image.CreateOutput("out", Sdf.ValueTypeNames.Color3f)
    color = surface.CreateInput("base_color", Sdf.ValueTypeNames.Color3f)
    color.ConnectToSource(image.ConnectableAPI(), "out")
    material.CreateSurfaceOutput("mtlx").ConnectToSource(surface.ConnectableAPI(), "out")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    texture = read(stage).appearance.texture
    assert texture is not None
    assert Image.open(texture).getpixel((1, 1)) == (200, 100, 20)


def test_faces_that_are_holes_are_left_out_of_materials_too(stage: Usd.Stage) -> None:
    mesh = cube(stage, "/Thing/a")
    inner = cube(stage, "/Thing/b", 0.005)
    # Six more faces, which are holes: without them the mesh is a plain cube.
    mesh.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy(np.concatenate([CORNERS * 0.02, CORNERS * 0.5])))
    mesh.GetFaceVertexCountsAttr().Set([4] * 12)
    mesh.GetFaceVertexIndicesAttr().Set([*QUADS, *(index + 8 for index in QUADS)])
    mesh.CreateHoleIndicesAttr(list(range(6, 12)))
    inner.GetPrim().SetActive(False)
    assert sizes(read(stage)).tolist() == drawn_sizes(stage).tolist() == [40.0, 40.0, 40.0]


@pytest.mark.parametrize(
    ("name", "words"), [("look.mtlx", "lost the materials of look.mtlx"), ("gone.usda", "lost what gone.usda holds")]
)
def test_files_that_are_not_read_get_a_note_and_no_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    """As in assets whose materials are MaterialX files, which OpenUSD's Python package does not read."""
    (tmp_path / "look.mtlx").write_text('<?xml version="1.0"?><materialx version="1.38"/>')
    (tmp_path / "ball.usda").write_text(
        f"""#usda 1.0
(
    defaultPrim = "ball"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "ball"
{{
    def Sphere "shape"
    {{
        double radius = 0.04
    }}
    def Scope "Looks" (
        prepend references = @{name}@
    )
    {{
    }}
}}"""
    )
    report = check_object(tmp_path / "ball.usda")
    assert report.verdict == "accepted"
    assert [note for note in report.rigid.notes if note.startswith(words)]
    assert "Warning" not in "".join(capfd.readouterr())
