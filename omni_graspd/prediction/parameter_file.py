# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers on disk as safetensors, which hold no code; checked before memory is asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened

_HEADER = 1 << 20
"""Most bytes of a header, and of what is said in it."""


def write_arrays(arrays: Mapping[str, np.ndarray], path: Path, said: Mapping[str, str] | None = None) -> None:
    """Write arrays of float32, all or nothing; the same arrays give the same bytes.

    Args:
        arrays: Arrays by name.
        path: The file.
        said: Texts by name that go with them.
    """
    from safetensors.numpy import save  # pyright: ignore[reportMissingImports]

    content = {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in sorted(arrays.items())}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(content, None if said is None else dict(said)))


def read_arrays(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read arrays that have to be those.

    Args:
        path: A safetensors file.
        shapes: Shape of each array by name.

    Returns:
        The arrays, and the texts that go with them.

    Raises:
        GraspdError: If the file is missing or damaged, or an array is missing, too many, of another shape or kind, or
            not finite.
    """
    from safetensors import SafetensorError, safe_open  # pyright: ignore[reportMissingImports]

    try:
        expected = 4 * sum(math.prod(shape) for shape in shapes.values())
        if path.stat().st_size > expected + _HEADER:
            raise ValueError(f"{path.stat().st_size} bytes where {expected} are expected")
        with safe_open(str(path), framework="numpy") as file:
            _check(file, shapes)
            arrays = {name: file.get_tensor(name) for name in shapes}
            said = dict(file.metadata() or {})
    except (OSError, ValueError, SafetensorError) as error:
        raise GraspdError(
            f"cannot read the network {path}: {shortened(str(error), 200)}; copy the model again, or train it again"
        ) from error
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            raise GraspdError(f"expected finite numbers in {path}, got others in {name}; train the model again")
    return arrays, said


def _check(file: object, shapes: Mapping[str, tuple[int, ...]]) -> None:
    there = set(file.keys())  # pyright: ignore[reportAttributeAccessIssue]
    for name in sorted(there ^ set(shapes)):
        raise ValueError(f"{'no' if name in shapes else 'an unknown'} array {shortened(name)!r}")
    for name, shape in shapes.items():
        part = file.get_slice(name)  # pyright: ignore[reportAttributeAccessIssue]
        if tuple(part.get_shape()) != shape or part.get_dtype() != "F32":
            raise ValueError(
                f"{name} of {part.get_dtype()} and shape {list(part.get_shape())} where F32 and {list(shape)} are "
                "expected"
            )
