# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an arm."""

from __future__ import annotations

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.inverse_kinematics import manipulability
from omni_graspd.arms.seed_bank import SeedBank
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders

_SHORT, _LONG = 0.2, 5.0
"""Arms whose flange gets less or farther from the base than this are in the wrong unit [m]."""


def arm_faults(arm: Arm) -> tuple[str, ...]:
    """Return what keeps an arm from carrying hands, a sentence each with what to do."""
    faults = []
    chain = arm.chain()
    if chain.joint_count < 6:
        faults.append(
            f"{chain.joint_count} joints from base to flange, and six are needed for any pose; name the last link with "
            "--flange, or use another arm"
        )
    narrow = [name for name, low, high in zip(arm.joint_names, arm.lower, arm.upper, strict=True) if not low < high]
    if narrow:
        faults.append(f"joints that cannot move: {', '.join(narrow)}; mend their limits")
    bank = SeedBank.of(chain, 500)
    reach = float(np.linalg.norm(bank.origins, axis=1).max())
    if not _SHORT <= reach <= _LONG:
        faults.append(f"the flange gets {reach:.3g} m from the base; give the unit of the file with --scale")
    if manipulability(chain.end_and_jacobian(bank.positions)[1]).max() < 1e-6 and chain.joint_count >= 6:
        faults.append("no posture in which the flange can move in all directions; mend the joints' axes")
    pieces = hand_colliders(arm.articulation)
    moved = [
        link.name for link, some in zip(arm.articulation.links, pieces, strict=True) if link.parent >= 0 and not some
    ]
    if len(moved) == len(arm.articulation.links) - 1:
        faults.append("no link has a shape, so that nothing is found to be in its way; add <collision> geometry")
    return tuple(faults)
