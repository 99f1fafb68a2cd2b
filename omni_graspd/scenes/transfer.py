# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Base grasps carried over to a scene, with the hand's clearance to the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import compose, pose_to_matrix


@dataclass(frozen=True)
class SceneGrasps:
    """Grasps in the frame of a scene, one row each, in the order of the base grasps."""

    T_world_palm: np.ndarray
    """Palm poses, shape [grasp_count, 7]."""
    table_clearance: np.ndarray
    """Height of the hand's lowest vertex over the table top [m], negative below it, shape [grasp_count]."""
    collides: np.ndarray
    """Whether the hand reaches below the table top, shape [grasp_count], bool."""


def transfer_grasps(
    hand: Hand, T_object_palm: np.ndarray, joint_positions: np.ndarray, T_world_object: np.ndarray
) -> SceneGrasps:
    """Carry grasps from the object frame to a scene whose table top is the plane z = 0.

    The clearance is exact for the links' meshes, since the lowest point of a mesh is one of its vertices. The edge of
    the table is not looked at: a hand beside the table and below its top counts as colliding.

    Args:
        hand: The hand.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints, in the order of ``hand.joint_names`` [rad or m], shape [grasp_count, joint_count].
        T_world_object: Rest pose of the object, shape [7].
    """
    T_world_palm = compose(np.asarray(T_world_object)[None, :], np.asarray(T_object_palm))
    clearance = np.full(len(T_world_palm), np.inf)
    if len(T_world_palm):
        T_world_link = pose_to_matrix(link_poses(hand, T_world_palm, np.asarray(joint_positions)))
        for index, link in enumerate(hand.links):
            if len(link.mesh.vertices):
                height = T_world_link[:, index, 2, :3] @ link.mesh.vertices.T + T_world_link[:, index, 2, 3:]
                clearance = np.minimum(clearance, height.min(axis=1))
    return SceneGrasps(T_world_palm=T_world_palm, table_clearance=clearance, collides=clearance < 0.0)
