# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects on a table, and every pose of the way in and out, as robots execute it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.surroundings import Surroundings, table_under
from omni_graspd.synthesis.synthesizer import synthesize
from omni_graspd.usd.meshes import TriangleMesh

QUICK = {
    "iterations": 60,
    "point_count": 400,
    "tries": 2,
    "draft": DraftConfig(iterations=40, candidates=2),
}
"""A fifth of the work that the default settings do; most grasps are good all the same."""


def resting(obj: RigidObject, rotation: Sequence[float] = (0.0, 0.0, 0.0, 1.0)) -> np.ndarray:
    """Return the pose in which an object turned by a quaternion touches the table, shape [7]."""
    from scipy.spatial.transform import Rotation

    lowest = Rotation.from_quat(rotation).apply(obj.mesh.vertices)[:, 2].min()
    return np.array([0.1, -0.2, -lowest, *rotation])


def table(
    obj: RigidObject, rotation: Sequence[float] = (0.0, 0.0, 0.0, 1.0), obstacles: tuple[TriangleMesh, ...] = ()
) -> Surroundings:
    """Return the table under an object turned by a quaternion."""
    return table_under(resting(obj, rotation), obstacles)


def find(
    hand: Hand, obj: RigidObject, indices: Sequence[int], around: Surroundings, *, seed: int = 0, **options
) -> GraspBatch:
    """Find grasps with quick settings."""
    threads = options.pop("threads", 1)
    config = SynthesisConfig(**{**QUICK, **options})
    return asyncio.run(synthesize(hand, obj, indices, config, seed=seed, surroundings=around, threads=threads))


def posed_vertices(hand: Hand, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Return all vertices of all links in the object frame [m], shape [vertex_count, 3]."""
    matrices = link_matrices(hand, T_object_palm, joint_positions)
    parts = [
        link.mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3] for link, matrix in zip(hand.links, matrices, strict=True)
    ]
    return np.concatenate(parts)


class Moment(NamedTuple):
    """Where the hand is at one moment of the way."""

    stage: str
    T_object_palm: np.ndarray
    joint_positions: np.ndarray


def way_of(batch: GraspBatch, row: int) -> Iterator[Moment]:
    """Go the whole way of a grasp: pregrasp, hover, closing, squeeze, lift."""
    way, postures = batch.way, batch.postures
    before, hover, palm = postures.T_object_pregrasp_palm[row], way.T_object_hover_palm[row], batch.T_object_palm[row]
    opened, closed = postures.pregrasp_joint_positions[row], batch.joint_positions[row]
    for share in np.linspace(0.0, 1.0, 6):
        yield Moment("approach", before + share * (hover - before), opened)
    # Between the moments that the search looks at, too.
    for share in np.linspace(0.0, 1.0, 14):
        yield Moment("closing", hover + share * (palm - hover), opened + share * (closed - opened))
    pressed = postures.squeeze_joint_positions[row]
    yield Moment("squeeze", palm, pressed)
    for height in (0.01, 0.03, 0.1):
        lifted = palm.copy()
        lifted[:3] += height * way.lift_direction[row]
        yield Moment("lift", lifted, pressed)
