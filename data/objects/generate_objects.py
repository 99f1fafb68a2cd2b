# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Write the built-in objects: twelve everyday things in the sizes and masses of the YCB set.

Usage: ``python data/objects/generate_objects.py [FOLDER [NAME ...]]``; the folder defaults to this file's own, the
names to all. The same files come out each time.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from block_and_ball import baseball, wood_block
from design import Design
from fruit import apple, banana
from packages import card_box, low_can, soup_can, squeeze_bottle
from tableware import bowl, mug
from tools import power_drill, screwdriver

from omni_graspd.objects.mass_properties import solid_properties
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh

DESIGNS = (
    *(apple, banana, baseball, bowl, card_box, low_can, mug, power_drill, screwdriver, soup_can, squeeze_bottle),
    wood_block,
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
    """Write them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    for design in DESIGNS:
        if len(sys.argv) < 3 or design.__name__ in sys.argv[2:]:
            write_design(design.__name__, design(), folder)


if __name__ == "__main__":
    main()
