# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands and objects on servers, copied to the user's cache by omni.client, with all files that they refer to."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import carb
import omni.client
from pxr import Sdf, UsdUtils

from omni_graspd.atomic import temporary_beside
from omni_graspd.errors import GraspdError
from omni_graspd.usd.stage import reading_usd
from omni_graspd.user_folders import cache_folder

_LAYERS = frozenset((".usd", ".usda", ".usdc"))
_MOST_FILES = 4000
"""Files of one asset, so that a mistake does not copy a server."""
_UDIM = "<UDIM>"
_MATERIALS = re.compile(r"^mtllib\s+(.+?)\s*$", re.MULTILINE)
_MAPS = re.compile(r"^\s*(?:map_\w+|bump|disp|decal|refl|norm)\s+(?:.*\s)?(\S+)\s*$", re.MULTILINE)


def copy_with_references(address: str, folder: Path | None = None) -> Path:
    """Copy a file and all that it refers to, and return where it is now.

    The copy has the folders of the server, so that relative paths lead where they led; in layers, absolute addresses
    are made relative. A name that only a renderer's search path knows (OmniPBR.mdl) stays as it is.

    Args:
        address: Address, for example ``omniverse://host/Projects/mug.usd``.
        folder: Where copies lie; ``None``: in the user's cache. What was copied there before is brought up to date.

    Raises:
        GraspdError: If it is not there, or a layer that it refers to is not.
    """
    return _Copies(folder or cache_folder("addresses")).fetch(address)


class _Copies:
    """Copies of one asset's files, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path | None] = {}

    def fetch(self, address: str, referrer: str = "") -> Path:
        """Copy a file that has to be there.

        Args:
            address: Its address.
            referrer: Address of the file that refers to it; empty for what the user named.
        """
        found, reason = self._copy(address)
        if found is None:
            source = f", which {referrer} refers to" if referrer else ""
            raise GraspdError(
                f"cannot copy {address}{source}: {reason}; check the address in Isaac Sim's Content browser"
            )
        return found

    def _copy(self, address: str) -> tuple[Path | None, str]:
        if address in self._made:
            return self._made[address], "it is missing"
        if len(self._made) >= _MOST_FILES:
            raise GraspdError(f"expected at most {_MOST_FILES} files, and {address} is one more; give a smaller asset")
        self._made[address] = None
        path = self._place(address)
        result = copy_file(address, path)
        if result != omni.client.Result.OK:
            return None, str(result)
        self._made[address] = path
        if path.suffix.lower() in _LAYERS:
            self._follow_layer(address, path)
        else:
            for there in filter(None, (address_in(address, name) for name in _names_in(path))):
                self._follow(there)
        return path, ""

    def _place(self, address: str) -> Path:
        """Return the place of a copy: the server's name, then the server's folders."""
        parts = urlsplit(address)
        server = re.sub(r"[^\w.-]", "_", f"{parts.scheme}_{parts.netloc}") if parts.netloc else "local"
        names = [name for name in PurePosixPath(unquote(parts.path)).parts if name not in ("/", "..", ".")]
        if not names:
            raise GraspdError(f"expected the address of a file, got {address}")
        return self._folder.joinpath(server, *(re.sub(r'[<>:"|?*\\]', "_", name) for name in names))

    def _follow(self, address: str) -> Path | None:
        """Copy a file that may be missing: a texture, or a name that only a search path knows."""
        found, reason = self._copy(address)
        if found is None:
            carb.log_warn(f"omni_graspd: {address} was not copied: {reason}")
        return found

    def _follow_layer(self, address: str, path: Path) -> None:
        with reading_usd(address):
            layer = Sdf.Layer.FindOrOpen(str(path))
            if layer is None:
                raise GraspdError(f"expected a USD file at {address}, got something else; open it in Isaac Sim")
            layer.Reload(True)  # an older copy may still be in memory
        named: list[str] = []

        def note(asset: str) -> str:
            named.append(asset)
            return asset

        UsdUtils.ModifyAssetPaths(layer, note)
        moved = {asset: self._moved(asset, address, path) for asset in dict.fromkeys(named) if asset}
        if any(new != asset for asset, new in moved.items()):
            UsdUtils.ModifyAssetPaths(layer, lambda asset: moved.get(asset, asset))
            layer.Save()

    def _moved(self, asset: str, address: str, path: Path) -> str:
        """Copy what a layer refers to, and return how the layer's copy names it."""
        outer, bracket, inner = asset.partition("[")
        there = address_in(address, outer)
        if there is None:
            return asset
        if _UDIM in outer:
            copied = [self._follow(tile) for tile in _tiles(there)]
            first = next((each for each in copied if each is not None), None)
            found = None if first is None else first.with_name(outer.rpartition("/")[2])
        elif PurePosixPath(outer).suffix.lower() in _LAYERS:
            found = self.fetch(there, address)
        else:
            found = self._follow(there)
        # What is relative leads there already, unless it climbs out of the server: it must not climb out of the copies.
        if found is None or (not _is_address(outer) and Path(os.path.normpath(path.parent / outer)) == found):
            return asset
        return f"./{Path(os.path.relpath(found, path.parent)).as_posix()}{bracket}{inner}"


def copy_file(source: str, target: Path | str) -> omni.client.Result:
    """Copy a file between servers and this machine; a local file appears whole or not at all.

    Args:
        source: Address or path.
        target: Where to; what is there is replaced.
    """
    overwrite = omni.client.CopyBehavior.OVERWRITE
    if isinstance(target, str):
        return omni.client.copy_file(source, target, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(target)
    try:
        result = omni.client.copy_file(source, str(temporary), overwrite)
        if result == omni.client.Result.OK:
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return result


def _is_address(text: str) -> bool:
    return "://" in text


def address_in(base: str, name: str) -> str | None:
    """Return where a name in a file leads; None where that is not a file that omni.client would find.

    Args:
        base: Address or path of the file.
        name: Relative or absolute path, or address.
    """
    if not name or name.startswith(("anon:", "data:", "file:")):
        return None
    if _is_address(name):
        return name
    parts = urlsplit(base)
    if not parts.netloc:
        return os.path.normpath(os.path.join(os.path.dirname(base), name))  # noqa: PTH118, PTH120 texts of addresses
    joined = posixpath.normpath(posixpath.join("/", posixpath.dirname(parts.path), name))
    return f"{parts.scheme}://{parts.netloc}/{joined.lstrip('/')}"


def _tiles(address: str) -> Iterator[str]:
    """Yield the addresses of a UDIM texture's tiles."""
    folder, _, name = address.rpartition("/")
    pattern = re.compile(re.escape(name).replace(re.escape(_UDIM), r"\d{4}"))
    result, entries = omni.client.list(folder)
    if result == omni.client.Result.OK:
        for entry in entries:
            if pattern.fullmatch(entry.relative_path):
                yield f"{folder}/{entry.relative_path}"


def _names_in(path: Path) -> list[str]:
    """Return what a mesh file refers to."""
    read: dict[str, Callable[[str], list[str]]] = {
        ".obj": _MATERIALS.findall,
        ".mtl": _MAPS.findall,
        ".gltf": _names_in_gltf,
    }
    if path.suffix.lower() not in read:
        return []
    return read[path.suffix.lower()](path.read_text(encoding="utf-8", errors="replace"))


def _names_in_gltf(text: str) -> list[str]:
    try:
        content = json.loads(text)
        items = [*content.get("buffers", ()), *content.get("images", ())]
        return [item["uri"] for item in items if not item.get("uri", "data:").startswith("data:")]
    except (ValueError, AttributeError, TypeError):
        return []  # whoever reads the mesh says what is wrong with it
