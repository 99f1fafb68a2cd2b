# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""An object as a SimReady package for Isaac Sim, its grasps with it.

Passes NVIDIA's ``simready-validate --profile Robotics-Prop`` 4.0.0; with grasps the optional grasp contract, too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pxr import UsdShade

from omni_graspd.objects.grasp_vectors import GraspVector, author_grasp_vectors
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.simready_layers import split_by_role
from omni_graspd.usd.simready_package import PackageContent, Provenance, add_display_colors, write_package
from omni_graspd.usd.stage import open_stage

_QCODE = "Q223557"  # Wikidata: physical object
_MATERIAL = "unspecified"


def write_simready_object(
    rigid: RigidObject,
    folder: Path,
    provenance: Provenance,
    thumbnail: Path,
    grasps: Sequence[GraspVector] = (),
) -> Path:
    """Write an object as a SimReady package ``<folder>/<name>/simready/<name>.usda``.

    The main file reads back as the same object (:func:`omni_graspd.objects.object_reader.read_object`).

    Args:
        rigid: The object.
        folder: Where the package goes.
        provenance: What the metadata say; without a category the object's label is taken.
        thumbnail: A picture of the object, PNG, 256 by 256 pixels.
        grasps: Grasps to write into the asset, best first.

    Returns:
        The package's main file.

    Raises:
        GraspdError: If the package is there already, or something cannot be written.
    """
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / f"{rigid.name}.usda"
        write_object(rigid, file)
        stage = open_stage(file)
        for prim in stage.Traverse():
            if prim.IsA(UsdShade.Material):
                # What a thing is made of is not known; Isaac Sim's material segmentation wants a label all the same.
                apply_label(prim, _MATERIAL, "material")
        author_grasp_vectors(stage, grasps)
        layers = split_by_role(stage.Flatten())
        # Nothing that we write about an object is for PhysX alone.
        del layers["physx"]
        add_display_colors(stage, layers["materials"])
        content = PackageContent(
            name=rigid.name,
            stage=stage,
            layers=layers,
            asset_type="prop",
            source=rigid.source.name,
            provenance=replace(
                provenance, category=provenance.category or rigid.label, qcode=provenance.qcode or _QCODE
            ),
            thumbnail=thumbnail,
        )
        return write_package(content, folder)
