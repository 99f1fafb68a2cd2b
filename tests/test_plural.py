# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One thing is not several."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_graspd.cli import main as cli
from omni_graspd.dataset.manifest import Manifest, write_manifest
from omni_graspd.plural import counted, counts_in_words


@pytest.mark.parametrize(("count", "words"), [(0, "0 rest poses"), (1, "1 rest pose"), (2, "2 rest poses")])
def test_things_are_counted_in_words(count: int, words: str) -> None:
    assert counted(count, "rest pose") == words


def test_info_counts_single_things_in_the_singular(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = {"backend": "standalone", "device": "cpu", "seed": 0}
    write_manifest(Manifest(config, {}, {}, {}, {"grasps": 16, "scenes": 1, "images": 1, "rest_poses": 1}), tmp_path)
    cli.main(["info", str(tmp_path)])
    contents = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("contents"))
    assert contents.split(None, 1)[1].strip() == "16 grasps, 1 scene, 1 image, 1 rest pose"


def test_names_of_counts_are_read_as_plurals() -> None:
    assert counts_in_words({"grasps": 2, "rest_poses": 1}) == "2 grasps, 1 rest pose"
