# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Settings out of range are refused before any work, and what the stages do with settings."""

from __future__ import annotations

import asyncio
import errno
import fcntl
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from omni_graspd.cli.console import duration
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.kept_settings import kept_settings
from omni_graspd.dataset.lock import exclusive
from omni_graspd.dataset.manifest import Manifest, write_manifest
from omni_graspd.dataset.stages import render_stage
from omni_graspd.dataset.stages.synthesize_stage import _without_failed
from omni_graspd.errors import GraspdError
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.scenes.drop import DropConfig
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.synthesis.starts import StartConfig


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (RenderConfig, {"samples_per_pixel": 0}),
        (RenderConfig, {"max_depth": 0}),
        (SimulateConfig, {"time_step": 0.0}),
        (SimulateConfig, {"max_time": float("nan")}),
        (DropConfig, {"attempts": 0}),
        (DropConfig, {"height": -0.1}),
        (StartConfig, {"attempts": 0}),
        (StartConfig, {"preshape": 1.5}),
    ],
)
def test_settings_out_of_range_are_refused_by_name(config, options):
    with pytest.raises(GraspdError, match=f"expected .*{next(iter(options))} to be .*, got"):
        config(**options)


def test_failed_grasps_have_blank_metrics():
    metrics = {
        "epsilon": np.array([0.2, 0.3]),
        "contact_count": np.array([4, 5]),
        "force_closure": np.array([True, True]),
    }
    blanked = _without_failed(metrics, ("diverged: x", "ok"))
    assert np.isnan(blanked["epsilon"][0])
    assert blanked["contact_count"].tolist() == [0, 5]
    assert blanked["force_closure"].tolist() == [False, True]
    assert {name: column.dtype.kind for name, column in blanked.items()} == {
        "epsilon": "f",
        "contact_count": "i",
        "force_closure": "b",
    }


def test_noise_differs_from_scene_to_scene_and_with_the_seed(monkeypatch, tmp_path):
    rig = SimpleNamespace(name="view_0000", camera_paths=("/World/Cameras/view_0000/mono",))
    seeds = []

    async def render(stage, rigs, config):
        seeds.append(config.seed)
        return
        yield

    monkeypatch.setattr(render_stage, "open_stage", lambda path: None)
    monkeypatch.setattr(render_stage, "read_camera_rigs", lambda stage: [rig])
    for name in ("scene", "object"):
        (tmp_path / name).touch()
    layout = SimpleNamespace(
        scene=lambda *_: tmp_path / "scene",
        renders=lambda *_: tmp_path / "renders",
        object=lambda _: tmp_path / "object",
    )
    run = SimpleNamespace(
        config=SimpleNamespace(seed=0, shown_grasp="none", render=RenderConfig()),
        layout=layout,
        backend=SimpleNamespace(render=render),
    )
    other_seed = SimpleNamespace(
        **{**vars(run), "config": SimpleNamespace(seed=1, shown_grasp="none", render=RenderConfig())}
    )
    other_render = SimpleNamespace(
        **{**vars(run), "config": SimpleNamespace(seed=0, shown_grasp="none", render=replace(RenderConfig(), seed=1))}
    )

    def render_scene(which, name, scene):
        asyncio.run(render_stage._render_scene(which, name, scene, None, lambda done, total: None))

    for which, name, scene in ((run, "mug", 0), (run, "mug", 1), (run, "can", 0), (other_seed, "mug", 0)):
        render_scene(which, name, scene)
    render_scene(other_render, "mug", 0)
    render_scene(run, "mug", 0)
    assert len(set(seeds[:5])) == 5
    assert seeds[5] == seeds[0]


def test_a_file_system_without_locks_is_no_obstacle(monkeypatch, tmp_path):
    def no_locks(descriptor, operation):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with exclusive(tmp_path):
        pass


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.21, "3.2 s"), (59.94, "59.9 s"), (119.7, "2 min 0 s"), (61.0, "1 min 1 s")]
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def test_a_negative_number_of_workers_is_one_line():
    with pytest.raises(GraspdError, match="expected workers to be 0 or more, got -1"):
        GenerateConfig(workers=-1)


@pytest.mark.parametrize(("renderer", "variant"), [("scalar_rgb", "scalar_rgb"), ("llvm_ad_rgb", "auto")])
def test_later_stages_take_the_renderer_that_runs_anywhere(tmp_path, renderer, variant):
    """One that was asked for is no setting in the manifest; without it `graspd settle` refused to go on."""
    write_manifest(Manifest({"renderer": renderer}, {}, {}, {}, {}), tmp_path)
    assert kept_settings(tmp_path).render.variant == variant
