# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The built-in objects, and objects by name or path."""

from __future__ import annotations

from omni_graspd.errors import GraspdError
from omni_graspd.library import is_in_library, resolve
from omni_graspd.objects.length_unit import SharedUnit
from omni_graspd.objects.object_reader import ObjectReaderConfig, read_object
from omni_graspd.objects.rigid_object import RigidObject


def default_objects() -> tuple[str, str, str]:
    """Return the names of the objects that are used where the user names none: convex, concave, thin."""
    return "soup_can", "mug", "card_box"


def load_object(
    name_or_path: str, config: ObjectReaderConfig | None = None, shared_unit: SharedUnit | None = None
) -> RigidObject:
    """Load one object by name or path.

    Args:
        name_or_path: Name of a built-in object or of one in the user's library, or a file.
        config: How a file is read; objects in the library are complete, and read as they are.
        shared_unit: Unit of the files that are read together with it, where it states none.

    Raises:
        GraspdError: If there is no such object, more than one, or it cannot be read.
    """
    paths = resolve("objects", name_or_path)
    if len(paths) > 1:
        names = ", ".join(path.stem for path in paths)
        raise GraspdError(f"expected one object, got {len(paths)} for {name_or_path!r} ({names}); name one of them")
    return read_object(paths[0], None if is_in_library(paths[0]) else config, shared_unit)
