# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Who may talk to a page: its own browser tab; no other web page, no other machine."""

from __future__ import annotations

import socket

import pytest
import viser
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from omni_graspd.viewer.serve import page_server

_SPOKEN = [Subprotocol(f"viser-v{viser.__version__}")]


def _talks(address: str, origin: str | None) -> bool:
    """Return whether a WebSocket that a page of an origin opens is told anything."""
    try:
        with connect(
            address.replace("http://", "ws://"),
            origin=None if origin is None else Origin(origin),
            subprotocols=_SPOKEN,
            max_size=None,
        ) as page:
            return bool(page.recv(timeout=10.0))
    except InvalidStatus as refused:
        assert refused.response.status_code == 403
        return False


def test_other_web_pages_do_not_reach_a_page_of_this_machine(port: int) -> None:
    with page_server(port, "test") as (_, address):
        assert address == f"http://127.0.0.1:{port}"
        assert _talks(address, address)
        assert _talks(address, address.replace("127.0.0.1", "localhost"))
        # Another site, this machine under a stranger's name, a name that only begins like this machine's, a file.
        for other in ("https://example.com", f"http://rebound.example:{port}", "http://localhost.example", "null"):
            assert not _talks(address, other)


def test_other_machines_do_not_reach_the_page(port: int) -> None:
    with page_server(port, "test"), socket.socket() as other:
        # Every address of the loopback network but the one the page listens on stands for another machine.
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_a_viser_that_cannot_be_guarded_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from omni_graspd.errors import GraspdError

    monkeypatch.setattr(viser, "ViserServer", lambda *_, **__: None)
    with pytest.raises(GraspdError, match="install viser"), page_server(port, "test"):
        pass
