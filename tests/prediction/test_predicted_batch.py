# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Predicted grasps over the table: frames, and clearances against all vertices of the hand."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.prediction.predicted_batch import IN_TABLE, predicted_batch
from omni_graspd.prediction.predictor import Prediction
from omni_graspd.scenes.transfer import transfer_grasps
from omni_graspd.usd.transforms import compose, invert, pose_to_matrix


def _prediction(hand, count: int = 6) -> Prediction:
    random = np.random.default_rng(0)
    turns = Rotation.from_rotvec(np.array([np.pi, 0.0, 0.0]) + 0.3 * random.standard_normal((count, 3)))
    # From far above down to below the table.
    palms = np.concatenate([np.zeros((count, 2)), np.linspace(0.3, 0.05, count)[:, None], turns.as_quat()], axis=1)
    joints = np.tile(hand.open_positions, (count, 1)) + 0.2 * random.random((count, hand.actuated_count))
    hover, pregrasp = palms.copy(), palms.copy()
    hover[:, 2] += 0.02
    pregrasp[:, 2] += 0.06
    return Prediction(palms, joints, 0.9 * joints, joints + 0.1, hover, pregrasp, np.linspace(1.0, 0.0, count))


def test_clearances_are_those_of_all_vertices(hand):
    made = _prediction(hand)
    batch = predicted_batch(hand, made, np.array([0, 0, 0, 0, 0, 0, 1.0]))
    joints = hand.joint_positions(made.actuated)
    lowest = [
        posed_mesh(hand, palm, row).vertices[:, 2].min() for palm, row in zip(made.T_crop_palm, joints, strict=True)
    ]
    np.testing.assert_allclose(batch.way.grasp_clearance, lowest, atol=1e-9)
    assert [status == IN_TABLE for status in batch.status] == [value < 0.0 for value in lowest]
    assert 0 < batch.usable.sum() < len(lowest)


def test_the_object_frame_changes_nothing_but_the_frame(hand):
    """In any frame of the object the grasps are at the same place in the world, by the check of scenes."""
    made = _prediction(hand)
    T_object_crop = np.array([0.3, -0.1, 0.2, *Rotation.from_rotvec([0.4, 1.0, -0.7]).as_quat()])
    batch = predicted_batch(hand, made, T_object_crop)
    back = compose(invert(T_object_crop)[None], batch.T_object_palm)
    np.testing.assert_allclose(pose_to_matrix(back), pose_to_matrix(made.T_crop_palm), atol=1e-9)
    placed = transfer_grasps(hand, batch, invert(T_object_crop))
    np.testing.assert_array_equal(placed.usable, batch.usable)
    np.testing.assert_allclose(placed.table_clearance, batch.way.grasp_clearance, atol=1e-9)
    plane = batch.way.table_plane[0]
    foot = compose(T_object_crop, [0.5, 0.2, 0.0, 0, 0, 0, 1])[:3]
    assert abs(plane[:3] @ foot - plane[3]) < 1e-9


def test_couplings_hold(hand):
    batch = predicted_batch(hand, _prediction(hand), np.array([0, 0, 0, 0, 0, 0, 1.0]))
    for joints in (batch.joint_positions, batch.postures.squeeze_joint_positions):
        np.testing.assert_allclose(joints, hand.joint_positions(joints[:, hand.actuated]), atol=1e-12)
