# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a described hand is as large as hands are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.source_hand import SourceLink
from omni_graspd.usd.transforms import compose, transform_points

_SMALLEST, _LARGEST = 0.02, 1.0
_OTHER_UNIT = 20.0
"""Meshes that are larger than the joints are apart by more than this factor are in another unit than they."""
_ROBOT = 4.0
"""What is larger than a hand and smaller than this may be a robot, in metres [m]."""


def check_size(links: Sequence[SourceLink], scale: float, source: Path) -> None:
    """Refuse a hand that is implausibly large or small, with what is likely to be wrong.

    Args:
        links: The palm and what hangs on it, parents first [m].
        scale: Metres per unit of length of the source, as the user gave it.
        source: The file, for errors.

    Raises:
        GraspdError: If it is, or has no shapes.
    """
    poses: dict[str | None, np.ndarray] = {None: np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])}
    points, origins = [], []
    for link in links:
        poses[link.name] = (
            compose(poses[link.parent], link.T_parent_link) if link.parent and link.parent in poses else poses[None]
        )
        points += [transform_points(poses[link.name], s.mesh.bounds) for s in (*link.visuals, *link.colliders)]
        origins.append(poses[link.name][:3])
    if not points:
        raise GraspdError(f"expected links with shapes in {source}, got none; add visual or collision geometry")
    size = float(np.ptp(np.concatenate(points), axis=0).max())
    if not _SMALLEST <= size <= _LARGEST:
        reach = float(np.ptp(origins, axis=0).max())
        if _SMALLEST <= reach <= _LARGEST and size > _OTHER_UNIT * reach:
            raise GraspdError(
                f"expected meshes in the unit of the joints in {source}, got meshes of {size:.3g} m on joints that are "
                f"{reach:.3g} m apart; scale the meshes, probably by {_likely_factor(size):g}"
            )
        factor = _likely_factor(size)
        robot = '; of a whole robot, name the palm in a hand.toml beside the file: palm = "..."'
        raise GraspdError(
            f"expected a hand of {_SMALLEST:g} to {_LARGEST:g} m in {source}, got {size:.3g} m; "
            f"give its unit, probably --scale {scale * factor:g}{robot if _LARGEST < size < _ROBOT else ''}"
        )


def _likely_factor(size: float) -> float:
    """Return by which change of unit a hand of some size [m] would be of a usual one."""
    return min((0.001, 0.01, 0.0254, 10.0, 100.0, 1000.0), key=lambda factor: abs(np.log(size * factor / 0.2)))
