# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM: held back where they would be lost or do harm, and ending a run alike."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM come when the block ends; a process that is started within never sees them.

    Windows, where signals cannot be held back, goes without.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def sigterm_like_ctrl_c(received: list[int]) -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that workers are stopped and half-written files removed.

    Cluster schedulers and containers send it before they kill. Elsewhere than in the main thread nothing is changed.

    Args:
        received: Gets the number of a signal that came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        # As Ctrl-C, since event loops of asyncio.run have a handler of their own for it. Programs that a shell starts
        # in the background ignore Ctrl-C.
        if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def own_sigterm() -> Iterator[None]:
    """Keep the handler of SIGTERM where a library puts its own in place within the block.

    A SIGTERM that the library ended the process by is handed on. Elsewhere than in the main thread, and where the
    handler is not Python's, nothing is changed.
    """
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    try:
        yield
    except SystemExit as error:
        signal.signal(signal.SIGTERM, before)
        if error.code == signal.SIGTERM:
            signal.raise_signal(signal.SIGTERM)
        raise
    finally:
        # Also where the library has put one below Python, of which getsignal knows nothing.
        signal.signal(signal.SIGTERM, before)
