# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Find eight grasps of the mug and print the best: the library without the command line.

python examples/01_grasp_an_object.py
"""

from __future__ import annotations

import asyncio

import numpy as np

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.synthesizer import synthesize


def main(iterations: int = 300) -> float:
    """Synthesize, measure, and return the best epsilon quality."""
    hand, mug = load_hand("allegro"), load_object("mug")
    batch = asyncio.run(synthesize(hand, mug, range(8), SynthesisConfig(iterations=iterations), seed=0))
    metrics = evaluate_grasps(hand, mug, batch.T_object_palm, batch.joint_positions, MetricsConfig())
    best = int(np.argmax(metrics["epsilon"]))
    print(f"epsilon {metrics['epsilon'][best]:.3f}, contact {1e4 * metrics['contact_area'][best]:.0f} cm2")
    print("palm in the mug's frame [m, xyzw]:", np.round(batch.T_object_palm[best], 4))
    for name, position in zip(hand.joint_names, batch.joint_positions[best], strict=True):
        print(f"  {name:18s} {position:+.3f} rad")
    return float(metrics["epsilon"][best])


if __name__ == "__main__":
    main()
