# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a user gives to take a hand or an arm from: file, folder or archive; its description and licences there."""

from __future__ import annotations

import errno
import lzma
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.description_file import USD_SUFFIXES
from omni_graspd.hands.importing.hand_folder import license_files

_DESCRIPTIONS = (".urdf", ".xml", ".mjcf", *USD_SUFFIXES)
_ZIPS = (".zip", ".whl")
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_LARGEST = 4 << 30
"""An archive that unpacks to more is none of a robot [bytes]."""
_UNREADABLE = (
    *(OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, NotImplementedError, RuntimeError),
    *(zlib.error, lzma.LZMAError),
)
"""What Python raises on damaged archives."""
_TOPS = ("package.xml", ".git")
"""What lies at the top of a ROS package or a repository."""
_COPYLEFT = re.compile(
    r"this alternative is allowed only (occasionally and noncommercially|for noncommercial)", re.IGNORECASE
)
"""What the GPL says of ways to pass on its source code, not of use."""
_NON_COMMERCIAL = re.compile(
    r"non-?\s?commercial|\bby-nc\b|\bnc-(sa|nd)\b|(academic|research) (use|purposes) only", re.IGNORECASE
)


@contextmanager
def opened_source(source: Path) -> Iterator[Path]:
    """Yield a file or folder as it is, and an archive unpacked into a folder that is deleted afterwards.

    Raises:
        GraspdError: If an archive is damaged, far too large, or has members that lead out of it.
    """
    if not (source.is_file() and source.name.lower().endswith((*_ZIPS, *_TARS))):
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            _unpack(source, Path(folder))
        except _UNREADABLE as error:
            if getattr(error, "errno", None) == errno.ENOSPC:
                raise
            reason = " ".join(str(error).split())
            raise GraspdError(
                f"expected {source} to be an archive that can be unpacked, got: {reason}; get it again"
            ) from error
        yield Path(folder)


def _unpack(archive: Path, folder: Path) -> None:
    if archive.name.lower().endswith(_ZIPS):
        with zipfile.ZipFile(archive) as file:
            _check_size(archive, sum(member.file_size for member in file.infolist()))
            file.extractall(folder)  # names that lead out are cut by zipfile itself
        return
    with tarfile.open(archive) as file:
        _check_size(archive, sum(member.size for member in file))
        file.extractall(folder, filter="data")


def _check_size(archive: Path, size: int) -> None:
    if size > _LARGEST:
        raise GraspdError(
            f"expected an archive of at most {_LARGEST >> 30} GiB, got {size / 2**30:.1f} in {archive}; unpack it "
            "and give the folder of the robot"
        )


def find_description(source: Path, ending: str = "", archive: Path | None = None) -> Path:
    """Return the URDF, MJCF or USD file of a hand or an arm.

    Args:
        source: The file, or a folder.
        ending: How the path of a hand that is known by name ends; in a folder without it, the only description counts.
        archive: What the folder was unpacked from, if from anything, for the message.

    Raises:
        GraspdError: If there is none, or there are several to choose from.
    """
    if source.is_dir():
        files = [file for file in sorted(source.rglob("*")) if file.suffix.lower() in _DESCRIPTIONS]
        known = [file for file in files if ending and f"/{file.as_posix()}".endswith(f"/{ending}")]
        if known:
            return min(known, key=lambda file: len(file.parts))
        if len(files) != 1:
            names = ", ".join(str(file.relative_to(source)) for file in files[:8]) or "none"
            names += f" and {len(files) - 8} more" if len(files) > 8 else ""
            what = f"{ending} or one URDF, MJCF or USD file" if ending else "one URDF, MJCF or USD file"
            mend = f"name the file{', once it is unpacked' if archive else ''}" if files else "check the path"
            raise GraspdError(f"expected {what} in {archive or source}, got {names}; {mend}")
        return files[0]
    if not source.is_file():
        raise GraspdError(f"expected a URDF, MJCF or USD file, got {source}, which does not exist; check the path")
    return source


def find_licenses(description: Path, source: Path) -> dict[str, Path]:
    """Return the licences of a robot by where they go: beside its description, or in the nearest folder above it.

    Args:
        description: The file.
        source: What the user gave: nothing above it is looked at, above a file nothing above its ROS package or
            repository.

    Raises:
        GraspdError: If one is a link that leads elsewhere.
    """
    folder, top = description.resolve().parent, source.resolve()
    if top.is_file():
        top = next((above for above in top.parents if any((above / name).exists() for name in _TOPS)), folder)
    found = license_files(folder)
    while not found and folder != top and folder.is_relative_to(top):
        folder = folder.parent
        found = license_files(folder)
    return found


def check_commercial_use(
    licenses: Mapping[str, Path], stated: str, name: str, *, is_accepted: bool, kind: str = "a hand"
) -> None:
    """Refuse a licence that forbids commercial use, unless the user has accepted it.

    Args:
        licenses: Its files by name.
        stated: What else is known of it, for example an SPDX name.
        name: Its name, for the message.
        is_accepted: Whether the user said so.
        kind: What it is, for the message.

    Raises:
        GraspdError: If it does; the message quotes the words.
    """
    if is_accepted:
        return
    texts = {"its licence": stated}
    texts |= {file: path.read_text(encoding="utf-8", errors="replace") for file, path in licenses.items()}
    for file, text in texts.items():
        match = _NON_COMMERCIAL.search(_COPYLEFT.sub("", " ".join(text.split())))
        if match is not None:
            raise GraspdError(
                f"expected {kind} that may be used commercially, got {name}, of which {file} says "
                f"{' '.join(match[0].split())!r}; read it, and if your use is permitted add --accept-licence"
            )
