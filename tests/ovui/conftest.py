# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel in NVIDIA's own omni.ui, without Kit: run by ``.ci/ovui``, skipped elsewhere."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


def _lacking() -> str | None:
    """Return what is missing to draw with omni.ui; importing it without would end the process."""
    if sys.version_info[:2] != (3, 12) or importlib.util.find_spec("_ovui_imgui_preload") is None:
        return "needs ovui, which is there for Python 3.12 only: run .ci/ovui"
    if not os.environ.get("GRASPD_OVUI"):
        return "needs a Vulkan driver and libcuda, or what stands in for it: run .ci/ovui"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip all tests of this folder where omni.ui cannot be drawn."""
    reason = _lacking()
    if reason:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def screen(request: pytest.FixtureRequest) -> Iterator[None]:
    """A screen of the size of the test's parameter, or a small one: a processor draws, and each pixel costs time."""
    import omni.ui as ui
    import omni.ui.testing  # noqa: F401  real modules have to be there before Kit's stand-ins

    ui.init("Grasp'D", *getattr(request, "param", (470, 800)))
    yield
    ui.shutdown()


@pytest.fixture
def kit(screen) -> Iterator:
    """Kit's stand-ins around the real omni.ui."""
    from kit_stubs import installed_stubs

    with installed_stubs("6.0", real_ui=True) as installed:
        yield installed
