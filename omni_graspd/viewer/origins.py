# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which web pages may talk to a page's server.

A browser lets any web page open a WebSocket to this machine; only the server can refuse, by the ``Origin`` that the
browser names. viser has no setting for it, so the function it serves with is wrapped while a server is built.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from omni_graspd.errors import GraspdError

_LOCAL = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")


def is_local_origin(origin: str | None) -> bool:
    """Return whether a WebSocket comes from a page of this machine; one without an origin is no browser's."""
    return origin is None or _LOCAL.fullmatch(origin) is not None


@contextmanager
def guarding() -> Iterator[None]:
    """Let viser servers that are built within refuse the WebSockets of other machines' pages.

    Raises:
        GraspdError: If the installed viser serves in another way, which could not be guarded.
    """
    from websockets.asyncio import server as websockets_server

    serve, guarded = websockets_server.serve, []

    def guarded_serve(*arguments: Any, process_request: Any = None, **options: Any) -> Any:
        async def look_first(connection: Any, request: Any) -> Any:
            is_socket = request.headers.get("Upgrade", "").lower() == "websocket"
            if is_socket and not is_local_origin(request.headers.get("Origin")):
                return connection.respond(HTTPStatus.FORBIDDEN, "open the address that graspd printed\n")
            answer = None if process_request is None else process_request(connection, request)
            return await answer if inspect.isawaitable(answer) else answer

        guarded.append(True)
        return serve(*arguments, process_request=look_first, **options)

    websockets_server.serve = guarded_serve  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        websockets_server.serve = serve  # type: ignore[misc]
    if not guarded:
        raise GraspdError("this version of viser has a server that cannot be guarded; install viser 1.1")
