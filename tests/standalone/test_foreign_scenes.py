# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""USD scenes as others make them: units, up axes, primvars, instancers, animation, packages, light kinds."""

from __future__ import annotations

import asyncio
import errno
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdShade, UsdUtils, Vt

from omni_graspd.cli.main import main
from omni_graspd.errors import GraspdError
from omni_graspd.rendering import view_writer
from omni_graspd.rendering.annotator_data import AnnotatorData
from omni_graspd.rendering.annotators import LABEL_ANNOTATORS
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.rendering.frame import CameraRig, RenderConfig
from omni_graspd.rendering.scene_views import label_by_name, scene_rigs
from omni_graspd.rendering.surfaces import read_surfaces, undrawn_kinds
from omni_graspd.standalone.render import render
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage

SIZE = 64
LABELS = RenderConfig(annotators=LABEL_ANNOTATORS)
COLOUR = RenderConfig(annotators=("rgb",), samples_per_pixel=4, denoise=False, max_depth=2)
RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 220, 20), (20, 20, 220), (220, 220, 220)


def _render(stage: Usd.Stage, rig: CameraRig, config: RenderConfig) -> dict[str, AnnotatorData]:
    async def first() -> dict[str, AnnotatorData]:
        (frame,) = [frame async for frame in render(stage, [rig], config)]
        return frame.channels

    return asyncio.run(first())


def _camera(stage: Usd.Stage, distance: float = 1.0) -> CameraRig:
    """Add a camera on +Z that sees a square as wide as it is away."""
    camera = UsdGeom.Camera.Define(stage, "/World/Camera")
    camera.AddTranslateOp().Set((0, 0, distance))
    camera.CreateFocalLengthAttr(20.0)
    camera.CreateHorizontalApertureAttr(20.0)
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 1e4))
    return CameraRig("view", ("/World/Camera",), SIZE, SIZE)


def _square(stage: Usd.Stage, path: str = "/World/Square") -> UsdGeom.Mesh:
    """Add one quad of a metre in z = 0."""
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr([(-0.5, -0.5, 0), (0.5, -0.5, 0), (0.5, 0.5, 0), (-0.5, 0.5, 0)])
    mesh.CreateFaceVertexCountsAttr([4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    return mesh


def _material(stage: Usd.Stage, prim: Usd.Prim, **inputs: object) -> UsdShade.Shader:
    material = UsdShade.Material.Define(stage, "/World/Look")
    surface = UsdShade.Shader.Define(stage, "/World/Look/Surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    for name, value in inputs.items():
        kind = Sdf.ValueTypeNames.Color3f if isinstance(value, tuple) else Sdf.ValueTypeNames.Float
        surface.CreateInput(name, kind).Set(value)
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(prim).Bind(material)
    return surface


def _connect_texture(
    stage: Usd.Stage, surface: UsdShade.Shader, file: str, primvar: str, scale: tuple[float, float] = (1.0, 1.0)
) -> UsdShade.Shader:
    reader = UsdShade.Shader.Define(stage, "/World/Look/Reader")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set(primvar)
    reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    transform = UsdShade.Shader.Define(stage, "/World/Look/Transform")
    transform.CreateIdAttr("UsdTransform2d")
    transform.CreateInput("scale", Sdf.ValueTypeNames.Float2).Set(scale)
    transform.CreateInput("in", Sdf.ValueTypeNames.Float2).ConnectToSource(reader.ConnectableAPI(), "result")
    transform.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    texture = UsdShade.Shader.Define(stage, "/World/Look/Texture")
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(file)
    texture.CreateInput("wrapS", Sdf.ValueTypeNames.Token).Set("repeat")
    texture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(transform.ConnectableAPI(), "result")
    texture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
    surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(texture.ConnectableAPI(), "rgb")
    return texture


def _uvs(mesh: UsdGeom.Mesh, name: str) -> None:
    """Give the square indexed coordinates per corner, values in another order than the corners."""
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(name, Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying")
    primvar.Set(Vt.Vec2fArray([(1, 1), (0, 1), (0, 0), (1, 0)]))
    primvar.SetIndices(Vt.IntArray([2, 3, 0, 1]))


def _quadrants(path: Path) -> str:
    pixels = np.zeros((16, 16, 3), dtype=np.uint8)
    pixels[:8, :8], pixels[:8, 8:], pixels[8:, :8], pixels[8:, 8:] = RED, GREEN, BLUE, WHITE
    Image.fromarray(pixels).save(path)
    return str(path)


def _hues(stage: Usd.Stage) -> list[int]:
    """Return the strongest channel in the upper left, upper right and lower left of the picture."""
    picture = _render(stage, _camera(stage), COLOUR)["rgb"].data[..., :3]
    return [int(picture[row, column].argmax()) for row, column in ((16, 16), (16, 48), (48, 16))]


def test_indexed_coordinates_of_any_name_carry_the_texture(tmp_path):
    stage = create_stage("World")
    mesh = _square(stage)
    _uvs(mesh, "UVMap")
    _connect_texture(stage, _material(stage, mesh.GetPrim()), _quadrants(tmp_path / "t.png"), "UVMap")
    assert _hues(stage) == [0, 1, 2]


def test_a_texture_transform_counts_from_the_lower_left(tmp_path):
    stage = create_stage("World")
    mesh = _square(stage)
    _uvs(mesh, "st")
    # Half the size: the picture shows the lower left quarter of the texture only.
    _connect_texture(stage, _material(stage, mesh.GetPrim()), _quadrants(tmp_path / "t.png"), "st", (0.5, 0.5))
    assert _hues(stage) == [2, 2, 2]


def test_textures_are_read_from_packages(tmp_path):
    _quadrants(tmp_path / "t.png")
    stage = create_stage("World", tmp_path / "scene.usda")
    mesh = _square(stage)
    _uvs(mesh, "st")
    _connect_texture(stage, _material(stage, mesh.GetPrim()), "./t.png", "st")
    stage.GetRootLayer().Save()
    assert UsdUtils.CreateNewUsdzPackage(str(tmp_path / "scene.usda"), str(tmp_path / "scene.usdz"))
    (tmp_path / "t.png").unlink()
    assert _hues(Usd.Stage.Open(str(tmp_path / "scene.usdz"))) == [0, 1, 2]


def test_udim_tiles_are_a_user_error(tmp_path):
    stage = create_stage("World")
    mesh = _square(stage)
    _uvs(mesh, "st")
    _connect_texture(stage, _material(stage, mesh.GetPrim()), str(tmp_path / "t.<UDIM>.png"), "st")
    with pytest.raises(GraspdError, match="UDIM"):
        read_surfaces(stage)


def test_display_colours_vary_over_a_mesh():
    stage = create_stage("World")
    primvars = UsdGeom.PrimvarsAPI(_square(stage))
    colors = primvars.CreatePrimvar("displayColor", Sdf.ValueTypeNames.Color3fArray, "vertex")
    colors.Set([(0, 0, 1), (1, 1, 1), (0, 1, 0), (1, 0, 0)])
    assert _hues(stage) == [0, 1, 2]


def test_emission_lights_a_scene_that_has_no_lights():
    stage = create_stage("World")
    _material(stage, _square(stage).GetPrim(), diffuseColor=(0.0, 0.0, 0.0), emissiveColor=(0.0, 2.0, 0.0))
    picture = _render(stage, _camera(stage, 1.5), COLOUR)["rgb"].data[..., :3]
    assert picture[32, 32].argmax() == 1 and picture[32, 32, 1] > 100 and picture[2, 2].max() == 0


def test_what_is_transparent_shows_what_is_behind():
    stage = create_stage("World")
    _material(stage, _square(stage).GetPrim(), diffuseColor=(1.0, 0.0, 0.0), opacity=0.0)
    wall = _square(stage, "/World/Wall")
    wall.AddTranslateOp().Set((0, 0, -0.2))
    wall.CreateDisplayColorAttr([(0.0, 1.0, 0.0)])
    config = RenderConfig(annotators=("rgb",), samples_per_pixel=4, denoise=False, max_depth=4)
    pixel = _render(stage, _camera(stage), config)["rgb"].data[32, 32, :3]
    assert pixel.argmax() == 1 and pixel[1] > 100


def test_holes_and_bad_indices_of_a_mesh():
    stage = create_stage("World")
    mesh = _square(stage)
    mesh.CreateHoleIndicesAttr([0])
    assert read_surfaces(stage) == []
    mesh.GetFaceVertexIndicesAttr().Set([0, 1, 2, 9])
    with pytest.raises(GraspdError, match=r"/World/Square.*4 points"):
        read_surfaces(stage)


def test_copies_of_a_point_instancer_are_instances_of_their_own():
    stage = create_stage("World")
    instancer = UsdGeom.PointInstancer.Define(stage, "/World/Field")
    apply_label(instancer.GetPrim(), "ball")
    ball = UsdGeom.Sphere.Define(stage, "/World/Field/Prototypes/Ball")
    ball.CreateRadiusAttr(0.1)
    instancer.CreatePrototypesRel().SetTargets([ball.GetPath()])
    instancer.CreateProtoIndicesAttr([0, 0, 0])
    instancer.CreatePositionsAttr([(-0.25, 0, 0), (0.25, 0, 0), (0, 0.25, 0)])
    instancer.CreateScalesAttr([(1, 1, 1), (2, 2, 2), (1, 1, 1)])
    instancer.CreateInvisibleIdsAttr([2])
    channels = _render(stage, _camera(stage), LABELS)
    assert channels["bounding_box_3d"].info["primPaths"] == ["/World/Field[0]", "/World/Field[1]"]
    ids = channels["instance_segmentation"].data
    assert (ids[32, 16], ids[32, 48], ids[16, 32]) == (2, 3, 0)
    assert 3.0 < np.count_nonzero(ids == 3) / np.count_nonzero(ids == 2) < 5.5
    # The prototype itself is not drawn at the origin.
    assert ids[32, 32] == 0


def test_an_animated_scene_is_read_at_its_start():
    stage = create_stage("World")
    translate = _square(stage).AddTranslateOp()
    translate.Set((0, 0, -1.0), 10.0)
    translate.Set((0, 0, -5.0), 20.0)
    stage.SetStartTimeCode(10.0)
    stage.SetEndTimeCode(20.0)
    assert _render(stage, _camera(stage), LABELS)["distance_to_image_plane"].data[32, 32] == pytest.approx(2.0)


def test_a_scene_in_centimetres_and_y_up_is_seen_from_above():
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    box = UsdGeom.Cube.Define(stage, "/Room/Box_03")
    box.CreateSizeAttr(20.0)
    box.AddTranslateOp().Set((0, 10, 0))
    before = stage.GetRootLayer().ExportToString()
    assert label_by_name(stage) == 1
    (rig,) = scene_rigs(stage, CameraConfig(views=1, stereo=False, width=SIZE, height=SIZE), seed=0)
    channels = _render(stage, rig, LABELS)
    assert channels["semantic_segmentation"].info["idToLabels"]["2"] == {"class": "Room"}
    params = channels["camera_params"].info
    eye = np.linalg.inv(np.reshape(params["cameraViewTransform"], (4, 4)))[3, :3]
    assert eye[1] > 25.0 and 40.0 < np.linalg.norm(eye - [0, 10, 0]) < 90.0
    assert params["metersPerSceneUnit"] == pytest.approx(0.01)
    box_pixels = channels["bounding_box_2d_tight"].data[0]
    assert box_pixels["x_min"] > 0 and box_pixels["x_max"] < SIZE - 1
    assert stage.GetRootLayer().ExportToString() == before


def test_names_label_objects_of_the_default_prim():
    stage = create_stage("World")
    for name in ("Chair_01", "Chair_02", "Table"):
        UsdGeom.Cube.Define(stage, f"/World/{name}/geometry/cube")
    assert label_by_name(stage) == 3
    owners = [surface.owner for surface in read_surfaces(stage)]
    assert [(owner.path, owner.label) for owner in owners if owner] == [
        ("/World/Chair_01", "Chair"),
        ("/World/Chair_02", "Chair"),
        ("/World/Table", "Table"),
    ]
    assert label_by_name(stage) == 0


def test_labels_of_the_older_semantics_api_are_read():
    stage = create_stage("World")
    prim = _square(stage).GetPrim()
    prim.CreateAttribute("semantic:Semantics:params:semanticType", Sdf.ValueTypeNames.String).Set("class")
    prim.CreateAttribute("semantic:Semantics:params:semanticData", Sdf.ValueTypeNames.String).Set("tile")
    (surface,) = read_surfaces(stage)
    assert surface.owner is not None and surface.owner.label == "tile"


def test_a_spot_light_lights_its_cone_only():
    stage = create_stage("World")
    _square(stage).AddScaleOp().Set((2, 2, 2))
    lamp = UsdLux.SphereLight.Define(stage, "/World/Lamp")
    lamp.CreateIntensityAttr(100.0)
    lamp.CreateRadiusAttr(0.05)
    UsdLux.ShapingAPI.Apply(lamp.GetPrim()).CreateShapingConeAngleAttr(20.0)
    lamp.AddTranslateOp().Set((0, 0, 0.5))
    picture = _render(stage, _camera(stage), COLOUR)["rgb"].data[..., :3].astype(float).mean(axis=-1)
    # 0.5 m before the wall, 20 degrees are 0.18 m: 11 of the 64 pixels that show a metre.
    lit = picture[32] > 20
    assert lit[32] and 19 <= lit.sum() <= 25 and picture[32, 4] == 0


def test_a_cylinder_light_shines_to_its_sides():
    stage = create_stage("World")
    _square(stage).AddScaleOp().Set((2, 2, 2))
    lamp = UsdLux.CylinderLight.Define(stage, "/World/Lamp")
    lamp.CreateIntensityAttr(10.0)
    lamp.CreateRadiusAttr(0.02)
    lamp.CreateLengthAttr(0.3)
    lamp.AddTranslateOp().Set((0, 0.7, 0.2))
    picture = _render(stage, _camera(stage), COLOUR)["rgb"].data[..., :3].astype(float).mean(axis=-1)
    assert picture[4].mean() > 1.5 * picture[60].mean() > 0


def test_kinds_that_are_not_drawn_are_counted():
    stage = create_stage("World")
    UsdGeom.BasisCurves.Define(stage, "/World/Wire")
    _square(stage)
    assert undrawn_kinds(stage) == {"BasisCurves": 1}


def test_the_command_renders_a_scene_that_has_its_own_camera(tmp_path, capsys):
    stage = create_stage("World", tmp_path / "scene.usda")
    _square(stage)
    _camera(stage)
    stage.GetRootLayer().Save()
    arguments = ["render", "--scene", str(tmp_path / "scene.usda"), "--out", str(tmp_path / "out"), "--labels-only"]
    main([*arguments, "--camera.width", "40", "--camera.height", "30"])
    assert "1 image of 1 view" in capsys.readouterr().out
    assert np.load(tmp_path / "out" / "Camera" / "distance_to_image_plane_0000.npy") == pytest.approx(np.ones((30, 40)))
    assert not (tmp_path / "out" / "Camera" / "rgb_0000.png").exists()


def test_the_command_lists_the_images_of_a_scene_on_request(tmp_path):
    stage = create_stage("World", tmp_path / "scene.usda")
    _square(stage)
    rig = _camera(stage, 2.0)
    stage.GetRootLayer().Save()
    out = tmp_path / "out"
    size = ["--camera.width", str(rig.width), "--camera.height", str(rig.height), "--render.samples-per-pixel", "1"]
    main(
        ["render", "--scene", str(tmp_path / "scene.usda"), "--out", str(out), *size, "--render.coco", "--render.index"]
    )
    (image,) = json.loads((out / "images.json").read_text())["images"]
    assert (image["scene"], image["view"], image["eye"]) == ("scene.usda", "Camera", "mono")
    assert all((out / file).is_file() for file in image["files"].values())
    coco = json.loads((out / "coco.json").read_text())
    (annotation,) = coco["annotations"]
    assert (annotation["bbox"], annotation["area"]) == ([16, 16, 32, 32], 32 * 32)
    assert [category["name"] for category in coco["categories"]] == ["Square"]
    assert coco["images"][0]["file_name"] == "Camera/rgb_0000.png"


def test_a_full_disk_ends_the_rendering_of_a_scene_in_one_line(tmp_path, capsys, monkeypatch):
    def full_disk(eyes, folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(view_writer, "write_view", full_disk)
    stage = create_stage("World", tmp_path / "scene.usda")
    _square(stage)
    _camera(stage)
    stage.GetRootLayer().Save()
    with pytest.raises(SystemExit) as stopped:
        main(["render", "--scene", str(tmp_path / "scene.usda"), "--out", str(tmp_path / "out"), "--labels-only"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.endswith("; free some space and run the same command again\n")
