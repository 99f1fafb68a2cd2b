# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How other projects name and turn the joints of hands that we have, and where their palm frames lie.

Numbers come from comparing joint origins and axes at zero posture with ours; ``docs/formats.md`` has sources and
residuals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_SAME_PALM = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
_HALF = math.sqrt(0.5)


@dataclass(frozen=True)
class Joint:
    """A joint of a foreign hand model and ours: ``ours = sign * foreign + offset``."""

    foreign: str
    """Name there."""
    ours: str
    """Name here."""
    sign: float = 1.0
    """-1 where the axis points the other way."""
    offset: float = 0.0
    """Our position where theirs is 0 [rad]."""


@dataclass(frozen=True)
class HandConvention:
    """A hand as one project models it."""

    hand: str
    """Name of our hand."""
    names: tuple[str, ...]
    """What the project calls the hand."""
    joints: tuple[Joint, ...]
    """Joints in the order of the project's files."""
    T_foreign_palm: tuple[float, ...] = _SAME_PALM
    """Our palm in the frame whose pose the files have, 7 numbers."""
    wrist: tuple[str, ...] = ()
    """Joints between that frame and the palm, in front of the others."""
    verified: bool = True
    """Whether frame and order were checked against the project's own model or data."""


def _joints(*pairs: str) -> tuple[Joint, ...]:
    """Read ``"foreign=ours"``, with a minus before ours where the axis is turned round."""
    split = [pair.partition("=")[::2] for pair in pairs]
    return tuple(Joint(foreign, ours.lstrip("-"), -1.0 if ours.startswith("-") else 1.0) for foreign, ours in split)


_SHADOW = (
    *(f"{finger}J{number}" for finger in ("FF", "MF", "RF") for number in (4, 3, 2, 1)),
    *(f"{finger}J{number}" for finger in ("LF", "TH") for number in (5, 4, 3, 2, 1)),
)
_ALLEGRO = tuple(f"{finger}_joint_{k}" for finger in ("index", "middle", "ring", "thumb") for k in range(4))
_BARRETT = (
    *(f"finger_{finger}_{part}_joint" for finger in (1, 2) for part in ("spread", "inner", "outer")),
    *(f"finger_3_{part}_joint" for part in ("inner", "outer")),
)
_SHADOW_TURNED = ("FFJ4", "MFJ4", "THJ2", "THJ1")
_FINGER_WORDS = {"FF": "index", "MF": "middle", "RF": "ring", "LF": "little", "TH": "thumb"}
# Breadth first, fingers by the alphabet: index, little, middle, ring, thumb.
_SHADOW_BREADTH = tuple(
    f"{finger}J{(5 if finger in ('LF', 'TH') else 4) - level}"
    for level in range(5)
    for finger in ("FF", "LF", "MF", "RF", "TH")
    if level < 4 or finger in ("LF", "TH")
)
_ALLEGRO_BREADTH = tuple(f"{finger}_joint_{k}" for k in range(4) for finger in ("index", "thumb", "middle", "ring"))


_DEXGRASPNET_SHADOW = _joints(
    *(f"robot0:{n[:3]}{int(n[3]) - 1}={'-' if n in _SHADOW_TURNED else ''}{n}" for n in _SHADOW)
)
_BH280 = _joints(*(f"bh_j{k}_joint={name}" for k, name in zip((11, 12, 13, 21, 22, 23, 32, 33), _BARRETT, strict=True)))
_FROGGER_ALLEGRO = (
    *((finger, part) for finger in ("if", "mf", "rf") for part in ("axl", "mcp", "pip", "dip")),
    *(("th", part) for part in ("cmc", "axl", "mcp", "ipl")),
)
_ALLEGRO_URDF = _joints(*(f"joint_{k}.0={name}" for k, name in enumerate(_ALLEGRO)))


def _mgg_shadow(name: str) -> str:
    finger, number = name[:2], int(name[3])
    count = 5 if finger in ("LF", "TH") else 4
    word = _FINGER_WORDS[finger] if finger == "TH" else f"{_FINGER_WORDS[finger]}_finger"
    spelling = "join" if (finger, number) == ("FF", 3) else "joint"  # a slip of the file, kept
    return f"{word}_{spelling}{count + 1 - number}"


_BARRETT_DH_OFFSETS = {"spread": 0.0, "inner": 0.0444, "outer": 0.14}
_DH_BARRETT_PALM = (0.0, 0.0, -0.0764, 0.0, 0.0, 0.0, 1.0)


def _dh_barrett(*names: str) -> tuple[Joint, ...]:
    """Name the joints of GraspIt!'s Barrett hand: its links bend by 5 and 40 degrees at 0, ours by 2.5 and 45."""
    return tuple(
        Joint(foreign, ours, 1.0, _BARRETT_DH_OFFSETS[ours.split("_")[2]])
        for foreign, ours in (name.split("=") for name in names)
    )


CONVENTIONS: dict[str, tuple[HandConvention, ...]] = {
    "dexgraspnet": (
        HandConvention(
            "shadow",
            ("shadow_hand", "shadow"),
            _DEXGRASPNET_SHADOW,
        ),
        HandConvention("allegro", ("allegro",), _ALLEGRO_URDF),
    ),
    "bodex": (
        HandConvention(
            "shadow", ("shadow", "sim_shadow"), _joints(*(f"rh_{n}={n}" for n in _SHADOW[17:] + _SHADOW[:17]))
        ),
        HandConvention("allegro", ("allegro", "sim_allegro"), _ALLEGRO_URDF),
    ),
    "dexgraspbench": (
        HandConvention(
            "shadow",
            ("shadow",),
            _joints(*(f"rh_{n}={n}" for n in _SHADOW)),
            T_foreign_palm=(0.0, 0.0, 0.034, 0.0, 0.0, 0.0, 1.0),
        ),
        HandConvention(
            "allegro",
            ("allegro",),
            _joints(
                *(f"{['ff', 'mf', 'rf', 'th'][k // 4]}j{k % 4}={name}" for k, name in enumerate(_ALLEGRO)),
            ),
            T_foreign_palm=(0.0, 0.0, 0.0, _HALF, 0.0, _HALF, 0.0),
        ),
    ),
    "multidex": (
        HandConvention(
            "shadow",
            ("shadowhand",),
            _joints(*(f"{n}={n}" for n in _SHADOW)),
            wrist=("WRJ2", "WRJ1"),
            verified=False,
        ),
        HandConvention("allegro", ("allegro",), _ALLEGRO_URDF, verified=False),
        HandConvention(
            "barrett",
            ("barrett",),
            _BH280,
            verified=False,
        ),
    ),
    "multigrippergrasp": (
        HandConvention("shadow", ("shadow_hand",), _joints(*(f"{_mgg_shadow(n)}={n}" for n in _SHADOW_BREADTH))),
        HandConvention(
            "allegro", ("Allegro",), _joints(*(f"joint_{_ALLEGRO.index(n)}_0={n}" for n in _ALLEGRO_BREADTH))
        ),
        HandConvention(
            "barrett",
            ("Barrett",),
            _dh_barrett(
                "a_palm_link1_joint=finger_1_spread_joint",
                "b_palm_link1_joint=finger_2_spread_joint",
                "c_palm_link2_joint_0=finger_3_inner_joint",
                "a_link1_link2_joint=finger_1_inner_joint",
                "b_link1_link2_joint=finger_2_inner_joint",
                "c_link2_link3_joint=finger_3_outer_joint",
                "a_link2_link3_joint=finger_1_outer_joint",
                "b_link2_link3_joint=finger_2_outer_joint",
            ),
            T_foreign_palm=_DH_BARRETT_PALM,
            verified=False,
        ),
    ),
    "planner_list": (
        HandConvention("shadow", ("shadow_hand",), _DEXGRASPNET_SHADOW),
        HandConvention(
            "allegro",
            ("allegro_rh",),
            _joints(
                *(
                    f"algr_rh_{finger}_{part}={name}"
                    for (finger, part), name in zip(_FROGGER_ALLEGRO, _ALLEGRO, strict=True)
                ),
            ),
            T_foreign_palm=(0.0, 0.0, 0.095, 0.0, 0.0, 0.0, 1.0),
        ),
        HandConvention("barrett", ("barrett",), _BH280),
    ),
    "graspit": (
        HandConvention(
            "barrett", ("Barrett",), _dh_barrett(*(f"{n}={n}" for n in _BARRETT)), T_foreign_palm=_DH_BARRETT_PALM
        ),
    ),
}
"""Hand models by format. Formats that are not here tell hands by the names and palm frames of the hand's own file."""
