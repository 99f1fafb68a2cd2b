# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects that cannot be grasped where they lie, and starts that are no numbers: failures that say why."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from box_hands import box_mesh
from table_bench import find, table

from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis import reachable
from omni_graspd.synthesis.table_starts import sample_table_starts

_REASONS = {
    "ok",
    "the grasp is in the table or an obstacle",
    "deep in the object",
    "out of balance",
    "no room for the open hand",
    "the closing hand hits the object",
    "no way out for the open hand",
    "the squeeze is in the table or an obstacle",
    "no room to lift",
}


def is_reason(status: str) -> bool:
    return status in _REASONS or status.startswith(("apart: ", "diverged: ", "pierced: ", "crossed: "))


@pytest.mark.slow
def test_a_sheet_as_wide_as_a_plate_is_given_up_with_reasons(hand, solid):
    sheet = solid(trimesh.creation.box((0.4, 0.4, 0.002)))
    batch = find(hand, sheet, range(6), table(sheet), tries=3)
    assert not batch.usable.any()
    assert not batch.ok.any()
    assert (batch.way.tries == 3).all()
    for status, rejected in zip(batch.status, batch.way.rejected, strict=True):
        assert is_reason(status)
        others = rejected.split("; ")
        assert len(others) == 2
        assert all(is_reason(reason) and reason != "ok" for reason in others)
    for values in (batch.T_object_palm, batch.joint_positions, batch.postures.squeeze_joint_positions):
        assert np.isfinite(values).all()


@pytest.mark.slow
def test_an_object_in_a_box_is_given_up(hand):
    """Walls all around and a lid: every start is in them."""
    can = load_object("soup_can")
    walls = [box_mesh((0.01, 0.06, 0.06), (side * 0.05, 0.0, 0.06)) for side in (-1.0, 1.0)]
    walls += [box_mesh((0.06, 0.01, 0.06), (0.0, side * 0.05, 0.06)) for side in (-1.0, 1.0)]
    walls.append(box_mesh((0.06, 0.06, 0.01), (0.0, 0.0, 0.12)))
    batch = find(hand, can, range(4), table(can, obstacles=tuple(walls)))
    assert not batch.usable.any()
    assert all(is_reason(status) and status != "ok" for status in batch.status)


@pytest.mark.slow
@pytest.mark.parametrize("tries", [1, 2])
@pytest.mark.parametrize("obstacles", [(), (box_mesh((0.02, 0.2, 0.2), (0.3, 0.0, 0.0)),)], ids=["", "obstacle"])
def test_a_start_that_is_no_number_costs_its_own_grasp_alone(hand, monkeypatch, tries, obstacles):
    can = load_object("soup_can")
    around = table(can, obstacles=obstacles)
    healthy = find(hand, can, [0, 1, 2], around, tries=tries)

    def spoiled(hand, obj, clearance, indices, *arguments, candidates, **options):
        poses, actuated = sample_table_starts(
            hand, obj, clearance, indices, *arguments, candidates=candidates, **options
        )
        for row, index in enumerate(np.repeat(indices, candidates)):
            if index == 1:
                poses[row, 1] = np.nan
        return poses, actuated

    monkeypatch.setattr(reachable, "sample_table_starts", spoiled)
    batch = find(hand, can, [0, 1, 2], around, tries=tries)
    assert batch.status[1].startswith("diverged")
    assert not batch.usable[1]
    assert batch.way.tries[1] == tries
    others = [0, 2]
    assert [batch.status[row] for row in others] == [healthy.status[row] for row in others]
    np.testing.assert_array_equal(batch.T_object_palm[others], healthy.T_object_palm[others])
    np.testing.assert_array_equal(batch.way.T_object_hover_palm[others], healthy.way.T_object_hover_palm[others])
    alone = find(hand, can, [1], around, tries=tries)
    assert alone.status[0].startswith("diverged")


def test_one_good_start_of_several_is_enough(hand, monkeypatch):
    can = load_object("soup_can")

    def spoiled(*arguments, **options):
        poses, actuated = sample_table_starts(*arguments, **options)
        poses[:: options["candidates"]] = np.nan
        return poses, actuated

    monkeypatch.setattr(reachable, "sample_table_starts", spoiled)
    batch = find(hand, can, range(4), table(can))
    assert np.isfinite(batch.T_object_palm).all()
    assert not any(status.startswith("diverged") for status in batch.status)


@pytest.mark.slow
def test_the_first_try_is_kept_or_is_the_first_reason(hand):
    """With more tries, a grasp that failed is the same, or another one with the reasons noted in order."""
    can = load_object("low_can")
    once, often = (find(hand, can, range(48), table(can), tries=tries) for tries in (1, 4))
    assert (often.usable & (often.way.tries == 4)).any() and (~often.usable).any()
    told_apart = 0
    for row in range(48):
        if once.usable[row] or not often.usable[row]:
            np.testing.assert_array_equal(often.T_object_palm[row], once.T_object_palm[row])
            assert often.status[row] == once.status[row]
        else:
            reasons = often.way.rejected[row].split("; ")
            assert reasons[0] == once.status[row]
            told_apart += len(set(reasons)) > 1
            assert np.abs(often.T_object_palm[row] - once.T_object_palm[row]).max() > 1e-3
    assert told_apart
