# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Textures that lie inside other files get a file of their own, named by content, in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


def texture_cache_folder() -> Path:
    """Return the folder for extracted textures; it may not exist yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "omni_graspd" / "textures"


def keep_image(image: Image) -> Path:
    """Write an image as PNG without transparency, unless it is there already, and return its path."""
    rgb = image.convert("RGB")
    digest = hashlib.sha256(f"{rgb.size}".encode() + rgb.tobytes()).hexdigest()
    path = texture_cache_folder() / f"{digest[:32]}.png"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".partial-{os.getpid()}-{path.name}")
        rgb.save(temporary, compress_level=3)
        temporary.replace(path)
    return path
