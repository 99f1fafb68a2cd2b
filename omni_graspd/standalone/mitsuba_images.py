# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Image files as Mitsuba bitmaps, read through USD's asset resolver, so that packages work, too."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from omni_graspd.errors import GraspdError
from omni_graspd.usd.asset_content import read_asset


def read_bitmap(mi: ModuleType, path: str) -> Any:
    """Read an image.

    Args:
        mi: Mitsuba with its variant set.
        path: Resolved path of a file, or of one within a package (``scene.usdz[0/a.png]``).

    Raises:
        GraspdError: If there is none, or it cannot be read.
    """
    content = read_asset(path)
    if content is None:
        raise GraspdError(f"the texture {path!r} does not exist; fix its path in the USD file")
    stream = mi.MemoryStream(len(content))
    stream.write(content)
    stream.seek(0)
    try:
        return mi.Bitmap(stream)
    except RuntimeError as error:
        raise GraspdError(f"the texture {path!r} cannot be read; save it again as PNG or JPEG") from error
