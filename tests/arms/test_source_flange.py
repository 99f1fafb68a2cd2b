# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What is said of a flange that is a guess, and of joints on the way to it that follow others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from omni_graspd.arms.source_flange import find_flange, without_tool
from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.source_hand import SourceJoint, SourceLink
from omni_graspd.usd.transforms import IDENTITY

_SOURCE = Path("arm.urdf")


def _link(name: str, parent: str | None, leader: str | None = None) -> SourceLink:
    kind = SourceJoint(name, "revolute", np.array([0.0, 0.0, 1.0]), np.zeros(3), leader=leader) if parent else None
    return SourceLink(name=f"{name}_link", parent=parent and f"{parent}_link", T_parent_link=IDENTITY, joint=kind)


_LINKS = [_link("base", None), _link("pan", "base"), _link("lift", "pan"), _link("roll", "lift", leader="pan")]


def test_a_guess_before_a_joint_that_follows_another_says_so():
    frame, notes = find_flange(_LINKS, None, {}, _SOURCE)
    assert frame.link == "lift_link"
    assert notes == (
        "took lift_link, the last link before roll, which follows another joint, as the flange; "
        "name another with --flange",
    )
    assert "the last link that moves, as" in find_flange(_LINKS[:3], None, {}, _SOURCE)[1][0]


def test_joints_on_the_way_that_follow_others_are_refused():
    frame, _ = find_flange(_LINKS, "roll_link", {}, _SOURCE)
    with pytest.raises(GraspdError, match="got 'roll', which follows another; make it a joint of its own"):
        without_tool(_LINKS, frame, _SOURCE)
