# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp three objects on a table with each built-in hand, try the best in PhysX, and draw them.

python examples/03_three_hands.py [PICTURE]
"""

from __future__ import annotations

import sys

import omni_graspd as gd

HANDS, OBJECTS = ("allegro", "shadow", "barrett"), ("soup_can", "mug", "card_box")


def best_grasp(hand: str, obj: str, count: int) -> gd.Grasps:
    """Return the grasp that ranks first of so many, with its figures."""
    grasps = gd.synthesize(hand, obj, count)
    best = grasps.best().evaluate().measure_hold().measure_lift()
    lifted = "lifts the object" if best.metrics["lifted"][0] else best.metrics["lift_reason"][0]
    print(f"{grasps}; the best: epsilon {best.metrics['epsilon'][0]:.2f}, {lifted}", flush=True)
    return best


def main(picture: str = "three_hands.png", count: int = 16) -> None:
    """Write the picture."""
    best = [best_grasp(hand, obj, count) for hand in HANDS for obj in OBJECTS]
    gd.draw(best, title=f"The best of {count} grasps on a table per hand and object").save(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
