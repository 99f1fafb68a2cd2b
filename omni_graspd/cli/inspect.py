# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd inspect``: grasps, or a hand alone, in a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from omni_graspd.cli.console import progress_bar
from omni_graspd.cli.convert import show_losses
from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.inspection.opened import open_grasps
from omni_graspd.viewer.serve import page_server

if TYPE_CHECKING:
    from rich.console import Console

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""


def inspect(
    path: Path | None = None,
    hand: str = "",
    object_: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    device: str = "cpu",
) -> Action:
    """Look at grasps in a browser: see contacts, drag the palm and watch the grasp form anew, accept, reject, export.

    What is looked at is never written to; decisions are kept in a file beside it. Ctrl-C ends.

    Args:
        path: Dataset folder, s3://bucket/name, or grasp file of another project (as for graspd convert).
        hand: A hand to look at without grasps, by built-in name or USD file; with a grasp file, the hand it is about,
            where the file does not say.
        object_: Mesh or USD file of the object of a grasp file, or a folder of objects, where the file does not say.
        host: Address to listen on. Others than this machine's are reached by other machines, with a token that is
            printed.
        port: Port; the next free one is taken where it is not free.
        device: Warp device.
    """
    if path is None and not hand:
        raise GraspdError(
            "expected a dataset folder, a grasp file or --hand, got none; for example graspd inspect graspd_out"
        )
    if path is None and object_ is not None:
        raise GraspdError(f"expected a grasp file with --object, got {object_} alone; name the file of its grasps")
    if not 0 < port < 65535:
        raise GraspdError(f"expected --port between 1 and 65534, got {port}")
    if path is None:
        return partial(_inspect_hand, hand, host, port)
    return partial(_inspect, path, hand, object_, host, port, device)


def parse_inspect(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd inspect`` ask for."""
    import tyro

    inspect.__annotations__ |= {
        "path": Annotated[Path | None, tyro.conf.arg(name="path"), tyro.conf.Positional],
        "object_": Annotated[Path | None, tyro.conf.arg(name="object")],
    }
    return tyro.cli(inspect, prog="graspd inspect", args=list(arguments))


def _inspect_hand(hand: str, host: str, port: int, console: Console) -> None:
    from omni_graspd.viewer.hand_page import HandPage

    with page_server(host, port, f"graspd · {hand}") as (server, address):
        HandPage(server, hand)
        _wait(console, address)


def _inspect(
    path: Path, hand: str, object_path: Path | None, host: str, port: int, device: str, console: Console
) -> None:
    from omni_graspd.viewer.inspection_page import InspectionPage

    with progress_bar(console, "read", "files") as progress:
        session, conversion = open_grasps(
            local_dataset(path), hand=hand, object_path=object_path, device=device, progress=progress
        )
    try:
        if conversion is not None:
            console.print(f"read as {conversion.from_name} ({conversion.reason})", soft_wrap=True, markup=False)
            show_losses(conversion, console)
        with page_server(host, port, f"graspd · {session.source.resolve().name}") as (server, address):
            InspectionPage(server, session)
            console.print(f"{session.catalog.count} grasps · decisions: {session.decisions.path}", soft_wrap=True)
            _wait(console, address)
    finally:
        session.close()


def _wait(console: Console, address: str) -> None:
    console.print(f"open {address} · Ctrl-C ends", soft_wrap=True, markup=False)
    while True:
        time.sleep(3600.0)
