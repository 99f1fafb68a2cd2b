# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the synthesis by name."""

from __future__ import annotations

from typing import Any

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.signed_distance import SignedDistanceConfig
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.losses import LOSS_TERMS
from omni_graspd.synthesis.starts import StartConfig

_NOT_IN_PAPER: dict[str, Any] = {term.weight: 0.0 for term in LOSS_TERMS.values() if term.weight and not term.in_paper}
_ONE_START = DraftConfig(candidates=1, iterations=0)

PRESETS = {
    "default": SynthesisConfig(),
    "fast": SynthesisConfig(
        draft=_ONE_START,
        iterations=100,
        point_count=200,
        leak_stride=8,
        dilation=0.01,
        translation_rate=2e-3,
        rotation_rate=2e-2,
        joint_rate=2e-2,
    ),
    "paper": SynthesisConfig(
        draft=_ONE_START,
        start=StartConfig(jitter=0.0),
        iterations=300,
        projection="gauss_seidel",
        optimizer="gradient_descent",
        rotation_length=1.0,
        leak=0.1,
        leak_mode="literal",
        leak_stride=1,
        dilation=0.06,
        dilation_end=1.0,
        reuse_distance=0.0,
        reuse_share=0.0,
        **_NOT_IN_PAPER,
        # The paper's rate is 0.001; that the palm is moved less than the joints follows the authors' released script.
        translation_rate=1e-6,
        rotation_rate=1e-5,
        joint_rate=1e-3,
        rate_decay=0.0,
        distance=SignedDistanceConfig(phong_alpha=0.75),
    ),
}
"""``default``; ``fast``: one start per grasp, fewer points and steps; ``paper``: the paper's equations as printed, for
reference. docs/method.md compares their cost and quality."""


def synthesis_preset(name: str) -> SynthesisConfig:
    """Return the settings of a preset.

    Raises:
        GraspdError: If there is none of that name.
    """
    if name not in PRESETS:
        raise GraspdError(f"expected a preset among {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name]
