# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""All terms of the loss, each declared once: the kernels' settings and arrays and the tables' columns follow from here.

A new term is declared here, computed in ``loss_kernels.py`` and weighted by fields of ``SynthesisConfig``.
"""

from dataclasses import dataclass
from typing import Literal

RANGE = 0
LIMIT = 1
SELF_COLLISION = 2


@dataclass(frozen=True, kw_only=True)
class LossTerm:
    """A term of the loss, or a score that is made of terms."""

    name: str
    """Name; the column of the tables is ``loss_<name>``."""
    unit: str
    """Unit without the weight; ``1`` for plain numbers."""
    meaning: str
    """One sentence."""
    recorded: bool = True
    """Whether tables have a column of it."""
    slot: int | None = None
    """Place in the kernels' array ``losses``; None for terms that they do not keep there."""
    weight: str | None = None
    """Field of ``SynthesisConfig`` by which the term is multiplied."""
    per: Literal["hand", "point", "filling sphere"] = "hand"
    """Of what the term is a mean: the kernels' weight is divided by their number."""
    settings: tuple[str, ...] = ()
    """Further fields of ``SynthesisConfig`` that the term needs in the kernels."""
    in_paper: bool = True
    """Whether the preset ``paper`` has the term."""


LOSS_TERMS = {
    term.name: term
    for term in (
        LossTerm(
            name="stable",
            unit="1",
            meaning="Object motion that the hand does not stop: 1 all, 0 none (paper, equation 2).",
        ),
        LossTerm(
            name="range",
            unit="rad",
            meaning="Distance of the joints from the middle of their ranges (equation 3).",
            slot=RANGE,
            weight="range_weight",
        ),
        LossTerm(
            name="limit",
            unit="rad",
            meaning="Distance of the joints beyond their limits (equation 4).",
            slot=LIMIT,
            weight="limit_weight",
        ),
        LossTerm(
            name="self_collision",
            unit="m2",
            meaning="Half the sum of squared overlaps between spheres inside the links.",
            slot=SELF_COLLISION,
            weight="self_collision_weight",
            settings=("self_collision_margin",),
            in_paper=False,
        ),
        LossTerm(
            name="penetration",
            unit="m2",
            meaning="Half the mean squared depth of hand points inside the object.",
            weight="penetration_weight",
            per="point",
            in_paper=False,
        ),
        LossTerm(
            name="closing",
            unit="m",
            meaning="Mean distance of the hand points that are near the object.",
            recorded=False,
            weight="closing_weight",
            per="point",
            settings=("closing_distance",),
            in_paper=False,
        ),
        LossTerm(
            name="wall",
            unit="m2",
            meaning="Half the mean squared overlap of the object with spheres inside the links.",
            recorded=False,
            weight="wall_weight",
            per="filling sphere",
            settings=("wall_margin",),
        ),
        LossTerm(
            name="surroundings",
            unit="m2",
            meaning="Half the mean squared amount by which hand points are too close to table or obstacles.",
            recorded=False,
            weight="surroundings_weight",
            per="point",
            settings=("surroundings_margin",),
        ),
        LossTerm(
            name="escape",
            unit="1",
            meaning="How far a pushed object moves, relative to the push: the ranking score, lower is better.",
        ),
        LossTerm(
            name="imbalance",
            unit="1",
            meaning="Wrench left over by the squeeze's contact forces, per unit force; 0 is balanced.",
        ),
        LossTerm(
            name="drop",
            unit="1",
            meaning="Ranking score of grasps on a table, lower is better: escape, imbalance, and where forces act.",
        ),
    )
}
"""By name."""

KEPT_TERMS = tuple(term for term in LOSS_TERMS.values() if term.slot is not None)
"""Terms in the kernels' array ``losses``, in their order there."""

LOSS_SETTINGS = tuple(
    name for term in LOSS_TERMS.values() for name in (term.weight, *term.settings) if name is not None
)
"""Fields of ``SynthesisConfig`` that weight and shape the loss."""
