# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Who may talk to a page's server: who knows the token in its address, from a web page of this machine.

Other users of this machine and pages of its other servers reach the port as well; what keeps them out is the token. It
is the first part of the path, which viser's page repeats when it opens its WebSocket; a cookie would be sent to every
server of this machine, whatever its port. A browser also names the ``Origin`` of a WebSocket. viser has no setting for
either, so the function it serves with is wrapped while a server is built.
"""

from __future__ import annotations

import copy
import hmac
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


def path_behind_token(path: str, token: str) -> str | None:
    """Return what a request's path names behind the token, ``/`` for the page itself; None without the token.

    Args:
        path: Path and query of the request, ``/TOKEN/...``.
        token: The token; comparing takes as long for every wrong one.
    """
    given, _, rest = path.removeprefix("/").partition("/")
    given = given.partition("?")[0]
    return f"/{rest}" if hmac.compare_digest(given.encode(errors="replace"), token.encode()) else None


@contextmanager
def guarding(token: str) -> Iterator[None]:
    """Let viser servers that are built within answer nobody without the token, nor other machines' pages.

    Args:
        token: What requests have as the first part of their path.

    Raises:
        GraspdError: If the installed viser serves in another way, which could not be guarded.
    """
    from websockets.asyncio import server as websockets_server

    serve, guarded = websockets_server.serve, []

    def guarded_serve(*arguments: Any, process_request: Any = None, **options: Any) -> Any:
        async def look_first(connection: Any, request: Any) -> Any:
            path = path_behind_token(request.path, token)
            if path is None or not is_local_origin(request.headers.get("Origin")):
                return connection.respond(HTTPStatus.FORBIDDEN, "open the address that graspd printed\n")
            asked = copy.copy(request)
            asked.path = path
            answer = None if process_request is None else process_request(connection, asked)
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
