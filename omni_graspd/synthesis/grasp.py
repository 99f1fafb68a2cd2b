# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A batch of grasps of one object by one hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GraspBatch:
    """Grasps in the object frame, one row each; failed ones keep their row."""

    T_object_palm: np.ndarray
    """Palm pose in the object frame, shape [grasp_count, 7]: position [m], quaternion xyzw."""
    joint_positions: np.ndarray
    """All joints, in the order of ``Hand.joint_names`` [rad or m], shape [grasp_count, joint_count]."""
    losses: dict[str, np.ndarray]
    """Loss terms at the end (``stable``, ``range``, ``limit``, ``penetration``, ``self_collision``), [grasp_count]."""
    status: tuple[str, ...]
    """``"ok"`` or the reason of the failure, one per grasp."""
