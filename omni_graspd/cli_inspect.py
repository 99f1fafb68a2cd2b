# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd inspect``: grasps, or a hand alone, in a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.viewer.serve import page_server

if TYPE_CHECKING:
    from rich.console import Console

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""


def inspect(
    path: Path | None = None, hand: str = "", host: str = "127.0.0.1", port: int = 8080, device: str = "cpu"
) -> Action:
    """Look at grasps in a browser: see contacts, drag the palm and watch the grasp form anew, accept, reject, export.

    The dataset is never written to; decisions are kept in a file beside it. Ctrl-C ends.

    Args:
        path: Dataset folder, or s3://bucket/name.
        hand: A hand to look at instead of grasps: built-in name or USD file.
        host: Address to listen on. Others than this machine's are reached by other machines, with a token that is
            printed.
        port: Port; the next free one is taken where it is not free.
        device: Warp device.
    """
    if (path is None) == (not hand):
        given = "neither" if path is None else "both"
        raise GraspdError(f"expected a dataset folder or --hand, got {given}; for example graspd inspect graspd_out")
    if not 0 < port < 65535:
        raise GraspdError(f"expected --port between 1 and 65534, got {port}")
    return partial(_inspect, path, hand, host, port, device)


def parse_inspect(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd inspect`` ask for."""
    import tyro

    inspect.__annotations__["path"] = Annotated[Path | None, tyro.conf.arg(name="path"), tyro.conf.Positional]
    return tyro.cli(inspect, prog="graspd inspect", args=list(arguments))


def _inspect(path: Path | None, hand: str, host: str, port: int, device: str, console: Console) -> None:
    if path is None:
        from omni_graspd.viewer.hand_page import HandPage

        with page_server(host, port, f"graspd · {hand}") as (server, address):
            HandPage(server, hand)
            _wait(console, address)
        return
    from omni_graspd.viewer.inspection_page import InspectionPage

    root = local_dataset(path)
    session = Inspection(root, device)
    try:
        with page_server(host, port, f"graspd · {root.resolve().name}") as (server, address):
            InspectionPage(server, session)
            console.print(f"{session.catalog.count} grasps · decisions: {session.decisions.path}", soft_wrap=True)
            _wait(console, address)
    finally:
        session.close()


def _wait(console: Console, address: str) -> None:
    console.print(f"open {address} · Ctrl-C ends", soft_wrap=True, markup=False)
    while True:
        time.sleep(3600.0)
