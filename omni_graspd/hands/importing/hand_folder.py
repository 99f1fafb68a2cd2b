# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a hand in the user's library: USD, hand.toml and licences, there in full or not at all."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from omni_graspd.atomic import replaced_folder, require_inside, writing_to
from omni_graspd.errors import GraspdError
from omni_graspd.hands.usd.hand_settings import HandSettings
from omni_graspd.library import Kind, check_name, list_names, list_user_names
from omni_graspd.user_folders import user_folder


def check_own_name(name: str, replace: bool, kind: Kind = "hands") -> None:
    """Refuse names that a hand or arm of the user's cannot have.

    Raises:
        GraspdError: If it is no identifier, that of a built-in one, or of one that is there and not to be replaced.
    """
    check_name(name)
    if name in list_names(kind):
        raise GraspdError(f"expected a name that is not built in, got {name!r}; try {name}_vendor")
    if name in list_user_names(kind) and not replace:
        raise GraspdError(f"expected a new name, got {name!r}, which you have; --replace it or choose another")


def user_hand_file(name: str) -> Path:
    """Return where the USD file of one of the user's hands lies."""
    return user_folder() / "hands" / name / f"{name}.usda"


@contextmanager
def new_hand_folder(name: str) -> Iterator[Path]:
    """Yield an empty folder that takes a hand's place in the library when the block ends well.

    Raises:
        GraspdError: If it cannot be written.
    """
    folder = user_hand_file(name).parent
    with writing_to(folder, resumes=False, setting="GRASPD_HOME"), replaced_folder(folder) as staged:
        yield staged


def license_files(folder: Path) -> dict[str, Path]:
    """Return the licences in a folder by where they go, those in a folder LICENSES too.

    Raises:
        GraspdError: If one is a link that leads elsewhere.
    """
    folder = folder.resolve()
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if re.match(r"(?i)(licen[cs]e|copying)", path.name)):
        require_inside(path, folder, "the licence")
        for text in sorted(path.iterdir()) if path.is_dir() else [path]:
            require_inside(text, folder, "the licence")
            if text.is_file():
                found[text.relative_to(folder).as_posix()] = text
    return found


def copy_files(files: Mapping[str, Path], folder: Path) -> None:
    """Copy files by where they go below a folder."""
    for name, found in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(found, folder / name)


def source_table(rows: Mapping[str, object]) -> str:
    """Return the table of hand.toml that says where a hand comes from, numbers, texts and lists of them by key."""
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in rows.items()]
    return "\n".join(["[source]", *lines]) + "\n"


def settings_text(settings: HandSettings) -> str:
    """Return what hand.toml says of overrides, above the table of the source; nothing where nothing is given."""
    rows = {name: getattr(settings, name) for name in ("palm", "approach_direction", "approach_point")}
    lines = [f"{name} = {json.dumps(value)}" for name, value in rows.items() if value is not None]
    if settings.excluded_links:
        lines.append(f"excluded_links = {json.dumps(settings.excluded_links)}")
    if settings.open_positions:
        lines += ["", "[open_positions]"]
        lines += [f"{json.dumps(joint)} = {position!r}" for joint, position in settings.open_positions.items()]
    return "".join(f"{line}\n" for line in [*lines, ""]) if lines else ""
