# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands of implausible size and mass: the remedy names what is wrong, all of the file or the meshes alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.source_to_design import design_hand
from omni_graspd.hands.importing.urdf_reader import read_urdf


def _urdf(tmp_path: Path, mesh: float, joint: float) -> Path:
    """A palm of 0.1 x ``mesh`` metres with two jaws, 0.04 x ``joint`` metres from it."""
    palm = f'<link name="palm"><collision><geometry><box size="{0.1 * mesh} {0.1 * mesh} {0.02 * mesh}"/>'
    text = f'<robot name="r">{palm}</geometry></collision></link>'
    for name, side in (("left", 0.04 * joint), ("right", -0.04 * joint)):
        text += (
            f'<link name="{name}"><collision><geometry><box size="{0.01 * mesh} {0.02 * mesh} {0.06 * mesh}"/>'
            f'</geometry></collision></link><joint name="{name}" type="revolute"><parent link="palm"/>'
            f'<child link="{name}"/><origin xyz="{side} 0 0"/><axis xyz="0 1 0"/><limit lower="0" upper="1"/></joint>'
        )
    (tmp_path / "hand.urdf").write_text(f"{text}</robot>")
    return tmp_path / "hand.urdf"


def _refusal(path: Path) -> str:
    with pytest.raises(GraspdError) as refused:
        design_hand("claw", read_urdf(path), 1.0, path)
    return str(refused.value)


def test_meshes_in_another_unit_than_the_joints_are_named(tmp_path: Path) -> None:
    """--scale would make the joints 0.08 mm apart."""
    line = _refusal(_urdf(tmp_path, 1000.0, 1.0))
    assert "0.08 m apart" in line
    assert "scale the meshes, probably by 0.001" in line
    assert "--scale" not in line


def test_a_file_in_another_unit_is_scaled(tmp_path: Path) -> None:
    assert "probably --scale 0.001" in _refusal(_urdf(tmp_path, 1000.0, 1000.0))


@pytest.mark.parametrize(("mass", "expected"), [(0.3, 0.3), (2e-5, 0.2), (300.0, 0.2)])
def test_a_mass_that_no_link_can_have_is_that_of_water(tmp_path: Path, mass: float, expected: float) -> None:
    """The palm has 0.2 litres: 0.1 kg/m3, as exporters with a wrong density write, and grams are neither."""
    path = _urdf(tmp_path, 1.0, 1.0)
    inertial = f'<inertial><mass value="{mass}"/><inertia ixx="1e-4" iyy="1e-4" izz="1e-4" ixy="0" ixz="0" iyz="0"/>'
    path.write_text(path.read_text().replace('<link name="palm">', f'<link name="palm">{inertial}</inertial>'))
    design = design_hand("claw", read_urdf(path), 1.0, path)
    assert design.links[0].mass == pytest.approx(expected)
