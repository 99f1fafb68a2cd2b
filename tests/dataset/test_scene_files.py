# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes of strangers whose poses are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_graspd.dataset.scene_files import read_rest_pose
from omni_graspd.errors import GraspdError


@pytest.mark.parametrize("translate", ["float xformOp:translate = 1", "bananas xformOp:translate = (1, 2, 3)", ""])
def test_a_pose_of_another_type_is_refused_in_one_line(translate: str, tmp_path: Path) -> None:
    body = f'def Xform "Object" {{\n {translate}\n quatd xformOp:orient = (1, 0, 0, 0)\n }}'
    (tmp_path / "scene_0000.usda").write_text(f'#usda 1.0\ndef Xform "World" {{\n{body}\n}}')
    with pytest.raises(GraspdError, match="has no /World/Object with a pose"):
        read_rest_pose(tmp_path / "scene_0000.usda")
