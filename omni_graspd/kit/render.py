# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rendering inside Kit: Replicator's annotators on the cameras of a rig, one capture a view, simulated time at rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import carb.settings
import omni.kit.app
import omni.replicator.core as rep
import omni.usd
from pxr import Gf, Sdf, Usd, UsdGeom, UsdUtils

from omni_graspd.errors import GraspdError
from omni_graspd.kit.channels import replicator_annotators, replicator_channel
from omni_graspd.kit.payload import view_frames
from omni_graspd.rendering.annotators import ANNOTATORS, TRACED_ANNOTATORS
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera

_SUBFRAMES = 4
"""Frames drawn per capture, so that textures and lights that came with the stage are there."""
_TRIES = 5
"""Captures of a view before its annotators count as empty for good."""
_NEAR_FAR = (0.01, 100.0)
"""Clipping range [m] of cameras that do not say; USD's own range begins at one stage unit, a metre."""
_SAMPLES_PER_FRAME = "/rtx/pathtracing/spp"
_KEPT_SETTINGS = (
    "/rtx/rendermode",
    "/rtx/pathtracing/totalSpp",
    _SAMPLES_PER_FRAME,
    "/rtx/post/aa/op",
    "/rtx-transient/post/aa/limitedOps",
    "/omni/replicator/captureOnPlay",
)
"""What we and Replicator's functions for render modes set."""
_LOADING_UPDATES = 3000
"""Frames that a stage may load for."""
_SETTLING_UPDATES = 10
"""Frames after loading or a change of the mode before the first capture, as NVIDIA's own tests wait."""


def choose_renderer(config: RenderConfig) -> tuple[str, str]:
    """Return which renderer is taken, and why: paths are traced for colours only."""
    if set(config.annotators) & set(TRACED_ANNOTATORS):
        return "rtx_path_tracing", "running inside Kit, with colours"
    return "rtx_realtime", "running inside Kit, labels only"


async def render(stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig) -> AsyncIterator[Frame]:
    """Render the annotator channels of the configuration for each camera: rigs in order, left before right.

    The stage is opened in Kit's viewport meanwhile, over a session layer of its own, and not changed; the stage that
    was open comes back at the end.

    Args:
        stage: The stage.
        rigs: What to render.
        config: How. Depth of paths, denoiser, seed and variant are Mitsuba's; RTX has settings of its own.

    Yields:
        One frame per camera. Those of mono rigs lack the channels that only stereo pairs have.

    Raises:
        GraspdError: If a camera is missing, or Replicator delivers something else than is documented.
    """
    for rig in rigs:
        for path in rig.camera_paths:
            read_pinhole_camera(stage, path, rig.width, rig.height)
    async with _shown(stage) as shown:
        _bring_near_planes_closer(shown, rigs)
        with _render_settings(config):
            await settle()
            for rig in rigs:
                for frame in await _capture(rig, config):
                    yield frame


@asynccontextmanager
async def _shown(stage: Usd.Stage) -> AsyncIterator[Usd.Stage]:
    """Have Kit show the stage over a session layer of its own, which takes all that Kit and Replicator author."""
    context = omni.usd.get_context()
    before, had_edits = context.get_stage(), context.has_pending_edit()
    # Kit drops the stage that it closes, with what was not saved; only a cache of our own keeps it alive.
    keeper = Usd.StageCache()
    if before is not None:
        keeper.Insert(before)
    session = Sdf.Layer.CreateAnonymous("graspd_render.usda")
    session.TransferContent(stage.GetSessionLayer())
    shown = Usd.Stage.Open(stage.GetRootLayer(), session)
    shown.SetEditTarget(session)
    with ExitStack() as afterwards:
        # Kit puts each stage that it attaches into the application's cache, and leaves it there.
        afterwards.callback(UsdUtils.StageCache.Get().Erase, shown)
        try:
            await _attach(context, shown)
            yield shown
        finally:
            if before is not None:
                await _attach(context, before)
                # Attaching clears what makes Kit ask whether to save.
                context.set_pending_edit(had_edits)
                keeper.Clear()
            else:
                await context.close_stage_async()


async def _attach(context: Any, stage: Usd.Stage) -> None:
    is_attached, reason = await context.attach_stage_async(stage)
    if not is_attached:
        raise GraspdError(f"Kit could not open the stage {stage.GetRootLayer().identifier}: {reason}")
    await omni.kit.app.get_app().next_update_async()


async def settle() -> None:
    """Wait until the stage that is shown has loaded its files and the renderer has taken the settings."""
    app, context = omni.kit.app.get_app(), omni.usd.get_context()
    for _ in range(_LOADING_UPDATES):
        if context.get_stage_loading_status()[2] == 0:
            break
        await app.next_update_async()
    else:
        raise GraspdError(
            f"the stage's files did not load within {_LOADING_UPDATES} frames; check Isaac Sim's log for missing assets"
        )
    for _ in range(_SETTLING_UPDATES):
        await app.next_update_async()
    await rep.orchestrator.wait_until_complete_async()


def _bring_near_planes_closer(shown: Usd.Stage, rigs: list[CameraRig]) -> None:
    metres = UsdGeom.GetStageMetersPerUnit(shown)
    for path in dict.fromkeys(path for rig in rigs for path in rig.camera_paths):
        clipping = UsdGeom.Camera(shown.GetPrimAtPath(path)).GetClippingRangeAttr()
        if not clipping.HasAuthoredValue():
            clipping.Set(Gf.Vec2f(*(distance / metres for distance in _NEAR_FAR)))


@contextmanager
def _render_settings(config: RenderConfig) -> Iterator[None]:
    """Set up the renderer for the length of the context; the user's settings come back."""
    settings = carb.settings.get_settings()
    before = {path: settings.get(path) for path in _KEPT_SETTINGS}
    rep.orchestrator.set_capture_on_play(False)
    if set(config.annotators) & set(TRACED_ANNOTATORS):
        rep.settings.set_render_pathtraced(samples_per_pixel=config.samples_per_pixel)
        settings.set(_SAMPLES_PER_FRAME, config.samples_per_pixel)
    else:
        rep.settings.set_render_rtx_realtime()
    try:
        yield
    finally:
        for path, value in before.items():
            if value is None:
                settings.destroy_item(path)
            else:
                settings.set(path, value)


async def _capture(rig: CameraRig, config: RenderConfig) -> list[Frame]:
    """Return the frames of a rig, from render products that live as long as this takes."""
    products: list[Any] = []
    attached: list[dict[str, Any]] = []
    try:
        for path in rig.camera_paths:
            name = f"graspd_{rig.name}_{path.rpartition('/')[2]}"
            product = rep.create.render_product(path, (rig.width, rig.height), force_new=True, name=name)
            products.append(product)
            attached.append({})
            for annotator, params in replicator_annotators(config.annotators).items():
                made = rep.annotators.get(annotator, init_params=params or None)
                # Kit makes names unique, hence the path that the product has got.
                attached[-1][annotator] = made.attach([product.path])
        for _ in range(_TRIES):
            await rep.orchestrator.step_async(rt_subframes=_SUBFRAMES, delta_time=0.0)
            values = [{name: annotator.get_data() for name, annotator in each.items()} for each in attached]
            if all(_is_there(name, value, rig) for each in values for name, value in each.items()):
                break
        await rep.orchestrator.wait_until_complete_async()
        return _frames(rig, values, config)
    finally:
        for annotators, product in zip(attached, products, strict=True):
            for annotator in annotators.values():
                annotator.detach()
            product.destroy()


def _is_there(name: str, value: Any, rig: CameraRig) -> bool:
    """Tell whether an annotator has drawn: the first frames of a product may be empty."""
    if name == "camera_params":
        return bool(value)
    array = value["data"] if isinstance(value, dict) else value
    return array is not None and (not ANNOTATORS[name].is_image or array.shape[:2] == (rig.height, rig.width))


def _frames(rig: CameraRig, values: list[dict[str, Any]], config: RenderConfig) -> list[Frame]:
    eyes = []
    for path, each in zip(rig.camera_paths, values, strict=True):
        empty = [name for name, value in each.items() if not _is_there(name, value, rig)]
        if empty:
            raise GraspdError(
                f"expected images of {rig.width} x {rig.height} from {path}, but {', '.join(empty)} stayed empty; "
                "check Isaac Sim's log, and whether the GPU has memory left"
            )
        eyes.append(Frame(path, {name: replicator_channel(name, value) for name, value in each.items()}))
    return view_frames(eyes, config.annotators)
