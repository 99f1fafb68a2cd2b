# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of docs/inspection.md: a palm is dragged on the page of `graspd inspect`, and the grasp forms anew.

    python docs/record_inspection.py graspd_out --row 2

Needs Playwright and a Chromium; writes docs/images/inspection.webp (animated) and docs/images/inspection.jpg.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import shutil
from pathlib import Path

import numpy as np

from omni_graspd.inspection.inspection import Inspection
from omni_graspd.viewer.inspection_page import InspectionPage
from omni_graspd.viewer.serve import page_server

_BROWSER = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
_AWAY = np.array([0.0, 0.035, 0.02])
_DRAG_FRAMES, _FRAME_MS = 14, 140


def main() -> None:
    """Open the page, drag, release, and keep what the browser shows."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--row", type=int, default=0, help="place of the grasp in the list")
    parser.add_argument("--images", type=Path, default=Path(__file__).parent / "images")
    options = parser.parse_args()
    session = Inspection(options.dataset)
    session.select(options.row)
    with page_server(8350, "graspd inspect") as (server, address), sync_playwright() as playwright:
        page = InspectionPage(server, session)
        tab = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_BROWSER).new_page(
            viewport={"width": 1200, "height": 760}
        )
        tab.set_default_timeout(180_000)
        tab.goto(address)
        tab.get_by_role("heading", name="·").wait_for()
        tab.wait_for_timeout(3000)
        tab.locator(".mantine-Notification-closeButton").first.click()  # software rendering is meant here

        def shot() -> Image.Image:
            tab.wait_for_timeout(350)
            return Image.open(io.BytesIO(tab.screenshot())).convert("RGB")

        def run(work) -> None:
            asyncio.run_coroutine_threadsafe(work, server.get_event_loop()).result()

        frames = [shot()]
        run(session.prepare())
        start = session.grasp.T_object_palm.copy()
        for share in np.linspace(0.0, 1.0, _DRAG_FRAMES):
            pose = start.copy()
            pose[:3] += share * _AWAY
            run(page.form.drag_to(pose))
            page.form.gizmo.position = pose[:3]
            frames.append(shot())
        run(page.form.form_anew(pose))
        tab.wait_for_timeout(6000)  # a slow browser draws the heat map late
        frames.append(shot())
        frames[-1].save(options.images / "inspection.jpg", quality=85)
    session.close()
    small = [frame.resize((900, 570), Image.Resampling.LANCZOS) for frame in frames]
    durations = [900, *[_FRAME_MS] * (len(small) - 2), 1800]
    small[0].save(
        options.images / "inspection.webp",
        save_all=True,
        append_images=small[1:],
        duration=durations,
        loop=0,
        quality=70,
    )


if __name__ == "__main__":
    main()
