# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of the Barrett hand's links, drawn by us to the published outer dimensions. Millimetres, link frames.

A finger stretches along -x of its links. A proximal link turns about z and carries a fork on its end; medial and
distal links turn about z, which lies across the finger there, and curl toward +y. The fingers' tongues and slots are
0.8 mm aside of the middle.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from manifold3d import CrossSection, JoinType, Manifold, OpType
from solids import Part, circle, fillet, link_shape, prism

from omni_graspd.hands.usd.hand_design import LinkShape

Corner = tuple[float, float, float]

_HALF_WIDTH = 12.3
_CHEEK_RADIUS = 15.0
_SLOT = (-2.6, 4.4)
"""Between the cheeks of a fork, along the axis of the joint."""
_MEDIAL_END = (-69.936, 3.0)
_DISTAL_BEND = -40.0
"""Turn of the distal link's shape about its joint [degrees]."""


def union(solids: Sequence[Manifold]) -> Manifold:
    """Join solids."""
    return Manifold.batch_boolean(list(solids), OpType.Add)


def arc(center: tuple[float, float], radius: float, start: float, end: float, count: int) -> list[Corner]:
    """Return points of an arc as corners that stay as they are; angles in degrees."""
    angles = np.radians(np.linspace(start, end, count))
    return [(float(center[0] + radius * np.cos(a)), float(center[1] + radius * np.sin(a)), 0.0) for a in angles]


def rectangle(low: tuple[float, float], high: tuple[float, float], radius: float = 0.0) -> np.ndarray:
    """Return the outline of a rectangle."""
    return fillet([(*low, radius), (high[0], low[1], radius), (*high, radius), (low[0], high[1], radius)])


def stack(outline: np.ndarray, levels: Sequence[tuple[float, float]]) -> Manifold:
    """Return the hull of copies of a convex outline in (x, y).

    Args:
        outline: Counter-clockwise outline [mm], shape [n, 2].
        levels: Distance that a copy is moved inward, and its z [mm].
    """
    section = CrossSection([outline])
    points = []
    for inward, z in levels:
        for ring in section.offset(-inward, JoinType.Miter, 2.0).to_polygons():
            points.append(np.column_stack([ring, np.full(len(ring), z)]))
    return Manifold.hull_points(np.concatenate(points))


def pillow(outline: np.ndarray, low: float, high: float, radius: float, steps: int = 5) -> Manifold:
    """Extrude a convex outline in (x, y) along z, the edges of both ends rounded."""
    angles = np.linspace(0.0, 0.5 * np.pi, steps)
    rounding = [(radius * (1.0 - np.cos(a)), radius * (1.0 - np.sin(a))) for a in angles]
    return stack(outline, [(r, z) for r, rise in rounding for z in (low + rise, high - rise)])


def fork_outline(pivot: tuple[float, float], foot: Sequence[Corner]) -> np.ndarray:
    """Return the outline of a fork: a round top about the pivot, which stands on ``foot``."""
    return fillet([*arc(pivot, _CHEEK_RADIUS, 30.0, 180.0, 16), *foot])


def slot_outline(pivot: tuple[float, float]) -> np.ndarray:
    """Return what is cut out between the cheeks of a fork: all above a floor that leaves room for the next link."""
    floor = [(-20.0, -11.9, 0.0), (-11.0, -12.3, 4.0), (-1.0, -14.2, 12.0), (7.0, -12.6, 6.0), (12.5, -7.6, 0.0)]
    above = [(24.0, -1.0, 0.0), (24.0, 30.0, 0.0), (-20.0, 30.0, 0.0)]
    return fillet([(pivot[0] + u, pivot[1] + v, radius) for u, v, radius in [*floor, *above]])


def fork_fittings(pivot: tuple[float, float], axis: str) -> tuple[Manifold, Manifold]:
    """Return what a fork's pin and two screws add to it, and the passage of the cable; the pin lies along ``axis``."""
    across = "x" if axis == "y" else "y"
    side = -1.0 if axis == "y" else 1.0
    pin = prism(circle(pivot, 5.2), axis, -_HALF_WIDTH - 0.4, _HALF_WIDTH + 0.4, 0.3)
    back = pivot[0] - _CHEEK_RADIUS
    screws = [prism(circle((side * u, pivot[1] - 17.0), 1.4, 12), across, back - 0.3, back + 2.0) for u in (-4.6, 6.2)]
    cable = prism(circle((side * 0.8, pivot[1] - 29.7), 3.1, 16), across, back - 5.0, back + 24.0)
    return union([pin, *screws]), cable


def proximal() -> LinkShape:
    """The base of fingers 1 and 2; it turns on a hub below and above and carries a fork."""
    pivot = (-50.0, 33.9)
    foot = [(-65.0, 8.2, 2.0), (-50.0, 0.3, 3.0), (12.4, 0.0, 0.8), (12.4, 25.0, 0.8), (-27.4, 25.0, 0.0)]
    top = fillet([(-65.0, -12.3, 1.5), *arc((0.0, 0.0), _HALF_WIDTH, -90.0, 90.0, 17), (-65.0, 12.3, 1.5)])
    # Slots lie along the next link's axis, which is -y here.
    slot = prism(slot_outline(pivot), "y", -_SLOT[1], -_SLOT[0])
    fittings, cable = fork_fittings(pivot, "y")
    side = prism(fork_outline(pivot, foot), "y", -_HALF_WIDTH, _HALF_WIDTH, 0.9)
    body, fittings = (side ^ prism(top, "z", -1.0, 60.0)) - slot - cable, fittings - slot
    hub = prism(circle((0.0, 0.0), 8.9, 32), "z", -4.9, 30.0, 0.5)
    nose = prism(
        fillet([(-30.0, -12.3, 0.0), *arc((0.0, 0.0), _HALF_WIDTH, -90.0, 90.0, 9), (-30.0, 12.3, 0.0)]), "z", 0, 25
    )
    block = fillet([(-65.0, 22.0, 0.0), *foot[:2], (-27.4, 0.0, 0.0), (-27.4, 25.0, 0.0), (-30.0, 31.5, 0.0)])
    pieces = [nose, prism(block, "y", -_HALF_WIDTH, _HALF_WIDTH), prism(circle((0.0, 0.0), 8.9, 16), "z", -5.0, 30.0)]
    cheek = fork_outline(pivot, [(-65.0, 8.0, 0.0), (-27.4, 25.0, 0.0)])
    cheeks = [prism(cheek[::2], "y", -_HALF_WIDTH, -_SLOT[1]), prism(cheek[::2], "y", -_SLOT[0], _HALF_WIDTH)]
    return link_shape([Part(fittings, "metal"), Part(body, "body"), Part(hub, "metal")], [*pieces, *cheeks])


def medial() -> LinkShape:
    """The inner phalanx: a tongue with a housing around its middle and a barrel at either joint."""
    ends = [CrossSection([circle(c, r, 40)]) for c, r in (((0.0, 0.0), 12.5), (_MEDIAL_END, 9.5))]
    flat = CrossSection.batch_hull(ends).to_polygons()[0]
    tongue = prism(flat, "z", -2.2, 3.8, 0.4)
    tongue += prism(flat, "z", -2.2, 5.4, 0.4).trim_by_plane((-1.0, 0.0, 0.0), 16.0)
    barrels = prism(circle((0.0, 0.0), 9.9, 32), "z", -9.7, 11.3, 0.4)
    barrels += prism(circle(_MEDIAL_END, 4.8), "z", -9.2, 8.6, 0.4)
    rings = []
    for x, bottom in ((-60.0, -6.9), (-15.0, -11.0)):
        ring = fillet([(bottom, -9.0, 4.5), (15.0, -9.0, 4.8), (15.0, 10.5, 4.8), (bottom, 10.5, 4.5)])
        rings.append(np.column_stack([np.full(len(ring), x), ring]))
    cut = fillet([(-59.2, -9.0, 3.0), (-16.4, -12.0, 2.5), (-15.6, 9.0, 2.5), (-25.0, 15.0, 3.0), (-58.0, 16.0, 4.0)])
    housing = Manifold.hull_points(np.concatenate(rings)) ^ prism(cut, "z", -12.0, 12.0, 0.4)
    screws = union([prism(circle((x, 3.5), 1.6, 12), "z", -9.2, 10.7) for x in (-53.0, -22.0)])
    parts = [Part(screws, "metal"), Part(housing, "body"), Part(tongue, "metal"), Part(barrels, "metal")]
    pieces = [prism(flat[::3], "z", -2.2, 4.6), housing]
    pieces += [prism(circle((0.0, 0.0), 9.9, 16), "z", -9.7, 11.3), prism(circle(_MEDIAL_END, 4.8, 12), "z", -9.2, 8.6)]
    return link_shape(parts, pieces)


_DISTAL_SIDES = (-10.9, 12.1)
"""Where the sides of a distal link are, along the axis of its joint."""


def distal() -> LinkShape:
    """The outer phalanx, bent by 45 degrees: a fork, a shell with a recess in its back, a pad and a nail."""
    back = [(-55.6, -3.9, 0.5), (-16.0, -8.1, 0.0), (-3.0, -9.2, 0.0)]
    front = [(-44.0, 8.8, 8.0), (-55.0, -1.0, 1.0)]
    shell = pillow(fillet([*arc((0.0, 0.0), 9.45, -80.0, 90.0, 15), *front, *back]), *_DISTAL_SIDES, 4.2)
    slot = prism(rectangle((-10.0, -30.0), (30.0, 30.0)), "z", -2.5, 5.6)
    deep, shallow = rectangle((-41.0, -12.0), (-16.0, -5.0)), rectangle((-70.0, -12.0), (-40.9, -3.9))
    body = shell - slot - prism(deep, "z", -7.2, 8.4) - prism(shallow, "z", -7.2, 8.4)
    cushion, low, high = _cushion(), *_DISTAL_SIDES
    pin = prism(circle((0.0, 0.0), 3.6), "z", low - 0.3, high + 0.3, 0.25) - slot
    near = prism(rectangle((-20.0, -30.0), (30.0, 30.0)), "z", -20.0, 20.0)
    cheeks = [(shell ^ near).trim_by_plane((0.0, 0.0, side), offset) for side, offset in ((-1.0, 2.5), (1.0, 5.6))]
    pieces = [(shell + cushion).trim_by_plane((-1.0, 0.0, 0.0), 10.0), *cheeks]
    parts = [Part(_bent(cushion), "pad"), Part(_bent(_nail() + pin), "metal"), Part(_bent(body), "body")]
    return link_shape(parts, [_bent(piece) for piece in pieces])


def _bent(solid: Manifold) -> Manifold:
    return solid.rotate((0.0, 0.0, _DISTAL_BEND))


def _cushion() -> Manifold:
    """Return the pad, which covers the front of a distal link and its end."""
    crown = [(-31.0, 11.1, 30.0), (-45.2, 10.0, 10.0), (-53.5, 8.4, 4.0), (-57.5, 2.5, 5.0), (-57.5, -1.3, 0.0)]
    cushion = pillow(fillet([(-18.2, -1.3, 0.0), (-18.2, 10.9, 1.0), *crown]), *_DISTAL_SIDES, 4.4)
    edge = [(-10.0, 4.2, 0.0), (-46.0, 4.2, 3.0), (-51.5, -1.3, 0.0), (-60.0, -1.3, 0.0)]
    return cushion - prism(fillet([(-10.0, -10.0, 0.0), *edge, (-60.0, -10.0, 0.0)]), "z", -20.0, 20.0)


def _nail() -> Manifold:
    """Return the plate on the back of a distal link's end, and its screws."""
    outline = fillet([(-59.2, -5.6, 3.5), (-48.0, -6.6, 0.5), (-48.0, 7.8, 0.5), (-59.2, 6.8, 3.5)])
    plate = stack(outline, [(0.4, 2.6), (0.0, 3.0), (0.0, 3.7), (0.3, 4.0)]).rotate((90.0, 0.0, 0.0))
    return union([plate, *(prism(circle((-46.5, z), 1.7, 14), "y", -4.7, -3.0, 0.3) for z in (-2.4, 3.6))])


def palm() -> LinkShape:
    """The motor housing on its flange, a wall on it that ends in the fork of finger 3, and the plate of the palm."""
    wall, fittings = _wall()
    plate = _plate()
    motor, flange = _motor_housing()
    block = [(-65.0, 49.5, 0.0), (-50.0, 41.8, 0.0), (-27.0, 41.8, 0.0), (-30.0, 72.0, 0.0), (-65.0, 62.5, 0.0)]
    cheek = fork_outline(_PALM_PIVOT, [(-65.0, 49.5, 0.0), (-50.0, 41.8, 0.0), (-27.0, 41.8, 0.0)])[::2]
    wall_side = [(-40.0, 41.0, 0.0), (42.2, 41.0, 0.0), (42.2, 70.0, 4.0), (24.0, 78.0, 0.0), (-22.0, 78.0, 0.0)]
    pieces = [
        prism(circle((0.0, 0.0), 44.5, 28), "z", 0.0, 41.5),
        prism(fillet(wall_side), "x", -_HALF_WIDTH, _HALF_WIDTH),
        prism(fillet(block), "x", -_HALF_WIDTH, _HALF_WIDTH),
        plate,
        prism(cheek, "x", -_HALF_WIDTH, _SLOT[0]),
        prism(cheek, "x", _SLOT[1], _HALF_WIDTH),
    ]
    parts = [
        Part(fittings, "metal"),
        Part(plate, "pad"),
        Part(wall, "body"),
        Part(motor, "body"),
        Part(flange, "metal"),
    ]
    return link_shape(parts, pieces)


_PALM_PIVOT = (-50.0, 75.4)


def _wall() -> tuple[Manifold, Manifold]:
    foot = [(-65.0, 49.5, 2.5), (-50.0, 41.8, 3.0), (-40.0, 40.0, 0.0), (42.2, 40.0, 0.0), (42.2, 70.7, 5.0)]
    top = [(35.0, 70.7, 2.0), (23.0, 78.0, 0.0), (-22.0, 78.0, 0.0), (-27.0, 66.4, 0.0)]
    wall = prism(fork_outline(_PALM_PIVOT, [*foot, *top]), "x", -_HALF_WIDTH, _HALF_WIDTH, 0.9)
    fittings, cable = fork_fittings(_PALM_PIVOT, "x")
    slot = prism(slot_outline(_PALM_PIVOT), "x", *_SLOT)
    wall, fittings = wall - slot - cable, fittings - slot
    for x in (-8.5, 8.5):
        wall -= prism(circle((x, 31.5), 2.7, 16), "z", 69.4, 90.0)
        fittings += prism(circle((x, 31.5), 2.2, 14), "z", 60.0, 70.6, 0.3)
    return wall, fittings


def _plate() -> Manifold:
    side = [(38.6, 26.6, 15.0), (-38.6, 26.6, 15.0), (-44.9, 0.0, 50.0), (-38.6, -26.6, 15.0), (38.6, -26.6, 15.0)]
    levels = [(0.5, 66.7), (0.0, 67.2), (0.0, 75.6), (0.5, 76.6), (1.6, 77.4), (3.4, 78.0), (9.0, 78.7), (20.0, 79.2)]
    return stack(fillet([*side, (44.9, 0.0, 50.0)]), levels)


def _motor_housing() -> tuple[Manifold, Manifold]:
    """Return the housing with the bearings of fingers 1 and 2, and the threaded flange below it."""
    motor = prism(circle((0.0, 0.0), 44.5, 72), "z", 6.0, 41.5, 0.8)
    for x in (-25.0, 25.0):
        motor -= prism(circle((x, 0.0), 9.2, 32), "z", 36.5, 50.0)
    motor -= prism(rectangle((-6.5, 10.8), (6.5, 16.2), 0.8), "y", 38.0, 50.0)
    flange = prism(circle((0.0, 0.0), 41.6, 72), "z", 0.0, 12.0, 0.4)
    flange += union([prism(circle((0.0, 0.0), 42.6, 72), "z", z, z + 1.2, 0.5) for z in (0.9, 2.5, 4.1)])
    flange += prism(circle((0.0, 0.0), 43.4, 72), "z", 5.4, 7.0, 0.3)
    flange -= prism(rectangle((-5.5, -3.0), (5.5, 3.0), 0.6), "z", -5.0, 5.0)
    for radius, hole, depth in ((35.0, 1.9, 3.6), (30.0, 1.3, 8.0)):
        places = [(radius, 0.0), (0.0, radius), (-radius, 0.0), (0.0, -radius)]
        flange -= union([prism(circle(place, hole, 12), "z", -5.0, depth) for place in places])
    return motor, flange
