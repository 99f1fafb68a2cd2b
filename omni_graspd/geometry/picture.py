# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of any origin, loaded in full or not at all."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from omni_graspd.plain_text import shortened

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_PIXELS = 8192 * 8192
"""More than that takes a gigabyte on the way, and a file of half a megabyte may hold it."""


def loaded_picture(image: Image) -> Image | str:
    """Load an opened picture in full; return the reason, in a few words, if that cannot be done.

    Args:
        image: As Pillow opens it.
    """
    if image.width * image.height > _MOST_PIXELS:
        return f"{image.width} x {image.height} pixels, save it with at most 8192 x 8192"
    try:
        image.load()
    # Pillow's decoders raise much besides OSError on broken files.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error, zlib.error) as error:
        return shortened(str(error)) or "damaged"
    return image
