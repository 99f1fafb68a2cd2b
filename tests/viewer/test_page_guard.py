# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Who may talk to a page: a tab with the address that was printed; no other user, web page or machine."""

from __future__ import annotations

import re
import socket
import urllib.request
from urllib.error import HTTPError

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
        assert re.fullmatch(rf"http://127\.0\.0\.1:{port}/[\w-]{{32}}/", address)
        own = f"http://127.0.0.1:{port}"
        assert _talks(address, own)
        assert _talks(address, own.replace("127.0.0.1", "localhost"))
        # Another site, this machine under a stranger's name, a name that only begins like this machine's, a file.
        for other in ("https://example.com", f"http://rebound.example:{port}", "http://localhost.example", "null"):
            assert not _talks(address, other)


def _status(address: str) -> int:
    """Return how a request for a page is answered."""
    try:
        with urllib.request.urlopen(address, timeout=10.0) as answer:
            assert b"<!doctype html>" in answer.read(100)
            return answer.status
    except HTTPError as refused:
        return refused.code


def test_neither_page_nor_socket_is_served_without_the_token(port: int) -> None:
    with page_server(port, "test") as (_, address):
        root, token = f"http://127.0.0.1:{port}", address.split("/")[3]
        assert _status(address) == _status(f"{root}/{token}/index.html") == _status(f"{root}/{token}?x=1") == 200
        wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
        for path in ("", "/", "/index.html", f"/{wrong}/", f"/{token}x/", f"/x/{token}/", f"/?{token}", "/%00/", "//"):
            assert _status(root + path) == 403
            assert not _talks(root + path, root)
            assert not _talks(root + path, None)
        assert _talks(f"{root}/{token}", None)


def test_each_page_has_a_token_of_its_own(port: int) -> None:
    with page_server(port, "one") as (_, one), page_server(port, "two") as (_, two):
        assert one.split("/")[3] != two.split("/")[3]
        assert _status(two.replace(two.split("/")[3], one.split("/")[3])) == 403


def test_other_machines_do_not_reach_the_page(port: int) -> None:
    with page_server(port, "test"), socket.socket() as other:
        # Every address of the loopback network but the one the page listens on stands for another machine.
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_a_viser_that_cannot_be_guarded_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from omni_graspd.errors import GraspdError

    monkeypatch.setattr(viser, "ViserServer", lambda *_, **__: None)
    with pytest.raises(GraspdError, match="install viser"), page_server(port, "test"):
        pass
