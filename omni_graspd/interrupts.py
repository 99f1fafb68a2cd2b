# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM: held back where they would be lost or do harm, and ending a run alike."""

from __future__ import annotations

import importlib.machinery
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import FrameType, ModuleType

_HELD = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM come when the block ends; a process that is started within never sees them.

    Signals are blocked for this thread, and so for processes that it starts. Other threads, as libraries have them,
    still get them; the main thread, in which Python handles them, only notes them meanwhile.
    """
    came: list[int] = []
    with _handled(came.append):
        if not hasattr(signal, "pthread_sigmask"):  # Windows
            yield
        else:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
            try:
                yield
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
    for number in dict.fromkeys(came):
        signal.raise_signal(number)


@contextmanager
def ending_at_once(end: Callable[[int], object]) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the process within a block that makes nothing, such as one that loads modules.

    A KeyboardInterrupt might get lost there: libraries take it for an optional package that does not load. Elsewhere
    than in the main thread nothing is changed.

    Args:
        end: Called with the signal's number; ends the process without an exception.
    """
    with _handled(end):
        yield


@contextmanager
def _handled(handle: Callable[[int], object]) -> Iterator[None]:
    """Handle signals that Python would handle; nothing is changed elsewhere than in the main thread."""
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: handler for number in _HELD if callable(handler := signal.getsignal(number))}
    for number in handlers:
        signal.signal(number, lambda number, _: handle(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _HeldArrow(MetaPathFinder):
    """Finds pyarrow as Python does, and holds Ctrl-C and SIGTERM back while it is loaded, and pandas with it.

    pyarrow loads pandas while it makes or shows its first array, and goes on if a Ctrl-C ends that.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return pyarrow's own spec, whose loading is held."""
        if fullname != "pyarrow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def held(module: ModuleType) -> None:
                with held_interrupts():
                    load(module)
                    module.array([])

            spec.loader.exec_module = held
        return spec


@contextmanager
def held_imports() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait, within the block, for an import that would lose them."""
    finder = _HeldArrow()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


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
