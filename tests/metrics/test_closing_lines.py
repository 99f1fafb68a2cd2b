# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Closing lines: contacts in closed form, and grasps of a built-in hand."""

from __future__ import annotations

import numpy as np

from omni_graspd.metrics.closing_lines import opposing_middles


def test_two_opposite_pads_give_the_line_between_them() -> None:
    pad = np.array([[0.03, y, z] for y in (-0.01, 0.01) for z in (0.0, 0.02)])
    positions = np.concatenate([pad, pad * [-1.0, 1.0, 1.0]])
    normals = np.repeat([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], 4, axis=0)
    ends = opposing_middles(positions, normals)
    np.testing.assert_allclose(sorted(ends.tolist()), [[-0.03, 0.0, 0.01], [0.03, 0.0, 0.01]], atol=1e-12)


def test_a_thumb_against_three_fingers_gives_the_line_from_thumb_to_their_middle() -> None:
    fingers = np.array([[0.03, y, 0.0] for y in (-0.02, 0.0, 0.02)])
    positions = np.concatenate([fingers, [[-0.03, 0.0, 0.0]]])
    angles = np.radians([-20.0, 0.0, 20.0])
    normals = np.stack([np.cos(angles), np.sin(angles), 0.0 * angles], axis=-1)
    ends = opposing_middles(positions, np.concatenate([normals, [[-1.0, 0.0, 0.0]]]))
    np.testing.assert_allclose(sorted(ends.tolist()), [[-0.03, 0.0, 0.0], [0.03, 0.0, 0.0]], atol=1e-9)


def test_contacts_on_one_side_only_have_no_line() -> None:
    positions = np.array([[0.03, y, 0.0] for y in (-0.02, 0.0, 0.02)])
    assert opposing_middles(positions, np.tile([1.0, 0.0, 0.0], (3, 1))) is None
    assert opposing_middles(np.zeros((0, 3)), np.zeros((0, 3))) is None
