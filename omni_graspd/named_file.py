# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Files by names that stand in other files: any letters, any number of them."""

from __future__ import annotations

from pathlib import Path


def is_file(path: Path | str) -> bool:
    """Tell whether a file is there; a name that the system does not take is that of none."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False
