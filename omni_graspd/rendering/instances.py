# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The labelled prims of a stage, their ids, and the id images and label maps that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.rendering.annotator_data import BACKGROUND_ID, FIRST_LABEL_ID, UNLABELLED_ID

if TYPE_CHECKING:
    from omni_graspd.rendering.drawn_prims import LabelledPrim
    from omni_graspd.rendering.surfaces import Surface


@dataclass(frozen=True)
class Instance:
    """A prim with a semantic class and all geometry that belongs to it."""

    prim_path: str
    """The labelled prim."""
    label: str
    """Its semantic class."""
    instance_id: int
    """Id in the instance image."""
    semantic_id: int
    """Id in the semantic image; equal for prims of one class."""
    surfaces: tuple[int, ...]
    """Indices of its surfaces."""
    T_world_prim: np.ndarray
    """Local-to-world matrix acting on column vectors, shape [4, 4]; may hold scale."""
    corners: np.ndarray
    """All its triangles in the world, shape [face_count, 3, 3]."""


def find_instances(surfaces: Sequence[Surface]) -> list[Instance]:
    """Group surfaces by their labelled prim; ids count up in stage order, semantic ids by first appearance."""
    members: dict[str, list[int]] = {}
    owners: dict[str, LabelledPrim] = {}
    for index, surface in enumerate(surfaces):
        if surface.owner is not None:
            owners.setdefault(surface.owner.path, surface.owner)
            members.setdefault(surface.owner.path, []).append(index)
    semantic_ids: dict[str, int] = {}
    return [
        Instance(
            prim_path=path,
            label=owners[path].label,
            instance_id=FIRST_LABEL_ID + number,
            semantic_id=semantic_ids.setdefault(owners[path].label, FIRST_LABEL_ID + len(semantic_ids)),
            surfaces=tuple(indices),
            T_world_prim=owners[path].T_world_prim,
            corners=np.concatenate([surfaces[i].corners for i in indices]),
        )
        for number, (path, indices) in enumerate(members.items())
    ]


def id_tables(instances: Sequence[Instance], surface_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the instance and semantic ids by surface index + 1, each [surface_count + 1]; entry 0 is background."""
    instance_ids = np.full(surface_count + 1, UNLABELLED_ID, dtype=np.uint32)
    instance_ids[0] = BACKGROUND_ID
    semantic_ids = instance_ids.copy()
    for instance in instances:
        rows = np.array(instance.surfaces) + 1
        instance_ids[rows] = instance.instance_id
        semantic_ids[rows] = instance.semantic_id
    return instance_ids, semantic_ids


def semantic_info(instances: Sequence[Instance]) -> dict[str, Any]:
    """Return the info of ``semantic_segmentation``: every label of the stage, seen in this image or not."""
    labels = {BACKGROUND_ID: "BACKGROUND", UNLABELLED_ID: "UNLABELLED"}
    labels |= {instance.semantic_id: instance.label for instance in instances}
    return {"idToLabels": {str(key): {"class": label} for key, label in labels.items()}}


def instance_info(instances: Sequence[Instance]) -> dict[str, Any]:
    """Return the info of ``instance_segmentation``: prim path and label of every labelled prim of the stage."""
    paths = {str(BACKGROUND_ID): "BACKGROUND", str(UNLABELLED_ID): "UNLABELLED"}
    semantics = {key: {"class": label} for key, label in paths.items()}
    for instance in instances:
        paths[str(instance.instance_id)] = instance.prim_path
        semantics[str(instance.instance_id)] = {"class": instance.label}
    return {"idToLabels": paths, "idToSemantics": semantics}
