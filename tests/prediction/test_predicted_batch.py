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


_HERE = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])


def test_clearances_are_those_of_all_vertices(hand):
    made = _prediction(hand)
    batch = predicted_batch(hand, made, _HERE)
    lowest = [
        posed_mesh(hand, palm, row).vertices[:, 2].min()
        for palm, row in zip(batch.T_object_palm, batch.joint_positions, strict=True)
    ]
    np.testing.assert_allclose(batch.way.grasp_clearance, lowest, rtol=0.0, atol=1e-7)  # single precision
    assert [status == IN_TABLE for status in batch.status] == [value < 0.0 for value in lowest]
    assert 0 < batch.usable.sum() < len(lowest)


def test_hands_are_raised_out_of_the_table_and_no_farther(hand):
    made = _prediction(hand, 24)
    batch = predicted_batch(hand, made, _HERE)
    rise = batch.T_object_palm[:, 2] - made.T_crop_palm[:, 2]
    assert (rise[batch.way.grasp_clearance > 0.01] == 0.0).all()
    raised = rise > 0.0
    assert raised.any() and rise.max() <= 0.02
    lowest = np.minimum(batch.way.grasp_clearance, batch.way.squeeze_clearance)
    np.testing.assert_allclose(lowest[raised], 0.001, atol=1e-9)
    assert batch.usable[batch.ok].all(), "the way of a grasp over the table is over it, too"
    np.testing.assert_allclose(batch.T_object_palm[:, [0, 1]], made.T_crop_palm[:, [0, 1]], atol=1e-12)


def test_the_object_frame_changes_nothing_but_the_frame(hand):
    """In any frame of the object the grasps are at the same place in the world, by the check of scenes."""
    made = _prediction(hand)
    T_object_crop = np.array([0.3, -0.1, 0.2, *Rotation.from_rotvec([0.4, 1.0, -0.7]).as_quat()])
    batch = predicted_batch(hand, made, T_object_crop)
    back = compose(invert(T_object_crop)[None], batch.T_object_palm)
    here = predicted_batch(hand, made, _HERE).T_object_palm
    np.testing.assert_allclose(pose_to_matrix(back), pose_to_matrix(here), atol=1e-9)
    placed = transfer_grasps(hand, batch, invert(T_object_crop))
    np.testing.assert_array_equal(placed.usable, batch.usable)
    np.testing.assert_allclose(placed.table_clearance, batch.way.grasp_clearance, rtol=0.0, atol=1e-7)
    plane = batch.way.table_plane[0]
    foot = compose(T_object_crop, [0.5, 0.2, 0.0, 0, 0, 0, 1])[:3]
    assert abs(plane[:3] @ foot - plane[3]) < 1e-9


def test_couplings_hold(hand):
    batch = predicted_batch(hand, _prediction(hand), _HERE)
    for joints in (batch.joint_positions, batch.postures.squeeze_joint_positions):
        np.testing.assert_allclose(joints, hand.joint_positions(joints[:, hand.actuated]), atol=1e-12)
