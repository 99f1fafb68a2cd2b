# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One run at a time in one dataset folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omni_graspd.errors import GraspdError


@contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Hold a folder for this process; the system lets go of it even when the process is killed.

    Two runs in one folder would delete each other's temporaries. Where the system has no such locks (Windows), nothing
    is held.

    Raises:
        GraspdError: If another process holds the folder.
    """
    if os.name == "nt":
        yield
        return
    descriptor = os.open(root, os.O_RDONLY)
    try:
        _lock(descriptor, root)
        yield
    finally:
        os.close(descriptor)


_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
"""What file systems without locks answer, some network ones among them; the run then goes on unguarded."""


def _lock(descriptor: int, root: Path) -> None:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise GraspdError(
            f"another graspd is at work in {root}; wait for it, or choose another folder with --out"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
