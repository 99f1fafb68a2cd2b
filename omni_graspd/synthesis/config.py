# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of grasp synthesis."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.signed_distance import SignedDistanceConfig
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive
from omni_graspd.synthesis.losses import LOSS_SETTINGS
from omni_graspd.synthesis.postures import PostureConfig
from omni_graspd.synthesis.squeeze import SqueezeConfig
from omni_graspd.synthesis.starts import StartConfig
from omni_graspd.synthesis.table_starts import TableStartConfig
from omni_graspd.synthesis.way import WayConfig

_NOT_NEGATIVE = (
    *("friction", "leak", "dilation", "reuse_distance", "reuse_share", "reuse_trust", "rate_decay", "rest_weight"),
    *LOSS_SETTINGS,
    "rise_rate",
    *("translation_rate", "rotation_rate", "joint_rate", "beta_1", "beta_2"),
)


@dataclass(frozen=True, kw_only=True)
class DraftConfig:
    """The rough first pass over several starts per grasp, of which the most promising one goes on."""

    candidates: int = 3
    """Starts tried per grasp; the one that holds a pushed object best is kept."""
    iterations: int = 85
    """Gradient steps per candidate; 0: no first pass, one start per grasp."""
    point_count: int = 400
    """Sample points on the hand's surface in the first pass."""
    dilation: float = 0.01
    """Padding around the object at the start of the first pass [m]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "synthesis.draft", 1, "candidates", "point_count")
        require_at_least(self, "synthesis.draft", 0, "iterations")
        require_not_negative(self, "synthesis.draft", "dilation")
        if self.candidates > 1 and self.iterations == 0:
            raise GraspdError(
                f"expected synthesis.draft.iterations to be above 0 with {self.candidates} candidates, got 0; without "
                "a draft pass, each grasp has a single start: set synthesis.draft.candidates to 1"
            )


@dataclass(frozen=True, kw_only=True)
class SynthesisConfig:
    """Settings of the optimisation. docs/method.md compares them with the paper's."""

    iterations: int = 150
    """Gradient steps per grasp, after the first pass."""
    point_count: int = 1200
    """Sample points on the hand's surface that can touch the object."""
    friction: float = 0.5
    """Coulomb friction between hand and object."""
    probe: float = 1e-4
    """How far the object would move in the test step if the hand were absent: speed times time step [m]."""
    rest_weight: float = 1.0
    """Weight of the test in which the object is not pushed, relative to 1 for each of the others. With a larger weight,
    the hand avoids pushing the object."""
    time_step: float = 1e-3
    """Length of the test step [s]; it only sets the units of plain gradient descent."""
    projection: Literal["jacobi", "gauss_seidel"] = "jacobi"
    """How contacts are resolved: all at once and averaged (jacobi), or one after another as in the paper."""
    rotation_length: float | None = None
    """Length that converts the object's rotation to a distance in the loss [m]. Default: its radius of gyration."""
    leak: float = 0.01
    """Fraction of the contact gradient passed to points out of contact (the paper's alpha). It decays to zero with the
    step sizes, so fingers settle on the surface rather than being pulled into it."""
    leak_mode: Literal["one_sided", "literal"] = "one_sided"
    """Whether leaked gradients only attract (one_sided) or also repel, as in the paper (literal)."""
    dilation: float = 0.003
    """Padding around the object at the start, after the first pass [m]."""
    dilation_end: float = 0.9
    """Fraction of the iterations over which the padding shrinks linearly to zero."""
    reach: float = 0.1
    """Hand points farther than this from the object have no gradient [m]."""
    reuse_distance: float = 2e-4
    """A measured distance is extrapolated to first order until its hand point has moved this far [m]; 0: never."""
    reuse_share: float = 0.15
    """The same limit as a fraction of the measured distance, where that is larger; 0: never."""
    reuse_trust: float = 3.0
    """How much farther distances are reused where earlier reuse proved accurate, as a factor; 0: no farther."""
    leak_stride: int = 16
    """One in this many hand points out of contact gets the leaked gradient."""
    range_weight: float = 1e-4
    """Weight of the joints' distance from the middle of their ranges [m/rad]."""
    limit_weight: float = 1e-2
    """Weight of joint positions beyond their limits [m/rad]."""
    penetration_weight: float = 5e4
    """Weight of half the mean squared depth of hand points inside the object [1/m]."""
    closing_weight: float = 3.2
    """Weight of the mean distance of hand points within ``closing_distance``; grows as the padding shrinks."""
    closing_distance: float = 7.4e-3
    """Range of the closing term [m]."""
    self_collision_weight: float = 100.0
    """Weight of half the summed squared overlap between spheres inside different links [1/m]."""
    self_collision_margin: float = 4e-3
    """Distance kept between the spheres of different links, which do not reach into the links' corners [m]."""
    wall_weight: float = 5e4
    """Weight of half the mean squared overlap of the object with spheres inside the links [1/m]. It keeps out thin
    walls that pass between hand points."""
    wall_margin: float = 2e-3
    """How much the spheres are shrunk, so that only walls deep inside a link are pushed out [m]."""
    surroundings_weight: float = 5e4
    """Weight of half the mean squared depth of hand points within ``surroundings_margin`` of the table or obstacles
    [1/m]."""
    surroundings_margin: float = 4e-3
    """Distance kept from the table and obstacles [m]."""
    rise_rate: float = 1e-3
    """Largest lift of the palm per step when the hand is closer to the table than half the margin [m]."""
    optimizer: Literal["adam", "gradient_descent"] = "adam"
    """Optimizer; gradient_descent is the paper's, with rates that multiply a gradient in units of speed."""
    translation_rate: float = 1e-3
    """Step size of the palm's position [m]."""
    rotation_rate: float = 1e-2
    """Step size of the palm's orientation [rad]."""
    joint_rate: float = 1e-2
    """Step size of each joint [rad or m]."""
    beta_1: float = 0.9
    """Adam's decay rate of the first moment."""
    beta_2: float = 0.99
    """Adam's decay rate of the second moment."""
    rate_decay: float = 0.2
    """Fraction of the iterations, at the end, over which step sizes fall linearly to zero."""
    distance: SignedDistanceConfig = field(default_factory=SignedDistanceConfig)
    """Smoothing of the object's surface."""
    draft: DraftConfig = field(default_factory=DraftConfig)
    """The first pass over several starts."""
    start: StartConfig = field(default_factory=StartConfig)
    """Starting poses."""
    posture: PostureConfig = field(default_factory=PostureConfig)
    """Pregrasp and squeeze."""
    table_start: TableStartConfig = field(default_factory=TableStartConfig)
    """Starting poses over a table."""
    way: WayConfig = field(default_factory=WayConfig)
    """The approach past the table and obstacles."""
    squeeze: SqueezeConfig = field(default_factory=SqueezeConfig)
    """Squeeze of grasps on a table."""
    tries: int = 5
    """Attempts per grasp; a grasp is retried if the table or obstacles block it, the object pierces the hand, or two
    links cross."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "synthesis", 1, "iterations", "point_count", "leak_stride", "tries")
        require_positive(self, "synthesis", "probe", "reach", "time_step", unit=" m", finite=True)
        require_not_negative(self, "synthesis", *_NOT_NEGATIVE)
        if self.rotation_length is not None:
            require_positive(self, "synthesis", "rotation_length", unit=" m", finite=True)
        for name in ("beta_1", "beta_2"):
            if getattr(self, name) >= 1.0:
                raise GraspdError(f"expected synthesis.{name} to be below 1, got {getattr(self, name)}")
        if not 0.0 < self.dilation_end <= 1.0:
            raise GraspdError(f"expected synthesis.dilation_end to be in (0, 1], got {self.dilation_end}")

    def draft_pass(self) -> SynthesisConfig:
        """Return the settings of the first pass."""
        draft = self.draft
        return replace(self, iterations=draft.iterations, point_count=draft.point_count, dilation=draft.dilation)

    def probe_motions(self) -> np.ndarray:
        """Return the object's motions in the M = 7 simulations [m], shape [7, 3]: none, both ways along each axis."""
        axes = self.probe * np.eye(3)
        return np.concatenate([np.zeros((1, 3)), axes, -axes])

    def probe_weights(self) -> np.ndarray:
        """Return how much each simulation counts in the loss, shape [7]; they sum to 1."""
        weights = np.array([self.rest_weight, *[1.0] * 6])
        return weights / weights.sum()

    def dilation_radius(self, iteration: int) -> float:
        """Return the padding of the object at an iteration [m] (paper, section III-B)."""
        return self.dilation * max(0.0, 1.0 - iteration / max(self.dilation_end * self.iterations, 1.0))

    def rate_scale(self, iteration: int) -> float:
        """Return the factor on all step lengths at an iteration."""
        if self.rate_decay <= 0.0:
            return 1.0
        return min(1.0, (self.iterations - iteration) / (self.rate_decay * self.iterations))
