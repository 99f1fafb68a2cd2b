# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A server for a page: on this machine only, or behind a gate."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING

from omni_graspd.errors import GraspdError
from omni_graspd.viewer.gate import gate_origin, new_token, open_gate
from omni_graspd.viewer.origins import is_local_origin, welcoming

if TYPE_CHECKING:
    import viser

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
"""Addresses that other machines do not reach."""


@contextmanager
def page_server(host: str, port: int, label: str) -> Iterator[tuple[viser.ViserServer, str]]:
    """Start a server; what asks for it from another machine has to know a token.

    Args:
        host: Address to listen on.
        port: Port; the next free one is taken where it is not free.
        label: Title of the page.

    Yields:
        The server, and the address to open in a browser.

    Raises:
        GraspdError: If viser is not installed or the address cannot be had.
    """
    if find_spec("viser") is None:
        raise GraspdError(
            "expected viser for pages in a browser, got none; install it with `pip install 'omni-graspd[inspect]'`"
        )
    import viser

    is_local = host in LOCAL_HOSTS
    token = new_token()
    # Behind the gate, what the gate passes on names an origin that nobody else knows.
    is_welcome = is_local_origin if is_local else lambda origin: origin == gate_origin(token)
    try:
        # It prints its own address, which is not the gate's.
        with redirect_stdout(io.StringIO()), welcoming(is_welcome):
            server = viser.ViserServer("127.0.0.1", port if is_local else port + 1, label=label, verbose=False)
    except OSError as error:
        raise GraspdError(f"expected to listen on {host}:{port}, got {error}; choose another --port") from error
    try:
        if is_local:
            yield server, f"http://127.0.0.1:{server.get_port()}"
            return
        gate = asyncio.run_coroutine_threadsafe(
            open_gate(host, port, server.get_port(), token), server.get_event_loop()
        )
        try:
            gate.result(timeout=10.0)
        except OSError as error:
            raise GraspdError(
                f"expected to listen on {host}:{port}, got {error}; choose another --host or --port"
            ) from error
        yield server, f"http://{_reachable_name(host)}:{port}/?token={token}"
    finally:
        with redirect_stdout(io.StringIO()):
            server.stop()


def _reachable_name(host: str) -> str:
    """Return what others type to reach an address that is listened on."""
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
