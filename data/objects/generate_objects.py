# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Write the built-in objects: a can (convex), a mug (concave), a carton (thin).

Usage: ``python data/objects/generate_objects.py [FOLDER]``; the folder defaults to this file's own. The same files come
out each time.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from object_artwork import carton_print, mug_glaze, soup_label
from object_shapes import (
    arc,
    revolve,
    ring_sectors,
    rounded_box,
    rounded_hull,
    sweep_ellipse,
    to_manifold,
    weld,
    wrap_angle,
)
from PIL.Image import Image

from omni_graspd.objects.mass_properties import solid_properties
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh

MM = 1e-3


@dataclass(frozen=True)
class Design:
    """An object to be written."""

    surface: TriangleMesh
    """Closed surface with texture coordinates [m]; it stands on z = 0."""
    pieces: tuple[TriangleMesh, ...]
    """Convex collision pieces [m]."""
    texture: Image
    """Colour texture."""
    mass: float
    """Mass [kg]."""
    label: str
    """Semantic class."""
    roughness: float
    """Roughness of the surface."""


def soup_can() -> Design:
    """Design a tin of 66 mm x 101 mm with seamed rims and a paper label."""
    radius, height = 33.2, 101.0
    lower = [(14.0, 0.8), (29.0, 0.8), (30.6, 0.8), (31.2, 0.1), (31.8, 0.0), (32.8, 0.3), (33.2, 1.2), (33.2, 2.4)]
    lower += [(32.7, 3.4)]
    body = [(32.7, z) for z in np.linspace(3.4, height - 3.4, 13)[1:-1]]
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
        texture=soup_label(),
        mass=0.35,
        label="can",
        roughness=0.35,
    )


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


def write_design(name: str, design: Design, folder: Path) -> None:
    """Write ``folder/name/name.usda`` and its texture."""
    volume, center, inertia = solid_properties(design.surface)
    with tempfile.TemporaryDirectory() as scratch:
        texture = Path(scratch) / "texture.png"
        design.texture.quantize(128, dither=0).save(texture, optimize=True)
        path = folder / name / f"{name}.usda"
        rigid = RigidObject(
            name=name,
            source=path,
            mesh=TriangleMesh(design.surface.vertices, design.surface.faces),
            visual=design.surface,
            appearance=Appearance(texture=str(texture), roughness=design.roughness),
            closed=True,
            mass=design.mass,
            # Rounded, so that the last digits of a sum do not depend on the processor.
            center_of_mass=np.round(center, 6) + 0.0,
            inertia=np.round(inertia * design.mass / volume, 9) + 0.0,
            label=design.label,
            convex_pieces=design.pieces,
        )
        write_object(rigid, path)


def main() -> None:
    """Write all three."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    for name, design in (("soup_can", soup_can), ("mug", mug), ("card_box", card_box)):
        write_design(name, design(), folder)


if __name__ == "__main__":
    main()
