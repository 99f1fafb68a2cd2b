# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A gate before a page that other machines may reach: who does not know the token gets nothing through.

viser asks nobody who they are. So it listens on this machine only, and the gate on the address that was asked for; it
looks at the head of each connection's first request and passes the connection on, byte by byte, where it carries the
token: once in the address (``/?token=...``), from then on in a cookie. To the page behind it the gate names an origin
made of the token, so that a WebSocket that goes around the gate is refused there.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets

_HEAD_SIZE = 1 << 16
_HEAD_SECONDS = 10.0
_COOKIE = "graspd_token"
_REFUSED = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 41\r\nConnection: close\r\n\r\n"
    b"open the address that graspd has printed\n"
)


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(24)


def gate_origin(token: str) -> str:
    """Return the origin that the gate names to the page behind it; nobody else can name it."""
    return f"http://{token}"


async def open_gate(host: str, port: int, inner_port: int, token: str) -> asyncio.Server:
    """Listen on an address and pass on to a port of this machine what carries the token.

    Args:
        host: Address to listen on.
        port: Port to listen on.
        inner_port: Port of the page on 127.0.0.1.
        token: The token.

    Raises:
        OSError: If the address cannot be had.
    """

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _admit(reader, writer, inner_port, token)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(passed, host, port, limit=_HEAD_SIZE)


async def _admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inner_port: int, token: str) -> None:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_SECONDS)
    request = head.split(b"\r\n", 1)[0].decode("latin-1")
    if _is(token, re.search(r"[?&]token=([\w-]+)", request)):
        cookie = f"Set-Cookie: {_COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
        answer = f"HTTP/1.1 302 Found\r\nLocation: /\r\n{cookie}\r\n"
        writer.write(f"{answer}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        return
    cookie = re.search(rf"{_COOKIE}=([\w-]+)", _header(head, "cookie"))
    origin = _header(head, "origin").rpartition("://")[2]
    # Browsers send cookies along from pages of other ports of the same host, too.
    if not _is(token, cookie) or (origin and origin != _header(head, "host")):
        writer.write(_REFUSED)
        await writer.drain()
        return
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", inner_port)
    inner_writer.write(re.sub(rb"(?im)^origin:[^\r\n]*", f"Origin: {gate_origin(token)}".encode(), head))
    await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


def _header(head: bytes, name: str) -> str:
    """Return the value of a header; empty where there is none."""
    found = re.search(rf"(?im)^{name}:[ \t]*([^\r\n]*)", head.decode("latin-1"))
    return found[1].strip() if found else ""


def _is(token: str, found: re.Match[str] | None) -> bool:
    return found is not None and hmac.compare_digest(found[1].encode(), token.encode())


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(_HEAD_SIZE):
            writer.write(block)
            await writer.drain()
    finally:
        writer.close()
