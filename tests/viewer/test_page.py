# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The page of `graspd inspect` in a real browser."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from omni_graspd.formats.projects.isaac_grasp import read_isaac_grasp
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.viewer.hand_page import HandPage
from omni_graspd.viewer.inspection_page import InspectionPage
from omni_graspd.viewer.serve import page_server

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_HARMLESS = ("THREE.Clock", "GPU stall", "GroupMarkerNotSet")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium on this machine")]


@pytest.fixture
def tab() -> Iterator[Any]:
    """A tab of a browser; complaints on its console fail the test at the end."""
    sync_api = pytest.importorskip("playwright.sync_api")
    errors = []
    with sync_api.sync_playwright() as playwright:
        drawing = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox", *drawing])
        opened = browser.new_page(viewport={"width": 800, "height": 500})
        opened.set_default_timeout(60_000)
        opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: errors.append(str(error)))
        yield opened
        browser.close()
    assert not [error for error in errors if not any(known in error for known in _HARMLESS)]


def _wait_for(condition: Callable[[], bool], tab: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        tab.wait_for_timeout(30)


def _drawn_colors(tab: Any, path: Path) -> int:
    """Keep a picture of the page and return how many colours its 3D part has."""
    tab.wait_for_timeout(1500)
    tab.screenshot(path=path)
    kept = os.environ.get("GRASPD_KEEP_SCREENSHOTS")
    if kept:
        shutil.copy(path, kept)
    with Image.open(path) as image:
        return len(np.unique(np.asarray(image.convert("RGB"))[100:480, 50:440].reshape(-1, 3), axis=0))


def test_a_dataset_is_looked_through_mended_decided_on_and_exported(
    session: Inspection, dataset: Path, port: int, tab: Any, run_on: Callable, tmp_path: Path
) -> None:
    with page_server(port, "test") as (server, address):
        page = InspectionPage(server, session)
        tab.goto(address)
        tab.get_by_text("barrett · block · 0").wait_for()
        assert _drawn_colors(tab, tmp_path / "first.png") > 200

        for number in range(1, 4):
            tab.get_by_role("button", name="Next").click()
            tab.get_by_text(f"barrett · block · {number}", exact=True).wait_for()
        tab.keyboard.press("p")
        tab.get_by_text("barrett · block · 2", exact=True).wait_for()

        tab.get_by_text("Trajectory", exact=True).click()
        tab.get_by_role("button", name="Record").click()
        _wait_for(lambda: page.trajectory.way is not None, tab)
        end = np.array(page.scene.link_nodes[0].position)
        tab.locator("xpath=//*[text()='way [%]']/following::*[@role='slider'][1]").press("Home")
        _wait_for(lambda: page.trajectory.step.content.startswith(f"step {page.trajectory.way.steps[0]} "), tab)
        assert np.linalg.norm(page.scene.link_nodes[0].position - end) > 1e-3
        assert _drawn_colors(tab, tmp_path / "trajectory.png") > 200

        pose = session.grasp.T_object_palm.copy()
        for _ in range(10):
            pose[:3] += 0.003
            run_on(server, page.form.drag_to(pose.copy()))
        np.testing.assert_allclose(page.scene.link_nodes[0].position, pose[:3], atol=1e-6)
        tab.get_by_role("button", name="Re-optimise").click()
        _wait_for(lambda: np.isfinite(session.posture.score), tab)
        _wait_for(lambda: f"{session.posture.score:.4g}" in page.figures.content, tab)
        assert _drawn_colors(tab, tmp_path / "formed.png") > 200

        for number in (3, 4, 5):
            tab.get_by_role("button", name="Accept", exact=True).click()
            tab.get_by_text(f"barrett · block · {number}", exact=True).wait_for()
        tab.get_by_role("button", name="Export accepted").click()
        tab.get_by_text("wrote").wait_for()
    record = read_isaac_grasp(dataset.with_name("set_accepted") / "isaac_grasp" / "barrett" / "block.yaml")[0]
    assert len(record.T_object_palm) == 3
    assert [verdict.verdict for _, verdict in session.decisions.items()] == ["accepted"] * 3


def test_contacts_cones_a_second_grasp_and_the_scene_are_drawn(
    session: Inspection, port: int, tab: Any, run_on: Callable, tmp_path: Path
) -> None:
    with page_server(port, "test") as (server, address):
        page = InspectionPage(server, session)
        tab.goto(address)
        tab.get_by_text("barrett · block · 0").wait_for()
        tab.get_by_text("friction cones and normals").click()
        tab.get_by_role("button", name="Pin beside").click()
        _wait_for(lambda: page.view.pinned is not None, tab)
        tab.get_by_role("button", name="Next").click()
        tab.get_by_text("barrett · block · 1", exact=True).wait_for()
        tab.get_by_text("Scene", exact=True).click()
        tab.get_by_role("textbox", name="scene").or_(tab.get_by_label("scene")).last.click()
        tab.get_by_text("scene 0").click()
        _wait_for(lambda: server.scene.get_handle_by_name("/scene/view_0000_left") is not None, tab)
        assert _drawn_colors(tab, tmp_path / "scene.png") > 300


def test_a_hand_alone_is_moved(port: int, tab: Any, tmp_path: Path) -> None:
    with page_server(port, "test") as (server, address):
        page = HandPage(server, "barrett")
        tab.goto(address)
        tab.get_by_text("no findings").or_(tab.get_by_text("joints, 4 actuated")).first.wait_for()
        before = page.followers.content
        tab.get_by_role("button", name="closed").click()
        _wait_for(lambda: page.followers.content != before, tab)
        tab.get_by_text("colliders", exact=True).click()
        tab.get_by_text("surface points", exact=True).click()
        assert _drawn_colors(tab, tmp_path / "hand.png") > 200
