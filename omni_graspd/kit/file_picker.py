# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Kit's dialog for files and folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import omni.kit.window.filepicker


def pick_path(title: str, start: Path, chosen: Callable[[str], None]) -> None:
    """Have the user choose a file or a folder.

    Args:
        title: Title of the dialog.
        start: Where it begins: a file, a folder, or what shall become one.
        chosen: Called with the path, or the address on a server; not at all if the user cancels.
    """

    def apply(filename: str, dirname: str) -> None:
        dialog.hide()
        path = "/".join(part for part in (dirname.rstrip("/"), filename) if part)
        if path:
            chosen(path)

    dialog = omni.kit.window.filepicker.FilePickerDialog(
        title,
        allow_multi_selection=False,
        apply_button_label="Choose",
        click_apply_handler=apply,
        click_cancel_handler=lambda filename, dirname: dialog.hide(),
        current_directory=str(next((folder for folder in (start, *start.parents) if folder.is_dir()), Path.home())),
    )
    dialog.show()
