# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What leads from one pose to another, half turns included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from omni_graspd.arms.inverse_kinematics import pose_error


def _matrix(rotation: Rotation) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation.as_matrix()
    return matrix[None]


@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.4, 3.0, np.pi])
def test_the_rotation_vector_leads_to_the_wanted_pose(angle: float) -> None:
    for axis in ([1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0, -0.8], [0.48, 0.6, 0.64]):
        start = Rotation.from_rotvec([0.3, -0.2, 0.9])
        wanted = Rotation.from_rotvec(angle * np.array(axis, dtype=float)) * start
        error = pose_error(_matrix(start), _matrix(wanted))[0, 3:]
        assert np.linalg.norm(error) == pytest.approx(angle, abs=1e-6)
        assert (Rotation.from_rotvec(error) * start * wanted.inv()).magnitude() == pytest.approx(0.0, abs=1e-6)
