# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Warp without its chatter, for processes that are ours: the command and its workers. The library never calls this."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omni_graspd.errors import GraspdError
from omni_graspd.interrupts import held_interrupts


def start_warp() -> None:
    """Start Warp without its chatter; its C++ part complains on stderr about every machine without a GPU.

    This process is the application, so Warp's verbosity is ours to choose. Ctrl-C and SIGTERM wait meanwhile: what is
    said of them would be lost, too.

    Raises:
        GraspdError: If there is no writable folder for compiled kernels.
    """
    import warp as wp

    if hasattr(wp, "LOG_WARNING"):
        wp.config.log_level = wp.LOG_WARNING
    else:
        wp.config.quiet = True
    try:
        with held_interrupts(), _without_stderr():
            wp.init()
    except OSError as error:
        raise GraspdError(
            f"cannot write the folder for compiled kernels: {error}; set WARP_CACHE_PATH to a writable one"
        ) from error


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Throw away what the block writes to the file descriptor, below Python, too."""
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
