# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A block of wood and a ball with seams."""

from __future__ import annotations

import numpy as np
from design import Design
from lofts import MM
from object_shapes import revolve, rounded_box, rounded_hull, weld, wrap_angle
from surface_artwork import BALL_RADIUS, WOOD_PANELS, WOOD_SIZE, ball_leather, seam_distance, wood_grain

from omni_graspd.usd.meshes import TriangleMesh


def wood_block() -> Design:
    """Design a block of 85 mm x 85 mm x 200 mm of grown wood, its end grain at top and bottom."""
    corners, flat = rounded_box(WOOD_SIZE, 2.5, 14.0)
    unit = flat / np.array(WOOD_SIZE) + 0.5
    normal = np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])
    axis, side = np.abs(normal).argmax(axis=1), np.sign(normal.sum(axis=1))
    uvs = np.zeros((*flat.shape[:2], 2))
    for panel, ((left, bottom, right, top), (first, second)) in WOOD_PANELS.items():
        on_panel = (axis == panel[0]) & (side == panel[1])
        uvs[on_panel, :, 0] = left + (right - left) * unit[on_panel][..., first]
        uvs[on_panel, :, 1] = bottom + (top - bottom) * unit[on_panel][..., second]
    vertices, faces, kept = weld((corners + np.array([0.0, 0.0, 0.5 * WOOD_SIZE[2]])) * MM)
    return Design(
        surface=TriangleMesh(vertices, faces, np.round(uvs[kept], 4)),
        pieces=(rounded_hull(vertices),),
        texture=wood_grain(),
        mass=0.729,
        label="block",
        roughness=0.6,
    )


def baseball() -> Design:
    """Design a ball of 74 mm with two panels of leather and a raised stitched seam."""
    count = 36
    turns = np.radians(np.linspace(-90.0, 90.0, count + 1)[1:-1])
    profile = [(float(np.cos(a)), float(np.sin(a))) for a in turns]
    counts = [8, 16, 32, *[64] * (len(profile) - 6), 32, 16, 8]
    vertices, faces = revolve(profile, counts)
    vertices[[0, -1], 2] = [-1.0, 1.0]
    distance = seam_distance(vertices)[0]
    raised = 0.5 * np.exp(-((distance / 0.1) ** 2))
    uvs = np.stack([wrap_angle(vertices, faces), 0.5 + np.arcsin(vertices[faces][..., 2]) / np.pi], axis=-1)
    ball = vertices * (BALL_RADIUS + raised)[:, None]
    ball[:, 2] -= ball[:, 2].min()
    corners, faces, kept = weld(ball[faces] * MM)
    return Design(
        surface=TriangleMesh(corners, faces, np.round(uvs[kept], 4)),
        pieces=(_ball_hull(corners),),
        texture=ball_leather(),
        mass=0.148,
        label="ball",
        roughness=0.55,
    )


def _ball_hull(corners: np.ndarray) -> TriangleMesh:
    """Return a hull through points spread evenly over the ball."""
    middle = 0.5 * (corners.max(axis=0) + corners.min(axis=0))
    k = np.arange(62) + 0.5
    z, turn = 1.0 - 2.0 * k / 62, np.pi * (1.0 + np.sqrt(5.0)) * k
    sphere = np.stack([np.sqrt(1.0 - z**2) * np.cos(turn), np.sqrt(1.0 - z**2) * np.sin(turn), z], axis=-1)
    poles = [(0.0, 0.0, -1.0), (0.0, 0.0, 1.0)]
    return rounded_hull(middle + (BALL_RADIUS + 0.5) * MM * np.concatenate([sphere, poles]))
