# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Good files for :mod:`fuzz_readers` to damage, written by the product where it writes them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
from fuzz_foreign_grasps import write_foreign_grasps

_URDF = """<robot name="pincer">
  <link name="base"><visual><geometry><box size="0.08 0.06 0.02"/></geometry></visual></link>
  <link name="left"><visual><origin xyz="0 0 0.03"/><geometry><box size="0.01 0.02 0.06"/></geometry></visual></link>
  <link name="right"><visual><origin xyz="0 0 0.03"/><geometry><mesh filename="finger.stl"/></geometry></visual></link>
  <joint name="j_left" type="revolute"><parent link="base"/><child link="left"/><axis xyz="0 2 0"/>
    <origin xyz="-0.03 0 0.01" rpy="0.1 0.2 0.3"/><limit lower="0" upper="1" effort="1" velocity="1"/></joint>
  <joint name="j_right" type="revolute"><parent link="base"/><child link="right"/><axis xyz="0 -1 0"/>
    <origin xyz="0.03 0 0.01"/><limit lower="-1" upper="1" effort="1" velocity="1"/>
    <mimic joint="j_left" multiplier="0.5" offset="0.1"/></joint>
</robot>"""
_MJCF = """<mujoco><compiler angle="degree"/><worldbody><body name="base" pos="1 2 3">
  <geom type="box" size="0.04 0.03 0.01"/>
  <body name="left" pos="-0.03 0 0.01"><joint name="j_left" axis="0 1 0" pos="0 0 0.01" range="0 60"/>
    <geom type="box" size="0.005 0.01 0.03" pos="0 0 0.03"/></body>
  <body name="right" pos="0.03 0 0.01"><joint name="j_right" type="slide" axis="-1 0 0" range="0 0.02"/>
    <geom type="box" size="0.005 0.01 0.03" pos="0 0 0.03"/></body>
</body></worldbody></mujoco>"""
_OBJ = """mtllib block.mtl
v 0 0 0\nv 0.05 0 0\nv 0.05 0.06 0\nv 0 0.06 0\nv 0 0 0.07\nv 0.05 0 0.07\nv 0.05 0.06 0.07\nv 0 0.06 0.07
vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1
usemtl wood
f 1/1 4/2 3/3 2/4\nf 5/1 6/2 7/3 8/4\nf -8/1 -7/2 -3/3 -4/4
f 2/1 3/2 7/3 6/4\nusemtl paint\nf 3 4 8 7\nf 4 1 5 8
"""
_MTL = """newmtl wood
Kd 0.8 0.7 0.6
map_Kd -s 1 1 1 -o 0.1 0 0 -blendu on wood.png
newmtl paint
Kd 0.1 0.2 0.3
"""
_USDA = """#usda 1.0
(
    defaultPrim = "Block"
    metersPerUnit = 0.01
    upAxis = "Y"
    startTimeCode = 1
    endTimeCode = 2
)
def Xform "Block" (
    prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"]
    variants = { string size = "large" }
    prepend variantSets = "size"
)
{
    float physics:mass = 0.2
    point3f physics:centerOfMass = (0, 1, 0)
    float3 physics:diagonalInertia = (1, 2, 2)
    quatf physics:principalAxes = (1, 0, 0, 0)
    double3 xformOp:translate.timeSamples = { 1: (0, 1, 0), 2: (0, 2, 0) }
    double xformOp:rotateY = 30
    uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:rotateY"]
    def Mesh "box" (prepend apiSchemas = ["MaterialBindingAPI"])
    {
        int[] faceVertexCounts = [4, 4, 4, 4, 4, 4]
        int[] faceVertexIndices = [0, 3, 2, 1, 4, 5, 6, 7, 0, 1, 5, 4, 1, 2, 6, 5, 2, 3, 7, 6, 3, 0, 4, 7]
        point3f[] points = [(0, 0, 0), (5, 0, 0), (5, 6, 0), (0, 6, 0), (0, 0, 7), (5, 0, 7), (5, 6, 7), (0, 6, 7)]
        texCoord2f[] primvars:st = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0), (1, 0), (1, 1), (0, 1)] (
            interpolation = "vertex"
        )
        color3f[] primvars:displayColor = [(1, 0, 0)]
        uniform token orientation = "rightHanded"
        uniform token subdivisionScheme = "none"
        rel material:binding = </Block/Looks/wood>
        def GeomSubset "top" (prepend apiSchemas = ["MaterialBindingAPI"])
        {
            uniform token elementType = "face"
            uniform token familyName = "materialBind"
            int[] indices = [1]
            rel material:binding = </Block/Looks/paint>
        }
    }
    def PointInstancer "knobs"
    {
        point3f[] positions = [(1, 1, 7.5), (4, 5, 7.5)]
        int[] protoIndices = [0, 0]
        quath[] orientations = [(1, 0, 0, 0), (1, 0, 0, 0)]
        float3[] scales = [(1, 1, 1), (1, 1, 2)]
        rel prototypes = </Block/knobs/knob>
        def Cylinder "knob"
        {
            double radius = 0.5
            double height = 1
            uniform token axis = "Z"
        }
    }
    def "Looks"
    {
        def Material "wood"
        {
            token outputs:surface.connect = </Block/Looks/wood/surface.outputs:surface>
            def Shader "surface"
            {
                uniform token info:id = "UsdPreviewSurface"
                color3f inputs:diffuseColor.connect = </Block/Looks/wood/picture.outputs:rgb>
                float inputs:roughness = 0.4
                token outputs:surface
            }
            def Shader "picture"
            {
                uniform token info:id = "UsdUVTexture"
                asset inputs:file = @./wood.png@
                float4 inputs:scale = (0.9, 0.9, 0.9, 1)
                token inputs:wrapS = "repeat"
                float2 inputs:st.connect = </Block/Looks/wood/reader.outputs:result>
                float3 outputs:rgb
            }
            def Shader "reader"
            {
                uniform token info:id = "UsdPrimvarReader_float2"
                string inputs:varname = "st"
                float2 outputs:result
            }
        }
        def Material "paint"
        {
            token outputs:surface.connect = </Block/Looks/paint/surface.outputs:surface>
            def Shader "surface"
            {
                uniform token info:id = "UsdPreviewSurface"
                color3f inputs:diffuseColor = (0.1, 0.2, 0.3)
                token outputs:surface
            }
        }
    }
    variantSet "size" = {
        "large" {
            over "box" {
                double3 xformOp:scale = (1, 1, 1)
                uniform token[] xformOpOrder = ["xformOp:scale"]
            }
        }
        "small" {
            over "box" {
                double3 xformOp:scale = (0.5, 0.5, 0.5)
                uniform token[] xformOpOrder = ["xformOp:scale"]
            }
        }
    }
    def "copy" (instanceable = true
        references = </Handle>)
    {
        double3 xformOp:translate = (5, 3, 3)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
}
class Xform "Handle"
{
    def Sphere "ball"
    {
        double radius = 0.8
    }
}
"""
_HAND_SETTINGS = """palm = "base"
approach_direction = [0.0, 0.0, 1.0]
approach_point = [0.0, 0.0, 0.01]
excluded_links = []

[open_positions]
j_left = 0.2

[source]
file = "hand.urdf"
notes = ["a note"]
"""
_WRITTEN_WITHOUT_GRASPS = ("dataset",)


def write_seeds(folder: Path) -> None:
    """Write the files that are damaged afterwards; what is there is kept.

    Args:
        folder: Where they go, a folder per kind.
    """
    if (folder / "done").is_file():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _write_meshes(folder)
    _write_textured(folder)
    _write_hands(folder)
    _write_dataset(folder)
    _write_exports(folder)
    write_foreign_grasps(folder)
    (folder / "done").touch()


def _write_meshes(folder: Path) -> None:
    import trimesh

    from omni_graspd.objects.object_reader import read_object
    from omni_graspd.objects.object_writer import write_object

    box = trimesh.creation.box((0.05, 0.06, 0.07))
    for suffix in ("stl", "obj", "ply", "glb"):
        (folder / suffix).mkdir()
        box.export(folder / suffix / f"block.{suffix}")
    for suffix in ("usda", "usdc"):
        (folder / suffix).mkdir()
        write_object(read_object(folder / "ply" / "block.ply"), folder / suffix / f"block.{suffix}")


def _write_textured(folder: Path) -> None:
    """Write files with pictures beside or inside of them."""
    import trimesh
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    for name in ("look", "foreign"):
        (folder / name).mkdir()
        Image.fromarray(pixels).save(folder / name / "wood.png")
    Image.fromarray(pixels).save(folder / "look" / "wood.jpg")
    (folder / "look" / "block.obj").write_text(_OBJ)
    (folder / "look" / "block.mtl").write_text(_MTL)
    (folder / "foreign" / "block.usda").write_text(_USDA)
    box = trimesh.creation.box((0.05, 0.06, 0.07))
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.fromarray(pixels))
    box.visual = trimesh.visual.TextureVisuals(uv=np.abs(box.vertices[:, :2]) * 10, material=material)
    box.export(folder / "look" / "block.glb")


def _write_hands(folder: Path) -> None:
    from unittest import mock

    import trimesh

    from omni_graspd.hands.importing.hand_import import add_hand

    for name, text in (("urdf", _URDF), ("mjcf", _MJCF)):
        (folder / name).mkdir()
        (folder / name / f"hand.{'urdf' if name == 'urdf' else 'xml'}").write_text(text)
    trimesh.creation.box((0.01, 0.02, 0.06)).export(folder / "urdf" / "finger.stl")
    with mock.patch.dict(os.environ, GRASPD_HOME=str(folder)):
        written = add_hand("pincer", folder / "urdf" / "hand.urdf")
    written.parent.rename(folder / "pincer")
    (folder / "pincer" / "hand.toml").write_text(_HAND_SETTINGS)


def _write_dataset(folder: Path) -> None:
    import asyncio

    from omni_graspd.dataset.config import GenerateConfig
    from omni_graspd.dataset.labels.label_dataset import label_dataset
    from omni_graspd.dataset.labels.view_labels import LabelSettings
    from omni_graspd.dataset.stages.pipeline import generate
    from omni_graspd.metrics.evaluate import MetricsConfig
    from omni_graspd.rendering.cameras import CameraConfig
    from omni_graspd.rendering.frame import RenderConfig
    from omni_graspd.scenes.scene_writer import SceneConfig
    from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig

    draft = DraftConfig(candidates=2, iterations=5, point_count=200)
    config = GenerateConfig(
        hand=("barrett",),
        object=(str(folder / "ply" / "block.ply"),),
        grasps=3,
        scenes=1,
        out=folder / "set",
        camera=CameraConfig(views=1, width=32, height=24, stereo=False),
        scene=SceneConfig(table_looks=("plain",)),
        render=RenderConfig(samples_per_pixel=1, denoise=False, variant="scalar_rgb"),
        synthesis=SynthesisConfig(iterations=10, point_count=300, tries=2, draft=draft),
        metrics=MetricsConfig(point_count=300),
    )
    asyncio.run(generate(config))
    label_dataset(folder / "set", LabelSettings(points=64), workers=1)


def _write_exports(folder: Path) -> None:
    """Write the grasps in every format that can be written and read."""
    from omni_graspd.formats.conversion import ConvertConfig, convert
    from omni_graspd.formats.registry import FORMATS

    for name, known in FORMATS.items():
        if known.is_written and known.read is not None and name not in _WRITTEN_WITHOUT_GRASPS:
            (folder / name).mkdir()
            convert(folder / "set", folder / name / f"block{known.suffix}", ConvertConfig(to=name))
