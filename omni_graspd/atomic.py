# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are there in full or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import errno
import glob
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omni_graspd.errors import GraspdError

PARTIAL_PREFIX = ".partial-"
"""Names that begin so are leftovers of a run that was killed."""

_UNWRITABLE = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "raise the limit on file sizes",
    errno.EROFS: "choose a writable folder with {setting}",
    errno.EACCES: "choose a writable folder with {setting}",
    errno.EPERM: "choose a writable folder with {setting}",
}


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; what is written there takes its place when the block ends well.

    The block may write a file or make a folder. On an error the temporary is removed and ``path`` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        _remove(temporary)
        raise


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of ``folder`` when the block ends well; the old one is deleted then."""
    aside = folder.with_name(f"{PARTIAL_PREFIX}old-{folder.name}")
    with atomic_path(folder) as temporary:
        temporary.mkdir(parents=True)
        yield temporary
        _remove(aside)
        if folder.is_dir():
            folder.rename(aside)
    _remove(aside)


def temporary_beside(path: Path) -> Path:
    """Return a name beside ``path`` to write under, of its own for each writer: several may write the same file."""
    return path.with_name(f"{PARTIAL_PREFIX}{uuid.uuid4().hex[:8]}-{path.name}")


def leftovers_of(path: Path) -> list[Path]:
    """Return what lies beside ``path`` of writers that were killed before they were done, or are still at it."""
    return sorted(path.parent.glob(f"{PARTIAL_PREFIX}*-{glob.escape(path.name)}"))


def remove_leftovers(root: Path) -> None:
    """Delete every temporary file and folder below ``root`` that a killed run left behind."""
    for path in sorted(root.rglob(f"{PARTIAL_PREFIX}*")):
        _remove(path)


@contextmanager
def writing_to(root: Path, resumes: bool = True, setting: str = "--out") -> Iterator[None]:
    """Turn a full disk or a folder without write permission into one line for the user.

    Args:
        root: Where the block writes.
        resumes: Whether the same command goes on where it stopped, rather than begin again.
        setting: What sets the folder.

    Raises:
        GraspdError: If the system refused a write for want of space or permission.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        reason = (error.strerror or str(error)).removeprefix(f"[Errno {error.errno}] ")
        remedy = _UNWRITABLE[error.errno].format(setting=setting)
        raise GraspdError(
            f"cannot write to {root}: {reason}; {remedy} and run the same command "
            f"again{', which resumes where it stopped' if resumes else ''}"
        ) from error


def require_inside(path: Path, folder: Path, what: str) -> None:
    """Refuse a path below a folder that leads out of it by a link, through which nothing is read or written.

    Args:
        path: The path; it need not exist.
        folder: The folder.
        what: What lies there, for the message.

    Raises:
        GraspdError: If it leads elsewhere.
    """
    if not path.resolve().is_relative_to(folder.resolve()):
        raise GraspdError(
            f"expected {what} {path} to lie in {folder}, got a link that leads elsewhere; remove the link"
        )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
