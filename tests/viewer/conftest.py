# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A small dataset with a scene, and a page on it without a browser."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from small_dataset import QUICK, small_config

from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.rendering.cameras import CameraConfig

if TYPE_CHECKING:
    from omni_graspd.viewer.inspection_page import InspectionPage

pytest.importorskip("viser")


@pytest.fixture(scope="session")
def shown_dataset(tmp_path_factory) -> Path:
    """Eight grasps of a block by the Barrett hand, a scene with two small stereo views."""
    config = small_config(
        tmp_path_factory.mktemp("shown"),
        grasps=8,
        seed=3,
        synthesis=replace(QUICK, iterations=40),
        camera=CameraConfig(views=2, width=64, height=48),
    )
    asyncio.run(generate(config))
    return config.out


@pytest.fixture
def dataset(shown_dataset: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(shown_dataset, tmp_path / "set"))


@pytest.fixture
def session(dataset: Path) -> Iterator[Inspection]:
    opened = Inspection(dataset)
    yield opened
    opened.close()


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture
def run_on() -> Callable[[Any, Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine on a server's event loop and waits for it."""
    return lambda server, work: asyncio.run_coroutine_threadsafe(work, server.get_event_loop()).result(120.0)


@pytest.fixture
def page(session: Inspection, port: int, run_on: Callable) -> Iterator[InspectionPage]:
    """A page that shows the first grasp of the dataset."""
    from omni_graspd.viewer.inspection_page import InspectionPage
    from omni_graspd.viewer.serve import page_server

    with page_server(port, "test") as (server, _):
        shown = InspectionPage(server, session)
        run_on(server, shown.show_selected())
        yield shown
