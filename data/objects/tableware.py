# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Tableware: a mug with a handle, and a bowl."""

from __future__ import annotations

import itertools

import numpy as np
from design import Design
from lofts import MM
from object_artwork import bowl_glaze, mug_glaze
from object_shapes import arc, revolve, ring_sectors, rounded_hull, sweep_ellipse, to_manifold, weld, wrap_angle

from omni_graspd.usd.meshes import TriangleMesh


def mug() -> Design:
    """Design a stoneware mug of 82 mm x 82 mm with walls of 4 mm and a loop handle along +x."""
    radius, height, wall, floor = 41.0, 82.0, 4.0, 5.0
    inside = radius - wall
    profile = [(12.0, 0.0), (25.0, 0.0), *arc((radius - 4.0, 4.0), 4.0, -90.0, 0.0, 4)]
    profile += [(radius, z) for z in np.linspace(4.0, height - 2.0, 11)[1:-1]]
    profile += arc((radius - 2.0, height - 2.0), 2.0, 0.0, 180.0, 7)
    profile += [(inside, z) for z in np.linspace(height - 2.0, floor + 6.0, 10)[1:-1]]
    profile += [*arc((inside - 6.0, floor + 6.0), 6.0, 0.0, -90.0, 4), (21.0, floor), (10.0, floor)]
    counts = [12, 24, *[48] * (len(profile) - 4), 24, 12]
    body = to_manifold(*revolve(profile, counts)).as_original()
    turn = np.radians(np.linspace(90.0, -90.0, 25))
    path = np.stack([39.0 + 28.0 * np.cos(turn) ** 0.85, 0.0 * turn, 42.0 + 22.0 * np.sin(turn)], axis=-1)
    handle = sweep_ellipse(path, 6.5, 4.2, 12).as_original()
    joined = (body + handle).to_mesh64()
    faces = joined.tri_verts.astype(np.int64)
    vertices = joined.vert_properties[:, :3]
    run = np.searchsorted(joined.run_index, 3 * np.arange(len(faces)), side="right") - 1
    on_handle = np.array(joined.run_original_id)[run] == handle.original_id()
    uvs = _mug_uvs(vertices, faces, on_handle, radius, height)
    corners, faces, kept = weld(vertices[faces] * MM)
    return Design(
        surface=TriangleMesh(corners, faces, np.round(uvs[kept], 4)),
        pieces=_mug_pieces(path, radius, height, inside, floor),
        texture=mug_glaze(),
        mass=0.26,
        label="mug",
        roughness=0.18,
    )


def _mug_uvs(
    vertices: np.ndarray, faces: np.ndarray, on_handle: np.ndarray, radius: float, height: float
) -> np.ndarray:
    """Map the outside to the upper three quarters of the texture; inside, handle and foot have a stripe each."""
    center = vertices[faces].mean(axis=1)
    distance = np.hypot(center[:, 0], center[:, 1])
    u, z = wrap_angle(vertices, faces), vertices[faces][..., 2]
    v = 0.25 + 0.75 * z / height
    inside = (distance < radius - 2.0) & (center[:, 2] > 2.0)
    v[inside] = 0.18 + 0.05 * z[inside] / height
    v[~inside & (distance < radius - 0.7) & (center[:, 2] < 2.0)] = 0.04
    v[on_handle] = 0.12
    return np.stack([u, v], axis=-1)


def _mug_pieces(
    path: np.ndarray, radius: float, height: float, inside: float, floor: float
) -> tuple[TriangleMesh, ...]:
    """Cut the mug along its own geometry: sectors of the wall, the floor, and bends of the handle."""
    wall = np.array(
        [
            *((inside, 0.0), (inside, height - 2.0), (inside + 1.0, height - 0.3), (radius - 1.0, height - 0.3)),
            *((radius, height - 2.0), (radius, 4.0), (radius - 1.2, 1.2)),
        ]
    )
    angles = 2.0 * np.pi * np.arange(32) / 32
    disc = np.array([(inside * np.cos(a), inside * np.sin(a), z) for a in angles for z in (0.0, floor)])
    pieces = [*ring_sectors(wall * MM, 24), rounded_hull(disc * MM)]
    for first, last in itertools.pairwise(range(0, len(path), 2)):
        bend = sweep_ellipse(path[first : last + 1], 6.5, 4.2, 8).to_mesh64().vert_properties[:, :3]
        pieces.append(rounded_hull(bend * MM))
    return tuple(pieces)


def bowl() -> Design:
    """Design a stoneware bowl of 159 mm x 55 mm with a foot ring and walls of 4 mm."""
    center, radius, wall = np.array([29.5, 53.0]), 50.0, 4.0
    outer = center + radius * _directions(-81.0, -3.0, 14)
    inner = center + (radius - wall) * _directions(-88.0, -3.0, 14)
    foot = [(12.0, 1.6), (28.0, 1.6), (30.0, 1.0), (30.6, 0.3), (31.6, 0.0), (33.6, 0.0), (34.6, 0.4), (35.2, 1.4)]
    lip = arc((float(outer[-1, 0] + inner[-1, 0]) / 2, float(outer[-1, 1])), 2.0, 20.0, 160.0, 5)
    floor = [(18.0, inner[0, 1]), (9.0, inner[0, 1])]
    profile = [*foot, *map(tuple, outer), *lip, *map(tuple, inner[::-1]), *floor]
    vertices, faces = revolve(profile, [14, 28, *[56] * (len(profile) - 4), 28, 14])
    uvs = _bowl_uvs(vertices, faces, center)
    corners, faces, kept = weld(vertices[faces] * MM)
    return Design(
        surface=TriangleMesh(corners, faces, np.round(uvs[kept], 4)),
        pieces=_bowl_pieces(center, radius, wall),
        texture=bowl_glaze(),
        mass=0.147,
        label="bowl",
        roughness=0.15,
    )


def _directions(start: float, end: float, count: int) -> np.ndarray:
    angles = np.radians(np.linspace(start, end, count))
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _bowl_uvs(vertices: np.ndarray, faces: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Map the outside to the upper half of the texture, the inside below it, the foot to the lowest stripe."""
    corners = vertices[faces]
    rho, z = np.hypot(corners[..., 0], corners[..., 1]), corners[..., 2]
    middle = corners.mean(axis=1)
    across = np.hypot(np.hypot(middle[:, 0], middle[:, 1]) - center[0], middle[:, 2] - center[1])
    inside = (middle[:, 2] > 5.0) & ((across < 48.0) | (rho.mean(axis=1) < center[0]))
    v = 0.5 + 0.5 * np.clip(z / 54.0, 0.0, 1.0)
    v[inside] = 0.08 + 0.4 * ((rho + z - 7.0) / 126.0)[inside]
    v[~inside & (rho.max(axis=1) < 34.0)] = 0.03
    return np.stack([wrap_angle(vertices, faces), v], axis=-1)


def _bowl_pieces(center: np.ndarray, radius: float, wall: float) -> tuple[TriangleMesh, ...]:
    """Cut the wall into three bands of sectors; floor and foot ring are one piece."""
    pieces = []
    for (start, end), count in zip(((-83.0, -55.0), (-55.0, -29.0), (-29.0, -1.0)), (10, 14, 16), strict=True):
        arcs = [center + r * _directions(start, end, 4) for r in (radius, radius - wall)]
        pieces += ring_sectors(np.concatenate(arcs) * MM, count)
    angles = 2.0 * np.pi * np.arange(20) / 20
    rings = ((34.0, 0.0), (36.3, 4.0), (34.0, 7.0))
    disc = np.array([(r * np.cos(a), r * np.sin(a), z) for a in angles for r, z in rings])
    return (*pieces, rounded_hull(disc * MM))
