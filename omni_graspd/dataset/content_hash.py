# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hash of what a hand or an object is, independent of where its file lies."""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.usd.materials import Appearance


def content_hash(value: Any) -> str:
    """Hash a dataclass of arrays, numbers, strings, and further dataclasses, such as a Hand or a RigidObject.

    Paths do not count, since a moved file is the same object; a texture counts by its bytes.

    Returns:
        ``"sha256:"`` and 64 hexadecimal digits.

    Raises:
        TypeError: If a field is of another type.
    """
    digest = hashlib.sha256()
    _update(digest, value)
    return f"sha256:{digest.hexdigest()}"


def _update(digest: hashlib._Hash, value: Any) -> None:
    if isinstance(value, Appearance):
        _update(digest, (*value.color, value.roughness, value.metallic))
        digest.update(b"" if value.texture is None else Path(value.texture).read_bytes())
    elif is_dataclass(value):
        for field in fields(value):
            digest.update(f"<{field.name}>".encode())
            _update(digest, getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        digest.update(f"<{value.dtype.str}{value.shape}>".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, (tuple, list)):
        digest.update(f"<{len(value)}>".encode())
        for item in value:
            _update(digest, item)
    elif value is None or isinstance(value, (bool, int, float, str, np.generic)):
        digest.update(f"<{value!r}>".encode())
    elif not isinstance(value, Path):
        raise TypeError(f"expected arrays, numbers, strings and dataclasses, got {type(value).__name__}")
