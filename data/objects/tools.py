# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Tools: a power drill and a screwdriver."""

from __future__ import annotations

import numpy as np
from design import Design
from lofts import along_x, hulls, join, lobed_circle, loft, superellipse, upright
from tool_artwork import drill_paint, screwdriver_paint


def power_drill() -> Design:
    """Design a cordless drill of 184 mm x 57 mm x 188 mm: motor housing with chuck along +x, handle, battery."""
    housing = _housing()
    chuck = _chuck()
    handle = _handle()
    battery = _battery()
    trigger = _trigger()
    parts = (
        (housing, (0.0, 0.504, 0.75, 0.998)),
        (handle, (0.004, 0.2, 0.476, 0.49)),
        (battery, (0.0, 0.02, 1.0, 0.18)),
        (chuck, (0.77, 0.66, 0.99, 1.0)),
        (trigger, (0.77, 0.52, 0.99, 0.64)),
    )
    return Design(
        surface=join([loft(rings, area) for rings, area in parts]),
        pieces=(
            *hulls(housing, (0, 6, len(housing) - 1)),
            *hulls(chuck, (0, 6, 9, len(chuck) - 1)),
            *hulls(handle, (0, 4, 8, len(handle) - 1)),
            *hulls(battery, (0, len(battery) - 1)),
            *hulls(trigger, (0, len(trigger) - 1)),
        ),
        texture=drill_paint(),
        mass=0.895,
        label="drill",
        roughness=0.45,
    )


def _housing() -> np.ndarray:
    """Return rings along +x: a rounded back, a straight barrel, a taper to the chuck."""
    profile = ((-86.0, 17.0), (-84.5, 20.5), (-81.0, 23.6), (-75.0, 25.4), (-60.0, 26.0), (-20.0, 26.0), (4.0, 25.6))
    profile += ((16.0, 24.0), (25.0, 21.6), (31.0, 19.8), (33.0, 18.6))
    rings = along_x(upright([superellipse(1.06 * r, r, 2.7, 40) for _, r in profile], [x for x, _ in profile]))
    return rings + np.array([0.0, 0.0, 160.0])


def _chuck() -> np.ndarray:
    """Return rings of the ribbed chuck and the shank in it."""
    profile = ((28.0, 15.4), (33.5, 16.6), (35.0, 17.4), (52.0, 17.4), (53.5, 16.6), (55.0, 16.6), (66.0, 14.6))
    profile += ((73.0, 9.6), (75.0, 7.0), (75.6, 3.4), (97.0, 3.2), (98.0, 2.4))
    sections = [lobed_circle(r, 0.9 if 34.0 < x < 53.0 else 0.0, 12, 48) for x, r in profile]
    return along_x(upright(sections, [x for x, _ in profile])) + np.array([0.0, 0.0, 160.0])


def _handle() -> np.ndarray:
    """Return rings of the handle, leaning back, thicker at the palm, wider at the battery."""
    t = np.linspace(0.0, 1.0, 13)
    depth = 19.5 + 3.0 * np.sin(np.pi * t) - 1.0 * t + 5.0 * np.clip(0.2 - t, 0.0, 1.0) * 5.0 * 0.8
    width = 16.0 + 1.8 * np.sin(np.pi * t) + 2.5 * np.clip(0.2 - t, 0.0, 1.0) * 5.0
    height = 30.0 + 112.0 * t
    sections = [
        superellipse(d, w, 2.4, 40) + np.array([-30.0 + 10.0 * s, 0.0]) for d, w, s in zip(depth, width, t, strict=True)
    ]
    return upright(sections, height)


def _battery() -> np.ndarray:
    """Return rings of the battery, which the drill stands on."""
    profile = ((0.0, 3.2), (0.9, 1.2), (3.0, 0.0), (20.0, 0.0), (21.0, 1.0), (23.0, 1.0), (24.0, 0.0), (33.0, 0.4))
    profile += ((38.0, 2.4), (41.0, 6.0), (42.0, 10.0))
    sections = [superellipse(47.0 - d, 28.5 - 0.8 * d, 5.0, 48) + np.array([-18.0 - 0.4 * d, 0.0]) for _, d in profile]
    return upright(sections, [z for z, _ in profile])


def _trigger() -> np.ndarray:
    """Return rings of the trigger before the handle."""
    profile = ((107.0, 5.5), (108.5, 7.2), (114.0, 7.0), (122.0, 7.4), (130.0, 9.4), (136.0, 11.0))
    return upright([superellipse(r, 6.0, 2.6, 24) + np.array([-1.0, 0.0]) for _, r in profile], [z for z, _ in profile])


def screwdriver() -> Design:
    """Design a screwdriver of 215 mm x 31 mm with a grooved handle, lying along x."""
    profile = ((0.0, 9.0), (1.4, 11.6), (4.0, 13.6), (9.0, 15.2), (16.0, 15.5), (50.0, 15.5), (62.0, 14.6))
    profile += ((72.0, 12.0), (78.0, 10.6), (83.0, 10.8), (89.0, 12.2), (95.0, 13.0), (100.0, 12.4), (103.0, 10.6))
    profile += ((104.5, 8.0), (105.0, 4.2), (106.0, 3.6), (205.0, 3.6), (206.5, 3.2), (214.0, 1.2), (215.0, 0.6))
    rings, shown = [], []
    for x, radius in profile:
        depth = 1.9 * np.clip((x - 6.0) / 8.0, 0.0, 1.0) * np.clip((78.0 - x) / 12.0, 0.0, 1.0)
        rings.append(lobed_circle(radius, float(depth), 6, 48))
        shown.append(x)
    body = along_x(upright(rings, shown)) + np.array([-107.5, 0.0, 0.0])
    body[..., 2] -= body[..., 2].min()
    return Design(
        surface=join([loft(body)]),
        pieces=tuple(hulls(body, (0, 6, 8, 10, 12, 15, len(body) - 1))),
        texture=screwdriver_paint(),
        mass=0.097,
        label="screwdriver",
        roughness=0.3,
    )
