# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What there is to know of a metric, and what metrics are measured from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    # Tables know metrics, too, and are read without what measures them.
    from omni_graspd.hands.hand import Hand
    from omni_graspd.hands.surface_points import HandPoints
    from omni_graspd.metrics.intersection_volume import IntersectionVolumeConfig
    from omni_graspd.metrics.self_penetration import SelfPenetrationConfig
    from omni_graspd.objects.rigid_object import RigidObject

MeasuredBy = Literal["generate", "evaluate", "hold", "lift", "lift noise", "thresholds", "predict"]
"""What measures a metric: ``generate`` while grasps are made and whenever grasps are evaluated; ``evaluate`` only when
they are; ``hold``, ``lift`` and ``lift noise`` the tests in PhysX; ``thresholds`` as all metrics that know a text
for thresholds, but at these alone; ``predict`` a network, of what it predicts."""


@dataclass(frozen=True, eq=False)
class GraspsToMeasure:
    """Grasps of one object by one hand, and all that a metric may ask for."""

    hand: Hand
    """The hand."""
    obj: RigidObject
    """The object."""
    T_object_palm: np.ndarray
    """Palm poses in the object frame, shape [grasp_count, 7]."""
    joint_positions: np.ndarray
    """All joints [rad or m], shape [grasp_count, joint_count]."""
    surface_points: Callable[[int], HandPoints]
    """Returns so many points on the hand's surface."""
    device: str = "cpu"
    """Warp device."""
    intersection: IntersectionVolumeConfig | None = None
    """Settings of the intersection volume; None: the defaults."""
    self_penetration: SelfPenetrationConfig | None = None
    """Settings of self-penetration; None: the defaults."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric column: how it is stored, measured, checked and shown. Places are in steps of ten, to leave room."""

    name: str
    """Name of the column."""
    kind: Literal["int32", "float64", "bool", "string"]
    """Type of the column."""
    unit: str
    """Unit of the column; ``1`` for plain numbers and names."""
    meaning: str
    """One sentence."""
    by: MeasuredBy
    """What measures it."""
    measure: Callable[[GraspsToMeasure], np.ndarray] | None = None
    """Returns the column, shape [grasp_count]; None where it is measured together with others."""
    at_threshold: str = ""
    """Meaning of its columns at contact thresholds, with ``{0}`` for the threshold; empty where there are none."""
    least: float | None = None
    """Least valid value; None where it is not checked."""
    fault: str = ""
    """What is wrong with a grasp of which the value is above 0; grasps with a fault are not usable."""
    label: str = ""
    """Short name in tables and charts."""
    shown_unit: str = ""
    """Unit in tables and charts."""
    scale: float = 1.0
    """Factor from :attr:`unit` to :attr:`shown_unit`."""
    digits: int = 3
    """Decimals shown."""
    better: Literal[-1, 0, 1] = 0
    """1 if more is better, -1 if less is."""
    report: int | None = None
    """Place among the columns of the report's tables; None: not there. The same goes for the places below."""
    histogram: int | None = None
    """Place among the report's histograms."""
    viewer: int | None = None
    """Place in the viewer's table of the selected grasp."""
    panel: int | None = None
    """Place among the columns of the Kit panel's list."""

    @property
    def title(self) -> str:
        """Heading, with the unit."""
        return f"{self.label} [{self.shown_unit}]" if self.shown_unit else self.label
