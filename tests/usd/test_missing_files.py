# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Layers that a stage refers to and that are not there are named, by every version of OpenUSD."""

from __future__ import annotations

from pathlib import Path

from omni_graspd.usd.missing_files import missing_files
from omni_graspd.usd.stage import open_stage


def test_sublayers_references_and_payloads_that_are_missing_are_named(tmp_path: Path) -> None:
    path = tmp_path / "thing.usda"
    path.write_text(
        "#usda 1.0\n(\n    subLayers = [@gone_sub.usda@]\n)\n"
        'def Xform "a" (references = @gone_ref.usda@) {}\ndef Xform "b" (payload = @look.mtlx@</x>) {}\n'
    )
    found = missing_files(open_stage(path, is_quiet=True))
    assert {(one.name, one.is_materialx) for one in found} == {
        ("gone_sub.usda", False),
        ("gone_ref.usda", False),
        ("look.mtlx", True),
    }
