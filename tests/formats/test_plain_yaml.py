# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""YAML from strangers: what scalars become, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.formats.untrusted.plain_yaml import read_yaml


def _read(folder: Path, text: str):
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    return read_yaml(folder / "x.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("-.5", -0.5),
        ("2_000", 2000),
        ("1e400", float("inf")),
        ("true", True),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("2020-01-01", "2020-01-01"),
        ("0x10", "0x10"),
        ("1:30", "1:30"),
        ("'7'", "7"),
        ("[1, [a, 'b # c']]  # comment", [1, ["a", "b # c"]]),
        ("{x: 1, 2: y}", {"x": 1, "2": "y"}),
    ],
)
def test_values(tmp_path, text: str, value: object):
    assert _read(tmp_path, f"a: {text}\n") == {"a": value}


def test_lists_may_begin_in_the_column_of_their_key(tmp_path):
    assert _read(tmp_path, "a:\n- 1\n- b: 2\n  c: 3\n") == {"a": [1, {"b": 2, "c": 3}]}
    assert _read(tmp_path, "") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: &x 1\nb: *x\n", "anchors are not taken in line 1"),
        ("a: !!python/object:os.system x\n", "tags are not taken in line 1"),
        ("a: 1\na: 2\n", "the key 'a' stands twice in line 2"),
        ("? [a]\n: b\n", "a key is not text in line 1"),
        ("[" * 40 + "]" * 40, "more than 32 levels in line 1"),
        ("[" * 20_000, "nesting|levels"),
        ("a: [1, 2\n", "line"),
        ("---\na: 1\n---\nb: 2\n", "document"),
    ],
    ids=["anchor", "tag", "key twice", "key no text", "deep", "deeper", "open", "two documents"],
)
def test_what_is_refused(tmp_path, text: str, why: str):
    with pytest.raises(GraspdError, match=why) as caught:
        _read(tmp_path, text)
    assert str(caught.value).startswith(f"expected plain YAML in {tmp_path / 'x.yaml'}: ")
    assert "\n" not in str(caught.value)
