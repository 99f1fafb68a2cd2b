# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Steps with a small stage of their own: a body that falls, a plane that is seen, a view that is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import omni.replicator.core as rep
import omni.usd
from pxr import Gf, Usd, UsdGeom, UsdLux, UsdPhysics

from omni_graspd.kit.render import render, settle
from omni_graspd.kit.selftest.answers import Answers
from omni_graspd.kit.simulate import simulate
from omni_graspd.kit.writer import GraspdWriter
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.usd.semantics import apply_label

_GRAVITY = 9.81
_FALL = SimulateConfig(max_time=0.25)
_STEPPED = 0.03
"""How far 60 steps may be from the closed form: whole Euler steps are 1/60 off, PhysX's are smaller."""
_HEIGHT = 1.0
_WIDTH, _ROWS = 64, 48
_CAMERAS = ("/World/Rig/left", "/World/Rig/right")
_BASELINE = 0.06
_SEEN = ("rgb", "distance_to_image_plane", "semantic_segmentation", "camera_params")


def _new_stage() -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    _begin(stage)
    return stage


def _begin(stage: Usd.Stage) -> None:
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/World").GetPrim())


def falling_stage() -> Usd.Stage:
    """Return a stage with a ball of 1 kg in the air and nothing below it."""
    stage = _new_stage()
    scene = UsdPhysics.Scene.Define(stage, "/World/Physics")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    scene.CreateGravityMagnitudeAttr(_GRAVITY)
    ball = UsdGeom.Sphere.Define(stage, "/World/Ball")
    ball.CreateRadiusAttr(0.05)
    ball.AddTranslateOp().Set((0.0, 0.0, 2.0))
    for schema in (UsdPhysics.RigidBodyAPI, UsdPhysics.CollisionAPI):
        schema.Apply(ball.GetPrim())
    UsdPhysics.MassAPI.Apply(ball.GetPrim()).CreateMassAttr(1.0)
    return stage


def author_plane(stage: Usd.Stage) -> None:
    """Put a labelled plane at height 0 on a stage, and a stereo pair 1 m above it that looks straight down."""
    plane = UsdGeom.Mesh.Define(stage, "/World/Plane")
    plane.CreatePointsAttr([(-5, -5, 0), (5, -5, 0), (5, 5, 0), (-5, 5, 0)])
    plane.CreateFaceVertexCountsAttr([4])
    plane.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    apply_label(plane.GetPrim(), "table")
    UsdLux.DistantLight.Define(stage, "/World/Light").CreateIntensityAttr(3000.0)
    UsdGeom.Xform.Define(stage, "/World/Rig").AddTranslateOp().Set((0.1, -0.2, _HEIGHT))
    for path, side in zip(_CAMERAS, (-0.5, 0.5), strict=True):
        camera = UsdGeom.Camera.Define(stage, path)
        camera.AddTranslateOp().Set((side * _BASELINE, 0.0, 0.0))
        camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 100.0))


async def physics(answers: Answers, folder: Path) -> None:
    """Let a ball fall, and compare with the closed form."""
    stage = omni.usd.get_context().get_stage()
    result = await simulate(falling_stage(), _FALL)
    fallen = float(result.poses[0, 0, 2] - result.poses[-1, 0, 2])
    expected = _GRAVITY * float(result.times[-1]) ** 2 / 2
    call = "omni.physx.bindings._physx.IPhysxSimulation.simulate"
    answers.put(call, abs(fallen - expected) < _STEPPED * expected, f"fell {fallen:.4f} m of {expected:.4f}")
    same = omni.usd.get_context().get_stage() == stage
    answers.put("omni.physx.bindings._physx.IPhysxSimulation.attach_stage", same, "")


async def rendering(answers: Answers, folder: Path) -> None:
    """Look at a plane from 1 m above, and compare with the closed form and our own camera."""
    before = omni.usd.get_context().get_stage()
    stage = _new_stage()
    author_plane(stage)
    rig = CameraRig("view_0000", _CAMERAS, _WIDTH, _ROWS)
    frames = [frame async for frame in render(stage, [rig], RenderConfig(annotators=_SEEN))]
    depth = np.concatenate([frame.channels["distance_to_image_plane"].data.ravel() for frame in frames])
    off = float(np.abs(depth - _HEIGHT).max())
    answers.put("omni.replicator.core.annotators.get", off < 1e-3, f"plane at 1 m, off by {off:.2g} m")
    labels = {
        str(each) for frame in frames for each in frame.channels["semantic_segmentation"].info["idToLabels"].values()
    }
    if not any("table" in each for each in labels):
        raise RuntimeError(f"expected the label table, got {labels}")
    shift = max(_camera_difference(stage, frame) for frame in frames)
    answers.put("omni.replicator.core.create.render_product", shift < 1e-4, f"view matrices differ by {shift:.2g}")
    colour = float(np.mean([frame.channels["rgb"].data[..., :3].mean() for frame in frames]))
    answers.put("omni.replicator.core.settings.set_render_pathtraced", colour > 1.0, f"mean colour {colour:.0f} of 255")
    back = omni.usd.get_context().get_stage() == before
    answers.put("omni.usd.UsdContext.attach_stage_async", back)


def _camera_difference(stage: Usd.Stage, frame: Frame) -> float:
    """Return how far Replicator's view matrix and the scales of its projection are from ours, the largest entry."""
    told = frame.channels["camera_params"].info
    ours = read_pinhole_camera(stage, frame.camera_path, _WIDTH, _ROWS)
    view = np.abs(np.reshape(told["cameraViewTransform"], (4, 4)) - ours.view_matrix())
    # Rows 0 and 1 say where a point is seen; depth may run the other way.
    projection = np.abs((np.reshape(told["cameraProjection"], (4, 4)) - ours.projection_matrix())[:2, :2])
    return float(max(view.max(), projection.max()))


class _NotingWriter(GraspdWriter):
    """A writer that notes how its payload is made up."""

    seen: ClassVar[set[str]] = set()

    def write(self, data: dict[str, Any]) -> None:
        _NotingWriter.seen |= set(data)
        super().write(data)


async def writing(answers: Answers, folder: Path) -> None:
    """Write two views of the open stage with the writer, into a folder and through Replicator's backend for disks."""
    context = omni.usd.get_context()
    await context.new_stage_async()
    stage = context.get_stage()
    _begin(stage)
    author_plane(stage)
    rep.orchestrator.set_capture_on_play(False)
    await settle()
    rep.WriterRegistry.register(_NotingWriter)
    try:
        _NotingWriter.seen.clear()
        await _write(output_dir=str(folder / "views"), data_structure="annotator")
        told = "annotators" in _NotingWriter.seen
        answers.put("omni.replicator.core.Writer.data_structure", told, ", ".join(sorted(_NotingWriter.seen)))
        backend = rep.backends.get("DiskBackend")
        backend.initialize(output_dir=str(folder / "sent"))
        await _write(backend=backend)
    finally:
        rep.WriterRegistry.unregister("_NotingWriter")
    written, sent = _files(folder / "views"), _files(folder / "sent")
    if not any(name.startswith("view_0001/right/") for name in written):
        raise RuntimeError(f"expected two views of a pair, got {', '.join(sorted(written)) or 'nothing'}")
    same = written == {name: sent.get(name, b"") for name in written}
    answers.put("omni.replicator.core.backends.BaseBackend.write_blob", same, f"{len(sent)} files for {len(written)}")


async def _write(**options: Any) -> None:
    products = [rep.create.render_product(path, (_WIDTH, _ROWS)) for path in _CAMERAS]
    writer = rep.WriterRegistry.get("_NotingWriter")
    writer.initialize(annotators=_SEEN[1:], **options)
    writer.attach(products)
    try:
        for _ in range(2):
            await rep.orchestrator.step_async(delta_time=0.0)
        await rep.orchestrator.wait_until_complete_async()
        writer.on_final_frame()
        await rep.orchestrator.wait_until_complete_async()  # backends write in threads of their own
    finally:
        writer.detach()
        for product in products:
            product.destroy()


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
