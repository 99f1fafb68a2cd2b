# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Base grasps carried over to a scene: where the hand is, and what the table leaves free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.scenes.clutter import Neighbour
from omni_graspd.scenes.neighbour_clearance import NeighbourClearance
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.transforms import compose, pose_to_matrix

_FROM_ABOVE = math.radians(60.0)
"""Largest angle between the approach direction and straight down at which a hand comes from above [rad]."""


@dataclass(frozen=True)
class SceneGrasps:
    """Grasps in the frame of a scene, one row each, in the order of the base grasps."""

    T_world_palm: np.ndarray
    """Palm poses, shape [grasp_count, 7]."""
    table_clearance: np.ndarray
    """Height of the hand's lowest vertex over the table top [m], negative below it, shape [grasp_count]."""
    collides: np.ndarray
    """Whether the hand reaches below the table top or touches a neighbour, or is nowhere (NaN), [grasp_count], bool."""
    approach_angle: np.ndarray
    """Angle between the direction in which the palm looks and straight down [rad], shape [grasp_count]."""
    approach_clearance: np.ndarray
    """Lowest vertex over the table top on the open hand's straight way from pregrasp to grasp [m]; NaN where there is
    no pregrasp, shape [grasp_count]."""
    from_above: np.ndarray
    """Whether the hand comes from above, within 60 degrees, never reaches below the table top and, at the start, in the
    middle and at the end of the way, touches no neighbour, shape [grasp_count], bool."""
    neighbour_clearance: np.ndarray | None = None
    """Distance to the nearest neighbour [m], up to 5 cm, 0 where the hand touches it, shape [grasp_count]; None for a
    scene without clutter."""


def transfer_grasps(
    hand: Hand, batch: GraspBatch, T_world_object: np.ndarray, neighbours: Sequence[Neighbour] = ()
) -> SceneGrasps:
    """Carry grasps from the object frame to a scene whose table top is the plane z = 0.

    Clearances are exact for the links' meshes: the lowest point of a mesh is one of its vertices, and on a straight way
    without turning a vertex is lowest at one of the ends. The edge of the table is not looked at: a hand beside the
    table and below its top counts as colliding.

    Args:
        hand: The hand.
        batch: Base grasps.
        T_world_object: Rest pose of the object, shape [7].
        neighbours: Objects beside it.
    """
    T_world_palm = _moved(T_world_object, batch.T_object_palm)
    clearance = _heights(hand, T_world_palm, batch.joint_positions)
    collides = ~(clearance >= 0.0)
    direction = pose_to_matrix(T_world_palm)[:, :3, :3] @ hand.approach_direction
    angle = np.arccos(np.clip(-direction[:, 2], -1.0, 1.0))
    approach = np.full(len(clearance), np.nan)
    obstacles = NeighbourClearance(hand, neighbours) if neighbours else None
    beside = None if obstacles is None else obstacles.measure(T_world_palm, batch.joint_positions)
    if beside is not None:
        collides |= ~(beside > 0.0)
    free = ~collides
    if batch.postures:
        opened = batch.postures.pregrasp_joint_positions
        T_world_pregrasp = _moved(T_world_object, batch.postures.T_object_pregrasp_palm)
        approach = np.minimum(_heights(hand, T_world_pregrasp, opened), _heights(hand, T_world_palm, opened))
        if obstacles is not None:
            middle = T_world_palm.copy()
            middle[:, :3] = 0.5 * (T_world_palm[:, :3] + T_world_pregrasp[:, :3])
            for poses in (T_world_pregrasp, middle, T_world_palm):
                free &= obstacles.measure(poses, opened) > 0.0
    return SceneGrasps(
        T_world_palm=T_world_palm,
        table_clearance=clearance,
        collides=collides,
        approach_angle=angle,
        approach_clearance=approach,
        from_above=(angle <= _FROM_ABOVE) & (approach >= 0.0) & free,
        neighbour_clearance=beside,
    )


def join_scene_grasps(parts: Sequence[SceneGrasps]) -> SceneGrasps:
    """Return grasps of several hands in one, in the given order; at least one part."""
    columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(SceneGrasps)}
    there = {name: values for name, values in columns.items() if values[0] is not None}
    return SceneGrasps(**{name: np.concatenate(values) for name, values in there.items()})


def _moved(T_world_object: np.ndarray, T_object_palm: np.ndarray) -> np.ndarray:
    """Return palm poses in the world; those of diverged grasps stay no numbers."""
    finite = np.isfinite(T_object_palm).all(axis=1)
    poses = np.full(T_object_palm.shape, np.nan)
    poses[finite] = compose(np.asarray(T_world_object)[None, :], T_object_palm[finite])
    return poses


def _heights(hand: Hand, T_world_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Return the height of each posed hand's lowest vertex [m], NaN for a hand that is nowhere, shape [grasp_count]."""
    finite = np.asarray(np.isfinite(T_world_palm).all(axis=1) & np.isfinite(joint_positions).all(axis=1))
    heights = np.full(len(finite), np.nan)
    if not finite.any():
        return heights
    lowest = np.full(int(finite.sum()), np.inf)
    T_world_link = pose_to_matrix(link_poses(hand, T_world_palm[finite], joint_positions[finite]))
    for index, link in enumerate(hand.links):
        if len(link.mesh.vertices):
            height = T_world_link[:, index, 2, :3] @ link.mesh.vertices.T + T_world_link[:, index, 2, 3:]
            lowest = np.minimum(lowest, height.min(axis=1))
    heights[finite] = lowest
    return heights
