# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rendering: what standalone and Kit both promise, and what only Kit's adapter has to mind."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from kit_fakes.replicator import synthetic_channels
from kit_stubs import VERSIONS, installed_stubs, skip_without
from pxr import Gf, Usd, UsdGeom, UsdUtils

from omni_graspd.backend import load_backend
from omni_graspd.errors import GraspdError
from omni_graspd.rendering.annotators import ANNOTATORS, LABEL_ANNOTATORS
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
from omni_graspd.usd.semantics import apply_label

WIDTH, HEIGHT, BASELINE = 16, 12, 0.06
STEREO = CameraRig("view_0000", ("/World/Rig/left", "/World/Rig/right"), WIDTH, HEIGHT)
MONO = CameraRig("view_0001", ("/World/Rig/left",), WIDTH, HEIGHT)
LABELS = RenderConfig(annotators=LABEL_ANNOTATORS)


def _stage(near: float | None = 0.01) -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/World").GetPrim())
    cube = UsdGeom.Cube.Define(stage, "/World/Cube")
    cube.CreateSizeAttr(0.2)
    apply_label(cube.GetPrim(), "cube")
    UsdGeom.Xform.Define(stage, "/World/Rig").AddTranslateOp().Set((0.0, 0.0, 1.0))
    for eye, side in (("left", -0.5), ("right", 0.5)):
        camera = UsdGeom.Camera.Define(stage, f"/World/Rig/{eye}")
        camera.AddTranslateOp().Set((side * BASELINE, 0.0, 0.0))
        camera.CreateFocalLengthAttr(24.0)
        if near is not None:
            camera.CreateClippingRangeAttr(Gf.Vec2f(near, 100.0))
    return stage


def _renderer(stage: Usd.Stage, path: str, resolution: tuple[int, int]) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    made = synthetic_channels(stage, path, resolution)
    params = read_pinhole_camera(stage, path, *resolution).camera_params()
    return made | {"camera_params": (made["camera_params"][0], params)}


async def _all(backend, stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig) -> list[Frame]:
    return [frame async for frame in backend.render(stage, rigs, config)]


@pytest.fixture(params=["standalone", *(f"kit {version}" for version in VERSIONS)])
def render(request):
    """Each backend's render as a plain function that returns all frames."""
    name, _, version = request.param.partition(" ")
    if name == "standalone":
        skip_without("mitsuba")
        backend = load_backend("standalone")
        yield lambda *args: asyncio.run(_all(backend, *args))
        return
    with installed_stubs(version) as kit:
        kit.replicator.renderer = _renderer
        yield lambda *args: kit.run(_all(load_backend("kit"), *args))


class TestContract:
    """What every backend's render promises."""

    def test_frames_come_rig_by_rig_and_left_before_right(self, render):
        frames = render(_stage(), [STEREO, MONO], LABELS)
        assert [frame.camera_path for frame in frames] == [*STEREO.camera_paths, *MONO.camera_paths]
        assert ["stereo_disparity" in frame.channels for frame in frames] == [True, True, False]

    def test_channels_are_those_asked_for_in_the_contracts_order_types_and_shapes(self, render):
        for frame in render(_stage(), [STEREO], LABELS):
            assert list(frame.channels) == [name for name in ANNOTATORS if name in LABEL_ANNOTATORS]
            for name, channel in frame.channels.items():
                ANNOTATORS[name].check(channel, WIDTH, HEIGHT)
        (frame,) = render(_stage(), [MONO], RenderConfig(annotators=("camera_params",)))
        assert list(frame.channels) == ["camera_params"]

    def test_disparity_is_focal_length_times_baseline_by_depth(self, render):
        left, _ = render(_stage(), [STEREO], LABELS)
        depth = left.channels["distance_to_image_plane"].data
        disparity = left.channels["stereo_disparity"].data
        seen = np.isfinite(depth)
        assert seen.any()
        np.testing.assert_allclose(disparity[seen] * depth[seen], 24.0 / 20.955 * WIDTH * BASELINE, rtol=1e-5)
        assert not disparity[~seen].any()

    def test_the_stage_is_not_changed(self, render):
        stage = _stage()
        before = stage.ExportToString(), stage.GetSessionLayer().ExportToString()
        render(stage, [STEREO], LABELS)
        assert (stage.ExportToString(), stage.GetSessionLayer().ExportToString()) == before

    def test_the_same_stage_gives_the_same_frames(self, render):
        first, second = (render(_stage(), [MONO], LABELS)[0] for _ in range(2))
        for name, channel in first.channels.items():
            np.testing.assert_array_equal(channel.data, second.channels[name].data)

    def test_a_missing_camera_is_refused(self, render):
        rig = CameraRig("view", ("/World/Nowhere",), WIDTH, HEIGHT)
        with pytest.raises(GraspdError, match="there is no camera at /World/Nowhere"):
            render(_stage(), [rig], LABELS)


def _kit_frames(kit, stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig = LABELS) -> list[Frame]:
    return kit.run(_all(load_backend("kit"), stage, rigs, config))


def test_standalone_arrays_pass_through_kit_unchanged(kit):
    skip_without("mitsuba")
    config = RenderConfig(annotators=tuple(ANNOTATORS), samples_per_pixel=4)
    expected = asyncio.run(_all(load_backend("standalone"), _stage(), [STEREO], config))
    made = {f.camera_path: {name: (c.data, c.info) for name, c in f.channels.items()} for f in expected}
    kit.replicator.renderer = lambda stage, path, resolution: made[path]
    for frame, other in zip(_kit_frames(kit, _stage(), [STEREO], config), expected, strict=True):
        for name, channel in other.channels.items():
            if name != "stereo_disparity":
                np.testing.assert_array_equal(frame.channels[name].data, channel.data)
                np.testing.assert_equal(frame.channels[name].info, channel.info)
        disparity = (each.channels["stereo_disparity"].data for each in (frame, other))
        np.testing.assert_allclose(*disparity, rtol=1e-6)


def test_simulated_time_stands_still_and_nothing_is_captured_on_play(kit):
    kit.replicator.renderer = _renderer
    _kit_frames(kit, _stage(), [STEREO, MONO])
    assert [step["delta_time"] for step in kit.replicator.steps] == [0.0, 0.0]
    assert kit.replicator.capture_on_play is False
    assert not kit.called("orchestrator.step")


def test_render_products_are_gone_and_the_users_stage_and_settings_are_back(kit):
    kit.replicator.renderer = _renderer
    kit.settings["/rtx/rendermode"] = "RaytracedLighting"
    users_stage = kit.usd.stage
    UsdGeom.Cube.Define(users_stage, "/Unsaved")
    _kit_frames(kit, _stage(), [STEREO])
    assert len(kit.called("render_product")) == 2
    assert kit.replicator.products == kit.replicator.annotators == []
    assert kit.usd.stage == users_stage
    assert kit.usd.stage.GetPrimAtPath("/Unsaved")
    assert kit.settings["/rtx/rendermode"] == "RaytracedLighting"


@pytest.mark.parametrize("annotators", [LABEL_ANNOTATORS, ("rgb",)], ids=["real time", "path tracing"])
def test_all_settings_are_as_they_were_and_those_that_were_not_there_are_gone(kit, annotators):
    kit.replicator.renderer = _renderer
    kit.settings.clear()
    kit.settings["/rtx/post/aa/op"] = 3
    before = dict(kit.settings)
    _kit_frames(kit, _stage(), [MONO], RenderConfig(annotators=annotators, samples_per_pixel=16))
    assert kit.settings == before


def test_path_tracing_draws_all_samples_in_each_frame(kit):
    seen = []

    def renderer(stage, path, resolution):
        seen.append(dict(kit.settings))
        return _renderer(stage, path, resolution)

    kit.replicator.renderer = renderer
    _kit_frames(kit, _stage(), [MONO], RenderConfig(annotators=("rgb",), samples_per_pixel=16))
    assert seen[0]["/rtx/pathtracing/spp"] == seen[0]["/rtx/pathtracing/totalSpp"] == 16


def test_the_first_capture_waits_for_the_stages_files_and_ten_frames_more(kit):
    kit.replicator.renderer = _renderer
    kit.usd.loading_updates = 25
    _kit_frames(kit, _stage(), [MONO])
    assert kit.replicator.captured[0] >= 25 + 10
    assert kit.replicator.completed[0] <= kit.replicator.captured[0]


def test_a_stage_that_never_loads_is_one_line(kit):
    kit.replicator.renderer = _renderer
    users_stage, kit.usd.loading_updates = kit.usd.stage, 10**6
    with pytest.raises(GraspdError, match="did not load within"):
        _kit_frames(kit, _stage(), [MONO])
    assert kit.usd.stage == users_stage


@pytest.mark.parametrize("edited", [True, False])
def test_nothing_is_left_in_the_stage_cache_and_unsaved_edits_are_still_known(kit, edited):
    kit.replicator.renderer = _renderer
    kit.usd.is_edited = edited
    before = {stage.GetRootLayer() for stage in UsdUtils.StageCache.Get().GetAllStages()}
    _kit_frames(kit, _stage(), [MONO])
    assert {stage.GetRootLayer() for stage in UsdUtils.StageCache.Get().GetAllStages()} == before
    assert len(UsdUtils.StageCache.Get().GetAllStages()) == 1
    assert kit.usd.is_edited is edited


def test_leaving_after_the_first_frame_cleans_up_as_well(kit):
    kit.replicator.renderer = _renderer
    users_stage = kit.usd.stage

    async def first() -> Frame:
        frames = load_backend("kit").render(_stage(), [STEREO, MONO], LABELS)
        frame = await anext(frames)
        await frames.aclose()
        return frame

    assert kit.run(first()).camera_path == "/World/Rig/left"
    assert kit.replicator.products == []
    assert kit.usd.stage == users_stage


def test_a_stage_that_kit_refuses_is_one_line_and_the_users_stage_comes_back(kit):
    kit.replicator.renderer = _renderer
    users_stage = kit.usd.stage
    UsdGeom.Cube.Define(users_stage, "/Unsaved")
    kit.usd.refusals.append("no such file")
    with pytest.raises(GraspdError, match=r"Kit could not open the stage .*: no such file"):
        _kit_frames(kit, _stage(), [STEREO])
    assert kit.usd.stage == users_stage and kit.usd.stage.GetPrimAtPath("/Unsaved")


def test_a_name_that_kit_changed_is_read_back(kit):
    import omni.replicator.core as rep

    kit.replicator.renderer = _renderer
    stage = _stage()
    kit.usd.put(stage)
    rep.create.render_product("/World/Rig/left", (4, 4), name="graspd_view_0001_left")
    (frame,) = _kit_frames(kit, stage, [MONO])
    assert frame.channels["distance_to_camera"].data.shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize(("near", "expected"), [(None, 0.01), (0.5, 0.5)])
def test_cameras_that_do_not_say_see_what_is_nearer_than_a_metre(kit, near, expected):
    seen = []

    def renderer(stage, path, resolution):
        seen.append(UsdGeom.Camera(stage.GetPrimAtPath(path)).GetClippingRangeAttr().Get()[0])
        return _renderer(stage, path, resolution)

    kit.replicator.renderer = renderer
    _kit_frames(kit, _stage(near), [MONO])
    np.testing.assert_allclose(seen, expected)


def test_empty_first_captures_are_repeated_and_lasting_ones_reported(kit):
    captures = []

    def renderer(stage, path, resolution):
        captures.append(path)
        made = _renderer(stage, path, resolution)
        empty = np.zeros((0,), np.float32)
        return made | ({"distance_to_camera": (empty, {})} if len(kit.replicator.steps) < patience else {})

    kit.replicator.renderer = renderer
    patience = 3
    (frame,) = _kit_frames(kit, _stage(), [MONO])
    assert frame.channels["distance_to_camera"].data.shape == (HEIGHT, WIDTH)
    assert len(kit.replicator.steps) == 3
    patience = 99
    with pytest.raises(GraspdError, match="distance_to_camera stayed empty"):
        _kit_frames(kit, _stage(), [MONO])
    assert kit.replicator.products == []


def test_colours_are_path_traced_and_labels_are_not(kit):
    kit.replicator.renderer = _renderer
    backend = load_backend("kit")
    assert backend.choose_renderer(LABELS)[0] == "rtx_realtime"
    _kit_frames(kit, _stage(), [MONO])
    assert not kit.called("set_render_pathtraced")
    config = RenderConfig(annotators=("rgb",), samples_per_pixel=64)
    assert backend.choose_renderer(config)[0] == "rtx_path_tracing"
    _kit_frames(kit, _stage(), [MONO], config)
    assert [call.kwargs for call in kit.called("set_render_pathtraced")] == [{"samples_per_pixel": 64}]
