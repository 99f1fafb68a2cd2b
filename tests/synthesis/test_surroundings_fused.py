# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The fused path against the split one among table and obstacles; as test_fused_path does without them."""

from __future__ import annotations

import numpy as np
import pytest
from box_hands import box_mesh

from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.surroundings import Surroundings

_COUNT = 8
_TABLE = np.array([0.0, 0.0, 1.0, -0.04])
_WALL = box_mesh((0.1, 0.3, 0.2), (0.15, 0.0, 0.1))
_AROUND = {
    "table": Surroundings(_TABLE),
    "wall": Surroundings(obstacles=(_WALL,)),
    "table and wall": Surroundings(_TABLE, (_WALL,)),
}
# Distances from the object are measured once and then moved on to first order: which of two faces is nearer than the
# other by rounding alone would hide what the paths themselves do.
_CONFIG = SynthesisConfig(iterations=60, point_count=400, dilation=0.02, leak=0.05, reuse_distance=1.0)


@pytest.fixture(params=_AROUND)
def both_paths(hand, started_shard, request):
    """A split and a fused shard of hands that are near what stands around, or less than 1.5 cm inside it."""
    around, can = _AROUND[request.param], load_object("soup_can")
    first = started_shard(hand, can, _CONFIG, count=200, surroundings=around)
    first.evaluate()
    # Deeper in a wall another of its faces may be the nearest.
    near = np.flatnonzero(np.abs(first.clearances()) < 0.015)[:_COUNT]
    starts = first.state.T_object_palm.numpy()[near], first.state.actuated.numpy()[near]
    options = {"starts": starts, "surroundings": around}
    measured, split, fused = (started_shard(hand, can, _CONFIG, fused=path, **options) for path in (False, False, True))
    measured.run(0, 1)
    for shard in (split, fused):
        for name in ("measured_points", "measured_distances", "measured_normals"):
            setattr(shard.state, name, getattr(measured.state, name))
    return split, fused


def test_both_paths_give_the_same_gradients_and_clearances(both_paths):
    split, fused = both_paths
    for shard in both_paths:
        shard.run(0, 1)
    assert (split.clearances() < _CONFIG.surroundings_margin).sum() >= 4
    np.testing.assert_allclose(fused.clearances(), split.clearances(), atol=1e-6)
    for name in ("forces", "palm_forces", "palm_torques", "actuated_gradients"):
        ours, theirs = (getattr(s.state, name).numpy().astype(np.float64) for s in (fused, split))
        ours, theirs = (values.reshape(len(values), -1) for values in (ours, theirs))
        apart = np.abs(ours - theirs).max(axis=1) / np.maximum(np.abs(theirs).max(axis=1), 1e-12)
        assert apart.max() < 1e-3, name


def test_both_paths_are_together_after_ten_steps(both_paths):
    starts = both_paths[0].state.T_object_palm.numpy().copy()
    for shard in both_paths:
        shard.run(0, 10)
    poses, joints = ([getattr(s.state, n).numpy() for s in both_paths] for n in ("T_object_palm", "actuated"))
    assert np.linalg.norm(poses[0][:, :3] - starts[:, :3], axis=1).min() > 1e-3
    np.testing.assert_allclose(poses[1][:, :3], poses[0][:, :3], atol=2e-5)
    np.testing.assert_allclose(poses[1][:, 3:], poses[0][:, 3:], atol=2e-4)
    np.testing.assert_allclose(joints[1], joints[0], atol=3e-4)
