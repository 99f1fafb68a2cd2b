# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Predicted grasps as our batches of grasps: with pregrasp, hover, squeeze and lift, kept over the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.prediction.over_table import GRASP, HOVER, rise_from_table
from omni_graspd.prediction.predictor import Prediction
from omni_graspd.scenes.way_stations import Station, way_stations
from omni_graspd.synthesis.clearance import heights_over
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way
from omni_graspd.usd.transforms import IDENTITY, compose, pose_to_matrix

IN_TABLE = "in the table"
"""Status of grasps that reach below the table top in the grasp itself."""
_TABLE_TOP = np.array([0.0, 0.0, 1.0, 0.0])


def predicted_batch(hand: Hand, prediction: Prediction, T_object_crop: np.ndarray) -> GraspBatch:
    """Bring a prediction into the object's frame.

    Hands that reach below the table top by little are raised. Clearances are those from the table alone, exact for the
    hand's meshes: the object is known as far as it is seen.

    Args:
        hand: The hand.
        prediction: Grasps in the crop frame, in which the table top is z = 0.
        T_object_crop: The crop frame in the object's, shape [7].

    Returns:
        The grasps; ``usable`` are those that stay over the table from pregrasp to lift.
    """
    count, plane = len(prediction.score), _plane_in(T_object_crop)
    joints, postures = hand.joint_positions(prediction.actuated), _postures(hand, prediction)
    way = _way(prediction)
    stations = way_stations(IDENTITY, prediction.T_crop_palm, joints, postures, way)
    rise = rise_from_table(_heights(hand, stations))

    def in_object(T_crop_palm: np.ndarray, height: np.ndarray) -> np.ndarray:
        raised = T_crop_palm.copy()
        raised[:, 2] += height
        return compose(T_object_crop[None], raised)

    return GraspBatch(
        T_object_palm=in_object(prediction.T_crop_palm, rise.grasp),
        joint_positions=joints,
        losses={},
        status=tuple("ok" if height >= 0.0 else IN_TABLE for height in rise.heights[GRASP]),
        postures=replace(
            postures,
            T_object_pregrasp_palm=in_object(prediction.T_crop_pregrasp, rise.pregrasp),
            pregrasp_clearance=rise.heights[0],
        ),
        way=replace(
            way,
            table_plane=np.tile(plane, (count, 1)),
            T_object_hover_palm=in_object(prediction.T_crop_hover, rise.hover),
            lift_direction=np.tile(plane[:3], (count, 1)),
            approach_clearance=rise.heights[: HOVER + 1].min(axis=0),
            closing_clearance=rise.heights[HOVER:GRASP].min(axis=0),
            grasp_clearance=rise.heights[GRASP],
            squeeze_clearance=rise.heights[GRASP + 1 :].min(axis=0),
            usable=rise.heights.min(axis=0) >= 0.0,
        ),
    )


def _postures(hand: Hand, prediction: Prediction) -> Postures:
    """Return postures in the crop frame, their clearance not yet known."""
    return Postures(
        T_object_pregrasp_palm=prediction.T_crop_pregrasp,
        pregrasp_joint_positions=hand.joint_positions(prediction.opened),
        pregrasp_clearance=np.full(len(prediction.score), np.nan),
        squeeze_joint_positions=hand.joint_positions(prediction.squeezed),
    )


def _way(prediction: Prediction) -> Way:
    """Return ways in the crop frame, their clearances not yet known."""
    count = len(prediction.score)
    unknown = np.full(count, np.nan)
    return Way(
        table_plane=np.tile(_TABLE_TOP, (count, 1)),
        T_object_hover_palm=prediction.T_crop_hover,
        lift_direction=np.tile(_TABLE_TOP[:3], (count, 1)),
        approach_clearance=unknown,
        closing_clearance=unknown,
        grasp_clearance=unknown,
        squeeze_clearance=unknown,
        lift_clearance=unknown,
        usable=np.zeros(count, dtype=bool),
        tries=np.ones(count, dtype=np.int32),
        rejected=("",) * count,
    )


def _plane_in(T_object_crop: np.ndarray) -> np.ndarray:
    """Return the table top in the object's frame, shape [4]."""
    matrix = pose_to_matrix(T_object_crop)
    normal = matrix[:3, 2]
    return np.append(normal, normal @ matrix[:3, 3])


def _heights(hand: Hand, stations: Sequence[Station]) -> np.ndarray:
    """Return the lowest vertex of each hand at each place of its way [m], shape [station_count, grasp_count]."""
    palms = np.stack([station.T_world_palm for station in stations])
    joints = np.stack([station.joint_positions for station in stations])
    hands = PlacedHands.of(hand, palms.reshape(-1, 7), joints.reshape(-1, hand.joint_count))
    return heights_over(_TABLE_TOP, hands).reshape(palms.shape[:-1])
