# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which prims of a stage are drawn, where, and which labelled prim each belongs to; instances are expanded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pxr import Usd, UsdGeom

from omni_graspd.usd.placed_prims import InstancerCopy, placed, placed_prims
from omni_graspd.usd.semantics import read_label
from omni_graspd.usd.stage_time import first_time

_PURPOSES = ("default", "render")


@dataclass(frozen=True)
class LabelledPrim:
    """A prim with a semantic class, or one copy of such a prim by a point instancer."""

    path: str
    """Prim path; copies are named ``INSTANCER[INDEX]``, followed by the path below the prototype."""
    label: str
    """Semantic class."""
    T_world_prim: np.ndarray
    """Local-to-world matrix acting on column vectors, shape [4, 4]; may hold scale."""


@dataclass(frozen=True)
class DrawnPrim:
    """A visible piece of geometry and where it is."""

    prim: Usd.Prim
    """The geometry."""
    path: str
    """Prim path; that of a copy as in :class:`LabelledPrim`."""
    T_world_prim: np.ndarray
    """Local-to-world matrix acting on column vectors, shape [4, 4]; may hold scale and mirror."""
    owner: LabelledPrim | None
    """Nearest prim upward with a semantic class, or None."""


def drawn_prims(stage: Usd.Stage) -> list[DrawnPrim]:
    """Return all visible geometry of purpose default or render in stage order, instances and copies included."""
    cache = UsdGeom.XformCache(first_time(stage))
    found = placed_prims(stage.GetPseudoRoot(), first_time(stage), _PURPOSES)
    return [
        DrawnPrim(one.prim, _path(one.prim, one.copy), one.T_world_prim, _owner(one.prim, one.copy, cache))
        for one in found
    ]


def _path(prim: Usd.Prim, copy: InstancerCopy | None) -> str:
    path = str(prim.GetPath())
    return path if copy is None else _copy_path(copy) + path.removeprefix(str(copy.root.GetPath()))


def _copy_path(copy: InstancerCopy) -> str:
    return f"{_path(copy.instancer, copy.outer)}[{copy.number}]"


def _owner(prim: Usd.Prim, copy: InstancerCopy | None, cache: UsdGeom.XformCache) -> LabelledPrim | None:
    while prim and not prim.IsPseudoRoot():
        label = read_label(prim)
        if label is not None:
            return LabelledPrim(_path(prim, copy), label, placed(prim, copy, cache))
        if copy is not None and prim == copy.root:
            return _copy_owner(copy, cache)
        prim = prim.GetParent()
    return None


def _copy_owner(copy: InstancerCopy, cache: UsdGeom.XformCache) -> LabelledPrim | None:
    """Return what geometry belongs to that has no label below the prototype: its copy, if the instancer has a label."""
    label = read_label(copy.instancer)
    if label is not None:
        return LabelledPrim(_copy_path(copy), label, copy.T_world_copy)
    return _owner(copy.instancer, copy.outer, cache)
