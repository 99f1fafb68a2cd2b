# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a file really is, by its first bytes: names lie."""

from __future__ import annotations

from pathlib import Path

from omni_graspd.errors import GraspdError

_LENGTH = 512
_STARTS = (
    (b"ply\n", ".ply"),
    (b"ply\r", ".ply"),
    (b"glTF", ".glb"),
    (b"PXR-USDC", ".usdc"),
    (b"#usda", ".usda"),
    (b"PK\x03\x04", ".usdz"),
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"%PDF", ".pdf"),
    (b"<?xml", ".xml"),
    (b"ISO-10303", ".step"),
)
_ALSO_FITS = {".usda": (".usd",), ".usdc": (".usd",)}


def check_signature(path: Path) -> None:
    """Refuse a file whose content is of another kind than its name says.

    Kinds without a signature (OBJ, binary STL) are left to their readers.

    Raises:
        GraspdError: If the content is of another kind, or the file is empty.
    """
    with path.open("rb") as file:
        start = file.read(_LENGTH)
    if not start.strip():
        raise GraspdError(f"expected an object file, got {path}, which is empty; export it again")
    kind = _kind(start)
    suffix = path.suffix.lower()
    if kind is not None and suffix != kind and suffix not in _ALSO_FITS.get(kind, ()):
        raise GraspdError(
            f"expected {path} to be what its name says, got a file of kind {kind}; rename it, or export it again"
        )


def _kind(start: bytes) -> str | None:
    for signature, kind in _STARTS:
        if start.startswith(signature):
            return kind
    words = start.split()
    if words[0] == b"solid" and b"facet" in words:
        return ".stl"
    if words[0].startswith(b"{"):
        return ".gltf"
    return None
