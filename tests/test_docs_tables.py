# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Tables in the docs that follow from declarations in the code."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

_DOCS = Path(__file__).resolve().parents[1] / "docs"
_LISTING = runpy.run_path(str(_DOCS / "list_columns.py"))


@pytest.mark.parametrize("name", sorted({page for page, _ in _LISTING["TABLES"]}))
def test_tables_of_columns_are_up_to_date(name):
    text = (_DOCS / name).read_text(encoding="utf-8")
    assert text == _LISTING["page"](name), "run: python docs/list_columns.py"
    assert text.count(": begin -->") == text.count(": end -->") > 0
