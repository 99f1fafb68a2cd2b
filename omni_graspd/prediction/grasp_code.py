# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps as the numbers a flow moves, and back: position, rotation, actuated joints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.prediction.rotations import from_columns, to_columns

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]

_ROTATION_SCALE = 3.0**0.5
"""Numbers of a unit vector drawn at random have this inverse spread."""


@dataclass(frozen=True, eq=False)
class GraspCode:
    """How positions are brought to zero mean and unit spread; the same for every axis but the height."""

    position_mean: np.ndarray
    """Mean of the palms of training in the crop frame [m], shape [3]."""
    position_scale: np.ndarray
    """Their spread [m], shape [3]."""

    @classmethod
    def of(cls, positions: np.ndarray) -> GraspCode:
        """Measure palms in the crop frame [m], shape [grasp_count, 3]; x and y are one, since views are turned."""
        flat = float(np.sqrt(np.mean(positions[:, :2] ** 2)))
        height, spread = float(positions[:, 2].mean()), float(positions[:, 2].std())
        scale = np.maximum([flat, flat, spread], 1e-3)
        return cls(np.array([0.0, 0.0, height]), scale)

    def encode(self, positions: Tensor, rotations: Tensor, joints: Tensor) -> Tensor:
        """Return coded grasps, shape [..., 9 + joint_count].

        Args:
            positions: Palms in the crop frame [m], shape [..., 3].
            rotations: Palms, shape [..., 3, 3].
            joints: Actuated joints from -1 to 1, shape [..., joint_count].
        """
        import torch  # pyright: ignore[reportMissingImports]

        mean, scale = self._tensors(positions)
        return torch.cat([(positions - mean) / scale, _ROTATION_SCALE * to_columns(rotations), joints], dim=-1)

    def decode(self, grasps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return positions, rotations and joints of coded grasps; joints are brought within their limits."""
        mean, scale = self._tensors(grasps)
        positions = grasps[..., :3] * scale + mean
        return positions, from_columns(grasps[..., 3:9]), grasps[..., 9:].clamp(-1.0, 1.0)

    def _tensors(self, like: Tensor) -> tuple[Tensor, Tensor]:
        return like.new_tensor(self.position_mean), like.new_tensor(self.position_scale)


def to_unit(hand: Hand, actuated: np.ndarray) -> np.ndarray:
    """Return actuated positions [..., actuated_count] as numbers from -1 at the lower to 1 at the upper limit."""
    middle, half = _limits(hand)
    return np.clip((actuated - middle) / half, -1.0, 1.0)


def from_unit(hand: Hand, values: np.ndarray) -> np.ndarray:
    """Return the actuated positions [rad or m] of numbers from -1 to 1; what is beyond is brought to the limit."""
    middle, half = _limits(hand)
    return middle + half * np.clip(values, -1.0, 1.0)


def _limits(hand: Hand) -> tuple[np.ndarray, np.ndarray]:
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    lower, upper = np.where(np.isfinite(lower), lower, -np.pi), np.where(np.isfinite(upper), upper, np.pi)
    return 0.5 * (lower + upper), np.maximum(0.5 * (upper - lower), 1e-6)
