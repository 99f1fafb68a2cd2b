# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which prims of a stage are drawn, where, and which labelled prim each belongs to; instances are expanded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pxr import Usd, UsdGeom

from omni_graspd.rendering.stage_time import first_time
from omni_graspd.usd.semantics import read_label
from omni_graspd.usd.transforms import gf_to_matrix, local_to_world

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


@dataclass(frozen=True)
class _Copy:
    """One copy of a prototype."""

    root: Usd.Prim
    """The prototype."""
    path: str
    """Name of the copy."""
    T_copy_world: np.ndarray
    """From where the prototype stands to where the copy stands, shape [4, 4]."""
    owner: LabelledPrim | None
    """What geometry belongs to that has no label below the prototype."""


class _Reader:
    def __init__(self, stage: Usd.Stage) -> None:
        self._time = first_time(stage)
        self._cache = UsdGeom.XformCache(self._time)

    def prims(self, root: Usd.Prim, copy: _Copy | None = None) -> Iterator[DrawnPrim]:
        """Yield what is drawn at and below a prim, in stage order."""
        # Prototypes may be overs, which are drawn by their instancer only.
        flags = Usd.PrimIsActive & Usd.PrimIsLoaded & ~Usd.PrimIsAbstract
        predicate = Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate if copy is None else flags)
        prims = iter(Usd.PrimRange(root, predicate))
        for prim in prims:
            if prim.IsA(UsdGeom.PointInstancer):
                prims.PruneChildren()
                if self._is_visible(prim, copy):
                    yield from self._copies(UsdGeom.PointInstancer(prim), copy)
            elif prim.IsA(UsdGeom.Gprim) and self._is_visible(prim, copy):
                yield DrawnPrim(prim, _path(prim, copy), self._placed(prim, copy), self._owner(prim, copy))

    def _copies(self, instancer: UsdGeom.PointInstancer, outer: _Copy | None) -> Iterator[DrawnPrim]:
        prim, stage = instancer.GetPrim(), instancer.GetPrim().GetStage()
        prototypes = [stage.GetPrimAtPath(path) for path in instancer.GetPrototypesRel().GetForwardedTargets()]
        indices = instancer.GetProtoIndicesAttr().Get(self._time) or []
        transforms = instancer.ComputeInstanceTransformsAtTime(
            self._time, self._time, instancer.IncludeProtoXform, instancer.IgnoreMask
        )
        mask = instancer.ComputeMaskAtTime(self._time) or [True] * len(indices)
        T_world_instancer = self._placed(prim, outer)
        label, outer_owner = read_label(prim), self._owner(prim, outer)
        for number, (index, transform, shown) in enumerate(zip(indices, transforms, mask, strict=False)):
            if not shown or index >= len(prototypes) or not prototypes[index]:
                continue
            root, path = prototypes[index], f"{_path(prim, outer)}[{number}]"
            T_world_copy = T_world_instancer @ gf_to_matrix(transform)
            owner = outer_owner if label is None else LabelledPrim(path, label, T_world_copy)
            T_copy_world = T_world_copy @ np.linalg.inv(local_to_world(root, self._cache))
            yield from self.prims(root, _Copy(root, path, T_copy_world, owner))

    def _placed(self, prim: Usd.Prim, copy: _Copy | None) -> np.ndarray:
        T_world_prim = local_to_world(prim, self._cache)
        return T_world_prim if copy is None else copy.T_copy_world @ T_world_prim

    def _owner(self, prim: Usd.Prim, copy: _Copy | None) -> LabelledPrim | None:
        while prim and not prim.IsPseudoRoot():
            label = read_label(prim)
            if label is not None:
                return LabelledPrim(_path(prim, copy), label, self._placed(prim, copy))
            if copy is not None and prim == copy.root:
                return copy.owner
            prim = prim.GetParent()
        return None

    def _is_visible(self, prim: Usd.Prim, copy: _Copy | None) -> bool:
        imageable = UsdGeom.Imageable(prim)
        if imageable.ComputePurpose() not in _PURPOSES:
            return False
        if copy is None:
            return imageable.ComputeVisibility(self._time) != UsdGeom.Tokens.invisible
        # What hides the prototype itself from above does not hide its copies.
        while prim:
            if UsdGeom.Imageable(prim).GetVisibilityAttr().Get(self._time) == UsdGeom.Tokens.invisible:
                return False
            if prim == copy.root:
                break
            prim = prim.GetParent()
        return True


def _path(prim: Usd.Prim, copy: _Copy | None) -> str:
    path = str(prim.GetPath())
    return path if copy is None else copy.path + path.removeprefix(str(copy.root.GetPath()))


def drawn_prims(stage: Usd.Stage) -> list[DrawnPrim]:
    """Return all visible geometry of purpose default or render in stage order, instances and copies included."""
    return list(_Reader(stage).prims(stage.GetPseudoRoot()))
