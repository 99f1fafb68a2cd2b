# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Base grasps carried over to a scene: where the hand is, and what the table leaves free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.scenes.clutter import Neighbour
from omni_graspd.scenes.neighbour_clearance import NeighbourClearance
from omni_graspd.scenes.scene_grasps import FROM_ABOVE, SceneGrasps
from omni_graspd.scenes.way_stations import Station, moved, way_stations
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.transforms import pose_to_matrix


def transfer_grasps(
    hand: Hand, batch: GraspBatch, T_world_object: np.ndarray, neighbours: Sequence[Neighbour] = ()
) -> SceneGrasps:
    """Carry grasps from the object frame to a scene whose table top is the plane z = 0.

    Clearances are exact for the links' meshes: the lowest point of a mesh is one of its vertices, and on a straight way
    without turning a vertex is lowest at one of the ends. While the hand closes, and beside neighbours, the way is
    looked at from place to place. The edge of the table is not looked at: a hand beside the table and below its top
    counts as colliding.

    Args:
        hand: The hand.
        batch: Base grasps.
        T_world_object: Rest pose of the object, shape [7].
        neighbours: Objects beside it.
    """
    T_world_palm = moved(T_world_object, batch.T_object_palm)
    clearance = _heights(hand, Station(T_world_palm, batch.joint_positions))
    collides = ~(clearance >= 0.0)
    direction = pose_to_matrix(T_world_palm)[:, :3, :3] @ hand.approach_direction
    angle = np.arccos(np.clip(-direction[:, 2], -1.0, 1.0))
    obstacles = NeighbourClearance(hand, neighbours) if neighbours else None
    beside = None if obstacles is None else obstacles.measure(T_world_palm, batch.joint_positions)
    if beside is not None:
        collides |= ~(beside > 0.0)
    stations = _stations(batch, T_world_object, T_world_palm)
    approach = np.full(len(clearance), np.nan)
    if stations:
        # Without turning and closing, a way is lowest at one of its ends.
        looked_at = stations[::2] if batch.way is None else stations
        approach = np.minimum.reduce([_heights(hand, station) for station in looked_at])
    free = ~collides & (approach >= 0.0)
    if obstacles is not None:
        for station in stations:
            free[free] = obstacles.clears(station.T_world_palm[free], station.joint_positions[free])
    return SceneGrasps(
        T_world_palm=T_world_palm,
        table_clearance=clearance,
        collides=collides,
        approach_angle=angle,
        approach_clearance=approach,
        from_above=(angle <= FROM_ABOVE) & free,
        usable=None if batch.way is None else batch.ok & batch.usable & free,
        neighbour_clearance=beside,
    )


def _stations(batch: GraspBatch, T_world_object: np.ndarray, T_world_palm: np.ndarray) -> list[Station]:
    """Return the places of the way that are looked at; without a known way, those of the open hand's straight one."""
    if batch.postures is None:
        return []
    if batch.way is not None:
        return way_stations(T_world_object, T_world_palm, batch.joint_positions, batch.postures, batch.way)
    opened, pregrasp = batch.postures.pregrasp_joint_positions, batch.postures.T_object_pregrasp_palm
    T_world_pregrasp = moved(T_world_object, pregrasp)
    middle = T_world_palm.copy()
    middle[:, :3] = 0.5 * (T_world_palm[:, :3] + T_world_pregrasp[:, :3])
    return [Station(poses, opened) for poses in (T_world_pregrasp, middle, T_world_palm)]


def join_scene_grasps(parts: Sequence[SceneGrasps]) -> SceneGrasps:
    """Return grasps of several hands in one, in the given order; at least one part."""
    columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(SceneGrasps)}
    there = {name: values for name, values in columns.items() if values[0] is not None}
    return SceneGrasps(**{name: np.concatenate(values) for name, values in there.items()})


def _heights(hand: Hand, station: Station) -> np.ndarray:
    """Return the height of each posed hand's lowest vertex [m], NaN for a hand that is nowhere, shape [grasp_count]."""
    T_world_palm, joint_positions = station.T_world_palm, station.joint_positions
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
