# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of the Allegro hand's links, drawn by us to the published outer dimensions. Millimetres, link frames.

Fingers stretch along +z and curl toward +x. Links alternate between a tongue, narrow and round about the joint's y
axis, and a fork of two cheeks that holds the next tongue.
"""

from __future__ import annotations

import manifold3d
import numpy as np
from solids import Part, circle, fillet, fingertip, link_shape, mirrored, prism

from omni_graspd.hands.usd.hand_design import LinkShape

_X, _Y = 9.8, 13.5
_TONGUE = 10.9
_CHEEK = 11.3
_TIP_RADIUS = 12.0
_SCREW_ENDS = ((-29.9, -27.0), (9.0, 11.7))
_PALM_SCREWS = [(-49.0, -11.0), (49.0, -11.0), (46.0, -36.5), (-45.5, -66.0), (-22.0, -88.5), (22.0, -88.5)]


def _tongue(low: float, high: float, *, round_low: bool = False, round_high: bool = False) -> manifold3d.Manifold:
    low_radius, high_radius = (8.8 if is_round else 1.0 for is_round in (round_low, round_high))
    corners = [(-_X, low, low_radius), (_X, low, low_radius), (_X, high, high_radius), (-_X, high, high_radius)]
    return prism(fillet(corners), "y", -_TONGUE, _TONGUE, 0.6)


def _sleeve(low: float, high: float, *, groove: float | None = None) -> manifold3d.Manifold:
    x, radius = _X + 0.2, min(3.0, 0.4 * (high - low))
    corners = [(-x, low, radius), (x, low, radius), (x, high, radius), (-x, high, radius)]
    sleeve = prism(fillet(corners), "y", -_Y, _Y, 1.0)
    if groove is None:
        return sleeve
    slot = [
        (-20.0, groove - 0.5, 0.0),
        (20.0, groove - 0.5, 0.0),
        (20.0, groove + 0.5, 0.0),
        (-20.0, groove + 0.5, 0.0),
    ]
    cut = prism(fillet(slot), "y", -_TONGUE, _TONGUE)
    core = prism(fillet([(-9.2, 0, 0), (9.2, 0, 0), (9.2, 99, 0), (-9.2, 99, 0)]), "y", -20.0, 20.0)
    return sleeve - (cut - core)


def _cheeks(low: float, high: float, *, round_low: bool, pivot: float) -> manifold3d.Manifold:
    """Two plates with a screw head on the joint's axis."""
    blunt, sharp = 6.5, 2.0
    low_radius, high_radius = (blunt, sharp) if round_low else (sharp, blunt)
    corners = [
        (-_X, low, low_radius),
        (_X - 1.0, low, low_radius),
        (_X - 1.0, high, high_radius),
        (-_X, high, high_radius),
    ]
    plate = prism(fillet(corners), "y", _CHEEK, _Y + 0.2, 0.5)
    screw = prism(circle((0.0, pivot), 3.4, 12), "y", _Y - 1.0, _Y + 0.8)
    return mirrored(plate + screw)


def bracket(pivot: float) -> LinkShape:
    """A U-shaped bracket that turns about z and holds a tongue at height ``pivot``."""
    floor = prism(fillet([(-_X, -_Y, 2.0), (_X, -_Y, 2.0), (_X, _Y, 2.0), (-_X, _Y, 2.0)]), "z", 0.0, 3.2, 0.6)
    solid = floor + _cheeks(0.3, pivot + 5.6, round_low=False, pivot=pivot)
    return link_shape([Part(solid, "metal")], [solid])


def tongue_tongue(length: float) -> LinkShape:
    """A phalanx held by a fork at either end, its joints ``length`` apart."""
    body = _tongue(-8.8, length + 8.8, round_low=True, round_high=True)
    sleeve = _sleeve(8.2, length - 8.2, groove=0.5 * length)
    return link_shape([Part(sleeve, "body"), Part(body, "inner")], [body + sleeve])


def fork_tongue(length: float) -> LinkShape:
    """A phalanx that holds the one before it and is held by the next."""
    cheeks = _cheeks(-6.3, 13.5, round_low=True, pivot=0.0)
    body = _tongue(10.0, length + 8.8, round_high=True)
    sleeve = _sleeve(11.0, length - 8.2)
    return link_shape([Part(cheeks, "metal"), Part(sleeve, "body"), Part(body, "inner")], [cheeks + body + sleeve])


def tongue_fork(length: float) -> LinkShape:
    """A phalanx that is held by the one before it and holds the next between long cheeks."""
    end = length - 23.4
    cheeks = _cheeks(end - 3.0, length + 6.3, round_low=False, pivot=length)
    body = _tongue(-8.8, end, round_low=True)
    sleeve = _sleeve(8.2, end - 1.0, groove=0.5 * end + 3.0)
    return link_shape([Part(cheeks, "metal"), Part(sleeve, "body"), Part(body, "inner")], [cheeks + body + sleeve])


def fork_tip(tip: float) -> LinkShape:
    """The last link of a finger: a fork, and a round tip about a centre at height ``tip``."""
    cheeks = _cheeks(-6.3, 13.0, round_low=True, pivot=0.0)
    base = _sleeve(9.9, 15.7)
    ball = fingertip(_TIP_RADIUS, 15.2, tip)
    return link_shape([Part(cheeks, "metal"), Part(base, "body"), Part(ball, "tip")], [cheeks + base, ball])


def tongue_tip(tip: float) -> LinkShape:
    """The last link of the thumb: a tongue, and a round tip about a centre at height ``tip``."""
    body = _tongue(-8.8, tip - 13.0, round_low=True)
    sleeve = _sleeve(8.2, tip - 11.0)
    ball = fingertip(_TIP_RADIUS, tip - 11.5, tip)
    return link_shape([Part(sleeve, "body"), Part(body, "inner"), Part(ball, "tip")], [body + sleeve, ball])


def thumb_base() -> LinkShape:
    """The motor block at the root of the thumb; it turns about x and carries the next joint on top, about z."""
    corners = [(-7.8, -7.8, 7.5), (25.5, -7.8, 3.0), (25.5, 14.0, 3.0), (14.8, 28.0, 4.0), (14.8, 39.4, 2.0)]
    corners += [(-4.8, 39.4, 2.0), (-4.8, 14.0, 3.0), (-7.8, 9.0, 3.0)]
    block = prism(fillet(corners), "x", -35.8, -0.4, 1.0)
    axle = prism(circle((0.0, 0.0), 6.5), "x", -38.8, 5.0, 0.8)
    hub = prism(circle((-27.0, 5.0), 7.0), "z", 38.0, 39.9, 0.4)
    lower = prism(fillet([*corners[:3], (-7.8, 14.0, 0.0)]), "x", -35.8, -0.4, 1.0)
    upper = prism(fillet([(-4.8, 10.0, 0.0), (18.0, 10.0, 0.0), *corners[3:6]]), "x", -35.8, -0.4, 1.0)
    return link_shape([Part(axle, "metal"), Part(hub, "metal"), Part(block, "body")], [lower, upper, axle])


def _motor() -> manifold3d.Manifold:
    """A motor that reaches from plate to plate below a finger, with its flange and plug; in the finger's frame."""
    body = prism(fillet([(-9.8, -27.6, 0.8), (9.8, -27.6, 0.8), (9.8, -4.4, 0.8), (-9.8, -4.4, 0.8)]), "x", -27.5, 9.3)
    corners = [(-13.4, -10.8, 0.8), (13.4, -10.8, 0.8), (13.4, -4.4, 0.8), (-13.4, -4.4, 0.8)]
    flange = prism(fillet(corners), "x", 1.5, 9.3) + prism(fillet(corners), "x", -27.5, -19.5)
    hub = prism(circle((0.0, 0.0), 8.0, 20), "z", -7.0, -0.4)
    plug = prism(fillet([(-7.4, -6.0, 0.8), (7.4, -6.0, 0.8), (7.4, 1.2, 0.8), (-7.4, 1.2, 0.8)]), "x", -28.0, -14.5)
    return body + flange + hub + plug


def palm(finger_bases: list[np.ndarray]) -> LinkShape:
    """Two plates that hold a motor for each digit, a foot, and a bay for the thumb between them.

    Args:
        finger_bases: T_palm_finger [mm] of the fingers' first joints, homogeneous matrices [4, 4].
    """
    left = [(-28.5, -95.0, 1.5), (28.5, -95.0, 1.5), (28.5, -83.5, 2.0)]
    bay = [(-1.5, -80.8, 3.0), (1.2, -43.0, 3.0)]
    top = [(52.5, -48.2, 7.0), (56.5, -4.4, 2.0), (44.0, -2.8, 30.0), (0.0, -0.3, 100.0), (-44.0, -2.8, 30.0)]
    top += [(-56.5, -4.4, 2.0)]
    wrist = [(-50.5, -80.0, 15.0), (-30.0, -84.5, 5.0)]
    outline = fillet([*left, *bay, *top, *wrist])
    plates = prism(outline, "x", 8.3, 11.3, 0.8) + prism(outline, "x", -29.5, -26.5, 0.8)
    foot_corners = [(-28.3, -94.8, 0.8), (28.3, -94.8, 0.8), (28.3, -83.9, 0.8), (-28.3, -78.8, 0.8)]
    foot = prism(fillet(foot_corners), "x", -28.0, 9.8)
    bar = prism(
        fillet([(-50.3, -60.3, 0.5), (-54.2, -60.3, 0.5), (-55.3, -39.8, 0.5), (-51.4, -39.8, 0.5)]), "x", -28, 9
    )
    thumb_motor = fillet([(10.2, -39.7, 0.8), (28.0, -41.2, 0.8), (30.4, -18.7, 0.8), (12.4, -17.0, 0.8)])
    motors = [_motor().transform(T[:3]) for T in finger_bases]
    inner = [foot, bar, prism(thumb_motor, "x", -27.5, 9.3), *motors]
    screws = [prism(circle(position, 2.1, 14), "x", *ends) for position in _PALM_SCREWS for ends in _SCREW_ENDS]
    parts = [
        Part(manifold3d.Manifold.batch_boolean(screws, manifold3d.OpType.Add), "metal"),
        Part(plates, "body"),
        Part(manifold3d.Manifold.batch_boolean(inner, manifold3d.OpType.Add), "inner"),
    ]
    upper = prism(fillet([(1.5, -43.0, 0.0), *top, (-52.8, -43.5, 0.0)]), "x", -29.5, 11.3, 0.8)
    lower = prism(
        fillet([(-1.5, -84.0, 0.0), (1.5, -40.0, 0.0), (-52.5, -40.0, 0.0), *wrist[:1]]), "x", -29.5, 11.3, 0.8
    )
    base = prism(fillet([*left, (-28.5, -79.0, 2.0)]), "x", -29.5, 11.3, 0.8)
    return link_shape(parts, [upper, lower, base])
