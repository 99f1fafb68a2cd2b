# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd inspect``: grasps, or a hand alone, in a browser."""

from __future__ import annotations

import os
import socket
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.cli.console import Action, progress_bar
from omni_graspd.cli.convert import show_losses
from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.dataset.selection import Selection
from omni_graspd.errors import GraspdError
from omni_graspd.inspection.opened import is_dataset, open_grasps
from omni_graspd.plural import counted
from omni_graspd.progress import no_progress
from omni_graspd.viewer.serve import page_server

if TYPE_CHECKING:
    from rich.console import Console


def inspect(
    path: Annotated[Path | None, tyro.conf.Positional] = None,
    hand: str = "",
    object_: Annotated[Path | None, tyro.conf.arg(name="object")] = None,
    where: str = "",
    top: int | None = None,
    by: str = "",
    port: int = 8080,
    device: str = "cpu",
) -> Action:
    """Inspect grasps in a browser: view contacts, drag the palm and watch the grasp adapt, accept, reject, export.

    The dataset is never changed; decisions are kept in a file beside it. Press Ctrl-C to stop.

    Args:
        path: Dataset folder, s3://bucket/name, or any grasp file that graspd convert reads.
        hand: Hand to show on its own, by name or USD file; with a grasp file, the hand of its grasps if the file names
            none.
        object_: Mesh or USD file of a grasp file's object, or a folder of objects, if the file does not name it.
        where: Show only grasps that meet a condition on the columns, for example "usable and epsilon > 0.2".
        top: Show only the best grasps of each hand and object.
        by: Column to rank grasps by. Default: the ranking score.
        port: Port; if it is taken, the next free one is used.
        device: Device that computes grasps: cpu or cuda:0.
    """
    if path is None and not hand:
        raise GraspdError(
            "graspd inspect needs a dataset folder, a grasp file or --hand, for example: graspd inspect graspd_out"
        )
    if path is None and object_ is not None:
        raise GraspdError(f"--object {object_} needs a grasp file; name the file that holds its grasps")
    if not 0 < port < 65536:
        raise GraspdError(f"expected --port between 1 and 65535, got {port}")
    if path is None:
        return partial(_inspect_hand, hand, port)
    return partial(_inspect, path, hand, object_, Selection(where, top, by), port, device)


def _inspect_hand(hand: str, port: int, console: Console) -> None:
    from omni_graspd.viewer.hand_page import HandPage

    with page_server(port, f"graspd · {hand}") as (server, address):
        HandPage(server, hand)
        _wait(console, address)


def _inspect(
    path: Path,
    hand: str,
    object_path: Path | None,
    selection: Selection,
    port: int,
    device: str,
    console: Console,
) -> None:
    from omni_graspd.viewer.inspection_page import InspectionPage

    root = local_dataset(path)
    # Of a dataset nothing is read beforehand that would take a bar.
    bar = nullcontext(no_progress) if is_dataset(root) else progress_bar(console, "read", "file")
    with bar as progress:
        session, conversion = open_grasps(
            root,
            hand=hand,
            object_path=object_path,
            device=device,
            selection=selection,
            progress=progress,
        )
    try:
        if conversion is not None:
            console.print(f"read as {conversion.from_name} ({conversion.reason})", soft_wrap=True, markup=False)
            show_losses(conversion, console)
        with page_server(port, f"graspd · {session.source.resolve().name}") as (server, address):
            InspectionPage(server, session)
            console.print(
                f"{counted(session.catalog.count, 'grasp')} · decisions: {session.decisions.path}", soft_wrap=True
            )
            _wait(console, address)
    finally:
        session.close()


def _wait(console: Console, address: str) -> None:
    console.print(f"open {address} · Ctrl-C to stop", soft_wrap=True, markup=False)
    if "SSH_CONNECTION" in os.environ:
        inner = address.removeprefix("http://").partition("/")[0]
        tunnel = f"ssh -L {inner.partition(':')[2]}:{inner} {socket.gethostname()}"
        console.print(
            f"from another machine: run {tunnel} there and open the same address", soft_wrap=True, markup=False
        )
    while True:
        time.sleep(3600.0)
