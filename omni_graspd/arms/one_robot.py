# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""An arm and a hand as one articulation in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.hands.hand import Hand
from omni_graspd.usd.transforms import IDENTITY, compose


def joined(arm: Arm, hand: Hand, T_flange_palm: np.ndarray) -> Hand:
    """Return links and joints of both, those of the arm first; the palm is welded to the flange's link.

    How hands approach means nothing here.

    Args:
        arm: The arm.
        hand: The hand.
        T_flange_palm: The palm in the frame of the flange, shape [7].
    """
    body, links, joints = arm.articulation, len(arm.articulation.links), arm.joint_count
    palm = replace(
        hand.links[0],
        parent=arm.flange_link,
        joint_type="fixed",
        T_parent_joint=compose(arm.T_link_flange, T_flange_palm),
        T_link_joint=IDENTITY,
    )
    rest = [
        replace(link, parent=link.parent + links, joint=link.joint + joints if link.joint >= 0 else -1)
        for link in hand.links[1:]
    ]
    coupling = np.zeros((joints + hand.joint_count, joints + hand.actuated_count))
    coupling[:joints, :joints], coupling[joints:, joints:] = np.eye(joints), hand.coupling
    return replace(
        hand,
        name=f"{arm.name} with {hand.name}",
        links=(*body.links, palm, *rest),
        joint_names=(*body.joint_names, *hand.joint_names),
        joint_lower=np.concatenate([body.joint_lower, hand.joint_lower]),
        joint_upper=np.concatenate([body.joint_upper, hand.joint_upper]),
        actuated=np.concatenate([np.arange(joints), joints + hand.actuated]),
        coupling=coupling,
        coupling_offset=np.concatenate([np.zeros(joints), hand.coupling_offset]),
        open_positions=np.concatenate([0.5 * (arm.lower + arm.upper), hand.open_positions]),
    )
