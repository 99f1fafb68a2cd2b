# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The seam: the two operations that need a simulator. Everything else in this library is written once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from pxr import Usd

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult

BackendName = Literal["auto", "standalone"]


@dataclass(frozen=True)
class Backend:
    """A pair of simulator operations. Both are awaitable, since Kit's main loop must never block."""

    name: str
    """Name of the backend."""
    simulate: Callable[[Usd.Stage, SimulateConfig], Awaitable[SimulateResult]]
    """Step the stage's rigid bodies until they rest; the stage is not changed."""
    render: Callable[[Usd.Stage, list[CameraRig], RenderConfig], AsyncIterator[Frame]]
    """Yield one frame per camera: rigs in order, left before right; the stage is not changed."""
    choose_renderer: Callable[[RenderConfig], tuple[str, str]]
    """Return which renderer ``render`` takes on this machine, and why. Different renderers make different noise."""


def load_backend(name: BackendName = "auto") -> Backend:
    """Load a backend by name.

    Args:
        name: ``"standalone"`` (ovphysx and Mitsuba), or ``"auto"``, which picks it.

    Raises:
        GraspdError: If the name is unknown.
    """
    if name in ("auto", "standalone"):
        from omni_graspd.standalone.mitsuba_variant import choose_variant
        from omni_graspd.standalone.render import render
        from omni_graspd.standalone.simulate import simulate

        def choose_renderer(config: RenderConfig) -> tuple[str, str]:
            variant = choose_variant(config.variant)
            return variant.name, variant.reason

        return Backend("standalone", simulate, render, choose_renderer)
    raise GraspdError(f"expected backend to be 'auto' or 'standalone', got {name!r}")
