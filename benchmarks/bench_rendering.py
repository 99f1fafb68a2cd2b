# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""CPU seconds of an image beside those of Mitsuba's own calls, and memory; exits with 1 on wrong or slow results.

    python benchmarks/bench_rendering.py [--objects DIR] [--variant auto] [--frames 1000] [--no-limits]

Each object stands on a textured table and is seen by stereo pairs of 640 x 480 pixels. A complete frame has the colour
image with 16 samples a pixel, denoised, and all labels. Beside it, for the same cameras, in the same process and in
turn: Mitsuba's ``render`` of the path tracer alone, and that together with the denoiser and the passes that guide it.
The first view is left out, since it compiles kernels. CPU seconds are those of all threads. With ``--frames`` that many
labels-only frames follow (``--full`` makes them complete ones), and memory has to stay flat.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import resource
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Usd

from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.library import list_names
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.object_writer import write_object
from omni_graspd.rendering.annotators import ANNOTATORS, LABEL_ANNOTATORS
from omni_graspd.rendering.cameras import CameraConfig, author_cameras
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
from omni_graspd.rendering.surfaces import read_surfaces
from omni_graspd.scenes.scene_writer import SceneConfig, author_scene
from omni_graspd.standalone.mitsuba_scene import build_scene, make_sensor
from omni_graspd.standalone.mitsuba_variant import load_mitsuba
from omni_graspd.standalone.render import render

WIDTH, HEIGHT, SAMPLES = 640, 480, 16
MAX_FRAME, MAX_LABELS, MAX_OVERHEAD, MAX_GROWTH = 2.0, 0.15, 1.3, 1.02


def main() -> int:
    """Measure every object and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=Path, help="folder with meshes; default: the built-in objects")
    parser.add_argument("--variant", default="auto")
    parser.add_argument("--views", type=int, default=3, help="stereo pairs of each object, the first uncounted")
    parser.add_argument("--frames", type=int, default=0, help="frames to render for the check of memory")
    parser.add_argument("--full", action="store_true", help="complete frames in the check of memory, at 4 samples")
    parser.add_argument("--no-limits", action="store_true", help="only wrong results make it fail, slow ones do not")
    options = parser.parse_args()
    print(f"{'object':24s} {'faces':>6s} {'frame':>6s} {'labels':>6s} | {'path':>6s} {'denoised':>8s}  CPU s an image")
    good, times = True, []
    with tempfile.TemporaryDirectory() as scratch:
        for source in _sources(options.objects):
            stage, rigs, name, faces = _scene(source, Path(scratch), options.views)
            is_right, seconds = asyncio.run(_measure(stage, rigs, options.variant))
            good &= is_right
            times.append(seconds)
            figures = f"{seconds[0]:6.2f} {seconds[1]:6.3f} | {seconds[2]:6.2f} {seconds[3]:8.2f}"
            print(f"{name:24s} {faces:6d} {figures}{'' if is_right else '  WRONG'}", flush=True)
        growth = asyncio.run(_memory(stage, rigs, options)) if options.frames else 1.0
    frame, labels, path, denoised = np.median(times, axis=0)
    plain = (frame - (denoised - path)) / path
    print(f"median: complete frame {frame:.2f} (at most {MAX_FRAME}), labels only {labels:.3f} (at most {MAX_LABELS})")
    print(
        f"overhead: x {frame / denoised:.2f} over Mitsuba's calls for the same picture, denoised; "
        f"x {plain:.2f} without denoising on both sides (at most {MAX_OVERHEAD}); "
        f"x {frame / path:.2f} over the noisy picture"
    )
    fast = frame <= MAX_FRAME and labels <= MAX_LABELS and max(frame / denoised, plain) <= MAX_OVERHEAD
    return 0 if good and growth <= MAX_GROWTH and (fast or options.no_limits) else 1


def _sources(folder: Path | None) -> list[str]:
    if folder is None:
        return list_names("objects")
    return sorted(str(path) for path in folder.rglob("*") if path.suffix in {".ply", ".obj", ".stl", ".glb"})


def _scene(source: str, scratch: Path, views: int) -> tuple[Usd.Stage, list[CameraRig], str, int]:
    """Return a stage with the object on an oak table; its colliders are of no interest here."""
    obj = load_object(source)
    obj = replace(obj, convex_pieces=(convex_hull(obj.mesh.vertices),))
    file = scratch / "objects" / f"{obj.name}.usd"
    file.parent.mkdir(exist_ok=True)
    write_object(obj, file)
    low, high = obj.mesh.vertices.min(axis=0), obj.mesh.vertices.max(axis=0)
    pose = np.array([0.0, 0.0, -low[2], 0.0, 0.0, 0.0, 1.0])
    path = scratch / "scenes" / obj.name / "scene.usda"
    path.parent.mkdir(parents=True)
    stage = author_scene(path, file, obj, pose, 0, SceneConfig(table_looks=("oak",)), 0)
    config = CameraConfig(views=views, width=WIDTH, height=HEIGHT)
    center, radius = 0.5 * (low + high) + pose[:3], 0.5 * float(np.linalg.norm(high - low))
    rigs = author_cameras(stage, center, config, 0, obj.name, target_radius=radius)
    return stage, rigs, obj.name, len(obj.visual.faces)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _measure(stage: Usd.Stage, rigs: list[CameraRig], variant: str) -> tuple[bool, np.ndarray]:
    """Return whether the frames are right, and CPU seconds of a frame, its labels, the raw picture, that denoised."""
    config = RenderConfig(samples_per_pixel=SAMPLES, variant=variant)
    whole, frames = await _timed(stage, rigs, config)
    labels, label_frames = await _timed(stage, rigs, replace(config, annotators=LABEL_ANNOTATORS))
    path, denoised = _raw(stage, rigs, config)
    is_right = all(_is_right(*pair) for pair in zip(frames, label_frames, strict=True))
    return is_right, np.array([whole, labels, path, denoised])


async def _timed(stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig) -> tuple[float, list[Frame]]:
    """Return CPU seconds a frame, without those of the first view, and the frames."""
    frames, begin = [], 0.0
    async for frame in render(stage, rigs, config):
        frames.append(frame)
        if len(frames) == 2:
            begin = _cpu_seconds()
    return (_cpu_seconds() - begin) / (len(frames) - 2), frames


def _raw(stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig) -> tuple[float, float]:
    """Return CPU seconds an image of Mitsuba's own calls: the path tracer, and all that a denoised picture takes."""
    import mitsuba_oidn

    mi = load_mitsuba(config.variant)
    scene = build_scene(mi, stage, read_surfaces(stage))
    path = mi.load_dict({"type": "path", "max_depth": config.max_depth})
    guides = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
    traced, rest = [], []
    for rig in rigs:
        for camera_path in rig.camera_paths:
            camera = read_pinhole_camera(stage, camera_path, WIDTH, HEIGHT)
            sensors: list[Any] = [
                make_sensor(mi, camera, {"type": "multijitter", "sample_count": samples}) for samples in (SAMPLES, 4)
            ]
            begin = _cpu_seconds()
            image = np.array(mi.render(scene.lit, integrator=path, sensor=sensors[0], spp=SAMPLES))
            middle = _cpu_seconds()
            parts = np.array(mi.render(scene.bare, integrator=guides, sensor=sensors[1], spp=4))
            images = [image, *(np.ascontiguousarray(part) for part in (parts[..., :3], parts[..., 3:]))]
            mitsuba_oidn.denoise(*images, hdr=True, clean_aux=True, quality=mitsuba_oidn.Quality.Balanced)
            traced.append(middle - begin)
            rest.append(_cpu_seconds() - middle)
    # The first view compiles kernels.
    return float(np.mean(traced[2:])), float(np.mean(traced[2:]) + np.mean(rest[2:]))


def _is_right(frame: Frame, labels: Frame) -> bool:
    """Tell whether channels keep the contract, the picture is well exposed, and labels do not depend on it."""
    for name, channel in frame.channels.items():
        ANNOTATORS[name].check(channel, WIDTH, HEIGHT)
    same = all(
        np.array_equal(channel.data, frame.channels[name].data, equal_nan=channel.data.dtype.kind == "f")
        for name, channel in labels.channels.items()
    )
    picture = frame.channels["rgb"].data[..., :3]
    well_exposed = 30 < picture.mean() < 220 and (picture == 255).any(axis=-1).mean() < 0.01
    seen = frame.channels["bounding_box_2d_tight"]
    return bool(same and well_exposed and len(seen.data) == 2)


async def _memory(stage: Usd.Stage, rigs: list[CameraRig], options: argparse.Namespace) -> float:
    """Render many frames in several calls; return resident memory at the end over that after a tenth of them."""
    config = RenderConfig(samples_per_pixel=4, variant=options.variant)
    if not options.full:
        config = replace(config, annotators=LABEL_ANNOTATORS)
    count, early, page = 0, 0.0, os.sysconf("SC_PAGE_SIZE") / 2**20
    while count < options.frames:
        async for _ in render(stage, rigs, config):
            count += 1
            if not early and count >= options.frames // 10:
                gc.collect()
                early = int(Path("/proc/self/statm").read_text().split()[1]) * page
    gc.collect()
    late = int(Path("/proc/self/statm").read_text().split()[1]) * page
    print(
        f"resident memory {early:.0f} MiB after a tenth of {count} frames, {late:.0f} at the end: x {late / early:.3f}"
    )
    return late / early


if __name__ == "__main__":
    sys.exit(main())
