# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A server for a page, which this machine alone can reach, and there only who was told the address.

The page is not offered to a network: who works on another machine goes through SSH, which asks who they are.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING

from omni_graspd.errors import GraspdError
from omni_graspd.viewer.page_guard import guarding

if TYPE_CHECKING:
    import viser

_HOST = "127.0.0.1"


@contextmanager
def page_server(port: int, label: str) -> Iterator[tuple[viser.ViserServer, str]]:
    """Start a server on this machine's own address.

    Args:
        port: Port; the next free one is taken where it is not free.
        label: Title of the page.

    Yields:
        The server, and the address to open in a browser; it ends with a token that is asked of every request.

    Raises:
        GraspdError: If viser is not installed or no port can be had.
    """
    if find_spec("viser") is None:
        raise GraspdError("pages in the browser need viser; install it with `pip install 'omni-graspd[inspect]'`")
    import viser

    token = secrets.token_urlsafe(24)
    try:
        # It prints its address itself, in its own words.
        with redirect_stdout(io.StringIO()), guarding(token):
            server = viser.ViserServer(_HOST, port, label=label, verbose=False)
    except OSError as error:
        raise GraspdError(f"cannot listen on {_HOST}:{port}: {error}; choose another --port") from error
    try:
        yield server, f"http://{_HOST}:{server.get_port()}/{token}/"
    finally:
        with redirect_stdout(io.StringIO()):
            server.stop()
