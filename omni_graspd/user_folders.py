# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where the user's own assets and what is kept between runs lie."""

from __future__ import annotations

import os
from pathlib import Path

_NAME = "omni_graspd"


def user_folder() -> Path:
    """Return the folder of the user's own hands and objects; it may not exist yet.

    It is ``GRASPD_HOME`` where that is set, else the platform's folder for data (``XDG_DATA_HOME`` on Linux).
    """
    home = os.environ.get("GRASPD_HOME")
    if home:
        return Path(home).expanduser()
    import platformdirs

    return platformdirs.user_data_path(_NAME, appauthor=False)


def cache_folder(part: str) -> Path:
    """Return the folder of what can be made or fetched again; it may not exist yet.

    It lies in the platform's folder for caches (``XDG_CACHE_HOME`` on Linux).

    Args:
        part: What is kept there, for example ``textures``.
    """
    import platformdirs

    return platformdirs.user_cache_path(_NAME, appauthor=False) / part
