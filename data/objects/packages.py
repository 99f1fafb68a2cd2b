# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Packaging: two tins, a carton, and a bottle."""

from __future__ import annotations

import numpy as np
from design import Design
from lofts import MM, hulls, join, lobed_circle, loft, round_end, superellipse, upright
from object_artwork import carton_print, mustard_print, soup_label, tuna_label
from object_shapes import revolve, rounded_box, rounded_hull, weld, wrap_angle
from PIL.Image import Image

from omni_graspd.usd.meshes import TriangleMesh


def soup_can() -> Design:
    """Design a tin of 66 mm x 101 mm with seamed rims and a paper label."""
    return _tin(33.2, 101.0, 13, soup_label(), 0.35)


def low_can() -> Design:
    """Design a flat tin of 85 mm x 33 mm with seamed rims and a paper label."""
    return _tin(42.6, 33.0, 6, tuna_label(), 0.171)


def _tin(radius: float, height: float, body_rings: int, label: Image, mass: float) -> Design:
    lower = [(14.0, 0.8), (29.0, 0.8), (30.6, 0.8), (31.2, 0.1), (31.8, 0.0), (32.8, 0.3), (33.2, 1.2), (33.2, 2.4)]
    lower = [(round(r + radius - 33.2, 6), z) for r, z in [*lower, (32.7, 3.4)]]
    wall = lower[-1][0]
    body = [(wall, z) for z in np.linspace(3.4, height - 3.4, body_rings)[1:-1]]
    profile = [*lower, *body, *((r, height - z) for r, z in reversed(lower))]
    inner = [24]
    counts = [*inner, *[48] * (len(profile) - 2), *inner]
    vertices, faces = revolve(profile, counts)
    u, z = wrap_angle(vertices, faces), vertices[faces][..., 2]
    v = 0.25 + 0.75 * (z - 3.4) / (height - 6.8)
    center = vertices[faces].mean(axis=1)
    tin = (center[:, 2] < 3.4) | (center[:, 2] > height - 3.4)
    v[tin] = 0.01 + 0.23 * np.hypot(*np.moveaxis(vertices[faces][tin][..., :2], -1, 0)) / radius
    corners, faces, kept = weld(vertices[faces] * MM)
    angles = 2.0 * np.pi * np.arange(32) / 32
    hull = [(radius * np.cos(a), radius * np.sin(a), z) for a in angles for z in (0.0, height)]
    return Design(
        surface=TriangleMesh(corners, faces, np.round(np.stack([u, v], axis=-1)[kept], 4)),
        pieces=(rounded_hull(np.array(hull) * MM),),
        texture=label,
        mass=mass,
        label="can",
        roughness=0.35,
    )


def card_box() -> Design:
    """Design a carton of 160 mm x 22 mm x 90 mm with slightly rounded edges, standing on its long side."""
    size = (160.0, 22.0, 90.0)
    corners, flat = rounded_box(size, 1.2, 9.0)
    unit = flat / np.array(size) + 0.5
    x, y, z = np.moveaxis(unit, -1, 0)
    normal = np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])
    axis, side = np.abs(normal).argmax(axis=1), np.sign(normal.sum(axis=1))
    # Panel of each side: left, top, width, height in pixels; then the horizontal and vertical coordinate on it.
    panels = {
        (1, -1): ((0, 0, 640, 360), x, z),
        (1, 1): ((640, 0, 640, 360), 1 - x, z),
        (2, 1): ((0, 360, 640, 88), x, y),
        (2, -1): ((640, 360, 640, 88), x, 1 - y),
        (0, 1): ((0, 464, 360, 88), z, 1 - y),
        (0, -1): ((360, 464, 360, 88), z, y),
    }
    uvs = np.zeros((*flat.shape[:2], 2))
    for (panel_axis, panel_side), ((left, top, width, height), right, up) in panels.items():
        on_panel = (axis == panel_axis) & (side == panel_side)
        uvs[on_panel, :, 0] = (left + width * right[on_panel]) / 1280
        uvs[on_panel, :, 1] = 1 - (top + height * (1 - up[on_panel])) / 576
    corners = corners + np.array([0.0, 0.0, 0.5 * size[2]])
    vertices, faces, kept = weld(corners * MM)
    return Design(
        surface=TriangleMesh(vertices, faces, np.round(uvs[kept], 4)),
        pieces=(rounded_hull(vertices),),
        texture=carton_print(),
        mass=0.17,
        label="box",
        roughness=0.55,
    )


def squeeze_bottle() -> Design:
    """Design an oval squeeze bottle of 96 mm x 60 mm x 191 mm with shoulders, a cap and a nozzle."""
    body = [(inset, z) for inset, z in round_end(5.0, 0.0, 5.0, 5)]
    body += [(0.0, z) for z in (30.0, 60.0, 90.0, 108.0)]
    rings = [superellipse(48.0 - d, 30.0 - d, 2.6, 48) for d, _ in body]
    heights = [z for _, z in body]
    for z, half_x, half_y in (
        *((118.0, 47.2, 29.6), (126.0, 44.4, 28.4), (133.0, 39.8, 26.6), (139.0, 33.6, 24.2), (144.0, 27.0, 21.4)),
        *((147.5, 21.5, 18.8), (149.5, 18.4, 17.2), (151.0, 17.0, 16.6)),
    ):
        rings.append(superellipse(half_x, half_y, 2.0 + 0.6 * (half_x - half_y) / 18.0, 48))
        heights.append(z)
    bottle = upright(rings, heights)
    cap_profile = [(17.6, 149.8), (18.6, 150.6), (18.6, 164.0), (17.6, 166.0), (14.0, 168.0), (9.5, 170.5)]
    cap_profile += [(7.6, 174.0), (6.2, 180.0), (5.0, 187.0), (4.4, 189.8), (3.2, 191.0)]
    ribbed = [lobed_circle(r, 0.8 if 150.0 < z < 166.0 else 0.0, 12, 48) for r, z in cap_profile]
    cap = upright(ribbed, [z for _, z in cap_profile])
    return Design(
        surface=join([loft(bottle, (0.0, 0.22, 1.0, 1.0)), loft(cap, (0.0, 0.0, 1.0, 0.2))]),
        pieces=(*hulls(bottle, (0, 8, 10, 12, len(bottle) - 1)), *hulls(cap, (0, 4, 6, len(cap) - 1))),
        texture=mustard_print(),
        mass=0.603,
        label="bottle",
        roughness=0.3,
    )
