# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What :mod:`fuzz_readers` damages and who reads it: files that the product and common libraries wrote, all readers."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from omni_graspd.errors import GraspdError

Use = Callable[[Path, Path], Any]
"""Reads a case; takes its folder and the damaged file in it."""

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
_WRITTEN_WITHOUT_GRASPS = ("dataset", "mjcf", "usd")
_SCENE, _VIEW = "scenes/block/scene_0000", "renders/block/scene_0000/view_0000"


@dataclass(frozen=True)
class Case:
    """A kind of file, and all that reads it."""

    name: str
    """What it is called on the command line."""
    folder: str
    """Folder below the seeds that is copied for each damage."""
    file: str
    """The damaged file, relative to that folder."""
    uses: tuple[Use, ...]
    """Readers; each is tried whatever became of the others."""


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
    _write_foreign_grasps(folder)
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


def _write_exports(folder: Path) -> None:
    """Write the grasps in every format that can be written and read."""
    from omni_graspd.formats.conversion import ConvertConfig, convert
    from omni_graspd.formats.registry import FORMATS

    for name, known in FORMATS.items():
        if known.is_written and name not in _WRITTEN_WITHOUT_GRASPS:
            (folder / name).mkdir()
            convert(folder / "set", folder / name / f"block{known.suffix}", ConvertConfig(to=name))


def _write_foreign_grasps(folder: Path) -> None:
    """Write small files in the formats that are only read."""
    for name in ("dexgraspbench", "bodex", "graspit", "planner_list", "multidex"):
        (folder / name).mkdir()
    posture = [0.1, 0.2, 0.3, 1.0, 0.0, 0.0, 0.0, *(0.01 * k for k in range(8))]
    names = [f"j{k}" for k in range(8)]
    bench: Any = {f"{key}_qpos": np.array(posture) for key in ("grasp", "pregrasp", "squeeze")}
    bench |= {"obj_pose": np.array([0, 0, 0, 1.0, 0, 0, 0]), "obj_scale": 0.08, "obj_path": "a/mug/b.xml"}
    np.save(folder / "dexgraspbench" / "grasp.npy", bench, allow_pickle=True)
    mesh = {"mug": {"pose": [0.1, 0.2, 0.3, 1, 0, 0, 0], "scale": [0.08] * 3, "file_path": "m.obj"}}
    bodex: Any = {"robot_pose": np.tile(posture, (1, 2, 3, 1)), "joint_names": names, "world_cfg": [{"mesh": mesh}]}
    bodex |= {"manip_name": ["mug"], "grasp_error": np.zeros((1, 2, 1))}
    np.save(folder / "bodex" / "grasp.npy", bodex, allow_pickle=True)
    pose = {"p": posture[:3], "q_wxyz": posture[3:7]}
    listed = {"hand_in_object": pose, "joint_rad": posture[7:], "epsilon_pcwf": 0.1, "energy": 2.0}
    graspit = [{"hand": "Barrett", "object": "mug", "mesh": "mug.obj", "grasps": [listed, listed]}]
    (folder / "graspit" / "grasps.json").write_text(json.dumps(graspit))
    planned = {"joint_names": names, "root_pos": posture[:3], "root_quat_wxyz": posture[3:7]}
    planned |= {"joint_values": posture[7:], "metrics": {"epsilon": 0.1, "success": 1}}
    planner = {"system": "FRoGGeR", "hand": "allegro right", "object_mesh": "mug.obj", "grasps": [planned] * 2}
    (folder / "planner_list" / "grasps.json").write_text(json.dumps(planner))
    _write_torch_file(folder / "multidex" / "grasps.pt")
    _write_acronym(folder)


class _Storage:
    """Stands for bytes outside of the pickle, as PyTorch refers to them."""

    def __init__(self, key: str, count: int) -> None:
        self.key, self.count = key, count


class _Tensor:
    """Pickled as PyTorch pickles a tensor; there must be no PyTorch for that."""

    def __init__(self, key: str, count: int) -> None:
        self.storage = _Storage(key, count)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.storage, 0, (self.storage.count,), (1,), False, OrderedDict())


def _rebuild(*_: Any) -> None:
    raise NotImplementedError


class _TorchPickler(pickle._Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return ("storage", _FLOATS, obj.key, "cpu", obj.count) if isinstance(obj, _Storage) else None

    def save_global(self, obj: Any, name: str | None = None) -> None:
        known = {_rebuild: "torch._utils\n_rebuild_tensor_v2\n", _FLOATS: "torch\nFloatStorage\n"}.get(obj)
        if known is None:
            super().save_global(obj, name)
        else:
            self.write(pickle.GLOBAL + known.encode())

    dispatch: ClassVar[dict[type, Any]] = pickle._Pickler.dispatch | {type(_rebuild): save_global, type: save_global}


class _FLOATS:
    """Stands for the kind of a storage."""


def _write_torch_file(path: Path) -> None:
    import io

    vector = np.array([0.1, 0.2, 0.3, 1, 0, 0, 0, 1, 0, *(0.01 * k for k in range(8))], dtype="<f4")
    buffer = io.BytesIO()
    content = {"metadata": [(_Tensor(str(key), len(vector)), "contactdb+mug", "barrett") for key in range(2)]}
    _TorchPickler(buffer, protocol=2).dump(content)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", buffer.getvalue())
        for key in range(2):
            archive.writestr(f"archive/data/{key}", vector.tobytes())
        archive.writestr("archive/version", "3\n")


def _write_acronym(folder: Path) -> None:
    """Write an HDF5 file, where h5py is installed."""
    try:
        import h5py
    except ImportError:
        return
    (folder / "acronym").mkdir()
    with h5py.File(folder / "acronym" / "mug.h5", "w") as file:
        file["grasps/transforms"] = np.tile(np.eye(4), (3, 1, 1))
        file["grasps/qualities/flex/object_in_gripper"] = np.ones(3, dtype=int)
        file["object/scale"], file["object/file"] = 0.1, "meshes/mug.obj"


def _object(_: Path, file: Path) -> Any:
    from omni_graspd.objects.object_reader import read_object

    return read_object(file)


def _added_hand(_: Path, file: Path) -> Any:
    from omni_graspd.hands.importing.hand_import import add_hand

    return add_hand("fuzzed", file, replace=True)


def _hand(_: Path, file: Path) -> Any:
    from omni_graspd.hands.hand_library import load_hand

    return load_hand(str(file))


def _checked_hand(_: Path, file: Path) -> Any:
    from omni_graspd.hands.checks.hand_check import check_hand

    return check_hand(file)


def _imported_notes(root: Path, _: Path) -> Any:
    from omni_graspd.hands.importing.hand_import import import_notes

    return import_notes(root / "pincer.usda")


def _drawn(_: Path, file: Path) -> Any:
    from omni_graspd.rendering.surfaces import read_surfaces
    from omni_graspd.usd.still_stage import open_still

    return list(read_surfaces(open_still(file)))


def _self_contained(root: Path, file: Path) -> Any:
    from omni_graspd.usd.self_contained import write_self_contained

    return write_self_contained(file, root / "copy" / "whole.usda")


def _grasps(name: str) -> Use:
    def read(_: Path, file: Path) -> Any:
        from omni_graspd.formats.reading import read_grasps

        return read_grasps(file, format_name=name, foreign_hands=True)

    return read


def _opened(root: Path, _: Path) -> Any:
    from omni_graspd.dataset import loader

    dataset = loader.open(root)
    found = [dataset.grasps(hand, where="epsilon >= 0") for hand in dataset.hands]
    return found, repr(dataset), dataset.grasps("barrett")


def _samples(root: Path, _: Path) -> Any:
    from omni_graspd.dataset import loader
    from omni_graspd.dataset.view_samples import _base, _scene

    _base.cache_clear()
    _scene.cache_clear()
    channels = ("rgb", "distance_to_camera", "semantic_segmentation", "bounding_box_2d_tight", "bounding_box_3d")
    return list(loader.open(root).samples(hand="barrett", channels=channels, grasp_slots=4))


def _verified(root: Path, _: Path) -> Any:
    from unittest import mock

    from omni_graspd.dataset.verification import verify

    # The checksums would tell before the file is read; a stranger's fit.
    with mock.patch.object(verify, "_file_faults", lambda *_: ()):
        found = verify.verify_dataset(root)
    for fault in found.faults:
        if len(fault.problem) > 700 or "\n" in fault.problem:
            raise GraspdError(fault.problem)  # counts as one
    return found


def _verified_with_checksums(root: Path, _: Path) -> Any:
    from omni_graspd.dataset.verification.verify import verify_dataset

    return verify_dataset(root)


def _card(root: Path, _: Path) -> Any:
    from omni_graspd.inspection.dataset_card import dataset_readme

    return dataset_readme(root)


def _catalog(root: Path, _: Path) -> Any:
    from omni_graspd.inspection.grasp_catalog import GraspCatalog

    catalog = GraspCatalog(root)
    found = [catalog.grasp(0), catalog.metrics_of(0), catalog.usable(), catalog.index_of(0)]
    return found, [catalog.metric(name) for name in catalog.metric_names()]


def _measured(root: Path, _: Path) -> Any:
    from omni_graspd.dataset.evaluation.measured_grasps import read_measured_grasps

    for table in read_measured_grasps(root):
        table.verdicts()


def _kept(root: Path, _: Path) -> Any:
    from omni_graspd.dataset.kept_settings import kept_settings

    return kept_settings(root)


def _evaluation(root: Path, _: Path) -> Any:
    from omni_graspd.dataset.evaluation.evaluate_dataset import _tables
    from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings
    from omni_graspd.dataset.manifest import read_manifest

    return list(_tables(root, read_manifest(root), EvaluationSettings(), "cpu"))


def _scene(root: Path, file: Path) -> Any:
    from omni_graspd.dataset.scene_files import read_rest_pose
    from omni_graspd.rendering.cameras import read_camera_rigs
    from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
    from omni_graspd.usd.stage import open_stage

    stage = open_stage(file)
    for rig in read_camera_rigs(stage):
        for path in rig.camera_paths:
            read_pinhole_camera(stage, path, rig.width, rig.height)
    return read_rest_pose(file)


def _frame(_: Path, file: Path) -> Any:
    from omni_graspd.rendering.image_writer import read_frame

    return read_frame(file.parent)


def _single_files(seeds: Path) -> Iterator[Case]:
    for suffix in ("stl", "obj", "ply", "glb", "usda", "usdc"):
        yield Case(suffix, suffix, f"block.{suffix}", (_object,))
    for file in ("block.obj", "block.mtl", "wood.png"):
        yield Case(f"look_{file[-3:]}", "look", file, (lambda root, _: _object(root, root / "block.obj"),))
    yield Case("look_glb", "look", "block.glb", (_object,))
    yield Case("foreign_usda", "foreign", "block.usda", (_object, _drawn, _self_contained))
    yield Case("foreign_texture", "foreign", "wood.png", (lambda root, _: _object(root, root / "block.usda"),))
    yield Case("hand_usda", "pincer", "pincer.usda", (_hand, _checked_hand, _added_hand))
    yield Case("hand_toml", "pincer", "hand.toml", (lambda root, _: _hand(root, root / "pincer.usda"), _imported_notes))
    yield Case("urdf", "urdf", "hand.urdf", (_added_hand,))
    yield Case("urdf_mesh", "urdf", "finger.stl", (lambda root, _: _added_hand(root, root / "hand.urdf"),))
    yield Case("mjcf", "mjcf", "hand.xml", (_added_hand,))
    for folder in sorted(path.name for path in seeds.iterdir() if path.is_dir()):
        from omni_graspd.formats.registry import FORMATS

        if folder in FORMATS:
            (file,) = [path for path in (seeds / folder).iterdir() if path.is_file()]
            yield Case(folder, folder, file.name, (_grasps(folder),))


def _dataset_files(seeds: Path) -> Iterator[Case]:
    everything = (_opened, _verified, _card, _catalog, _measured, _evaluation, _grasps_of_dataset)
    yield Case("dataset_table", "set", "grasps/barrett/block.parquet", (*everything, _samples))
    yield Case("dataset_scene_table", "set", f"{_SCENE}.grasps.parquet", (_verified, _card, _samples))
    yield Case("dataset_manifest", "set", "dataset.json", (*everything, _kept, _verified_with_checksums))
    yield Case("dataset_checksums", "set", "checksums.parquet", (_verified_with_checksums,))
    yield Case("dataset_scene", "set", f"{_SCENE}.usda", (_scene, _verified, _samples))
    yield Case("dataset_object", "set", "objects/block.usd", (_object, _verified))
    yield Case("dataset_hand", "set", "hands/barrett.usd", (_hand, _verified))
    yield Case(
        "dataset_hand_settings", "set", "hands/barrett.toml", (lambda root, _: _hand(root, root / "hands/barrett.usd"),)
    )
    view = seeds / "set" / _VIEW
    for kind, chosen in (
        ("camera", ["camera_params_0000.json"]),
        ("labels", sorted(path.name for path in view.glob("*.json") if "camera_params" not in path.name)),
        ("arrays", sorted(path.name for path in view.glob("*.npy"))),
        ("pictures", sorted(path.name for path in view.glob("*.png"))),
    ):
        for name in chosen:
            yield Case(f"dataset_{kind}", "set", f"{_VIEW}/{name}", (_frame, _samples, _verified))


def _grasps_of_dataset(root: Path, _: Path) -> Any:
    return _grasps("dataset")(root, root)


def all_cases(seeds: Path) -> dict[str, list[Case]]:
    """Return all cases by name; several files may go by one name."""
    found: dict[str, list[Case]] = {}
    for case in (*_single_files(seeds), *_dataset_files(seeds)):
        found.setdefault(case.name, []).append(case)
    return found


def copied(source: Path, target: Path, damaged: str, content: bytes) -> None:
    """Copy a case with one file damaged; the others are the same files on disk."""

    def link(original: str, copy: str) -> None:
        os.link(original, copy)

    shutil.copytree(source, target, copy_function=link)
    (target / damaged).unlink()
    (target / damaged).write_bytes(content)
