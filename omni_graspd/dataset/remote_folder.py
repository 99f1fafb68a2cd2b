# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets in an object store (``s3://``, ``gs://``), or on a server inside Kit: a local folder mirrors them.

OpenUSD, PhysX and Mitsuba read files only, so the local folder is where everything is made and read. Tables, images and
USD go up file by file, each whole or not at all, as object stores have it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from omni_graspd.addresses import server_address
from omni_graspd.atomic import PARTIAL_PREFIX, atomic_path
from omni_graspd.backend import open_store
from omni_graspd.errors import GraspdError
from omni_graspd.user_folders import user_folder

if TYPE_CHECKING:
    import pyarrow.fs as pafs

_ADDRESS = re.compile(r"(s3|gs):/+(.+)")
_LAST = ("checksums.parquet", "overview.png")
"""Files that say that others are there, sent last."""


def remote_address(path: Path | str) -> str | None:
    """Return the address of a dataset in an object store or on a server; None for a local folder.

    A ``Path`` may have lost a slash: ``Path("s3://bucket/set")`` reads ``s3:/bucket/set``.
    """
    match = _ADDRESS.fullmatch(str(path))
    return f"{match[1]}://{match[2]}" if match else server_address(path)


def local_dataset(path: Path | str) -> Path:
    """Return the folder in which to read a dataset; one in an object store is fetched, as far as it is not here.

    Raises:
        GraspdError: If the store cannot be reached.
    """
    address = remote_address(path)
    if address is None:
        return Path(path)
    folder = RemoteFolder.open(address)
    folder.pull()
    return folder.local


@contextmanager
def mirrored_dataset(path: Path | str) -> Iterator[Path]:
    """Give the folder in which to change a dataset; what is new or has changed there is sent to its store afterwards.

    Args:
        path: The dataset, as for :func:`local_dataset`.

    Raises:
        GraspdError: If the store cannot be reached.
    """
    address = remote_address(path)
    if address is None:
        yield Path(path)
        return
    folder = RemoteFolder.open(address)
    folder.pull()
    yield folder.local
    folder.push()


@dataclass
class RemoteFolder:
    """A folder of an object store and the local folder that mirrors it."""

    address: str
    """Address, for example ``s3://bucket/set``."""
    local: Path
    """The local folder."""
    _state: dict[str, list[int]] = field(default_factory=dict)
    """Of each file that is the same on both sides: size, local time and remote time of change [ns]."""
    _pushed: float = 0.0

    @classmethod
    def open(cls, address: str, local: Path | None = None) -> RemoteFolder:
        """Open a folder of an object store; nothing is read or written yet but for what the last run noted.

        Credentials, region and endpoint are those of the environment (``AWS_ACCESS_KEY_ID``, ``AWS_REGION``,
        ``AWS_ENDPOINT_URL``, ...) or of the address (``?region=...&endpoint_override=...``).

        Args:
            address: Address.
            local: Local folder; by default one of the user's, by the address.
        """
        name = hashlib.sha256(address.partition("?")[0].encode()).hexdigest()[:16]
        folder = cls(address, local or user_folder() / "remote" / name)
        if folder._note.is_file():
            folder._state = json.loads(folder._note.read_text(encoding="utf-8"))
        return folder

    @property
    def shown_address(self) -> str:
        """The address without credentials and options."""
        return re.sub(r"//[^/]*@", "//", self.address.partition("?")[0])

    @property
    def _note(self) -> Path:
        return self.local.with_name(f"{self.local.name}.mirror.json")

    def pull(self, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """Fetch what is not here or has changed there since; files that changed on both sides are taken from there.

        Args:
            wanted: Tells by a file's name, relative to the folder with ``/``, whether to fetch it.

        Raises:
            GraspdError: If the store cannot be reached, or lists a name outside the folder.
        """
        with self._reaching() as (store, root):
            for name, size, changed in _listed(store, root):
                if not wanted(name):
                    continue
                path = self._inside(name)
                if path.is_file() and self._state.get(name, [0, 0, 0])[2] == changed:
                    continue
                with (
                    atomic_path(path) as temporary,
                    store.open_input_stream(f"{root}/{name}") as source,
                    temporary.open("wb") as target,
                ):
                    shutil.copyfileobj(source, target, 1 << 20)
                self._state[name] = [size, path.stat().st_mtime_ns, changed]
        self._write_note()

    def push(self, *, every: float = 0.0) -> None:
        """Send what is new or has changed here; parts of tables that are gone here go there, too.

        Args:
            every: Do nothing if that was done less than so many seconds ago.

        Raises:
            GraspdError: If the store cannot be reached or refuses; what is here stays.
        """
        if time.monotonic() - self._pushed < every:
            return
        names = sorted(_local_files(self.local), key=lambda name: (name in _LAST, name != "dataset.json", name))
        with self._reaching() as (store, root):
            for name in names:
                self._send(store, root, name)
            for name in [name for name in self._state if ".parts/" in name and not (self.local / name).is_file()]:
                store.delete_file(f"{root}/{name}")
                del self._state[name]
        self._pushed = time.monotonic()
        self._write_note()

    def _send(self, store: pafs.FileSystem, root: str, name: str) -> None:
        try:
            status = (self.local / name).stat()
        except FileNotFoundError:  # a part that was joined meanwhile
            return
        if self._state.get(name, [0, 0, 0])[:2] == [status.st_size, status.st_mtime_ns]:
            return
        with (self.local / name).open("rb") as source, store.open_output_stream(f"{root}/{name}") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        there = store.get_file_info(f"{root}/{name}")
        self._state[name] = [status.st_size, status.st_mtime_ns, there.mtime_ns or 0]

    def _inside(self, name: str) -> Path:
        """Return the local path of a remote name; names come from outside and may try to leave the folder."""
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or "\\" in name or any(part in ("..", ".") for part in parts):
            raise GraspdError(
                f"expected files below {self.shown_address}, got the name {name!r}, which leads elsewhere; delete it "
                "there"
            )
        return self.local.joinpath(*parts)

    @contextmanager
    def _reaching(self) -> Iterator[tuple[pafs.FileSystem, str]]:
        import pyarrow as pa

        try:
            store, root = open_store(self.address)
            yield store, root.rstrip("/")
        except (OSError, pa.ArrowException) as error:
            if isinstance(error, OSError) and error.filename is not None:  # a local file
                raise
            raise GraspdError(
                f"cannot reach {self.shown_address}: {str(error).splitlines()[0]}; fix the address, the credentials or "
                f"the connection and run the same command again; the files made so far are in {self.local}"
            ) from error

    def _write_note(self) -> None:
        with atomic_path(self._note) as temporary:
            temporary.write_text(json.dumps(self._state), encoding="utf-8")


def _listed(store: pafs.FileSystem, root: str) -> Iterable[tuple[str, int, int]]:
    """Yield name, size and time of change [ns] of the files of a remote folder."""
    import pyarrow.fs as pafs

    for info in store.get_file_info(pafs.FileSelector(root, recursive=True, allow_not_found=True)):
        if info.type == pafs.FileType.File:
            yield info.path.removeprefix(f"{root}/"), info.size, info.mtime_ns or 0


def _local_files(root: Path) -> Iterator[str]:
    """Yield the files of a local folder that are whole, relative to it, with ``/``."""
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(PARTIAL_PREFIX)]
        for name in files:
            if not name.startswith(PARTIAL_PREFIX):
                yield Path(folder, name).relative_to(root).as_posix()
