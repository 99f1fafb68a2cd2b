# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What stands around the object when a grasp is made: nothing, a table, or any obstacles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import pose_to_matrix


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a hand must not touch besides the object, in the object frame."""

    plane: np.ndarray | None = None
    """Table top: unit normal pointing up and offset [m], shape [4]; free space is where normal · p > offset. None: the
    object floats, as in the paper."""
    obstacles: tuple[TriangleMesh, ...] = ()
    """Closed meshes in the object frame [m]: neighbours, a shelf, what stands on the user's stage."""

    up: np.ndarray | None = None
    """Unit direction against gravity, shape [3], along which the object is lifted; None: the table's normal, and
    without a table the way that the hand came."""

    @property
    def upward(self) -> np.ndarray:
        """Unit direction against gravity, shape [3]; zero where that is not known."""
        if self.up is not None:
            return np.asarray(self.up, dtype=np.float64)
        return np.zeros(3) if self.plane is None else np.asarray(self.plane, dtype=np.float64)[:3]

    @property
    def is_empty(self) -> bool:
        """Whether the hand is free to come from anywhere, as in the paper."""
        return self.plane is None and not self.obstacles


NOTHING = Surroundings()
"""The paper's setting: the object floats."""


def table_under(T_world_object: np.ndarray, obstacles: tuple[TriangleMesh, ...] = ()) -> Surroundings:
    """Return the surroundings of an object that rests on the table top z = 0.

    Args:
        T_world_object: Rest pose, shape [7].
        obstacles: Further meshes, in the object frame [m].
    """
    matrix = pose_to_matrix(np.asarray(T_world_object, dtype=np.float64))
    # World z = 0 seen from the object: z = (R p + t)_z.
    return Surroundings(np.append(matrix[2, :3], -matrix[2, 3]), obstacles)
