# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The ways of grasps where their object stands: in its scene, or by itself on a table top."""

from __future__ import annotations

import numpy as np

from omni_graspd.formats.record import GraspRecord
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay, hand_way
from omni_graspd.usd.transforms import compose, invert


def world_ways(record: GraspRecord, center_of_mass: np.ndarray) -> list[HandWay | None]:
    """Return the way of each grasp in the world; None where there is none.

    In a scene the object is where the scene has it. Otherwise it stands on the table top z = 0 as the grasp wants it,
    its centre of mass over the origin.

    Args:
        record: Grasps of our hand.
        center_of_mass: Of the object, in its frame [m], shape [3].
    """
    way, before, opened = record.way, record.T_object_pregrasp_palm, record.pregrasp_joint_positions
    squeezed = record.squeeze_joint_positions
    if way is None or before is None or opened is None or squeezed is None:
        return [None] * len(record)
    palms = np.stack([before, way.T_object_hover_palm, record.T_object_palm], axis=1)
    joints = np.stack([opened, record.joint_positions, squeezed], axis=1)
    found: list[HandWay | None] = []
    for row in range(len(record)):
        given = way.table_plane[row], center_of_mass, palms[row], joints[row], way.lift_direction[row]
        found.append(_in_scene(record, hand_way(*given)) if all(np.isfinite(part).all() for part in given) else None)
    return found


def _in_scene(record: GraspRecord, alone: HandWay) -> HandWay:
    """Move a way on a bare table top to where the scene of the record has the object."""
    if record.placement is None:
        return alone
    T_world_object = record.placement.T_world_object
    T_scene_alone = compose(T_world_object, invert(alone.T_world_object))
    turn = np.concatenate([np.zeros(3), T_scene_alone[3:]])
    lift = compose(turn, np.append(alone.lift_direction, [0.0, 0.0, 0.0, 1.0]))[:3]
    return HandWay(T_world_object, compose(T_scene_alone[None], alone.T_world_palm), alone.joint_positions, lift)
