# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Couplings: mimic relations turned into one linear map from actuated to all joint positions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.usd.joint_reader import JointPrim


def linear_coupling(joints: Sequence[JointPrim], source: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Resolve mimic relations, chains of them included.

    Args:
        joints: The movable joints, in the order of the joint positions.
        source: File they come from, for errors.

    Returns:
        Actuated joints [actuated_count], coupling [joint_count, actuated_count] and offset [joint_count], so that
        joint_positions = coupling @ actuated_positions + offset.

    Raises:
        GraspdError: If a joint follows itself, directly or through others, or one that is not among them.
    """
    index = {joint.path: k for k, joint in enumerate(joints)}
    for joint in joints:
        if joint.mimic is not None and joint.mimic.leader not in index:
            raise GraspdError(
                f"expected {joint.path} in {source} to follow a joint below the palm, got {joint.mimic.leader}; couple "
                "it to one of those, or name another palm in hand.toml"
            )
    followers = {k: j.mimic for k, j in enumerate(joints) if j.mimic is not None}
    actuated = np.array([k for k in range(len(joints)) if k not in followers], dtype=np.int64)
    full, offset = np.eye(len(joints)), np.zeros(len(joints))
    for k in followers:
        row, constant, joint, seen = 1.0, 0.0, k, {k}
        while joint in followers:
            mimic = followers[joint]
            constant += row * mimic.offset
            row *= mimic.multiplier
            joint = index[mimic.leader]
            if joint in seen:
                raise GraspdError(
                    f"expected mimic joints to follow a free joint, got a circle at {joints[k].path} in {source}"
                )
            seen.add(joint)
        full[k], offset[k] = 0.0, constant
        full[k, joint] = row
    return actuated, full[:, actuated], offset
