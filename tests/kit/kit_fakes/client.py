# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""omni.client: servers in memory, and this machine's own files."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Servers:
    """Files by address; what is no address is a path on this machine."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.times: dict[str, int] = {}
        self.refused: set[str] = set()  # addresses that nobody may read or write

    def put(self, address: str, content: bytes) -> None:
        """Keep a file; each is newer than all before."""
        self.files[address] = content
        self.times[address] = len(self.times) + 1 + max(self.times.values(), default=0)

    def names(self, folder: str) -> dict[str, str]:
        """Return what lies in a folder by name: the address of a file, or nothing for a folder."""
        below = [address for address in self.files if address.startswith(f"{folder.rstrip('/')}/")]
        names: dict[str, str] = {}
        for address in below:
            first, slash, _ = address.removeprefix(f"{folder.rstrip('/')}/").partition("/")
            names[first] = "" if slash else address
        return names


def behaviours(kit: Any) -> dict[str, dict[str, Any]]:
    """Return functions and classes by module and name."""
    servers = kit.servers

    def results() -> Any:
        return kit.modules["omni.client"].Result

    def entry(name: str, size: int, time: int, is_folder: bool) -> Any:
        made = kit.instance("ListEntry")
        made._value_relative_path, made._value_size = name, size
        made._value_flags = 4 if is_folder else 3
        made._value_modified_time = datetime.fromtimestamp(time, UTC)
        return made

    def read(url: str) -> bytes | None:
        if "://" in url:
            return servers.files.get(url)
        return Path(url).read_bytes() if Path(url).is_file() else None

    def copy_file(src_url: str, dst_url: str, behavior: Any = None, message: str = "") -> Any:
        if {src_url, dst_url} & servers.refused:
            return "Result.ERROR_ACCESS_DENIED"
        content = read(src_url)
        if content is None:
            return results().ERROR_NOT_FOUND
        assert behavior is kit.modules["omni.client"].CopyBehavior.OVERWRITE
        if "://" in dst_url:
            servers.put(dst_url, content)
        else:
            Path(dst_url).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(src_url, dst_url) if "://" not in src_url else Path(dst_url).write_bytes(content)
        return results().OK

    def delete(url: str) -> Any:
        if "://" in url:
            return results().OK if servers.files.pop(url, None) is not None else results().ERROR_NOT_FOUND
        Path(url).unlink()
        return results().OK

    def listing(url: str, include_deleted_option: Any = None) -> Any:
        if url in servers.refused:
            return "Result.ERROR_ACCESS_DENIED", ()
        if "://" not in url:
            found = sorted(Path(url).iterdir())
            return results().OK, tuple(entry(p.name, p.stat().st_size, 1, p.is_dir()) for p in found)
        names = servers.names(url)
        if not names:
            return results().ERROR_NOT_FOUND, ()
        sizes = {name: len(servers.files.get(address, b"")) for name, address in names.items()}
        return results().OK, tuple(
            entry(name, sizes[name], servers.times.get(address, 0), not address) for name, address in names.items()
        )

    def stat(url: str, include_deleted_option: Any = None) -> Any:
        content = read(url)
        if content is None:
            return results().ERROR_NOT_FOUND, None
        return results().OK, entry(url.rpartition("/")[2], len(content), servers.times.get(url, 1), False)

    return {"omni.client": {"copy_file": copy_file, "delete": delete, "list": listing, "stat": stat}}
