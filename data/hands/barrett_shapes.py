# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of the Barrett hand's links, drawn by us to the published outer dimensions. Millimetres, link frames.

In the frames of the finger's links the finger stretches along -x. A proximal link turns about z and carries a fork
above its end; a medial and a distal link turn about z across the finger and curl toward +y.
"""

from __future__ import annotations

from collections.abc import Sequence

import manifold3d
import numpy as np
from solids import Part, circle, fillet, link_shape, prism

from omni_graspd.hands.hand_writer import LinkShape

Solid = manifold3d.Manifold

_HALF_WIDTH = 12.3
_PIVOT_HEIGHT = 33.9
_CHEEK_RADIUS = 15.0
_MEDIAL_LENGTH = (-69.936, 3.0)
_TIP_DIRECTION = np.array([-0.766, 0.643])
"""Direction of the bent distal link in its frame."""


def _union(solids: Sequence[Solid]) -> Solid:
    return Solid.batch_boolean(list(solids), manifold3d.OpType.Add)


def _box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Solid:
    size = [b - a for a, b in zip(low, high, strict=True)]
    return Solid.cube(size).translate(low)


def _pillow(outline: np.ndarray, low: float, high: float, radius: float, steps: int = 4) -> Solid:
    """Extrude a convex outline in (x, y) along z, the edges of both ends rounded."""
    section = manifold3d.CrossSection([outline])
    points = []
    for angle in np.linspace(0.0, 0.5 * np.pi, steps):
        rings = section.offset(-radius * (1.0 - np.cos(angle)), manifold3d.JoinType.Miter, 2.0).to_polygons()
        rise = radius * (1.0 - np.sin(angle))
        for z in (low + rise, high - rise):
            points += [np.column_stack([ring, np.full(len(ring), z)]) for ring in rings]
    return Solid.hull_points(np.concatenate(points))


def _arc(center: tuple[float, float], radius: float, start: float, end: float, count: int) -> list[tuple[float, ...]]:
    """Return points of an arc as corners without rounding; angles in degrees."""
    angles = np.radians(np.linspace(start, end, count))
    return [(center[0] + radius * np.cos(a), center[1] + radius * np.sin(a), 0.0) for a in angles]


def _fork_outline(pivot: tuple[float, float], foot: Sequence[tuple[float, float, float]]) -> np.ndarray:
    """Return the outline of a fork: a round top about the pivot, which stands on ``foot``."""
    return fillet([*_arc(pivot, _CHEEK_RADIUS, 30.0, 180.0, 11), *foot])  # type: ignore[list-item]


def _slot_outline(pivot: tuple[float, float]) -> np.ndarray:
    """Return what is cut out between the cheeks of a fork, to the height of its floor."""
    u, v = pivot
    floor = [(-20.0, -11.9, 0.0), (-11.0, -12.3, 0.0), (0.0, -13.9, 0.0), (6.0, -12.8, 0.0), (12.5, -7.8, 0.0)]
    return fillet([(u + a, v + b, r) for a, b, r in [*floor, (24.0, -1.5, 0.0), (24.0, 30.0, 0.0), (-20.0, 30.0, 0.0)]])


def proximal() -> LinkShape:
    """The base of fingers 1 and 2; it turns about z, on a hub below and one above."""
    pivot = (-50.0, _PIVOT_HEIGHT)
    side = _fork_outline(
        pivot, [(-65.0, 8.2, 2.0), (-50.0, 0.3, 3.0), (12.4, 0.0, 0.8), (12.4, 25.0, 0.8), (-27.4, 25.0, 0)]
    )
    top = fillet([(-65.0, -12.3, 1.0), *_arc((0.0, 0.0), _HALF_WIDTH, -90.0, 90.0, 13), (-65.0, 12.3, 1.0)])  # type: ignore[list-item]
    body = prism(side, "y", -_HALF_WIDTH, _HALF_WIDTH, 0.8) ^ prism(top, "z", -1.0, 60.0)
    body -= prism(_slot_outline(pivot), "y", -4.4, 2.6)
    body -= prism(circle((0.7, 4.2), 3.1, 16), "x", -70.0, -41.0)
    hub = prism(circle((0.0, 0.0), 8.9), "z", -5.0, 30.0, 0.6)
    foot = _box((-58.0, -12.3, 0.0), (0.0, 12.3, 25.0))
    nose = prism(circle((0.0, 0.0), _HALF_WIDTH, 16), "z", 0.0, 25.0)
    fork = prism(_fork_outline(pivot, [(-65.0, 8.0, 0.0), (-27.4, 25.0, 0.0)]), "y", -_HALF_WIDTH, _HALF_WIDTH)
    return link_shape([Part(body, "body"), Part(hub, "metal")], [foot + nose, *_cheeks(fork, -4.4, 2.6), hub])


def _cheeks(fork: Solid, low: float, high: float) -> list[Solid]:
    return [fork.trim_by_plane((0.0, -1.0, 0.0), -low), fork.trim_by_plane((0.0, 1.0, 0.0), high)]


def medial() -> LinkShape:
    """The inner phalanx: a tongue with a round housing around its middle and a barrel at either joint."""
    end = _MEDIAL_LENGTH
    near, far = circle((0.0, 0.0), 12.5, 32), circle(end, 9.5, 32)
    thin = manifold3d.CrossSection.batch_hull([manifold3d.CrossSection([o]) for o in (near, far)]).to_polygons()[0]
    tongue = prism(thin, "z", -2.2, 3.8, 0.4)
    thick = prism(thin, "z", -2.2, 5.4, 0.4).trim_by_plane((-1.0, 0.0, 0.0), 16.0)
    barrels = prism(circle((0.0, 0.0), 9.9), "z", -9.7, 11.3, 0.4) + prism(circle(end, 4.7, 16), "z", -9.2, 8.6, 0.4)
    ends = [
        fillet([(bottom, -9.0, 4.5), (15.0, -9.0, 4.5), (15.0, 10.5, 4.5), (bottom, 10.5, 4.5)])
        for bottom in (-6.9, -11.0)
    ]
    sleeve = Solid.hull_points(
        np.concatenate([np.insert(ring, 0, x, axis=1) for ring, x in zip(ends, (-60.0, -15.0), strict=True)])
    )
    cut = fillet([(-59.2, -9.0, 3.0), (-16.4, -12.0, 2.5), (-15.6, 9.0, 2.5), (-25.0, 15.0, 2.0), (-58.0, 16.0, 4.0)])
    housing = sleeve ^ prism(cut, "z", -12.0, 12.0)
    parts = [Part(housing, "body"), Part(tongue + thick, "metal"), Part(barrels, "metal")]
    return link_shape(parts, [prism(thin[::3], "z", -2.2, 4.6), housing, barrels.trim_by_plane((1.0, 0.0, 0.0), -20.0)])


def distal() -> LinkShape:
    """The outer phalanx, bent by 45 degrees: a fork around the joint, a shell with a recess in its back, and a pad."""
    pad = [(-7.2, 20.0, 0.0), (-20.0, 31.0, 12.0), (-29.0, 37.4, 12.0), (-37.0, 41.2, 9.0), (-46.6, 36.6, 2.0)]
    corners = [*_arc((0.0, 0.0), 9.5, -130.0, 50.0, 11), *pad, (-46.9, 33.6, 1.0), (-19.0, 4.2, 4.0)]
    shell = _pillow(fillet(corners), -11.0, 12.1, 4.6)  # type: ignore[arg-type]
    along, across = _TIP_DIRECTION, np.array([0.643, 0.766])

    def quad(low: float, high: float, left: float, right: float) -> np.ndarray:
        points = [
            low * along + left * across,
            low * along + right * across,
            high * along + right * across,
            high * along + left * across,
        ]
        return fillet([(float(x), float(y), 0.0) for x, y in points])

    slot = prism(quad(-30.0, 10.0, -30.0, 30.0), "z", -2.6, 5.7)
    recess = prism(quad(16.5, 90.0, -30.0, -5.2), "z", -7.2, 8.4)
    body = shell - slot - recess
    tip = prism(quad(18.3, 90.0, 7.0, 30.0), "z", -20.0, 20.0)
    cheeks = [shell.trim_by_plane((0.0, 0.0, -1.0), 2.6), shell.trim_by_plane((0.0, 0.0, 1.0), 5.7)]
    near = prism(quad(-30.0, 22.0, -30.0, 30.0), "z", -20.0, 20.0)
    far = shell - prism(quad(-30.0, 10.0, -30.0, 30.0), "z", -20.0, 20.0)
    return link_shape([Part(body ^ tip, "pad"), Part(body - tip, "body")], [far, *(cheek ^ near for cheek in cheeks)])


def palm() -> LinkShape:
    """The motor housing with its flange, the plate of the palm on a wall, and the fork of finger 3."""
    motor = prism(circle((0.0, 0.0), 44.5, 64), "z", 6.0, 41.5, 0.9)
    flange = prism(circle((0.0, 0.0), 42.2, 64), "z", 0.0, 6.5, 0.6)
    for x in (-25.0, 25.0):
        motor -= prism(circle((x, 0.0), 9.1), "z", 36.5, 50.0)
    pivot = (-50.0, 75.4)
    foot = [
        (-65.0, 49.5, 2.5),
        (-50.0, 41.8, 3.0),
        (-40.0, 40.0, 0.0),
        (42.2, 40.0, 0.0),
        (42.2, 70.6, 5.0),
        (26.0, 71.0, 0.0),
    ]
    side = _fork_outline(pivot, [*foot, (26.0, 74.0, 0.0), (-27.0, 66.4, 0.0)])
    wall = prism(side, "x", -_HALF_WIDTH, _HALF_WIDTH, 0.8)
    wall -= prism(_slot_outline(pivot), "x", -2.6, 4.4)
    wall -= prism(circle((0.7, 45.7), 3.1, 16), "y", -70.0, -40.0)
    corners = [
        (44.8, 0.0, 80.0),
        (40.5, 26.3, 13.0),
        (-40.5, 26.3, 13.0),
        (-44.8, 0.0, 80.0),
        (-40.5, -26.3, 13.0),
        (40.5, -26.3, 13.0),
    ]
    outline = fillet(corners)
    rings = [(1.0, 66.7), (1.0, 75.8), (0.93, 78.5), (0.45, 79.2)]
    plate = Solid.hull_points(
        np.concatenate([np.column_stack([outline * s, np.full(len(outline), z)]) for s, z in rings])
    )
    fork = prism(
        _fork_outline(pivot, [(-65.0, 49.5, 0.0), (-50.0, 41.8, 0.0), (-27.0, 41.8, 0.0)]),
        "x",
        -_HALF_WIDTH,
        _HALF_WIDTH,
    )
    cheeks = [fork.trim_by_plane((-1.0, 0.0, 0.0), 2.6), fork.trim_by_plane((1.0, 0.0, 0.0), 4.4)]
    block = [(-65.0, 49.5, 0.0), (-50.0, 41.8, 0.0), (-27.0, 41.8, 0.0), (-30.0, 72.0, 0.0), (-65.0, 62.5, 0.0)]
    colliders = [
        prism(fillet(block), "x", -_HALF_WIDTH, _HALF_WIDTH),
        prism(circle((0.0, 0.0), 44.5, 24), "z", 0.0, 41.5),
        _box((-12.3, -40.0, 41.0), (12.3, 42.2, 70.0)),
        plate,
        *cheeks,
    ]
    return link_shape([Part(plate, "pad"), Part(wall, "body"), Part(motor, "body"), Part(flange, "metal")], colliders)
