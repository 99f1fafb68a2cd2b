# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""XML of hands, URDF and MJCF, without what XML from strangers can do: entities that grow or name other files."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from omni_graspd.errors import GraspdError
from omni_graspd.git_lfs import check_no_lfs_pointer

_DECLARATIONS = tuple("<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def parse_xml(path: Path) -> ElementTree.Element:
    """Read an XML file and return its root.

    Raises:
        GraspdError: If it is a folder or no XML, or declares a document type, in which entities are defined.
    """
    if path.is_dir():
        raise GraspdError(f"expected an XML file, got the folder {path}; name the file in it")
    check_no_lfs_pointer(path)
    content = path.read_bytes()
    if any(declaration in content for declaration in _DECLARATIONS):
        raise GraspdError(
            f"expected {path} without <!DOCTYPE>, got one: its entities could fill the memory or name other files; "
            "remove it"
        )
    try:
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise GraspdError(f"expected {path} to be XML, got: {error}; mend or re-export it") from error
