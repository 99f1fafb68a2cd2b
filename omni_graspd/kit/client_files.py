# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Folders on servers as a file system of Arrow's, by omni.client: datasets go there as they go to object stores."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import omni.client

from omni_graspd.kit.addresses import copy_file

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.fs as pafs


def open_client_store(address: str) -> tuple[pafs.FileSystem, str]:
    """Return the file system of servers, and a folder's name in it, which is its address.

    Args:
        address: Address of the folder.
    """
    import pyarrow.fs as pafs

    # Arrow takes subclasses of its own class only, and is not there before it is needed.
    handler = type("ClientFileSystem", (ClientFiles, pafs.FileSystemHandler), {})
    return pafs.PyFileSystem(handler()), address.rstrip("/")


class _Upload(io.FileIO):
    """A local file that is sent where it belongs when it is closed."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._folder = tempfile.TemporaryDirectory(prefix="graspd_upload_")
        self._file = Path(self._folder.name) / "content"
        super().__init__(self._file, "w")

    def close(self) -> None:
        """Send it.

        Raises:
            OSError: If the server refuses.
        """
        if self.closed:
            return
        super().close()
        try:
            _require_ok(copy_file(str(self._file), self._address), self._address)
        finally:
            self._folder.cleanup()


class ClientFiles:
    """What a mirrored dataset needs of a file system: list, read, write and delete files."""

    def get_type_name(self) -> str:
        """Return the kind of the file system."""
        return "omni.client"

    def get_file_info(self, paths: list[str]) -> list[pafs.FileInfo]:
        """Return kind, size and time of change of files and folders by address."""
        import pyarrow.fs as pafs

        found = []
        for path in paths:
            result, entry = omni.client.stat(path)
            if result == omni.client.Result.OK:
                found.append(_info(path, entry))
            elif result == omni.client.Result.ERROR_NOT_FOUND:
                found.append(pafs.FileInfo(path, pafs.FileType.NotFound))
            else:
                _require_ok(result, path)
        return found

    def get_file_info_selector(self, selector: pafs.FileSelector) -> list[pafs.FileInfo]:
        """Return what lies in a folder, and below it if that is asked for."""
        return list(_listed(selector.base_dir, selector.recursive, selector.allow_not_found))

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """Open a copy of a file."""
        import pyarrow as pa

        with tempfile.TemporaryDirectory(prefix="graspd_download_") as folder:
            copy = Path(folder) / "content"
            _require_ok(copy_file(path, copy), path)
            return pa.BufferReader(copy.read_bytes())

    def open_input_file(self, path: str) -> pa.NativeFile:
        """Open a copy of a file."""
        return self.open_input_stream(path)

    def open_output_stream(self, path: str, metadata: Any = None) -> pa.NativeFile:
        """Open a file that replaces what is at the address when it is closed."""
        import pyarrow as pa

        return pa.PythonFile(_Upload(path), mode="w")

    def delete_file(self, path: str) -> None:
        """Delete a file."""
        _require_ok(omni.client.delete(path), path)

    def normalize_path(self, path: str) -> str:
        """Return an address as it is."""
        return path

    def _refuse(self, *_: Any) -> Any:
        raise NotImplementedError("mirrored datasets do not need this of a server")

    create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = _refuse
    copy_file = move = open_append_stream = _refuse


def _listed(folder: str, is_recursive: bool, may_be_missing: bool) -> Iterator[pafs.FileInfo]:
    import pyarrow.fs as pafs

    result, entries = omni.client.list(folder)
    if may_be_missing and result == omni.client.Result.ERROR_NOT_FOUND:
        return
    _require_ok(result, folder)
    for entry in entries:
        info = _info(f"{folder.rstrip('/')}/{entry.relative_path}", entry)
        yield info
        if is_recursive and info.type == pafs.FileType.Directory:
            yield from _listed(info.path, True, True)


def _info(path: str, entry: Any) -> pafs.FileInfo:
    import pyarrow.fs as pafs

    if entry.flags & int(omni.client.ItemFlags.CAN_HAVE_CHILDREN):
        return pafs.FileInfo(path, pafs.FileType.Directory)
    return pafs.FileInfo(path, pafs.FileType.File, size=entry.size, mtime=entry.modified_time)


def _require_ok(result: Any, address: str) -> None:
    if result != omni.client.Result.OK:
        raise OSError(f"{result} for {address}")
