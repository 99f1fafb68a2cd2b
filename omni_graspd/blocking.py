# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Asynchronous functions for callers that wait: scripts, and notebooks, whose event loop is running already."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from omni_graspd.errors import GraspdError

_P = ParamSpec("_P")
_R = TypeVar("_R")


def blocking(function: Callable[_P, Coroutine[Any, Any, _R]]) -> Callable[_P, _R]:
    """Return a function of the same signature that waits for the result."""

    @functools.wraps(function)
    def waiting(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        return wait_for(function(*args, **kwargs))

    return waiting


def wait_for(coroutine: Coroutine[Any, Any, _R]) -> _R:
    """Run a coroutine to its end and return its result, also where an event loop is running, as in a notebook.

    Raises:
        GraspdError: In Kit, whose main loop must never block.
    """
    if "omni.kit.app" in sys.modules:
        coroutine.close()
        raise GraspdError(
            "a blocking call would freeze Kit; await the function of the same name in omni_graspd.aio instead"
        )
    return run_to_end(coroutine)


def run_to_end(coroutine: Coroutine[Any, Any, _R]) -> _R:
    """Run a coroutine that does not need Kit's loop to its end, in a thread of its own where an event loop is running.

    Unlike :func:`wait_for` it is for code that waits anyway, such as dataset stages in worker processes and threads.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    # The loop that is running belongs to the notebook: ours runs in a thread of its own.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
