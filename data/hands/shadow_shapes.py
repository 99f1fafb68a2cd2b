# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of the Shadow hand's digits, drawn by us to the published outer dimensions. Millimetres, link frames.

Fingers stretch along +z and curl toward -y. A phalanx is a rounded limb cut to its outline seen from the side; its ends
are barrels about the x axis of the joint there. Dark shells, metal knuckles and pivots, softer grey tips.
"""

from __future__ import annotations

from collections.abc import Sequence

import manifold3d
import numpy as np
from solids import Part, circle, fillet, link_shape, prism, rounded_tube

from omni_graspd.hands.usd.hand_design import LinkShape

Solid = manifold3d.Manifold

_FAR = 60.0


def box(low: Sequence[float], high: Sequence[float]) -> Solid:
    """Return the box between two corners."""
    x, y, z = low
    return Solid.cube(np.subtract(high, low)).translate((x, y, z))


def barrel(radius: float, half: float, z: float = 0.0, rounding: float = 1.5, axis: str = "x") -> Solid:
    """Return a rounded cylinder about the x or y axis at height ``z``, ``half`` to either side."""
    return prism(circle((0.0, z), radius, 28), axis, -half, half, rounding, 3)


def _axle(radius: float, half: float, z: float, axis: str = "x") -> Solid:
    """Return the axle of a joint at height ``z``, whose two heads are seen."""
    return prism(circle((0.0, z), radius, 16), axis, -half, half, 0.4)


def _side(corners: list[tuple[float, float, float]]) -> Solid:
    """Return everything within an outline seen along x."""
    return prism(fillet(corners), "x", -_FAR, _FAR)


def knuckle() -> LinkShape:
    """The disc between palm and finger, slotted for the palm's prong; it turns about y and carries the next joint."""
    disc = prism(circle((0.0, 0.5), 9.0, 28), "x", -6.0, 6.0, 1.8, 3) - box((-_FAR, 8.5, -_FAR), (_FAR, _FAR, _FAR))
    slot = [(-_FAR, -_FAR, 0.0), (-5.0, -_FAR, 0.0), (-5.0, 2.4, 1.0), (6.0, 3.6, 1.0), (6.0, _FAR, 0.0)]
    upper = _side([*slot, (-_FAR, _FAR, 0.0)]) ^ box((-2.1, -_FAR, -0.5), (2.1, _FAR, _FAR))
    flare = prism(fillet([(-2.1, 1.5, 0), (-4.8, -7.0, 0), (4.8, -7.0, 0), (2.1, 1.5, 0)]), "y", -_FAR, -5.0)
    solid = disc - upper - flare
    return link_shape([Part(solid, "metal")], [solid])


def proximal() -> LinkShape:
    """The first phalanx of a finger: cheeks around the knuckle, a shell, and a tongue in the next phalanx."""
    rows = [
        (-8.2, 10.0, -8.0, 8.0, 5.2),
        (8.0, 10.0, -8.2, 8.0, 5.2),
        (16.0, 10.0, -9.0, 8.0, 5.6),
        (24.0, 9.9, -10.0, 8.0, 6.0),
        (32.0, 9.3, -10.0, 8.0, 4.6),
        (46.0, 8.1, -10.0, 8.0, 3.4),
    ]
    outline = [(-8.0, -7.95, 7.9), (8.0, -7.95, 7.9), (8.0, 45.0, 0.6), (6.6, 45.0, 0.6), (6.4, 38.5, 2.0)]
    outline += [(-5.0, 38.2, 0.8), (-10.2, 30.5, 3.0), (-9.8, 22.0, 20.0), (-8.0, 12.0, 20.0)]
    lower = rounded_tube(rows, 8.0, 4) ^ _side(outline)
    fork = [(-6.05, -_FAR, 0.0), (6.05, -_FAR, 0.0), (6.05, 10.0, 1.8), (-6.05, 10.0, 1.8)]
    # The cheeks' lower ends taper like a ball, so that the finger spreads past its neighbours.
    ball = Solid.sphere(11.6, 28).translate((0.0, 0.0, 1.2)) + box((-_FAR, -_FAR, 1.2), (_FAR, _FAR, _FAR))
    shell = (lower ^ ball) - prism(fillet(fork), "y", -_FAR, _FAR)
    tongue = barrel(7.0, 7.0, 45.0, 2.4) + box((-4.0, -5.0, 36.0), (4.0, 5.0, 42.0))
    pivots = _axle(3.2, 9.9, 0.0)
    parts = [Part(pivots, "metal"), Part(shell, "body"), Part(tongue, "metal")]
    cheeks = shell ^ box((-_FAR, -_FAR, -_FAR), (_FAR, _FAR, 14.0))
    left, right = cheeks ^ box((-_FAR, -_FAR, -_FAR), (-6.0, _FAR, _FAR)), cheeks ^ box((6, -_FAR, -_FAR), (_FAR,) * 3)
    return link_shape(parts, [shell ^ box((-_FAR, -_FAR, 9.5), (_FAR,) * 3), left, right, tongue])


def middle() -> LinkShape:
    """The second phalanx of a finger: two barrels and a pad between them."""
    rows = [
        (-8.2, 9.0, -9.0, 8.0, 3.6),
        (4.0, 9.0, -9.0, 8.0, 3.6),
        (7.0, 8.5, -9.0, 8.0, 4.0),
        (19.0, 8.5, -9.0, 8.0, 4.0),
        (22.5, 9.0, -9.0, 8.0, 3.6),
        (32.2, 9.0, -9.0, 8.0, 3.6),
    ]
    spine = [(-4.9, 0.0, 0.0), (8.0, 0.0, 0.0), (7.0, 25.0, 0.0), (-4.9, 25.0, 0.0)]
    pad = [
        (-4.6, 6.4, 0.0),
        (-4.6, 19.8, 0.0),
        (-5.1, 20.1, 0.0),
        (-9.0, 15.8, 2.0),
        (-9.0, 8.9, 2.0),
        (-5.4, 5.6, 0.0),
    ]
    limb = rounded_tube(rows, 8.0, 4)
    ends = limb ^ (barrel(8.0, 9.0, 0.0, 2.6) + barrel(7.0, 9.0, 25.0, 2.6) + _side(spine))
    front = limb ^ _side(pad)
    pivots = _axle(3.0, 9.2, 0.0) + _axle(3.0, 9.2, 25.0)
    hull = [ends ^ box((-_FAR, 0.0, -_FAR), (_FAR,) * 3), ends ^ box((-_FAR, -_FAR, -_FAR), (_FAR, _FAR, 7.0))]
    hull += [front, ends ^ box((-_FAR, -_FAR, 19.0), (_FAR,) * 3)]
    return link_shape([Part(pivots, "metal"), Part(front, "tip"), Part(ends, "body")], hull)


def _tip(
    rows: list[tuple[float, ...]], low_end: Solid, nail: list[tuple[float, float, float]], top: float
) -> LinkShape:
    """Return a fingertip with a nail on its back.

    Args:
        rows: Sections of the tip.
        low_end: What is cut off for the joint.
        nail: Outline of the nail, x and z.
        top: Height y of the nail's face; the tip is cut to let it in.
    """
    plate = prism(fillet(nail), "y", top - 3.0, top, 0.5)
    corners = [(x * 1.06, z + (0.8 if z > 25.0 else -0.8), radius) for x, z, radius in nail]
    seat = prism(fillet(corners), "y", top - 0.7, top + 9.0)
    pad = rounded_tube(rows, 3.0, 5) - low_end
    return link_shape([Part(plate, "metal"), Part(pad - seat, "tip")], [pad])


def distal() -> LinkShape:
    """The last phalanx of a finger: a soft pad in front of a nail."""
    rows: list[tuple[float, ...]] = [
        (4.7, 8.8, -7.3, 7.0, 5.4),
        (8.0, 8.55, -7.3, 7.0, 5.4),
        (16.0, 8.1, -7.0, 7.0, 5.6),
        (20.0, 7.75, -6.4, 7.0, 5.8),
        (24.0, 7.3, -5.6, 6.9, 5.8),
        (28.0, 6.5, -4.4, 6.3, 5.3),
        (30.0, 5.5, -3.2, 5.6, 4.4),
        (31.2, 4.2, -1.9, 4.6, 3.2),
        (32.0, 1.6, 0.0, 2.6, 1.2),
    ]
    low_end = _side([(-_FAR, -_FAR, 0), (5.0, -_FAR, 0), (5.0, 7.0, 0), (-_FAR, 7.0, 0)])
    low_end += prism(circle((0.0, 0.0), 8.6, 28), "x", -_FAR, _FAR)
    nail = [
        (-2.9, 20.0, 2.6),
        (2.9, 20.0, 2.6),
        (5.0, 26.0, 4.0),
        (3.6, 31.8, 3.0),
        (-3.6, 31.8, 3.0),
        (-5.0, 26.0, 4.0),
    ]
    return _tip(rows, low_end, nail, 6.0)


def thumb_base() -> LinkShape:
    """The hub in the palm that turns the thumb about z, and the axle of the next joint."""
    column = prism(circle((0.0, 0.0), 8.0, 24), "z", -19.0, -6.0, 1.0)
    solid = column + Solid.sphere(10.0, 24)
    return link_shape([Part(solid, "metal")], [column, Solid.sphere(10.0, 24)])


def thumb_proximal() -> LinkShape:
    """The first phalanx of the thumb, round and waisted."""
    radii = [
        (-11.8, 3.0),
        (-10.8, 6.2),
        (-8.5, 9.4),
        (-5.0, 11.6),
        (0.0, 12.9),
        (5.0, 12.3),
        (12.0, 10.8),
        (20.0, 10.0),
    ]
    radii += [(29.0, 9.9), (37.0, 10.3), (41.0, 10.0), (44.5, 8.7), (46.6, 6.7), (48.0, 4.5), (48.6, 2.5)]
    shell = rounded_tube([(z, r, -r, r, r) for z, r in radii], 4.0, 6)
    ring = prism(circle((0.0, 0.0), 10.6, 28), "z", 22.5, 26.0, 0.6)
    axle = _axle(3.4, 13.0, 0.0)
    lower, upper = shell ^ box((-_FAR,) * 3, (_FAR, _FAR, 25.0)), shell ^ box((-_FAR, -_FAR, 24.0), (_FAR,) * 3)
    return link_shape([Part(axle, "metal"), Part(ring, "metal"), Part(shell, "body")], [lower, upper])


def thumb_hub() -> LinkShape:
    """The cross between the thumb's first two phalanges, within both of them."""
    cross = _axle(3.0, 9.6, 0.0) + _axle(3.0, 9.6, 0.0, "y")
    solid = cross + Solid.sphere(7.0, 16)
    return link_shape([Part(solid, "metal")], [solid])


def thumb_middle() -> LinkShape:
    """The second phalanx of the thumb: a ball that turns into a barrel about y."""
    rows = [
        (-10.7, 3.0, -3.0, 3.0, 3.0),
        (-9.6, 5.4, -5.4, 5.4, 5.4),
        (-7.0, 8.4, -8.4, 8.4, 8.4),
        (-3.6, 10.4, -10.4, 10.4, 10.4),
        (0.0, 10.9, -11.0, 11.0, 10.9),
        (5.0, 10.6, -10.8, 10.8, 10.6),
        (14.0, 9.5, -10.0, 10.0, 9.4),
        (21.0, 8.7, -10.2, 10.2, 8.2),
        (27.0, 8.5, -10.9, 10.9, 6.0),
        (32.0, 8.9, -11.0, 11.0, 4.6),
        (41.1, 8.9, -11.0, 11.0, 4.6),
    ]
    end = barrel(9.0, 11.0, 32.0, 3.4, "y") + box((-_FAR, -_FAR, -_FAR), (_FAR, _FAR, 32.0))
    shell = rounded_tube(rows, 4.0, 5) ^ end
    pivots = _axle(3.2, 11.3, 0.0, "y") + _axle(3.4, 11.3, 32.0, "y")
    lower, upper = shell ^ box((-_FAR,) * 3, (_FAR, _FAR, 15.0)), shell ^ box((-_FAR, -_FAR, 14.0), (_FAR,) * 3)
    return link_shape([Part(pivots, "metal"), Part(shell, "body")], [lower, upper])


def thumb_distal() -> LinkShape:
    """The last phalanx of the thumb: a wide pad in front of a nail."""
    rows: list[tuple[float, ...]] = [
        (3.3, 10.6, -8.8, 9.0, 6.6),
        (12.0, 10.55, -8.8, 9.0, 6.6),
        (16.0, 10.3, -8.4, 9.0, 6.8),
        (20.0, 10.0, -7.85, 9.0, 7.0),
        (25.0, 9.55, -6.6, 8.6, 7.0),
        (29.0, 8.8, -5.2, 7.9, 6.2),
        (31.5, 7.4, -3.9, 7.2, 5.2),
        (33.3, 5.4, -2.2, 6.2, 3.9),
        (34.5, 2.9, 0.0, 4.4, 2.0),
        (34.8, 1.4, 1.2, 3.2, 0.9),
    ]
    low_end = _side([(-_FAR, -_FAR, 0), (5.8, -_FAR, 0), (5.8, 9.5, 0), (-7.0, 9.5, 0), (-_FAR, 12.4 + _FAR - 10.0, 0)])
    low_end += prism(circle((0.0, 0.0), 10.0, 28), "x", -_FAR, _FAR)
    nail = [
        (-3.0, 20.0, 2.6),
        (3.0, 20.0, 2.6),
        (7.4, 27.0, 4.0),
        (5.8, 34.9, 4.0),
        (-5.8, 34.9, 4.0),
        (-7.4, 27.0, 4.0),
    ]
    return _tip(rows, low_end, nail, 7.4)
