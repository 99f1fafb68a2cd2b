# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Links that are built into each other are kept from colliding, links that only meet on the way are not."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from omni_graspd.hands.usd import filtered_pairs
from omni_graspd.hands.usd.filtered_pairs import overlapping_pairs
from omni_graspd.hands.usd.hand_design import HandDesign, JointDesign, LinkDesign, LinkShape
from omni_graspd.usd.meshes import TriangleMesh


def _bar(length: float) -> LinkShape:
    """A bar from the joint along +X."""
    bar = trimesh.creation.box((length, 0.01, 0.01))
    bar.apply_translation((0.5 * length, 0.0, 0.0))
    mesh = TriangleMesh(np.array(bar.vertices), np.array(bar.faces, dtype=np.int32))
    return LinkShape(mesh, np.zeros((12, 3, 3)), ("grey",) * 12, (mesh,))


def _chain(*lengths: float) -> HandDesign:
    """Bars one after another, each free to turn once around."""
    links = [LinkDesign("link_0", None, None, _bar(lengths[0]), 0.1)]
    for k, length in enumerate(lengths[1:], start=1):
        pose = np.array([lengths[k - 1], 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
        joint = JointDesign(f"joint_{k}", pose, (0.0, 0.0, 1.0), -3.1, 3.1)
        links.append(LinkDesign(f"link_{k}", f"link_{k - 1}", joint, _bar(length), 0.1))
    return HandDesign("chain", "hand", tuple(links), {})


def test_a_short_hub_leaves_its_neighbours_in_each_other() -> None:
    """Of three links, the first and last overlap around a hub of 1 mm; around one of 60 mm they only may."""
    assert overlapping_pairs(_chain(0.05, 0.001, 0.05), {}) == (("link_0", "link_2"),)
    assert overlapping_pairs(_chain(0.05, 0.06, 0.05), {}) == ()


def test_what_overlaps_only_as_written_is_not_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    design, folded = _chain(0.05, 0.06, 0.05), {"joint_1": 3.1, "joint_2": 3.1}
    assert overlapping_pairs(design, folded) == ()
    monkeypatch.setattr(filtered_pairs, "_POSTURES", 0)
    assert overlapping_pairs(design, folded) == (("link_0", "link_2"),)


def test_a_hand_without_colliders_has_no_pairs() -> None:
    assert overlapping_pairs(HandDesign("a", "a", (LinkDesign("palm", None, None, None, 1.0),), {}), {}) == ()
