# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""MultiDex's .pt: for each grasp a vector (position, two columns of the rotation, joints), the object and the hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, magic
from omni_graspd.formats.record import GraspRecord, matrix_poses, numbers, text
from omni_graspd.formats.untrusted.torch_file import load_torch
from omni_graspd.plain_text import shortened


def read_multidex(path: Path) -> list[GraspRecord]:
    """Read all grasps of a file, one record for each object and hand.

    Raises:
        GraspdError: If it is no such file, or asks for more than plain data and tensors.
    """
    content = load_torch(path)
    grasps = content.get("metadata") if isinstance(content, dict) else None
    if not isinstance(grasps, list) or not all(isinstance(grasp, tuple | list) and len(grasp) == 3 for grasp in grasps):
        raise GraspdError(
            f"expected 'metadata' with (vector, object, hand) in {path}, got another file; name its format"
        )
    groups: dict[tuple[str, str], list[np.ndarray]] = {}
    for vector, name, hand in grasps:
        groups.setdefault((text(name), text(hand)), []).append(vector)
    return [_record(vectors, name, hand, path) for (name, hand), vectors in groups.items()]


def _record(vectors: list[np.ndarray], name: str, hand: str, path: Path) -> GraspRecord:
    values = numbers(vectors, str(path), f"the vectors for {shortened(hand)} on {shortened(name)}", (None, None))
    if values.shape[1] < 9:
        raise GraspdError(f"expected vectors of 9 numbers or more in {path}, got some of {values.shape[1]}")
    matrices = np.tile(np.eye(4), (len(values), 1, 1))
    matrices[:, :3, :3] = _rotation(values[:, 3:6], values[:, 6:9], path)
    matrices[:, :3, 3] = values[:, :3]
    return GraspRecord(
        hand=hand,
        object=name,
        joint_names=(),
        T_object_palm=matrix_poses(matrices, str(path)),
        joint_positions=values[:, 9:],
    )


def _rotation(first: np.ndarray, second: np.ndarray, path: Path) -> np.ndarray:
    """Make rotations of two vectors each, both turned by the same angle until they are at right angles."""
    lengths = np.stack([np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)])
    if (lengths < 1e-6).any():
        raise GraspdError(f"expected two columns of a rotation in numbers 4 to 9 of the vectors in {path}, got zeros")
    x, y = first / lengths[0][:, None], second / lengths[1][:, None]
    middle, across = x + y, x - y
    shortest = np.minimum(np.linalg.norm(middle, axis=1), np.linalg.norm(across, axis=1))
    if (shortest < 1e-6).any():
        raise GraspdError(
            f"expected two columns of a rotation in numbers 4 to 9 of the vectors in {path}, got parallel ones"
        )
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    x, y = (middle + across) / np.sqrt(2.0), (middle - across) / np.sqrt(2.0)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


FORMATS = (
    Format(
        name="multidex",
        title="MultiDex (GenDexGrasp)",
        place=80,
        suffixes=(".pt",),
        signature=magic(b"PK", "a PyTorch file", inside=b"data.pkl"),
        read=read_multidex,
        rotation="matrices",
    ),
)
