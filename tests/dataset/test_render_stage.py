# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The render stage over noise instead of a renderer: resumes, kills, threads, lists of the images.

Run as a program, it is the run that the tests kill; it hangs at its last image: test_render_stage.py FOLDER
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from omni_graspd.atomic import PARTIAL_PREFIX, remove_leftovers
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.stages.render_stage import render_stage
from omni_graspd.rendering.annotator_data import AnnotatorData
from omni_graspd.rendering.cameras import CameraConfig, author_cameras
from omni_graspd.rendering.frame import Frame, RenderConfig
from omni_graspd.usd.stage import create_stage, save_stage

SCENES, VIEWS, HEIGHT, WIDTH = 2, 6, 96, 128
ANNOTATORS = ("rgb", "distance_to_camera", "instance_segmentation")
LAST_CAMERA = f"/World/Cameras/view_{VIEWS - 1:04d}/right"
PATHS = {"0": "BACKGROUND", "1": "UNLABELLED", "2": "/World/Object", "3": "/World/Table"}


def _frame(path: str, seed: int) -> Frame:
    rng = np.random.default_rng([seed, *path.encode()])
    ids = rng.integers(0, 4, (HEIGHT, WIDTH), dtype=np.uint32)
    semantics = {key: {"class": name.rsplit("/", 1)[-1]} for key, name in PATHS.items()}
    channels = {
        "rgb": AnnotatorData(rng.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8), {}),
        "distance_to_camera": AnnotatorData(rng.random((HEIGHT, WIDTH), dtype=np.float32), {}),
        "instance_segmentation": AnnotatorData(ids, {"idToLabels": PATHS, "idToSemantics": semantics}),
    }
    return Frame(path, channels)


def _run(out: Path, rendered: list[str], stereo: bool, hangs: bool, options: dict[str, Any]) -> SimpleNamespace:
    """Return a run over a folder with scenes; ``rendered`` collects the cameras, the last of which may hang."""
    camera = CameraConfig(views=VIEWS, stereo=stereo, width=WIDTH, height=HEIGHT)
    layout = DatasetLayout(out)
    for index in range(SCENES):
        path = layout.scene("block", index)
        if not path.is_file():
            stage = create_stage("World", path)
            author_cameras(stage, np.zeros(3), camera, 0, "block", index)
            save_stage(stage, path)
    layout.object("block").parent.mkdir(exist_ok=True)
    layout.object("block").touch()

    async def render(stage: Any, rigs: Any, config: RenderConfig) -> AsyncIterator[Frame]:
        for rig in rigs:
            for path in rig.camera_paths:
                is_last = path == LAST_CAMERA and stage.GetRootLayer().identifier.endswith("scene_0001.usda")
                await asyncio.sleep(3600 if hangs and is_last else 0)
                rendered.append(path)
                yield _frame(path, config.seed)

    return SimpleNamespace(
        layout=layout,
        objects=[SimpleNamespace(name="block")],
        device="cpu",
        backend=SimpleNamespace(name="standalone", render=render),
        config=SimpleNamespace(
            executor="local",
            seed=0,
            scenes=SCENES,
            camera=camera,
            shown_grasp="none",
            render=RenderConfig(annotators=ANNOTATORS, **options),
        ),
        finish_stage=lambda: None,
        send=lambda every: None,
    )


def _render(out: Path, stereo: bool = True, hangs: bool = False, **options: Any) -> list[str]:
    """Render what is missing; return the cameras that were rendered."""
    rendered: list[str] = []
    asyncio.run(render_stage(_run(out, rendered, stereo, hangs, options)))
    return rendered


def _resume(out: Path, hangs: bool = False) -> None:
    remove_leftovers(out)  # as open_dataset does
    _render(out, hangs=hangs, writer_threads=3, index=True, coco=True)


def _digests(root: Path) -> dict[str, str]:
    """Return the hash of each file that has its final name, but for the one that says how long things took."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if (
            path.name != "shards.jsonl"
            and path.is_file()
            and not any(part.startswith(PARTIAL_PREFIX) for part in name.parts)
        ):
            found[str(name)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> dict[str, str]:
    """The files of a run in one go with one thread."""
    out = tmp_path_factory.mktemp("unbroken")
    _render(out, writer_threads=1, index=True, coco=True)
    return _digests(out)


def test_the_stage_writes_every_view_and_both_lists(unbroken):
    pictures = [name for name in unbroken if name.endswith("rgb_0000.png")]
    assert len(pictures) == SCENES * VIEWS * 2
    assert {"coco.json", "images.json"} < set(unbroken)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_do_not_change_the_files(unbroken, tmp_path, threads):
    _render(tmp_path, writer_threads=threads, index=True, coco=True)
    assert _digests(tmp_path) == unbroken


def _stopped(out: Path, file_count: int, number: signal.Signals) -> int:
    """Start this file as a program and stop it as soon as there are so many files; return its exit code."""
    process = subprocess.Popen([sys.executable, __file__, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while sum(len(files) for _, _, files in os.walk(out / "renders")) < file_count:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.001)
    finally:
        process.send_signal(number)
        process.communicate()
    return process.returncode


@pytest.mark.slow
def test_kills_leave_no_partial_file_and_the_resumed_run_ends_like_an_unbroken_one(unbroken, tmp_path):
    files_in_all = sum(name.startswith("renders/") for name in unbroken)
    for share in (0.02, 0.4, 0.75):
        assert _stopped(tmp_path, int(share * files_in_all), signal.SIGKILL) == -signal.SIGKILL
        present = _digests(tmp_path)
        assert present.items() <= unbroken.items()
        assert "coco.json" not in present
    _resume(tmp_path)
    assert _digests(tmp_path) == unbroken
    assert not list(tmp_path.rglob(f"{PARTIAL_PREFIX}*"))


@pytest.mark.slow
def test_ctrl_c_leaves_no_partial_file_at_all(unbroken, tmp_path):
    files_in_all = sum(name.startswith("renders/") for name in unbroken)
    assert _stopped(tmp_path, files_in_all // 3, signal.SIGINT) == 130
    assert not list(tmp_path.rglob(f"{PARTIAL_PREFIX}*"))
    present = _digests(tmp_path)
    assert present.items() < unbroken.items()
    views = (tmp_path / "renders").glob("*/*/*")
    assert all(sorted(eye.name for eye in view.iterdir()) == ["left", "right"] for view in views)


@pytest.mark.parametrize("missing", ["rgb_0000.png", "instance_segmentation_mapping_0000.json"])
def test_a_view_with_a_file_missing_is_rendered_again_and_no_other(unbroken, tmp_path, missing):
    _render(tmp_path, index=True, coco=True)
    (tmp_path / "renders/block/scene_0001/view_0003/right" / missing).unlink()
    rendered = _render(tmp_path, index=True, coco=True)
    assert rendered == [f"/World/Cameras/view_0003/{eye}" for eye in ("left", "right")]
    assert _digests(tmp_path) == unbroken


def test_lists_are_made_later_without_rendering(unbroken, tmp_path):
    assert len(_render(tmp_path)) == SCENES * VIEWS * 2
    assert not (tmp_path / "coco.json").exists()
    assert _render(tmp_path, index=True, coco=True) == []
    assert _digests(tmp_path) == unbroken


def test_a_mono_view_has_its_files_in_its_own_folder(tmp_path):
    assert len(_render(tmp_path, stereo=False)) == SCENES * VIEWS
    assert (tmp_path / "renders/block/scene_0000/view_0000/rgb_0000.png").is_file()
    assert _render(tmp_path, stereo=False) == []


if __name__ == "__main__":
    # Shells start programs in the background with Ctrl-C switched off.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _resume(Path(sys.argv[1]), hangs=True)
    except KeyboardInterrupt:
        sys.exit(130)
