# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations as networks see them: six numbers in which near rotations are near, and small turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]


def to_columns(rotations: Tensor) -> Tensor:
    """Return the first two columns of rotations [..., 3, 3], shape [..., 6]."""
    import torch  # pyright: ignore[reportMissingImports]

    return torch.cat([rotations[..., 0], rotations[..., 1]], dim=-1)


def from_columns(columns: Tensor) -> Tensor:
    """Return the rotations whose first two columns are nearest in turn, shape [..., 3, 3].

    Args:
        columns: Any six numbers that are not parallel, shape [..., 6].

    References:
        Zhou et al., "On the continuity of rotation representations in neural networks", CVPR 2019.
    """
    import torch  # pyright: ignore[reportMissingImports]

    x = torch.nn.functional.normalize(columns[..., :3], dim=-1)
    y = columns[..., 3:] - (x * columns[..., 3:]).sum(dim=-1, keepdim=True) * x
    y = torch.nn.functional.normalize(y, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def turned(vectors: Tensor) -> Tensor:
    """Return the rotations by vectors [..., 3]: along the axis, as long as the angle [rad]; shape [..., 3, 3].

    By Rodrigues' formula: a tenth of the time of a matrix exponential.
    """
    import torch  # pyright: ignore[reportMissingImports]

    zero = torch.zeros_like(vectors[..., 0])
    x, y, z = vectors.unbind(dim=-1)
    rows = [torch.stack(row, dim=-1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    across = torch.stack(rows, dim=-2)
    angle = vectors.norm(dim=-1)[..., None, None]
    once, twice = torch.sinc(angle / torch.pi), 0.5 * torch.sinc(0.5 * angle / torch.pi) ** 2
    return torch.eye(3, dtype=vectors.dtype, device=vectors.device) + once * across + twice * (across @ across)
