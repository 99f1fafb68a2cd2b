# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Visible geometry and where it stands, with the copies that point instancers make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pxr import Usd, UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.usd.transforms import gf_to_matrix, local_to_world


@dataclass(frozen=True)
class InstancerCopy:
    """One copy of a prototype by a point instancer."""

    instancer: Usd.Prim
    """The point instancer."""
    number: int
    """Which of its copies it is."""
    root: Usd.Prim
    """The prototype."""
    T_world_copy: np.ndarray
    """Where the copy stands, acting on column vectors, shape [4, 4]."""
    T_copy_world: np.ndarray
    """From where the prototype stands to where the copy stands, shape [4, 4]."""
    outer: InstancerCopy | None
    """The copy that the instancer itself is part of, where instancers are nested."""


@dataclass(frozen=True)
class PlacedPrim:
    """A visible piece of geometry and where it is."""

    prim: Usd.Prim
    """The geometry."""
    T_world_prim: np.ndarray
    """Local-to-world matrix acting on column vectors, shape [4, 4]; may hold scale and mirror."""
    copy: InstancerCopy | None
    """The copy that it is part of, if any."""


def placed_prims(
    root: Usd.Prim, time: Usd.TimeCode | None = None, purposes: Sequence[str] = ("default", "render")
) -> Iterator[PlacedPrim]:
    """Yield the visible geometry at and below a prim, in stage order, instances and copies included.

    Args:
        root: Where to begin.
        time: When; None is the default time.
        purposes: USD purposes that count.

    Raises:
        GraspdError: If point instancers make more than a hundred thousand copies.
    """
    yield from _Reader(Usd.TimeCode.Default() if time is None else time, purposes).prims(root, None)


_MOST_COPIES = 100_000
"""Copies that point instancers may make: nested ones multiply."""


class _Reader:
    def __init__(self, time: Usd.TimeCode, purposes: Sequence[str]) -> None:
        self._time, self._purposes = time, purposes
        self._copy_count = 0
        self._cache = UsdGeom.XformCache(time)

    def prims(self, root: Usd.Prim, copy: InstancerCopy | None) -> Iterator[PlacedPrim]:
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
                yield PlacedPrim(prim, self._placed(prim, copy), copy)

    def _copies(self, instancer: UsdGeom.PointInstancer, outer: InstancerCopy | None) -> Iterator[PlacedPrim]:
        prim, stage = instancer.GetPrim(), instancer.GetPrim().GetStage()
        prototypes = [stage.GetPrimAtPath(path) for path in instancer.GetPrototypesRel().GetForwardedTargets()]
        indices = instancer.GetProtoIndicesAttr().Get(self._time) or []
        transforms = instancer.ComputeInstanceTransformsAtTime(
            self._time, self._time, instancer.IncludeProtoXform, instancer.IgnoreMask
        )
        mask = instancer.ComputeMaskAtTime(self._time) or [True] * len(indices)
        T_world_instancer = self._placed(prim, outer)
        for number, (index, transform, shown) in enumerate(zip(indices, transforms, mask, strict=False)):
            if not shown or index >= len(prototypes) or not prototypes[index]:
                continue
            self._copy_count += 1
            if self._copy_count > _MOST_COPIES:
                raise GraspdError(
                    f"expected point instancers to make at most {_MOST_COPIES} copies, got more at {prim.GetPath()}"
                )
            root = prototypes[index]
            T_world_copy = T_world_instancer @ gf_to_matrix(transform)
            T_copy_world = T_world_copy @ np.linalg.inv(local_to_world(root, self._cache))
            yield from self.prims(root, InstancerCopy(prim, number, root, T_world_copy, T_copy_world, outer))

    def _placed(self, prim: Usd.Prim, copy: InstancerCopy | None) -> np.ndarray:
        return placed(prim, copy, self._cache)

    def _is_visible(self, prim: Usd.Prim, copy: InstancerCopy | None) -> bool:
        imageable = UsdGeom.Imageable(prim)
        if imageable.ComputePurpose() not in self._purposes:
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


def placed(prim: Usd.Prim, copy: InstancerCopy | None, cache: UsdGeom.XformCache) -> np.ndarray:
    """Return the local-to-world matrix of a prim, as part of a copy if it is, shape [4, 4]."""
    T_world_prim = local_to_world(prim, cache)
    return T_world_prim if copy is None else copy.T_copy_world @ T_world_prim
