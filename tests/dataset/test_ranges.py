# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Every number among the settings has a range; what is outside is refused before anything is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.errors import GraspdError

_OPTIONAL: dict[tuple[str, ...], Any] = {
    ("synthesis", "rotation_length"): 1.0,
    ("camera", "distance"): (0.5, 0.6),
    ("intake", "mass"): 1.0,
}
"""Numbers that are none unless given."""


def _numbers(config: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for field in fields(config):
        where, value = (*above, field.name), getattr(config, field.name)
        value = _OPTIONAL.get(where, value)
        if is_dataclass(value):
            yield from _numbers(value, where)
        elif isinstance(value, float) or (isinstance(value, tuple) and value and isinstance(value[0], float)):
            yield where, value


def _with(config: Any, where: Sequence[str], value: Any) -> Any:
    if len(where) > 1:
        value = _with(getattr(config, where[0]), where[1:], value)
    return replace(config, **{where[0]: value})


_NUMBERS = dict(_numbers(GenerateConfig()))


@pytest.mark.parametrize("where", _NUMBERS, ids=".".join)
@pytest.mark.parametrize("bad", [float("nan"), float("-inf")])
def test_what_is_no_number_is_refused(where: tuple[str, ...], bad: float) -> None:
    good = _NUMBERS[where]
    for value in [bad] if isinstance(good, float) else [(bad, *good[1:]), (*good[:-1], bad)]:
        with pytest.raises(GraspdError, match="expected ") as refused:
            _with(GenerateConfig(), where, value)
        assert where[-1] in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seed", 2**63),
        ("synthesis.beta_1", 1.0),
        ("synthesis.beta_2", 1.0),
        ("synthesis.rotation_length", 0.0),
        ("synthesis.distance.phong_alpha", 1.5),
        ("camera.width", 100_000),
        ("camera.height", 100_000),
        ("camera.elevation", (80.0, 20.0)),
    ],
)
def test_what_is_too_large_is_refused(setting: str, value: Any) -> None:
    with pytest.raises(GraspdError, match=f"expected {setting}.*got "):
        _with(GenerateConfig(), setting.split("."), value)
