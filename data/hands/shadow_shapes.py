# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of the Shadow hand's links, drawn by us to the published outer dimensions. Millimetres, link frames.

Fingers stretch along +z and curl toward -y.
"""

from __future__ import annotations

import manifold3d
from solids import Part, circle, fillet, link_shape, prism

from omni_graspd.hands.hand_writer import LinkShape

Solid = manifold3d.Manifold


def _ball(radius: float, position: tuple[float, float, float]) -> Solid:
    return Solid.sphere(radius, 24).translate(position)


def _capsule(radius: float, low: float, high: float) -> Solid:
    return Solid.batch_hull([_ball(radius, (0.0, 0.0, low)), _ball(radius, (0.0, 0.0, high))])


def _one(solid: Solid, look: str) -> LinkShape:
    return link_shape([Part(solid, look)], [solid])


def knuckle() -> LinkShape:
    """The barrel between palm and finger; it turns about y."""
    return _one(prism(circle((0.0, 0.0), 8.5), "y", -9.0, 8.5, 1.0), "metal")


def proximal() -> LinkShape:
    """The first phalanx of a finger."""
    return _one(_capsule(9.0, 5.0, 42.0), "body")


def middle() -> LinkShape:
    """The second phalanx of a finger."""
    return _one(_capsule(8.5, 0.0, 23.0), "body")


def distal() -> LinkShape:
    """The last phalanx of a finger."""
    return _one(_capsule(7.3, 11.0, 24.7), "tip")


def metacarpal() -> LinkShape:
    """The part of the palm that moves with the little finger."""
    outline = [(-9.0, 6.0, 3.0), (13.0, 6.0, 3.0), (13.0, 62.0, 5.0), (-9.0, 62.0, 5.0)]
    return _one(prism(fillet(outline), "y", -10.5, 11.0, 2.0), "body")


def thumb_base() -> LinkShape:
    """The ball between palm and thumb."""
    return _one(_ball(10.0, (0.0, 0.0, 0.0)), "metal")


def thumb_proximal() -> LinkShape:
    """The first phalanx of the thumb."""
    return _one(_capsule(12.0, 2.0, 36.0), "body")


def thumb_hub() -> LinkShape:
    """The cross between the thumb's first two phalanges."""
    return _one(_ball(8.0, (0.0, 0.0, 0.0)), "metal")


def thumb_middle() -> LinkShape:
    """The second phalanx of the thumb."""
    return _one(_capsule(10.5, 2.0, 30.0), "body")


def thumb_distal() -> LinkShape:
    """The last phalanx of the thumb."""
    return _one(_capsule(8.8, 12.0, 26.0), "tip")


def palm() -> LinkShape:
    """The palm without the little finger's metacarpal."""
    outline = fillet(
        [(-40.0, -10.0, 5.0), (40.0, -10.0, 5.0), (42.0, 85.0, 5.0), (-18.0, 88.0, 5.0), (-20.0, 25.0, 5.0)]
    )
    return _one(prism(outline, "y", -12.0, 12.0, 3.0), "body")
