# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How an object lies on a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.backend import load_backend
from omni_graspd.errors import GraspdError
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.drop import DropConfig, drop_objects
from omni_graspd.scenes.rest_poses import cluster_rest_poses, down_directions
from omni_graspd.synthesis.surroundings import Surroundings, table_under


@dataclass(frozen=True, eq=False)
class RestPoses:
    """The poses in which an object came to rest, the most frequent first; the table top is z = 0, gravity along -Z."""

    T_world_object: np.ndarray
    """One pose of each kind, shape [rest_pose_count, 7]."""
    counts: np.ndarray
    """How many drops ended in each, shape [rest_pose_count]."""

    def __len__(self) -> int:
        """Return how many kinds there are."""
        return len(self.counts)

    def table(self, number: int = 0) -> Surroundings:
        """Return the table under the object in one of the poses, as surroundings of its grasps.

        Raises:
            GraspdError: If there is no such pose.
        """
        if not 0 <= number < len(self):
            raise GraspdError(f"expected a rest pose from 0 to {len(self) - 1}, got {number}")
        return table_under(self.T_world_object[number])


async def find_rest_poses(obj: RigidObject, drops: int, seed: int) -> RestPoses:
    """Drop an object and group how it lies.

    Args:
        obj: The object.
        drops: How often.
        seed: Seed of the drops.
    """
    done = await drop_objects(obj, range(drops), DropConfig(), seed, load_backend("auto").simulate)
    poses = np.array([drop.T_world_object for drop in done])
    groups = cluster_rest_poses(down_directions(poses))
    first = [int(np.flatnonzero(groups.labels == number)[0]) for number in range(len(groups.counts))]
    return RestPoses(poses[first], groups.counts)
