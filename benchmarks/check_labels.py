# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Labels of random scenes against Embree rays and closed forms; exits with 1 when one is wrong.

    python benchmarks/check_labels.py [--scenes 20] [--size 640 480] [--objects DIR] [--scalar 2] [--variant auto]

Each scene is a table with boxes and curved or scanned objects in random poses, seen by two stereo pairs whose apertures
are off-centre. Rays of the reference come from Gf.Frustum, its triangles from the shapes that the scene was made of,
neither from this library's own reading. Of the first ``--scalar`` scenes all labels are rendered with Mitsuba's scalar
variant, too: ids and boxes have to be equal bit by bit; distances and normals are, but for a pixel whose ray meets the
very edge between two triangles.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import trimesh
from pxr import Gf, Usd, UsdGeom

from omni_graspd.rendering.annotators import LABEL_ANNOTATORS
from omni_graspd.rendering.boxes import box_3d_corners
from omni_graspd.rendering.cameras import CameraConfig, author_cameras
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.standalone.render import render
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage

LIMITS = {
    "depth median [m]": 1e-5,
    "depth max [m]": 1e-4,
    "distance max [m]": 1e-4,
    "mismatches [px]": 5,
    "mismatches off silhouettes [px]": 0,
    "tight boxes off [px]": 0,
    "loose boxes off [px]": 0,
    "3D corners off [px]": 1e-2,
    "occlusion off": 0.01,
    "flat normals off [deg]": 0.5,
    "disparity off [px]": 0.05,
    "rows off [px]": 1e-3,
    "scalar ids and boxes differ": 0,
    "scalar distances, normals differ [px]": 5,
}


@dataclass
class Scene:
    """A stage and what it was made of."""

    stage: Usd.Stage
    rigs: list[CameraRig]
    paths: list[str]
    shapes: list[trimesh.Trimesh]
    """In the world."""
    flat: list[bool]
    """Whether all faces of a shape are flat-shaded."""
    local_bounds: list[np.ndarray]
    frames: list[Frame] = field(default_factory=list)


def main() -> int:
    """Check all scenes and print the worst of each figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--objects", type=Path, help="folder with meshes to use beside tori and the like")
    parser.add_argument("--scalar", type=int, default=2, help="scenes that are rendered with the scalar variant, too")
    parser.add_argument("--variant", default="auto")
    options = parser.parse_args()
    scans = _scans(options.objects)
    worst = dict.fromkeys(LIMITS, 0.0)
    images = 0
    for index in range(options.scenes):
        scene = _random_scene(index, scans, *options.size)
        scene.frames = _render(scene, options.variant)
        images += len(scene.frames)
        found = [_check_frame(scene, frame, *options.size) for frame in scene.frames]
        found += [_check_stereo(scene, *pair, *options.size) for pair in zip(*[iter(scene.frames)] * 2, strict=True)]
        if index < options.scalar:
            pairs = zip(scene.frames, _render(scene, "scalar_rgb"), strict=True)
            found += [_differences(*pair) for pair in pairs]
        for figures in found:
            worst |= {name: max(worst[name], float(value)) for name, value in figures.items()}
    for name, value in worst.items():
        print(f"{name:38s} {value:10.3g}  allowed {LIMITS[name]:g}{'' if value <= LIMITS[name] else '  WRONG'}")
    print(f"{images} images of {options.scenes} scenes, {options.size[0]} x {options.size[1]}")
    return 0 if images and all(value <= LIMITS[name] for name, value in worst.items()) else 1


def _scans(folder: Path | None) -> list[trimesh.Trimesh]:
    """Read meshes of a folder, each brought to 15 cm."""
    files = sorted(p for p in folder.rglob("*") if p.suffix in {".ply", ".obj", ".stl"}) if folder else []
    meshes = [trimesh.load(file, process=False, force="mesh") for file in files]
    for mesh in meshes:
        mesh.vertices = (mesh.vertices - mesh.bounds.mean(axis=0)) * (0.15 / mesh.extents.max())
    return meshes


def _random_scene(index: int, scans: list[trimesh.Trimesh], width: int, height: int) -> Scene:
    rng = np.random.default_rng([6, index])
    scene = Scene(create_stage("World"), [], [], [], [], [])
    _add(scene, "table", trimesh.creation.box([0.8, 0.8, 0.04]), np.eye(4), True)
    for number in range(int(rng.integers(3, 7))):
        if number % 2 == 0:
            shape, flat = trimesh.creation.box(rng.uniform(0.03, 0.15, 3)), True
        elif scans and rng.random() < 0.7:
            shape, flat = scans[int(rng.integers(len(scans)))].copy(), False
        else:
            shape, flat = trimesh.creation.torus(rng.uniform(0.04, 0.07), 0.02, 40, 24), False
        pose = trimesh.transformations.random_rotation_matrix(rng.random(3))
        pose[:3, :3] *= rng.uniform(0.7, 1.3)
        pose[:3, 3] = [*rng.uniform(-0.15, 0.15, 2), rng.uniform(0.05, 0.15)]
        _add(scene, f"thing_{number}", shape, pose, flat)
    config = CameraConfig(views=2, width=width, height=height)
    scene.rigs = author_cameras(scene.stage, np.array([0, 0, 0.05]), config, index, "labels")
    for path in (path for rig in scene.rigs for path in rig.camera_paths):
        camera = UsdGeom.Camera.Get(scene.stage, path)
        camera.CreateHorizontalApertureOffsetAttr(0.8)
        camera.CreateVerticalApertureOffsetAttr(-0.5)
    return scene


def _add(scene: Scene, name: str, shape: trimesh.Trimesh, pose: np.ndarray, flat: bool) -> None:
    path = f"/World/{name}"
    prim = UsdGeom.Xform.Define(scene.stage, path)
    prim.AddTransformOp().Set(Gf.Matrix4d(pose.T.tolist()))
    mesh = TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))
    author_mesh(scene.stage, f"{path}/mesh", mesh)
    apply_label(prim.GetPrim(), name)
    vertices = np.array(shape.vertices, dtype=np.float32).astype(np.float64)
    placed = trimesh.transform_points(vertices, pose)
    scene.paths.append(path)
    scene.shapes.append(trimesh.Trimesh(placed, shape.faces, process=False))
    scene.flat.append(flat)
    scene.local_bounds.append(np.stack([vertices.min(axis=0), vertices.max(axis=0)]))


def _render(scene: Scene, variant: str) -> list[Frame]:
    async def collect() -> list[Frame]:
        config = RenderConfig(annotators=LABEL_ANNOTATORS, variant=variant)
        return [frame async for frame in render(scene.stage, scene.rigs, config)]

    return asyncio.run(collect())


def _frustum(scene: Scene, path: str) -> Gf.Frustum:
    return UsdGeom.Camera.Get(scene.stage, path).GetCamera(Usd.TimeCode.Default()).frustum


def _project(frustum: Gf.Frustum, points: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return image points [..., 2] by OpenUSD's own matrices."""
    matrix = np.array(frustum.ComputeViewMatrix()) @ np.array(frustum.ComputeProjectionMatrix())
    clip = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1) @ matrix
    return (clip[..., :2] / clip[..., 3:] * [1.0, -1.0] + 1.0) / 2.0 * [width, height]


def _rays(frustum: Gf.Frustum, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return origin [3] and directions [height * width, 3] through the pixel centres."""
    matrix = np.array(frustum.ComputeViewMatrix()) @ np.array(frustum.ComputeProjectionMatrix())
    v, u = np.mgrid[0:height, 0:width] + 0.5
    ndc = np.stack([u / width * 2 - 1, 1 - v / height * 2, np.zeros_like(u), np.ones_like(u)], axis=-1)
    world = ndc.reshape(-1, 4) @ np.linalg.inv(matrix)
    origin = np.array(frustum.GetPosition())
    directions = world[:, :3] / world[:, 3:] - origin
    return origin, directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def _trace(shapes: list[trimesh.Trimesh], origin: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return shape index (-1 on a miss), point and face normal of the first hit of each ray."""
    mesh = trimesh.util.concatenate(shapes)
    owner = np.repeat(np.arange(len(shapes)), [len(shape.faces) for shape in shapes])
    face = mesh.ray.intersects_first(np.tile(origin, (len(directions), 1)), directions)
    start = mesh.triangles[face, 0]
    sides = mesh.triangles[face, 1:] - start[:, None]
    normal = np.cross(sides[:, 0], sides[:, 1])
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.sum((start - origin) * normal, axis=-1) / np.sum(directions * normal, axis=-1)
    return np.where(face >= 0, owner[face], -1), origin + reach[:, None] * directions, normal


def _check_frame(scene: Scene, frame: Frame, width: int, height: int) -> dict[str, float]:
    frustum = _frustum(scene, frame.camera_path)
    origin, directions = _rays(frustum, width, height)
    owner, points, normals = _trace(scene.shapes, origin, directions)
    instance = frame.channels["instance_segmentation"]
    numbers = {path: int(key) for key, path in instance.info["idToLabels"].items()}
    ids = np.array([numbers[path] for path in scene.paths] + [0])[owner].reshape(height, width)
    wrong = instance.data != ids
    same = ((owner >= 0) & ~wrong.ravel()).reshape(height, width)
    forward = -np.array(frustum.ComputeViewMatrix())[:3, 2]
    depth = ((points - origin) @ forward).reshape(height, width)
    distance = np.linalg.norm(points - origin, axis=-1).reshape(height, width)
    wrong |= same & _is_other_face(frame, depth)
    same &= ~wrong
    edges = _silhouettes(ids) | _silhouettes(instance.data) | _depth_steps(depth)
    off = np.abs(frame.channels["distance_to_image_plane"].data - depth)[same]
    normals = normals.reshape(height, width, 3)
    # At an edge of a box the centre's ray may meet either face.
    is_flat = np.array([*scene.flat, False])[owner].reshape(height, width) & same
    is_flat &= ~np.any([_silhouettes(np.round(normals[..., axis], 6)) for axis in range(3)], axis=0)
    cosine = np.einsum("pk,pk->p", frame.channels["normals"].data[is_flat][:, :3], normals[is_flat])
    return {
        "depth median [m]": np.median(off),
        "depth max [m]": off.max(),
        "distance max [m]": np.abs(frame.channels["distance_to_camera"].data - distance)[same].max(),
        "mismatches [px]": wrong.sum(),
        "mismatches off silhouettes [px]": (wrong & ~edges).sum(),
        "flat normals off [deg]": np.degrees(np.arccos(np.clip(cosine, -1, 1))).max(),
        **_check_boxes(scene, frame, frustum, width, height),
        "occlusion off": _check_occlusion(scene, frame, origin, directions, ids),
    }


def _is_other_face(frame: Frame, depth: np.ndarray) -> np.ndarray:
    """Return which pixels show another part of their object: by the rim of a handle, say, what lies behind it."""
    off = np.abs(frame.channels["distance_to_image_plane"].data - depth)
    return (off > LIMITS["depth max [m]"]) & _depth_steps(depth)


def _depth_steps(depth: np.ndarray) -> np.ndarray:
    """Return which pixels have a neighbour that is a millimetre nearer or farther than a plane through others says."""
    padded = np.pad(depth, 1, mode="edge")
    middle = padded[1:-1, 1:-1]
    bends = [
        np.abs(padded[:-2, 1:-1] - 2.0 * middle + padded[2:, 1:-1]),
        np.abs(padded[1:-1, :-2] - 2.0 * middle + padded[1:-1, 2:]),
        np.abs(padded[:-2, :-2] - 2.0 * middle + padded[2:, 2:]),
        np.abs(padded[:-2, 2:] - 2.0 * middle + padded[2:, :-2]),
    ]
    return ~(np.max(bends, axis=0) < 1e-3)


def _silhouettes(ids: np.ndarray) -> np.ndarray:
    """Return which pixels have a neighbour of another id."""
    padded = np.pad(ids, 1, mode="edge")
    height, width = ids.shape
    around = [padded[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.any([ids != other for other in around], axis=0)


def _check_boxes(scene: Scene, frame: Frame, frustum: Gf.Frustum, width: int, height: int) -> dict[str, float]:
    instance = frame.channels["instance_segmentation"].data
    tight, loose, solid = (frame.channels[f"bounding_box_{kind}"] for kind in ("2d_tight", "2d_loose", "3d"))
    corners = ["x_min", "y_min", "x_max", "y_max"]
    tight_off = float(len(tight.data) != len(set(np.unique(instance)) - {0, 1}))
    for row, number in zip(tight.data, tight.info["bboxIds"], strict=True):
        rows, columns = np.nonzero(instance == number)
        expected = [columns.min(), rows.min(), columns.max(), rows.max()]
        tight_off = max(tight_off, np.abs(np.array(row[corners].tolist()) - expected).max())
    loose_off = 0.0
    for row, path in zip(loose.data, loose.info["primPaths"], strict=True):
        vertices = scene.shapes[scene.paths.index(path)].vertices
        if _is_behind(frustum, vertices):
            continue  # What reaches behind the camera is not bounded by its vertices.
        loose_off = max(loose_off, _rim_distance(row, _project(frustum, vertices, width, height), width, height))
    params = frame.channels["camera_params"].info
    matrix = np.reshape(params["cameraViewTransform"], (4, 4)) @ np.reshape(params["cameraProjection"], (4, 4))
    solid_off = 0.0
    for row, path in zip(solid.data, solid.info["primPaths"], strict=True):
        clip = np.concatenate([box_3d_corners(row), np.ones((8, 1))], axis=-1) @ matrix
        image = (clip[:, :2] / clip[:, 3:] * [1.0, -1.0] + 1.0) / 2.0 * [width, height]
        transform = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(scene.stage.GetPrimAtPath(path)))
        bounds = scene.local_bounds[scene.paths.index(path)]
        local = np.array([[bounds[i >> axis & 1, axis] for axis in range(3)] + [1.0] for i in range(8)])
        solid_off = max(solid_off, np.abs(image - _project(frustum, (local @ transform)[:, :3], width, height)).max())
    return {"tight boxes off [px]": tight_off, "loose boxes off [px]": loose_off, "3D corners off [px]": solid_off}


def _is_behind(frustum: Gf.Frustum, vertices: np.ndarray) -> bool:
    view = np.array(frustum.ComputeViewMatrix())
    return bool((vertices @ view[:3, 2] + view[3, 2]).max() > -0.01)


def _rim_distance(row: np.void, image: np.ndarray, width: int, height: int) -> float:
    """Return how far a loose box is from the pixel centres between the extremes of image points [pixel].

    A centre within a thousandth of a pixel of the rim may be counted or not.
    """
    low, high = image.min(axis=0) - 0.5, image.max(axis=0) - 0.5
    size = np.array([width, height]) - 1.0
    off = 0.0
    for index, (axis_low, axis_high) in enumerate(zip(low, high, strict=True)):
        x_min, x_max = (float(row[f"{'xy'[index]}_{end}"]) for end in ("min", "max"))
        lows = [max(np.ceil(axis_low + step), 0.0) for step in (-1e-3, 1e-3)]
        highs = [min(np.floor(axis_high + step), size[index]) for step in (-1e-3, 1e-3)]
        off = max(off, min(abs(x_min - value) for value in lows), min(abs(x_max - value) for value in highs))
    return off


def _check_occlusion(scene: Scene, frame: Frame, origin: np.ndarray, directions: np.ndarray, ids: np.ndarray) -> float:
    """Return the largest difference to ratios from rays against each object alone."""
    paths = frame.channels["instance_segmentation"].info["idToLabels"]
    off = 0.0
    for row in frame.channels["occlusion"].data:
        alone, _, _ = _trace([scene.shapes[scene.paths.index(paths[str(row["instanceId"])])]], origin, directions)
        unoccluded = np.count_nonzero(alone >= 0)
        expected = 1.0 - np.count_nonzero(ids == row["instanceId"]) / unoccluded if unoccluded else 1.0
        off = max(off, abs(expected - float(row["occlusionRatio"])))
    return off


def _check_stereo(scene: Scene, left: Frame, right: Frame, width: int, height: int) -> dict[str, float]:
    """Project what the left eye's rays hit into both eyes, and compare the offset with the disparity."""
    frustums = [_frustum(scene, frame.camera_path) for frame in (left, right)]
    owner, points, _ = _trace(scene.shapes, *_rays(frustums[0], width, height))
    hit = (owner >= 0) & (left.channels["instance_segmentation"].data.ravel() > 0)
    offset = np.subtract(*(_project(frustum, points[hit], width, height) for frustum in frustums))
    disparity = left.channels["stereo_disparity"].data.ravel()[hit]
    # On a silhouette both rays may show different things, which the count of mismatches tells.
    forward = -np.array(frustums[0].ComputeViewMatrix())[:3, 2]
    depth = ((points - np.array(frustums[0].GetPosition())) @ forward).reshape(height, width)
    edges = _silhouettes(left.channels["instance_segmentation"].data) | _is_other_face(left, depth)
    inner = ~edges.ravel()[hit]
    return {
        "disparity off [px]": np.abs(offset[inner, 0] - disparity[inner]).max(),
        "rows off [px]": np.abs(offset[:, 1]).max(),
    }


def _differences(one: Frame, other: Frame) -> dict[str, float]:
    """Count what differs between two variants: ids and boxes bit by bit, and pixels that show another triangle."""
    ids = ("semantic_segmentation", "instance_segmentation", "occlusion")
    exact = [name for name in one.channels if name in ids or name.startswith("bounding_box")]
    count = 0
    for name in exact:
        data, twin = one.channels[name].data, other.channels[name].data
        count += 1 if data.shape != twin.shape else int(np.count_nonzero(data != twin))
    pixels = np.zeros(one.channels["normals"].data.shape[:2], dtype=bool)
    for name in ("distance_to_camera", "distance_to_image_plane", "stereo_disparity", "normals"):
        differs = one.channels[name].data != other.channels[name].data
        pixels |= differs.any(axis=-1) if differs.ndim == 3 else differs
    return {"scalar ids and boxes differ": count, "scalar distances, normals differ [px]": pixels.sum()}


if __name__ == "__main__":
    sys.exit(main())
