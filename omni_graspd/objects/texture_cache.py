# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Textures that lie inside other files get a file of their own, named by content, in the user's cache folder."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.picture import loaded_picture
from omni_graspd.plain_text import shortened
from omni_graspd.user_folders import cache_folder

if TYPE_CHECKING:
    from PIL.Image import Image

_FOLDER = "textures"


def open_image(file: Path | bytes) -> Image | str:
    """Open a picture and load it in full; return the reason, in a few words, if that cannot be done.

    Args:
        file: A file, or its content.
    """
    import PIL.Image

    try:
        return loaded_picture(PIL.Image.open(BytesIO(file if isinstance(file, bytes) else file.read_bytes())))
    except PIL.UnidentifiedImageError:
        return "no picture"
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        return shortened(str(error))


def keep_image(image: Image) -> Path:
    """Write a loaded image as PNG without transparency, unless it is there already, and return its path.

    Raises:
        GraspdError: If the cache folder cannot be written.
    """
    try:
        rgb = image.convert("RGB")
        digest = hashlib.sha256(f"{rgb.size}".encode() + rgb.tobytes()).hexdigest()
        path = cache_folder(_FOLDER) / f"{digest[:32]}.png"
        if not path.exists():
            with atomic_path(path) as temporary:
                rgb.save(temporary, format="PNG", compress_level=3)
    except OSError as error:
        raise GraspdError(
            f"expected a writable folder {cache_folder(_FOLDER)}, got {error}; set XDG_CACHE_HOME to another folder"
        ) from error
    return path
