# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of the Shadow hand's palm and of the little finger's metacarpal. Millimetres, link frames.

The palm looks along -y. The metacarpal turns about an axis that is oblique in the palm's plane; both carry the heads
that hold the knuckles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import manifold3d
import numpy as np
from shadow_shapes import box
from solids import Part, circle, fillet, link_shape, loft, prism, rounded_tube

from omni_graspd.hands.usd.hand_design import LinkShape

Solid = manifold3d.Manifold

_FAR = 150.0
_THICK = 11.0
_AXIS_DEGREES = float(np.degrees(np.arctan2(0.573576, 0.819152)))
"""Tilt of the metacarpal's axis from +z toward +x."""
_HINGE = (23.3, 33.3)
"""Where the metacarpal's arm sits on its axis."""
_METACARPAL = (-33.0, 0.0, 20.71)
_HEADS = ((33.0, 95.0), (11.0, 99.0), (-11.0, 95.0))
_PAD_COLUMNS = (-37.0, -35.5, -30.0, -20.0, -10.0, -3.0, 3.0, 8.0, 14.0, 20.0, 26.0, 32.0, 38.0, 42.0)
_PAD_ROWS: dict[float, tuple[float, ...]] = {
    0.0: (17.5, 19.0, 20.3, 20.4, 20.5, 20.8, 20.9, 21.0, 20.4, 19.6, 18.0, 16.2, 14.0, 11.5),
    4.0: (18.5, 20.4, 21.5, 21.7, 21.9, 22.0, 21.9, 21.8, 21.8, 21.6, 20.8, 19.0, 16.0, 12.5),
    9.0: (17.6, 19.6, 20.6, 20.8, 21.0, 21.2, 21.3, 21.5, 22.1, 22.6, 22.8, 21.6, 18.8, 14.5),
    14.0: (15.4, 17.4, 18.6, 19.0, 19.0, 19.0, 19.6, 20.6, 22.2, 23.8, 24.4, 23.4, 20.6, 16.0),
    19.0: (12.0, 14.0, 16.0, 16.8, 16.9, 16.7, 17.2, 18.6, 21.0, 23.9, 24.9, 23.8, 20.6, 15.5),
    24.0: (10.0, 11.4, 13.4, 14.7, 15.0, 15.0, 15.4, 16.8, 19.8, 23.2, 24.0, 22.0, 18.0, 14.0),
    29.0: (9.0, 10.0, 11.4, 12.8, 13.3, 13.6, 13.9, 14.8, 17.8, 21.0, 20.0, 17.0, 14.0, 11.0),
    34.0: (9.0, 9.0, 10.2, 11.2, 11.9, 12.5, 12.9, 13.5, 15.6, 17.0, 15.0, 13.0, 11.0, 10.0),
    40.0: (9.0, 9.0, 9.0, 10.3, 11.0, 11.6, 12.3, 13.2, 14.0, 13.4, 12.0, 11.0, 10.0, 9.0),
    46.0: (9.0, 9.0, 9.0, 10.0, 10.6, 11.0, 11.6, 12.0, 11.8, 11.4, 11.0, 10.0, 9.0, 9.0),
    53.0: (9.0, 9.0, 9.0, 9.0, 10.0, 10.4, 10.8, 10.9, 10.8, 10.4, 10.0, 9.0, 9.0, 9.0),
}
"""How far the pad stands out of the palm's middle plane, by height z, at each of the columns x."""
_HEEL_ROWS: dict[float, tuple[float, ...]] = {
    -10.5: (9.2, 9.5, 9.8, 9.8, 9.4, 9.0, 9.0, 9.0),
    -5.0: (11.0, 13.0, 14.2, 14.4, 13.6, 12.0, 11.0, 9.5),
    0.2: (13.0, 15.0, 15.8, 16.0, 15.5, 14.0, 12.6, 11.0),
}
"""The same below the ball of the thumb, at the last eight columns."""


def _on_axis(solid: Solid) -> Solid:
    """Turn a solid about z into one about the metacarpal's axis, in the metacarpal's frame."""
    return solid.rotate((0.0, _AXIS_DEGREES, 0.0))


def _slab(low: float, high: float, radius: float) -> Solid:
    """Return a cylinder about the metacarpal's axis."""
    return _on_axis(prism(circle((0.0, 0.0), radius, 28), "z", low, high, 0.5))


def _head() -> tuple[Solid, Solid]:
    """Return the socket of a knuckle, in the knuckle's frame: a dome behind it and a prong in front.

    Returns:
        The socket, which reaches down into what carries it, and the room that has to be free above that.
    """
    dome = [(-9.0, -18.0, 0.0), (9.0, -18.0, 0.0), (9.0, 7.3, 9.0), (-9.0, 7.3, 9.0)]
    column = prism(fillet(dome), "y", -_THICK, _THICK + 0.5, 1.8, 3)
    front = prism(circle((0.0, 0.0), 10.8, 28), "y", -_FAR, -4.0)
    ball = Solid.sphere(11.0, 28) - box((-_FAR, 8.5, -_FAR), (_FAR,) * 3) - box((-_FAR,) * 3, (_FAR, _FAR, -7.9))
    above = box((-9.5, -_FAR, -4.5), (9.5, 4.0, _FAR))
    room = front + ball + above
    prong = [(-2.0, -14.0, 0.0), (2.0, -14.0, 0.0), (2.0, 2.4, 1.9), (-2.0, 2.4, 1.9)]
    return (column - room) + prism(fillet(prong), "y", -10.0, -5.0, 0.6), room


def metacarpal() -> LinkShape:
    """The part of the palm that moves with the little finger: a column, and an arm to the hinge."""
    knuckle_height = 65.79
    socket, room = _head()
    up = (0.0, 0.0, knuckle_height)
    column = rounded_tube([(3.0, 9.05, -_THICK, _THICK, 2.8), (60.0, 9.05, -_THICK, _THICK, 2.8)], 60.0)
    column = (column - room.translate(up)) - _slab(-40.0, _HINGE[0], 12.0)
    column -= _on_axis(box((-12.0, -20.0, -40.0), (12.0, 0.0, _HINGE[0])))
    bridge = _on_axis(box((-12.0, -_THICK + 0.1, _HINGE[0]), (0.0, _THICK - 0.1, _HINGE[1])))
    bridge = bridge ^ box((0.0, -_FAR, 0.0), (_FAR, _FAR, 40.0))
    arm = _slab(*_HINGE, _THICK)
    body = column + arm + bridge + socket.translate(up)
    axle = _on_axis(prism(circle((0.0, 0.0), 4.0, 24), "z", _HINGE[0] - 0.4, _HINGE[1] + 0.4))
    upper, lower = (column ^ box((-_FAR, -_FAR, low), (_FAR, _FAR, high)) for low, high in ((24.0, 56.0), (0.0, 25.0)))
    pieces = [upper, lower, arm, socket.translate(up)]
    return link_shape([Part(body, "body"), Part(axle, "metal")], pieces)


def _relief(
    rows: Mapping[float, Sequence[float] | np.ndarray], columns: Sequence[float] | np.ndarray, back: float
) -> Solid:
    """Return the solid between a relief, which looks along -y, and the plane y = ``-back``."""
    rings = []
    for z, depths in rows.items():
        points = [(x, -depth, z) for x, depth in zip(columns, depths, strict=True)]
        rings.append(np.array([*points, (columns[-1], -back, z), (columns[0], -back, z)]))
    return loft(rings)


def _pad() -> Solid:
    """Return the cushion below the fingers, the ball of the thumb and its heel."""
    from scipy.interpolate import RectBivariateSpline

    table = RectBivariateSpline(list(_PAD_ROWS), _PAD_COLUMNS, np.array(list(_PAD_ROWS.values())))
    columns = np.linspace(_PAD_COLUMNS[0], _PAD_COLUMNS[-1], 28)
    rows = {float(z): np.maximum(table(z, columns)[0], 9.0) for z in np.linspace(0.0, max(_PAD_ROWS), 16)}
    outline = [(-36.8, -12.0, 2.0), (42.0, -12.0, 6.0), (42.0, 16.0, 3.0), (37.0, 16.5, 4.0), (20.0, 30.0, 3.0)]
    outline += [(14.0, 47.0, 6.0), (8.0, 53.0, 6.0), (-8.0, 52.0, 6.0), (-19.0, 38.0, 8.0), (-37.0, 18.0, 8.0)]
    relief = _relief(rows, columns, 8.0) + _relief(_HEEL_ROWS, _PAD_COLUMNS[6:], 4.0)
    return relief ^ prism(fillet(outline), "y", -_FAR, _FAR)


def _plate() -> Solid:
    """Return the flat body of the palm."""
    outline = [(-37.0, -2.0, 0.0), (42.0, -2.0, 0.0), (42.0, 89.0, 3.0), (-20.0, 89.0, 3.0), (-20.0, 52.4, 2.9)]
    outline += [(-24.0, 53.0, 1.0), (-34.0, 39.0, 1.0), (-37.0, 30.0, 2.9)]
    return prism(fillet(outline), "y", -_THICK, _THICK, 2.5, 3) - box((-_FAR,) * 3, (_FAR, _FAR, 0.0))


def _lugs() -> Solid:
    """Return the fork of the wrist: four plates about its axis, rounded like it."""
    profile = [(-_THICK, -_THICK, 10.9), (_THICK, -_THICK, 10.9), (_THICK, 14.0, 0.0), (-_THICK, 14.0, 0.0)]
    side = prism(fillet(profile), "x", -_FAR, _FAR)
    corners = fillet([(-37.0, -_THICK, 4.0), (42.0, -_THICK, 4.0), (42.0, 14.0, 0.0), (-37.0, 14.0, 0.0)])
    block = prism(corners, "y", -_THICK, _THICK, 1.0, 2) ^ side
    return block - box((-15.7, -_FAR, -_FAR), (17.7, _FAR, 0.0))


def _thumb_room() -> Solid:
    """Return the room of the thumb's base: a pocket behind the ball of the thumb, open to the side, and a slope."""
    corners = [(6.0, 22.5, 1.5), (23.5, 7.0, 1.5), (28.0, 11.0, 1.0), (33.0, 17.0, 1.0), (70.0, 17.0, 0.0)]
    corners += [(70.0, 43.0, 0.0), (22.0, 42.0, 2.0), (20.0, 30.0, 1.0), (14.0, 33.0, 1.5)]
    pocket = prism(fillet(corners), "y", -11.5, 0.0)
    pocket += prism(fillet(corners), "y", -17.0, -10.0) ^ box((17.0, -_FAR, -_FAR), (_FAR,) * 3)
    points = [(20.0, -0.5, 31.0), (22.5, -0.5, 38.0), (43.0, 0.0, 44.0), (43.0, 0.0, 17.0), (36.0, 0.0, 17.0)]
    points += [(43.0, -3.2, 60.0), (43.0, -7.0, 70.0), (43.0, -11.5, 76.0), (28.0, -11.5, 71.0), (15.5, -11.5, 53.0)]
    points += [(13.5, -13.5, 45.0), (19.0, -18.0, 31.0), (38.0, -18.0, 17.0), (43.0, -30.0, 17.0), (43.0, -30.0, 76.0)]
    slope = Solid.hull_points(np.array([*points, (15.0, -30.0, 50.0), (19.5, -30.0, 31.0)]))
    return pocket + slope + Solid.sphere(13.4, 28).translate((34.0, -8.58, 29.0))


def palm() -> LinkShape:
    """The palm without the little finger's metacarpal."""
    socket, room = _head()
    heads = [((x, 0.0, z), socket.translate((x, 0.0, z)), room.translate((x, 0.0, z))) for x, z in _HEADS]
    lobe = (_slab(0.0, _HINGE[0] - 0.5, _THICK) + Solid.sphere(_THICK, 28)).translate(_METACARPAL)
    lobe ^= box((-42.0, -_FAR, -_FAR), (_FAR,) * 3)
    foot = (_lugs() ^ box((-_FAR, -_FAR, 2.0), (-31.0, _FAR, 14.0))) + (lobe ^ box((-_FAR,) * 3, (-31.0, _FAR, 24.0)))
    lobe += foot.hull()
    nib = _slab(_HINGE[1] + 0.7, 40.0, _THICK).translate(_METACARPAL)
    slot = _slab(_HINGE[0] - 0.5, _HINGE[1] + 0.7, _THICK + 1.0)
    slot += _on_axis(box((-40.0, -20.0, _HINGE[0] - 0.5), (0.0, 20.0, _HINGE[1] + 0.7)))
    plate = _plate() + lobe + nib
    for _, _, free in heads:
        plate -= free
    gaps = [
        prism(fillet([(x - 2, 78, 1.9), (x + 2, 78, 1.9), (x + 2, 120, 0), (x - 2, 120, 0)]), "y", -_FAR, _FAR)
        for x in (0.0, 22.0)
    ]
    plate += Solid.batch_boolean([part for _, part, _ in heads], manifold3d.OpType.Add)
    plate = plate - gaps[0] - gaps[1] - slot.translate(_METACARPAL)
    pad = _pad()
    tendon = box((-2.6, -_FAR, -20.0), (2.6, -_THICK, 16.5))
    lugs = box((-31.0, -_THICK, -20.0), (-21.3, _FAR, 12.2)) + box((26.5, -9.0, -20.0), (36.0, _FAR, 12.2))
    bite = prism(circle((31.2, -8.0), 5.2, 24), "y", -_FAR, _FAR)
    thumb = _thumb_room()
    body = (plate + _lugs()) - thumb - lugs
    pad = pad - thumb - tendon - slot.translate(_METACARPAL) - bite - box((26.5, -9.0, -20.0), (36.0, _FAR, 12.2))
    pulley = prism(circle((0.0, 0.0), 19.5, 40), "x", -2.4, 2.4, 0.5)
    parts = [Part(pulley, "metal"), Part(body, "body"), Part(pad, "tip")]
    sockets = [part.hull() for _, part, _ in heads]
    return link_shape(parts, [*sockets, *_colliders(body, pad), pulley, lobe, nib])


def _colliders(body: Solid, pad: Solid) -> list[Solid]:
    """Return the pieces of the palm's plate, its pad and the fork of the wrist."""

    def between(solid: Solid, low: tuple[float, float, float], high: tuple[float, float, float]) -> Solid:
        return solid ^ box(low, high)

    return [
        # Above the thumb, beside its slope, behind it, and left of it.
        between(body, (-20.0, -_FAR, 52.0), (16.0, _FAR, 90.0)),
        between(body, (16.0, -_FAR, 45.0), (42.0, _FAR, 86.0)),
        between(body, (-12.0, 0.0, 0.0), (42.0, _FAR, 60.0)),
        between(body, (-12.0, -_FAR, 24.0), (18.0, _FAR, 56.0)),
        between(body, (-45.0, -_FAR, 12.0), (-12.0, _FAR, 47.0)),
        between(body, (-21.5, -_FAR, 0.0), (26.5, _FAR, 13.0)),
        between(body, (36.0, -_FAR, -12.0), (42.0, _FAR, 17.0)),
        between(body, (26.0, -_FAR, 11.0), (42.0, _FAR, 20.0)),
        between(body, (17.6, -_FAR, -12.0), (26.6, _FAR, 12.0)),
        between(body, (-21.5, -_FAR, -12.0), (-15.6, _FAR, 12.0)),
        between(body, (-37.0, -_FAR, -12.0), (-31.0, _FAR, 14.0)),
        between(pad, (-_FAR, -_FAR, 0.0), (3.0, _FAR, 36.0)),
        between(pad, (3.0, -_FAR, 0.0), (_FAR, -_THICK, 32.0)),
        between(pad, (-20.0, -_FAR, 30.0), (20.0, _FAR, _FAR)),
        between(pad, (2.0, -_FAR, -_FAR), (27.0, _FAR, 4.0)),
        between(pad, (26.0, -_FAR, -_FAR), (_FAR, _FAR, 10.0)),
    ]
