# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A trained predictor: what its files hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from omni_graspd.dataset.content_hash import content_hash
from omni_graspd.errors import GraspdError
from omni_graspd.full_install import require_extra
from omni_graspd.hands.hand import Hand
from omni_graspd.prediction.grasp_code import GraspCode
from omni_graspd.prediction.network_config import NetworkConfig


@dataclass(frozen=True)
class ModelHand:
    """The hand that a model moves."""

    name: str
    """Its name."""
    hash: str
    """Hash of its content."""
    joint_names: tuple[str, ...]
    """Names of all its joints."""
    actuated: tuple[str, ...]
    """Names of the actuated ones, in the order of the model's numbers."""

    @classmethod
    def of(cls, hand: Hand) -> ModelHand:
        """Describe a hand."""
        actuated = tuple(hand.joint_names[index] for index in hand.actuated)
        return cls(hand.name, content_hash(hand), tuple(hand.joint_names), actuated)

    def require(self, hand: Hand) -> None:
        """Check that a hand is this one.

        Raises:
            GraspdError: If it has other joints, or another shape.
        """
        other = ModelHand.of(hand)
        if (other.joint_names, other.actuated) != (self.joint_names, self.actuated):
            raise GraspdError(
                f"expected the hand of the model, {self.name}, with the actuated joints {', '.join(self.actuated)}, "
                f"got {hand.name} with {', '.join(other.actuated)}; pass the hand that the model was trained for"
            )
        if other.hash != self.hash:
            raise GraspdError(
                f"expected the hand of the model, {self.name}, got one of that name from {hand.source} whose links or "
                "joints differ; pass the hand that the model was trained for, or train for this one"
            )


@dataclass(frozen=True, eq=False)
class Model:
    """A trained predictor."""

    hand: ModelHand
    """The hand."""
    network: NetworkConfig
    """Sizes of the network."""
    code: GraspCode
    """How grasps are coded."""
    parameters: dict[str, np.ndarray]
    """The network's parameters by name, float32."""
    training: dict[str, Any] = field(default_factory=dict)
    """How it was trained: settings, seed, objects, losses. For people; nothing is computed from it."""


def require_torch() -> None:
    """Check that what predictors need is installed.

    Raises:
        GraspdError: If PyTorch or safetensors is missing.
    """
    for package in ("torch", "safetensors"):
        require_extra(package, "predict", "predictors")
