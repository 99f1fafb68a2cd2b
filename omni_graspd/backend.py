# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The seam: what needs a simulator, or its way to servers. Everything else in this library is written once."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from omni_graspd.addresses import server_address, unreachable_file, unreachable_folder
from omni_graspd.errors import GraspdError
from omni_graspd.full_install import require_installed

if TYPE_CHECKING:
    # Imported where they are used: what opens a dataset asks here for its store, and takes no USD.
    import pyarrow.fs as pafs
    from pxr import Usd

    from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
    from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult

BackendName = Literal["auto", "standalone", "kit"]


@dataclass(frozen=True)
class Backend:
    """A pair of simulator operations. Both are awaitable, since Kit's main loop must never block."""

    name: str
    """Name of the backend."""
    simulate: Callable[[Usd.Stage, SimulateConfig], Awaitable[SimulateResult]]
    """Step the stage's rigid bodies until they rest, and move what is animated; the stage is not changed."""
    render: Callable[[Usd.Stage, list[CameraRig], RenderConfig], AsyncIterator[Frame]]
    """Yield one frame per camera: rigs in order, left before right; the stage is not changed."""
    choose_renderer: Callable[[RenderConfig], tuple[str, str]]
    """Return which renderer ``render`` takes on this machine, and why. Different renderers make different noise."""


def load_backend(name: BackendName = "auto") -> Backend:
    """Load a backend by name.

    Args:
        name: ``"standalone"`` (ovphysx and Mitsuba), ``"kit"`` (omni.physx and Replicator, inside Isaac Sim only), or
            ``"auto"``, which takes Kit's inside Kit.

    Raises:
        GraspdError: If the name is unknown, or Kit's is asked for outside Kit.
    """
    if name == "auto":
        name = "kit" if _is_inside_kit() else "standalone"
    if name == "kit":
        return _kit()
    if name == "standalone":
        return _standalone()
    raise GraspdError(f"expected backend to be 'auto', 'standalone' or 'kit', got {name!r}")


def local_asset(asset: str) -> str:
    """Return a local copy of a hand or object that is given by its address; names, files and globs stay as they are.

    Args:
        asset: What the user typed.

    Raises:
        GraspdError: If it is an address, and cannot be fetched: outside Kit, or because it is not there.
    """
    address = server_address(asset)
    if address is None:
        return asset
    if not _is_inside_kit():
        raise unreachable_file(address)
    from omni_graspd.kit.addresses import copy_with_references

    return str(copy_with_references(address))


def open_store(address: str) -> tuple[pafs.FileSystem, str]:
    """Return the file system of a dataset that lies elsewhere, and the dataset's folder in it.

    Args:
        address: Address: ``s3://``, ``gs://``; inside Kit also ``omniverse://`` and ``https://``.

    Raises:
        GraspdError: If it is one of the latter, outside Kit.
    """
    if server_address(address) is None:
        import pyarrow.fs as pafs

        return pafs.FileSystem.from_uri(address)
    if not _is_inside_kit():
        raise unreachable_folder(address)
    from omni_graspd.kit.client_files import open_client_store

    return open_client_store(address)


def _is_inside_kit() -> bool:
    # Kit has this module loaded before anything of ours; outside it may be installed, but there is no application.
    return "omni.kit.app" in sys.modules


def _standalone() -> Backend:
    require_installed("ovphysx", "simulation")
    require_installed("mitsuba", "rendering")
    from omni_graspd.standalone.mitsuba_variant import choose_variant
    from omni_graspd.standalone.render import render
    from omni_graspd.standalone.simulate import simulate

    def choose_renderer(config: RenderConfig) -> tuple[str, str]:
        variant = choose_variant(config.variant)
        return variant.name, variant.reason

    return Backend("standalone", simulate, render, choose_renderer)


def _kit() -> Backend:
    if not _is_inside_kit():
        raise GraspdError("backend 'kit' runs only inside Isaac Sim; run graspd there, or choose 'standalone'")
    from omni_graspd.kit.render import choose_renderer, render
    from omni_graspd.kit.simulate import simulate

    return Backend("kit", simulate, render, choose_renderer)
