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


_PALM = '<geom type="mesh" mesh="palm"/>'
_SIZE = (0.08, 0.04, 0.02)


def _read(
    tmp_path: Path,
    palm: str,
    below: str = "",
    *,
    size: tuple[float, ...] = _SIZE,
    at: float = 0.03,
    is_hand: bool = True,
    scale: float = 1.0,
) -> list:
    """Read a file with two digits at -x and +x of a palm, and a floor."""
    pytest.importorskip("mujoco")
    trimesh.creation.box(size).export(tmp_path / "palm.stl")
    digits = _DIGIT.format("a", -at, below) + _DIGIT.format("b", at, below)
    (tmp_path / "hand.xml").write_text(
        f'<mujoco><asset><mesh name="palm" file="palm.stl"/></asset><worldbody><geom type="plane" size="5 5 .1"/>'
        f"{palm}{digits}</worldbody></mujoco>"
    )
    return read_mjcf(tmp_path / "hand.xml", is_hand=is_hand, scale=scale)


def test_the_meshes_of_the_world_are_the_palm(tmp_path: Path) -> None:
    links = _read(tmp_path, '<geom type="mesh" mesh="palm" pos="0 0 .05"/>')
    assert [(link.name, link.parent) for link in links] == [("world", None), ("a", "world"), ("b", "world")]
    assert len(links[0].colliders) == 1  # Not the floor.
    np.testing.assert_allclose(links[0].colliders[0].mesh.bounds, [[-0.04, -0.02, 0.04], [0.04, 0.02, 0.06]], atol=1e-6)
    np.testing.assert_allclose(links[1].T_parent_link[:3], [-0.03, 0.0, 0.01])
    assert links[0].notes == ["took the world's meshes as the palm, since the digits hang on no body"]


def test_simple_shapes_of_the_world_are_left_out_with_a_note(tmp_path: Path) -> None:
    links = _read(tmp_path, _PALM + '<geom type="box" size=".05 .05 .01"/><geom size=".01"/>')
    assert len(links[0].colliders) == 1
    assert links[0].notes[0].endswith("left out 2 simple shapes of the world")


def test_the_unit_of_the_file_counts(tmp_path: Path) -> None:
    assert len(_read(tmp_path, _PALM, size=(8.0, 4.0, 2.0), at=3.0, scale=0.01)) == 3


@pytest.mark.parametrize(
    ("palm", "settings"),
    [
        ("", {}),
        (_PALM, {"below": _JAWS}),
        (_PALM, {"size": (0.8, 0.9, 0.05), "at": 0.2}),
        (_PALM, {"at": 0.3}),
        (_PALM, {"is_hand": False}),
    ],
    ids=["no palm", "digits branch", "a table", "digits beside the palm", "an arm"],
)
def test_several_robots_are_refused(tmp_path: Path, palm: str, settings: dict) -> None:
    with pytest.raises(GraspdError, match="one root body"):
        _read(tmp_path, palm, **settings)
