# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How a predictor is trained."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from omni_graspd.prediction.network_config import NetworkConfig
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive

Preset = Literal["default", "tiny"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a predictor is trained; the same settings, data and number of threads give the same network."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes of the network."""
    steps: int = 10_000
    """Most gradient steps."""
    views: int = 8
    """Views in a batch."""
    grasps: int = 32
    """Grasps of each view in a batch, drawn among those that are usable where the object rests."""
    learning_rate: float = 2e-3
    """Largest step size, reached after the first fiftieth of the steps; it falls to 0 over the others."""
    weight_decay: float = 0.01
    """Decay of the weights."""
    scale_noise: float = 0.06
    """Spread of the factors by which scenes are made larger or smaller, as a share; hands stay as they are."""
    check_every: int = 200
    """After so many steps the held-out objects are looked at, and the state is saved."""
    patience: int = 12
    """Training ends when so many looks in a row were no better than the best before them."""
    points: int = 256
    """Points of each crop."""
    cast: int = 12
    """Views of each rest pose, cast from the object's mesh from all sides."""
    depth_noise: float = 0.0015
    """Spread of the errors of distances in these views [m]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "train", 1, "steps", "views", "grasps", "check_every", "patience", "cast")
        require_at_least(self, "train", 32, "points")
        require_positive(self, "train", "learning_rate", finite=True)
        require_not_negative(self, "train", "weight_decay", "depth_noise", "scale_noise")

    @classmethod
    def of(cls, preset: Preset, steps: int = 0) -> TrainConfig:
        """Return the settings of a preset, with another number of steps if one is given."""
        config = PRESETS[preset]
        return replace(config, steps=steps) if steps else config


PRESETS: dict[Preset, TrainConfig] = {
    "default": TrainConfig(),
    "tiny": TrainConfig(
        network=NetworkConfig(width=192, blocks=3, basis=256, near_basis=96),
        steps=1500,
        views=4,
        learning_rate=2e-3,
        check_every=100,
        patience=8,
        cast=8,
    ),
}
"""Settings by name."""
