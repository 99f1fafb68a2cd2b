# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How a predictor is trained."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from omni_graspd.prediction.network_config import NetworkConfig
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive, require_within

Preset = Literal["default", "tiny"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a predictor is trained; the same settings, data and number of threads give the same network."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes of the network."""
    steps: int = 20000
    """Most gradient steps."""
    views: int = 32
    """Views in a batch."""
    grasps: int = 16
    """Grasps of each view in a batch, drawn among those that are usable in its scene."""
    learning_rate: float = 1e-3
    """Largest step size, reached after the first fiftieth of the steps; it falls to 0 over the others."""
    weight_decay: float = 0.01
    """Decay of the weights."""
    point_noise: float = 0.002
    """Spread of the errors that points get [m]."""
    scale_noise: float = 0.06
    """Spread of the factors by which scenes are made larger or smaller, as a share; hands stay as they are."""
    most_hidden: float = 0.5
    """Up to this share of the points of a crop is hidden."""
    check_every: int = 250
    """After so many steps the held-out objects are looked at, and the state is saved."""
    patience: int = 12
    """Training ends when so many looks in a row were no better than the best before them."""
    points: int = 512
    """Points of each crop."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "train", 1, "steps", "views", "grasps", "check_every", "patience")
        require_at_least(self, "train", 32, "points")
        require_positive(self, "train", "learning_rate", finite=True)
        require_not_negative(self, "train", "weight_decay", "point_noise", "scale_noise")
        require_within(self, "train", 0.0, 0.9, "most_hidden")

    @classmethod
    def of(cls, preset: Preset, steps: int = 0) -> TrainConfig:
        """Return the settings of a preset, with another number of steps if one is given."""
        config = PRESETS[preset]
        return replace(config, steps=steps) if steps else config


PRESETS: dict[Preset, TrainConfig] = {
    "default": TrainConfig(),
    "tiny": TrainConfig(
        network=NetworkConfig(width=256, blocks=3, basis=256, near_basis=128),
        steps=4000,
        views=16,
        learning_rate=2e-3,
        check_every=200,
        patience=8,
    ),
}
"""Settings by name."""
