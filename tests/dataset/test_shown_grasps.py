# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands in the images: which grasps are shown, where the hand then is, and that scene files stay free of it."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from rich.console import Console
from small_dataset import QUICK

from omni_graspd.cli.generate import run_stages
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.run import Run, open_run
from omni_graspd.dataset.stages.place_stage import place_stage
from omni_graspd.dataset.stages.render_stage import render_stage
from omni_graspd.dataset.stages.settle_stage import settle_stage
from omni_graspd.dataset.stages.shown_grasps import HAND_PATH, ranked_grasps, scenes_without_hand, stages_with_hands
from omni_graspd.dataset.stages.synthesize_stage import synthesize_stage
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps, write_scene_grasps
from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.rendering.boxes import box_3d_corners
from omni_graspd.rendering.cameras import CameraConfig, read_camera_rigs
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.rendering.image_writer import read_frame
from omni_graspd.rendering.surfaces import read_surfaces
from omni_graspd.usd.stage import open_stage


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> GenerateConfig:
    """A dataset whose images show another grasp in each view."""
    folder = tmp_path_factory.mktemp("shown")
    trimesh.creation.box((0.06, 0.06, 0.12)).export(folder / "block.ply")
    config = GenerateConfig(
        object=(str(folder / "block.ply"),),
        around="nothing",
        grasps=5,
        scenes=1,
        shown_grasp="each",
        out=folder / "out",
        synthesis=QUICK,
        metrics=MetricsConfig(point_count=500),
        camera=CameraConfig(views=3, stereo=False, width=96, height=72),
        render=RenderConfig(samples_per_pixel=1, denoise=False, max_depth=2, variant="scalar_rgb"),
    )
    with open_run(config) as run:
        for stage in (settle_stage, synthesize_stage, place_stage):
            asyncio.run(stage(run))
        _lift(run.layout.scene_grasps("block", 0))
        asyncio.run(render_stage(run))
    return config


def _lift(path: Path) -> None:
    """Take all hands but two up from the table, which most grasps of so small a block pass."""
    table = read_scene_grasps(path)
    lifted = np.arange(len(table.hands)) > 1
    poses = table.grasps.T_world_palm.copy()
    poses[lifted, 2] += 0.15
    write_scene_grasps(replace(table, grasps=replace(table.grasps, T_world_palm=poses, collides=~lifted)), path)


def _opened(config: GenerateConfig, use) -> None:
    with open_run(config) as run:
        use(run)


@pytest.mark.slow
def test_grasps_are_ranked_by_how_they_hold_without_those_that_hit_the_table(dataset: GenerateConfig):
    def check(run: Run) -> None:
        ranked = ranked_grasps(run, "block", 0)
        table = read_grasps(run.layout.grasps("allegro", "block"))
        placed = read_scene_grasps(run.layout.scene_grasps("block", 0)).grasps
        assert len(ranked) == np.count_nonzero(~placed.collides) == 3
        rows = [int(np.flatnonzero(table.indices == grasp.grasp_index)[0]) for grasp in ranked]
        assert (np.diff(table.grasps.losses["escape"][rows]) >= 0).all()
        for grasp in ranked:
            mesh = posed_mesh(run.hands[0], grasp.T_world_palm, grasp.joint_positions)
            assert mesh.vertices[:, 2].min() >= 0.0

    _opened(dataset, check)


@pytest.mark.slow
def test_hands_are_labelled_like_objects_where_the_grasp_puts_them(dataset: GenerateConfig):
    def check(run: Run) -> None:
        ranked = ranked_grasps(run, "block", 0)
        folder = run.layout.renders("block", 0)
        said = json.loads(run.layout.shown_grasps("block", 0).read_text())
        assert list(said) == ["view_0000", "view_0001", "view_0002"]
        for number, (name, choice) in enumerate(said.items()):
            grasp = ranked[number % len(ranked)]
            assert choice == {"hand": "allegro", "grasp_index": grasp.grasp_index}
            frame = read_frame(folder / name)
            boxes = frame.channels["bounding_box_3d"]
            row = boxes.data[boxes.info["primPaths"].index(HAND_PATH)]
            assert boxes.info["idToLabels"][str(int(row["semanticId"]))] == {"class": "allegro"}
            instances = frame.channels["instance_segmentation"]
            (identifier,) = [key for key, path in instances.info["idToLabels"].items() if path == HAND_PATH]
            assert (instances.data == int(identifier)).mean() > 0.02
            vertices = posed_mesh(run.hands[0], grasp.T_world_palm, grasp.joint_positions).vertices
            corners = box_3d_corners(row)
            # The box is that of the hand's own frame; in the world it holds all of the posed hand.
            assert (vertices.min(axis=0) >= corners.min(axis=0) - 1e-4).all()
            assert (vertices.max(axis=0) <= corners.max(axis=0) + 1e-4).all()

    _opened(dataset, check)


def test_on_a_table_only_usable_grasps_are_shown(resting_config: GenerateConfig, resting_dataset: Path):
    def check(run: Run) -> None:
        table = read_grasps(run.layout.grasps("barrett", "block"))
        shown = 0
        for scene in range(4):
            placed = read_scene_grasps(run.layout.scene_grasps("block", scene))
            usable = placed.grasp_indices[placed.grasps.usable]
            ranked = [grasp.grasp_index for grasp in ranked_grasps(run, "block", scene)]
            assert sorted(ranked) == sorted(usable.tolist())
            escapes = table.grasps.losses["escape"][np.searchsorted(table.indices, ranked)]
            assert (np.diff(escapes) >= 0).all()
            shown += len(ranked)
        assert shown < sum(len(read_scene_grasps(path).hands) for path in run.layout.scene_tables("block"))

    _opened(replace(resting_config, out=resting_dataset), check)


@pytest.mark.slow
def test_scene_files_have_no_hand(dataset: GenerateConfig):
    text = (dataset.out / "scenes" / "block" / "scene_0000.usda").read_text()
    assert "Hand" not in text and "allegro" not in text


@pytest.mark.slow
def test_the_best_grasp_is_the_same_in_all_views_and_views_come_back_the_same(dataset: GenerateConfig, tmp_path: Path):
    def check(run: Run) -> None:
        stage = open_stage(run.layout.scene("block", 0))
        rigs = read_camera_rigs(stage)
        best = replace(run, config=replace(run.config, shown_grasp="best"))
        kept = tmp_path / "shown.json"
        shutil.copy(run.layout.shown_grasps("block", 0), kept)
        ((shown, views),) = stages_with_hands(best, "block", 0, stage, rigs)
        assert views == rigs and shown.GetPrimAtPath(HAND_PATH) and not stage.GetPrimAtPath(HAND_PATH)
        assert {s.owner.label for s in read_surfaces(shown) if s.owner} == {"table", "block", "allegro"}
        ((plain, views),) = stages_with_hands(
            replace(run, config=replace(run.config, shown_grasp="none")), "block", 0, stage, rigs
        )
        assert plain is stage and views == rigs
        shutil.copy(kept, run.layout.shown_grasps("block", 0))
        # A view that is missing is made again as it was, whatever the others.
        folder = run.layout.renders("block", 0) / "view_0001"
        before = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        shutil.rmtree(folder)
        asyncio.run(render_stage(run))
        assert {path.name: path.read_bytes() for path in sorted(folder.iterdir())} == before
        assert run.layout.shown_grasps("block", 0).read_bytes() == kept.read_bytes()

    _opened(dataset, check)


@pytest.mark.slow
def test_scenes_in_which_no_grasp_can_be_shown_are_named(dataset: GenerateConfig, tmp_path: Path, capsys):
    def check(run: Run) -> None:
        assert scenes_without_hand(run) == []
        table = read_scene_grasps(run.layout.scene_grasps("block", 0))
        count = len(table.hands)
        hidden = replace(table.grasps, collides=np.ones(count, dtype=bool))
        write_scene_grasps(replace(table, grasps=hidden), run.layout.scene_grasps("block", 0))
        shutil.rmtree(run.layout.renders("block", 0))
        asyncio.run(render_stage(run))
        assert scenes_without_hand(run) == ["block scene_0000"]

    copy = replace(dataset, out=tmp_path / "copy")
    shutil.copytree(dataset.out, copy.out)
    _opened(copy, check)
    # Seen through the command, too.
    run_stages(copy, ("render",), Console())
    assert "no hand shown where no grasp is usable: block scene_0000" in capsys.readouterr().out
