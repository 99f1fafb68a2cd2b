# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Samples of a dataset as PyTorch tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from omni_graspd.dataset.hand_joints import HandJoints
from omni_graspd.dataset.view_samples import ViewSamples


@dataclass(frozen=True)
class TorchViews:
    """A map-style PyTorch dataset of views.

    Floating-point numbers are float32, ids int64; texts and plain numbers stay, and tables of classes and prims become
    JSON texts, so that PyTorch's loader can put samples together. Boxes and point clouds, of which every view has its
    own number, need a ``collate_fn`` or a batch size of 1.
    """

    samples: ViewSamples
    """The views as arrays."""

    @property
    def joints(self) -> HandJoints:
        """The joints of the hand: names, limits, and which are actuated."""
        return self.samples.joints

    def __len__(self) -> int:
        """Return the number of views."""
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Read a sample; see :class:`~omni_graspd.dataset.view_samples.ViewSamples`."""
        return {name: _as_tensor(value) for name, value in self.samples[index].items()}


def _as_tensor(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value)
    if not isinstance(value, np.ndarray):
        return value
    import torch  # pyright: ignore[reportMissingImports]

    if value.dtype == np.float64:
        value = value.astype(np.float32)
    elif value.dtype == np.uint32:
        value = value.astype(np.int64)  # torch has few operations on uint32
    return torch.from_numpy(np.ascontiguousarray(value))
