# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Find eight grasps of a mug on a table, print the best and draw three of them.

python examples/01_grasp_an_object.py [OBJECT]
"""

from __future__ import annotations

import sys

import numpy as np

import omni_graspd as gd


def main(obj: str = "mug", iterations: int = 300, picture: str = "grasps.png") -> gd.Grasps:
    """Synthesize, measure, draw; return the best grasp."""
    grasps = gd.synthesize("allegro", obj, count=8, config=gd.SynthesisConfig(iterations=iterations)).evaluate()
    best = grasps.best()
    print(f"{grasps}; the best:")
    print(f"epsilon {best.metrics['epsilon'][0]:.3f}, contact {1e4 * best.metrics['contact_area'][0]:.0f} cm2")
    print("palm in the object's frame [m, xyzw]:", np.round(best.T_object_palm[0], 4))
    for name, position in zip(best.hand.joint_names, best.joint_positions[0], strict=True):
        print(f"  {name:18s} {position:+.3f} rad")
    grasps.best(3).show(picture)
    return best


if __name__ == "__main__":
    main(*sys.argv[1:])
