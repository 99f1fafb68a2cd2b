# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Arms of boxes and cylinders for tests: six axes with a spherical wrist, and seven with an elbow that can swing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omni_graspd.arms.arm_import import add_arm

_LINK = """  <link name="{name}"><inertial><mass value="{mass}"/>
    <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><origin xyz="{center}"/><geometry><box size="{size}"/></geometry></collision></link>
"""
_JOINT = """  <joint name="{name}" type="revolute"><parent link="{parent}"/><child link="{child}"/>
    <origin xyz="{origin}"/><axis xyz="{axis}"/><limit lower="{lower}" upper="{upper}" effort="1" velocity="1"/></joint>
"""
_TOOL = """  <link name="tool0"/>
  <joint name="tool" type="fixed"><parent link="{parent}"/><child link="tool0"/><origin xyz="0 0 0.05"/></joint>
"""

SIX = (
    ("pan", "0 0 0.2", "0 0 1", 3.1, 0.16, 0.16, 0.2),
    ("lift", "0 0 0.2", "0 1 0", 2.4, 0.1, 0.1, 0.45),
    ("elbow", "0 0 0.45", "0 1 0", 2.6, 0.08, 0.08, 0.4),
    ("roll", "0 0 0.4", "0 0 1", 3.1, 0.07, 0.07, 0.06),
    ("bend", "0 0 0.06", "0 1 0", 2.2, 0.07, 0.07, 0.06),
    ("turn", "0 0 0.06", "0 0 1", 3.1, 0.07, 0.07, 0.04),
)
"""Joint, origin in the parent [m], axis, limit to both sides [rad], size of the link [m]."""
SEVEN = (
    SIX[0],
    ("lift", "0 0 0.2", "0 1 0", 2.4, 0.1, 0.1, 0.2),
    ("swing", "0 0 0.22", "0 0 1", 2.9, 0.1, 0.1, 0.18),
    ("elbow", "0 0 0.23", *SIX[2][2:]),
    *SIX[3:],
)
"""The same with a joint along the upper arm."""

GRIPPER = """<link name="gripper"><collision><geometry><box size="0.1 0.05 0.05"/></geometry></collision></link>
<joint name="wrist" type="fixed"><parent link="tool0"/><child link="gripper"/></joint>
<link name="jaw"><collision><geometry><box size="0.01 0.02 0.05"/></geometry></collision></link>
<joint name="slide" type="prismatic"><parent link="gripper"/><child link="jaw"/><axis xyz="1 0 0"/>
<limit lower="0" upper="0.04"/></joint></robot>"""
"""What stands for the end of an arm's URDF that carries a gripper with one jaw."""


def arm_urdf(folder: Path, joints=SIX, name: str = "arm") -> Path:
    """Write an arm as URDF and return the file.

    Args:
        folder: Where.
        joints: As :data:`SIX`.
        name: Of the file.
    """
    text = '<robot name="arm">\n' + _LINK.format(name="base", mass=4, center="0 0 0.05", size="0.2 0.2 0.1")
    parent = "base"
    for joint, origin, axis, limit, x, y, z in joints:
        child = f"{joint}_link"
        text += _LINK.format(name=child, mass=2, center=f"0 0 {0.5 * z}", size=f"{x} {y} {0.8 * z}")
        text += _JOINT.format(
            name=joint, parent=parent, child=child, origin=origin, axis=axis, lower=-limit, upper=limit
        )
        parent = child
    path = folder / f"{name}.urdf"
    path.write_text(text + _TOOL.format(parent=parent) + "</robot>\n", encoding="utf-8")
    return path


@contextmanager
def home_with_arm(folder: Path) -> Iterator[Path]:
    """Let a folder be the user's, with the arm of seven axes in it as ``robot``.

    Args:
        folder: Where.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRASPD_HOME", str(folder))
        add_arm("robot", arm_urdf(folder, SEVEN), license_text="own")
        yield folder
