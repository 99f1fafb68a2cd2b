# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Fruit: an apple and a banana."""

from __future__ import annotations

import itertools

import numpy as np
from design import Design
from lofts import MM, hulls, join, loft, smooth_profile, upright
from object_shapes import rounded_hull
from surface_artwork import apple_skin, banana_skin

from omni_graspd.usd.meshes import TriangleMesh

_APPLE = (
    *((2.0, 5.6), (6.0, 2.6), (11.0, 0.3), (14.0, 0.0), (18.0, 0.9), (25.0, 5.4), (31.5, 14.0), (35.8, 26.0)),
    *((37.3, 38.0), (36.2, 50.0), (32.0, 60.0), (25.0, 66.8), (18.0, 69.0), (12.0, 68.2), (7.0, 65.2), (3.5, 61.6)),
    (1.5, 60.0),
)
"""Radius and height [mm]."""


def apple() -> Design:
    """Design an apple of 75 mm x 69 mm with five soft ribs, both dimples and a stem."""
    profile = smooth_profile(_APPLE, 34)
    angles = 2.0 * np.pi * np.arange(40) / 40 - np.pi
    sections = []
    for radius, height in profile:
        ribs = 1.0 + 0.02 * np.cos(5.0 * angles) * (1.0 - height / 69.0) - 0.012 * np.cos(angles - 0.7)
        sections.append(np.stack([radius * ribs * np.cos(angles), radius * ribs * np.sin(angles)], axis=-1))
    body = upright(sections, profile[:, 1])
    body[..., 2] += 1.2 * np.cos(angles - 0.7) * np.sin(np.pi * np.clip(body[..., 2] / 69.0, 0.0, 1.0))
    body[..., 2] -= body[..., 2].min()
    stem = _stem()
    surface = join([loft(body, (0.0, 0.1, 1.0, 1.0)), loft(stem, (0.0, 0.0, 1.0, 0.08))])
    return Design(
        surface=surface,
        pieces=(*_wedges(body[::3], 10), *hulls(stem, (3, len(stem) - 1))),
        texture=apple_skin(),
        mass=0.068,
        label="apple",
        roughness=0.28,
    )


def _stem() -> np.ndarray:
    """Return rings of a stem that leans over, from inside the apple to its tip."""
    t = np.linspace(0.0, 1.0, 8)
    centers = np.stack([5.0 * t**2, 1.5 * t**2, 57.0 + 20.0 * t], axis=-1)
    radii = 1.5 + 0.2 * t + 0.9 * np.clip(t - 0.75, 0.0, 1.0) * 4.0
    radii[-1] = 1.7
    angles = 2.0 * np.pi * np.arange(10) / 10 - np.pi
    circle = np.stack([np.cos(angles), np.sin(angles), 0.25 * np.cos(angles)], axis=-1)
    return centers[:, None] + radii[:, None, None] * circle[None]


def _wedges(rings: np.ndarray, count: int) -> list[TriangleMesh]:
    """Cut a solid around the z axis into convex wedges [m]."""
    per_wedge = rings.shape[1] // count
    pieces = []
    for k in range(count):
        columns = np.arange(k * per_wedge, (k + 1) * per_wedge + 1) % rings.shape[1]
        axis = rings[[0, -1]].mean(axis=1)
        pieces.append(rounded_hull(np.concatenate([rings[:, columns].reshape(-1, 3), axis]) * MM))
    return pieces


def banana() -> Design:
    """Design a banana 37 mm thick and 180 mm long lying on its side, five-sided, bent, tapering to its stem and tip."""
    knots = (0.0, 0.012, 0.06, 0.12, 0.19, 0.3, 0.5, 0.68, 0.82, 0.91, 0.955, 0.985, 1.0)
    radii = (4.6, 5.4, 4.6, 5.0, 9.5, 14.8, 18.2, 17.8, 13.6, 8.6, 5.0, 4.2, 3.0)
    t = np.concatenate([[0.0, 0.012], np.linspace(0.03, 0.955, 38), [0.972, 0.988, 1.0]])
    thickness = smooth_profile(list(zip(radii, 190.0 * np.array(knots), strict=True)), 400)
    radius = np.interp(190.0 * t, thickness[:, 1], thickness[:, 0])
    # The bend is strongest near the stem.
    heading = np.radians(118.0) * (t - 0.5) - np.radians(9.0) * np.sin(2.0 * np.pi * t)
    step = np.stack([np.sin(heading), np.cos(heading), 0.0 * t], axis=-1)
    length = np.diff(t, prepend=0.0)[:, None] * 222.0
    middle = np.cumsum(0.5 * (step + np.roll(step, 1, axis=0)) * length, axis=0)
    side = np.stack([step[:, 1], -step[:, 0], 0.0 * t], axis=-1)
    angles = 2.0 * np.pi * np.arange(30) / 30
    ridge = 1.0 + 0.055 * np.cos(5.0 * angles)
    across, up = (ridge * np.sin(angles))[None, :, None], (ridge * np.cos(angles))[None, :, None]
    rings = middle[:, None] + radius[:, None, None] * (across * side[:, None] + up * np.array([0.0, 0.0, 1.0]))
    rings -= [*(0.5 * (rings.reshape(-1, 3).max(axis=0) + rings.reshape(-1, 3).min(axis=0)))[:2], rings[..., 2].min()]
    cuts = [0, 6, 9, 13, 17, 21, 25, 29, 33, 36, 39, len(rings) - 1]
    return Design(
        surface=join([loft(rings)]),
        pieces=tuple(itertools.chain(hulls(rings, cuts))),
        texture=banana_skin(),
        mass=0.066,
        label="banana",
        roughness=0.5,
    )
