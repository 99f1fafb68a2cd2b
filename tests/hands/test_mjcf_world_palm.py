# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""MJCF converted from URDF, where the palm is a part of the world and the digits are all there is of bodies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.mjcf_reader import read_mjcf

_DIGIT = """<body name="{0}" pos="{1} 0 .01"><joint name="{0}" axis="0 1 0" range="0 90"/>
  <geom type="box" size=".005 .01 .02" pos="0 0 .02"/>{2}</body>"""
_JAWS = '<body><joint/><geom size=".01"/></body><body pos="0 0 .1"><joint/><geom size=".01"/></body>'


def _read(tmp_path: Path, palm: str, below: str = "") -> list:
    pytest.importorskip("mujoco")
    trimesh.creation.box([0.08, 0.04, 0.02]).export(tmp_path / "palm.stl")
    digits = _DIGIT.format("a", -0.03, below) + _DIGIT.format("b", 0.03, below)
    (tmp_path / "hand.xml").write_text(
        f'<mujoco><asset><mesh name="palm" file="palm.stl"/></asset><worldbody><geom type="plane" size="5 5 .1"/>'
        f"{palm}{digits}</worldbody></mujoco>"
    )
    return read_mjcf(tmp_path / "hand.xml")


def test_the_meshes_of_the_world_are_the_palm(tmp_path: Path) -> None:
    links = _read(tmp_path, '<geom type="mesh" mesh="palm" pos="0 0 .5"/>')
    assert [(link.name, link.parent) for link in links] == [("world", None), ("a", "world"), ("b", "world")]
    assert len(links[0].colliders) == 1  # Not the floor.
    np.testing.assert_allclose(links[0].colliders[0].mesh.bounds, [[-0.04, -0.02, 0.49], [0.04, 0.02, 0.51]], atol=1e-6)
    np.testing.assert_allclose(links[1].T_parent_link[:3], [-0.03, 0.0, 0.01])


@pytest.mark.parametrize(("palm", "below"), [("", ""), ('<geom type="mesh" mesh="palm"/>', _JAWS)])
def test_several_robots_are_refused(tmp_path: Path, palm: str, below: str) -> None:
    """Without a palm, or where hands stand on a table of one mesh."""
    with pytest.raises(GraspdError, match="one root body"):
        _read(tmp_path, palm, below)
