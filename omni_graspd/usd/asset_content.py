# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes of the files that a stage refers to, also of those inside USDZ packages."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pxr import Ar

from omni_graspd.named_file import is_file


def read_asset(path: str) -> bytes | None:
    """Read a file.

    Args:
        path: Resolved path of a file, or of one within a package (``scene.usdz[0/a.png]``).

    Returns:
        Its bytes; None if there is none.
    """
    if is_file(path):
        return Path(path).read_bytes()
    resolver = Ar.GetResolver()
    if hasattr(resolver, "OpenAsset"):
        asset = resolver.OpenAsset(Ar.ResolvedPath(path))
        return bytes(asset.GetBuffer()) if asset else None
    # OpenUSD 24.05, which Isaac Sim 5.1 brings, does not open assets from Python. A package is a zip archive.
    package, inside = Ar.SplitPackageRelativePathOuter(path)
    if not inside or not zipfile.is_zipfile(package):
        return None
    with zipfile.ZipFile(package) as archive:
        return archive.read(inside) if inside in archive.namelist() else None
