# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Conditions as users write them: what they choose, and that nothing in them is ever run."""

from __future__ import annotations

import numpy as np
import pytest

from omni_graspd.condition import Condition
from omni_graspd.errors import GraspdError

_COLUMNS = {
    "hand": "allegro",
    "object": np.array(["mug", "mug", "bowl", "can"], dtype=object),
    "usable": np.array([True, True, False, True]),
    "epsilon": np.array([0.1, 0.3, 0.4, np.nan]),
    "pierced": np.array([0, 0, 1, 0]),
    "split": "train",
}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("usable", [0, 1, 3]),
        ("usable and epsilon > 0.2", [1]),
        ("not usable or epsilon <= 0.1", [0, 2]),
        ("0.1 < epsilon < 0.4", [1]),
        ("epsilon != epsilon", [3]),
        ("object == 'mug' and not pierced", [0, 1]),
        ("object in ('bowl', 'can')", [2, 3]),
        ("object not in ['bowl', 'can']", [0, 1]),
        ("hand == 'allegro' and split != 'test'", [0, 1, 2, 3]),
        ("epsilon * 10 - 1 >= 2 and -epsilon < 0", [1, 2]),
        ("epsilon / pierced > 0", [0, 1, 2]),
        ("True", [0, 1, 2, 3]),
    ],
)
def test_conditions(text, rows):
    assert np.flatnonzero(Condition(text).holds(_COLUMNS, 4)).tolist() == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epsilom > 0.2", r"expected a column, one of epsilon, .*; got epsilom; did you mean epsilon\? \(in 'epsilom"),
        ("object == mug", "got mug; texts stand in quotes|did you mean"),
        ("object > 1", "expected a number, got 'a column of texts'"),
        ("epsilon == 'high'", "numbers to be compared with numbers and texts with texts"),
        ("object in 'mug'", "expected a list after `in`"),
        ("epsilon >", "expected a condition, for example: usable and epsilon > 0.2; got 'epsilon >'"),
        ("", "expected a condition"),
        ("__import__('os').system('touch hit')", "got \"__import__|got '__import__|got __import__"),
        ("epsilon.dtype", "expected columns, numbers"),
        ("[x for x in usable]", "expected columns, numbers"),
        ("(lambda: 1)()", "expected columns, numbers"),
        ("epsilon ** 9 ** 9 ** 9", "expected columns, numbers"),
        ("f'{usable}'", "expected columns, numbers"),
        ("None", "expected a number or a text in quotes, got None"),
        ("usable" * 200, "at most 400 characters"),
    ],
)
def test_what_cannot_be_read_is_one_line(text, message):
    with pytest.raises(GraspdError, match=message) as caught:
        Condition(text).holds(_COLUMNS, 4)
    assert "\n" not in str(caught.value)


def test_a_deep_condition_does_not_overflow(monkeypatch):
    deep = Condition("-" * 390 + "1")

    def overflow(*_):
        raise RecursionError

    monkeypatch.setattr("omni_graspd.condition._value", overflow)
    with pytest.raises(GraspdError, match="fewer levels"):
        deep.holds({}, 1)
