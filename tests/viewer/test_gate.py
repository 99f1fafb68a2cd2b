# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Who may talk to a page: its own browser tab; over the network, who knows the token; no other web page."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.cookiejar import CookieJar

import pytest
import viser
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from omni_graspd.viewer.serve import page_server

_SPOKEN = [Subprotocol(f"viser-v{viser.__version__}")]


def _talks(address: str, origin: str | None, cookie: str = "") -> bool:
    """Return whether a WebSocket that a page of an origin opens is told anything."""
    try:
        with connect(
            address.replace("http://", "ws://").partition("/?")[0],
            origin=None if origin is None else Origin(origin),
            subprotocols=_SPOKEN,
            additional_headers={"Cookie": cookie} if cookie else None,
            max_size=None,
        ) as socket:
            return bool(socket.recv(timeout=10.0))
    except InvalidStatus as refused:
        assert refused.response.status_code == 403
        return False


def test_nobody_without_the_token_gets_through(port: int) -> None:
    with page_server("0.0.0.0", port, "test") as (_, address):
        assert f":{port}/?token=" in address and "0.0.0.0" not in address
        local = f"http://127.0.0.1:{port}/?{address.partition('?')[2]}"
        base = local.partition("?")[0]
        for wrong in (base, f"{base}?token=guess", f"{base}?token="):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(wrong, timeout=10.0)
            assert refused.value.code == 403
        asked = urllib.request.Request(base, headers={"Cookie": "graspd_token=guess"})
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(asked, timeout=10.0)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with opener.open(local, timeout=10.0) as page:
            assert b"<html" in page.read().lower()


def test_other_web_pages_do_not_reach_a_page_of_this_machine(port: int) -> None:
    with page_server("127.0.0.1", port, "test") as (_, address):
        assert address == f"http://127.0.0.1:{port}"
        assert _talks(address, address)
        assert _talks(address, address.replace("127.0.0.1", "localhost"))
        # Another site, this machine under a stranger's name, a name that only begins like this machine's, a file.
        for other in ("https://example.com", f"http://rebound.example:{port}", "http://localhost.example", "null"):
            assert not _talks(address, other)


def test_other_web_pages_do_not_get_around_the_gate(port: int) -> None:
    with page_server("0.0.0.0", port, "test") as (server, address):
        token = address.partition("token=")[2]
        outside, inside = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{server.get_port()}"
        cookie = f"graspd_token={token}"
        assert _talks(outside, outside, cookie)
        assert not _talks(outside, outside, "graspd_token=guess")
        assert not _talks(outside, f"http://127.0.0.1:{port + 9}", cookie)
        for origin in (None, inside, outside, "https://example.com"):
            assert not _talks(inside, origin)


def test_a_viser_that_cannot_be_guarded_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from omni_graspd.errors import GraspdError

    monkeypatch.setattr(viser, "ViserServer", lambda *_, **__: None)
    with pytest.raises(GraspdError, match="install viser"), page_server("127.0.0.1", port, "test"):
        pass
