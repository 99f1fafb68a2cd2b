# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Users' own objects: SimReady packages in the user's library, found by name."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

from omni_graspd.atomic import writing_to
from omni_graspd.errors import GraspdError
from omni_graspd.library import list_names, list_user_names
from omni_graspd.objects.object_name import label_from_name
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.simready_object import write_simready_object
from omni_graspd.usd.simready_package import Provenance
from omni_graspd.user_folders import user_folder


def rename_object(rigid: RigidObject, name: str | None, label: str | None) -> RigidObject:
    """Give an object another name and semantic class; a label that came from the old name follows the new one.

    Raises:
        GraspdError: If the name cannot be a file name.
    """
    name = name or rigid.name
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise GraspdError(f"expected a name of letters, digits, '_', '-' and '.', got {name!r}; choose another --name")
    from_name = rigid.label == label_from_name(rigid.name)
    return replace(rigid, name=name, label=label or (label_from_name(name) if from_name else rigid.label))


def check_name_is_free(name: str, *, replace_existing: bool) -> None:
    """Refuse a name that the library has already.

    Raises:
        GraspdError: If an object is built in under that name, or the user has one and does not replace it.
    """
    if name in list_names("objects"):
        raise GraspdError(
            f"expected another name than the built-in objects' ({', '.join(list_names('objects'))}), got {name!r}; "
            "give one with --name"
        )
    if name in list_user_names("objects") and not replace_existing:
        raise GraspdError(f"expected a new name, got {name!r}, which you have; give --replace, or another --name")


def add_object(rigid: RigidObject, provenance: Provenance, thumbnail: Path, *, replace_existing: bool = False) -> Path:
    """Write an object into the user's library, as a SimReady package.

    Args:
        rigid: The object; its name is that in the library.
        provenance: Author, licence and date.
        thumbnail: A picture, PNG, 256 by 256 pixels.
        replace_existing: Take the place of an object of that name.

    Returns:
        The package's main file.

    Raises:
        GraspdError: If the name is taken, or the library cannot be written.
    """
    check_name_is_free(rigid.name, replace_existing=replace_existing)
    folder = user_folder() / "objects"
    with writing_to(folder, resumes=False, setting="GRASPD_HOME"):
        # Made in full before what it replaces goes.
        staged = folder / f".new-{rigid.name}"
        shutil.rmtree(staged, ignore_errors=True)
        path = write_simready_object(rigid, staged, provenance, thumbnail)
        target = folder / rigid.name
        shutil.rmtree(target, ignore_errors=True)
        (staged / rigid.name).replace(target)
        staged.rmdir()
    return target / path.relative_to(staged / rigid.name)


def remove_object(name: str) -> Path:
    """Delete an object from the user's library; return the folder that is gone.

    Raises:
        GraspdError: If the user has no object of that name.
    """
    if name not in list_user_names("objects"):
        yours = ", ".join(list_user_names("objects")) or "none"
        raise GraspdError(f"expected the name of an object in your library, got {name!r}; yours: {yours}")
    folder = user_folder() / "objects" / name
    with writing_to(folder.parent, resumes=False, setting="GRASPD_HOME"):
        shutil.rmtree(folder)
    return folder
