# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Random views of random scenes on one sheet: colour, masks with boxes, distances; says how they came out.

    python benchmarks/contact_sheet.py --out sheet.jpg [--views 24] [--seed 0] [--samples 16] [--frames DIR]

The built-in objects are dropped by PhysX on tables of every material, one scene and one camera for each picture; every
third scene has clutter. With ``--frames`` the colour images are also written in full size. Exits with 1 when a picture
clips more than 1 % of its pixels, is darker or brighter than a tenth of the way to black or white, or shows its object
smaller than an eighth or larger than four fifths of its height.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from omni_graspd.backend import Backend, load_backend
from omni_graspd.inspection.annotations import color_distances, draw_annotations
from omni_graspd.library import list_names
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.cameras import CameraConfig, author_cameras
from omni_graspd.rendering.frame import Frame, RenderConfig
from omni_graspd.scenes.clutter import scatter_neighbours
from omni_graspd.scenes.drop import DropConfig, drop_objects
from omni_graspd.scenes.scene_writer import OBJECT_PATH, SceneConfig, author_scene
from omni_graspd.usd.stage import open_stage, save_stage
from omni_graspd.usd.transforms import transform_points

_PANEL = (208, 156)
_ABREAST, _GAP, _MARGIN = 3, 4, 12
_DARK, _BRIGHT, _CLIPPED = 40.0, 215.0, 0.01
_SMALL, _LARGE = 0.125, 0.8


@dataclass(frozen=True)
class View:
    """A rendered view and how it came out."""

    name: str
    frame: Frame
    height: float
    """Height of the object's tight box over the image's."""

    @property
    def picture(self) -> np.ndarray:
        """SRGB picture."""
        return self.frame.channels["rgb"].data[..., :3]

    @property
    def brightness(self) -> float:
        """Mean of the 8-bit values."""
        return float(self.picture.mean())

    @property
    def clipped(self) -> float:
        """Share of pixels with a channel at 255."""
        return float((self.picture == 255).any(axis=-1).mean())

    def is_good(self) -> bool:
        """Tell whether the view is neither burnt nor black, and its object of a size that shows."""
        exposed = _DARK <= self.brightness <= _BRIGHT and self.clipped <= _CLIPPED
        return exposed and _SMALL <= self.height <= _LARGE


def main() -> int:
    """Render the views, write the sheet, print figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--views", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--looks", nargs="+", default=SceneConfig().table_looks)
    parser.add_argument("--surroundings", nargs="+", default=SceneConfig().lights.surroundings)
    parser.add_argument("--frames", type=Path, help="folder for the pictures in full size")
    options = parser.parse_args()
    views = asyncio.run(_render_all(options))
    for view in views:
        figures = f"mean {view.brightness:5.1f}  clipped {view.clipped:.4f}  height {view.height:.2f}"
        print(f"{view.name:32s} {figures}{'' if view.is_good() else '  BAD'}")
    for name in ("brightness", "clipped", "height"):
        values = np.array([getattr(view, name) for view in views])
        print(f"{name}: {values.min():.3f} to {values.max():.3f}, median {np.median(values):.3f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    _sheet(views).save(options.out, quality=82, optimize=True)
    return 0 if all(view.is_good() for view in views) else 1


async def _render_all(options: argparse.Namespace) -> list[View]:
    backend = load_backend()
    names = list_names("objects")
    per_object = -(-options.views // len(names))
    views = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        objects = [load_object(name) for name in names[: options.views]]
        for obj in objects:
            (folder / "objects").mkdir(exist_ok=True)
            write_object(obj, folder / "objects" / f"{obj.name}.usd")
        for obj in objects:
            indices = range(min(per_object, options.views - len(views)))
            drops = await drop_objects(obj, indices, DropConfig(), options.seed, backend.simulate)
            for index, drop in zip(indices, drops, strict=True):
                views.append(
                    await _view(backend, folder, objects, obj, index, drop.T_world_object, len(views), options)
                )
    return views


async def _view(
    backend: Backend,
    folder: Path,
    objects: list[RigidObject],
    obj: RigidObject,
    index: int,
    pose: np.ndarray,
    number: int,
    options: argparse.Namespace,
) -> View:
    defaults = SceneConfig()
    lights = replace(defaults.lights, surroundings=tuple(options.surroundings))
    scene = replace(defaults, table_looks=tuple(options.looks), lights=lights, clutter=3 if number % 3 == 2 else 0)
    near = await scatter_neighbours(
        obj, pose, objects, scene.clutter, index, scene.table_size, DropConfig(), options.seed, backend.simulate
    )
    neighbours = [(folder / "objects" / f"{other.obj.name}.usd", other.T_world_object) for other in near]
    path = folder / "scenes" / obj.name / f"scene_{index:04d}.usda"
    stage = author_scene(
        path, folder / "objects" / f"{obj.name}.usd", obj, pose, index, scene, options.seed, neighbours
    )
    points = transform_points(pose, obj.mesh.vertices)
    center = 0.5 * (points.min(axis=0) + points.max(axis=0))
    radius = float(np.linalg.norm(points - center, axis=1).max())
    camera = CameraConfig(views=1, stereo=False, width=options.size[0], height=options.size[1])
    rigs = author_cameras(stage, center, camera, options.seed, obj.name, index, target_radius=radius)
    save_stage(stage, path)
    look = stage.GetPrimAtPath("/World/Looks/Table/ColorTexture")
    dome = stage.GetPrimAtPath("/World/Lights/Dome").GetAttribute("inputs:texture:file").Get()
    parts = [
        Path(asset.path).stem if asset else "-" for asset in (look and look.GetAttribute("inputs:file").Get(), dome)
    ]
    config = RenderConfig(samples_per_pixel=options.samples, seed=options.seed)
    (frame,) = [frame async for frame in backend.render(open_stage(path), rigs, config)]
    name = " ".join([obj.name, *parts])
    if options.frames:
        options.frames.mkdir(parents=True, exist_ok=True)
        picture = frame.channels["rgb"].data[..., :3]
        whole = np.concatenate([picture, draw_annotations(frame, _labels(frame))], axis=1)
        Image.fromarray(whole).save(options.frames / f"{number:02d}_{name.replace(' ', '_')}.png")
    return View(name, frame, _object_height(frame))


def _labels(frame: Frame) -> set[str]:
    classes = frame.channels["semantic_segmentation"].info["idToLabels"].values()
    return {entry["class"] for entry in classes} - {"table", "floor"}


def _object_height(frame: Frame) -> float:
    boxes = frame.channels["bounding_box_2d_tight"]
    row = boxes.data[boxes.info["primPaths"].index(OBJECT_PATH)]
    return float(row["y_max"] - row["y_min"] + 1) / frame.channels["rgb"].data.shape[0]


def _sheet(views: list[View]) -> Image.Image:
    """Lay out three panels a view: colour, masks with boxes, distances."""
    width, height = _PANEL
    rows = -(-len(views) // _ABREAST)
    cell = 3 * width + 2 * _GAP
    page = Image.new(
        "RGB",
        (_ABREAST * cell + (_ABREAST + 1) * _MARGIN, rows * (height + _MARGIN) + _MARGIN),
        (255, 255, 255),
    )
    for index, view in enumerate(views):
        row, column = divmod(index, _ABREAST)
        x, y = _MARGIN + column * (cell + _MARGIN), _MARGIN + row * (height + _MARGIN)
        distances = color_distances(view.frame.channels["distance_to_camera"].data)
        for panel in (view.picture, draw_annotations(view.frame, _labels(view.frame)), distances):
            page.paste(Image.fromarray(panel).resize(_PANEL, Image.Resampling.LANCZOS), (x, y))
            x += width + _GAP
    return page


if __name__ == "__main__":
    sys.exit(main())
