# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the attributes of a stage hold what its schemas promise: OpenUSD hands out whatever a file has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.usd.mesh_soundness import FARTHEST

_FINITE = (
    *("xformOp:", "physics:localPos", "physics:localRot"),
    *("physics:mass", "physics:density", "physics:diagonalInertia", "physics:principalAxes"),
)
"""Attributes that say where something is or how heavy; the centre of mass is infinite where it is to be computed."""


def check_values(stage: Usd.Stage, source: object) -> None:
    """Refuse a stage with values of another kind than their attributes', or placed by numbers that are none.

    Args:
        stage: The stage.
        source: Its file, for the message.

    Raises:
        GraspdError: If there is one; the message names the first.
    """
    for name, unit in (
        ("metersPerUnit", UsdGeom.GetStageMetersPerUnit(stage)),
        ("kilogramsPerUnit", UsdPhysics.GetStageKilogramsPerUnit(stage)),
    ):
        if not 0.0 < unit <= FARTHEST:
            raise GraspdError(f"expected {name} of {source} to be above 0, got {unit}; re-export the file")
    cache = UsdGeom.XformCache(Usd.TimeCode.EarliestTime())
    for prim in _prims(stage):
        for attribute in prim.GetAuthoredAttributes():
            wanted, is_finite = attribute.GetTypeName().type.pythonClass, attribute.GetName().startswith(_FINITE)
            _check_value(attribute, attribute.Get(), wanted, is_finite, source)
            if attribute.GetNumTimeSamples():
                _check_value(attribute, attribute.Get(Usd.TimeCode.EarliestTime()), wanted, is_finite, source)
        if prim.IsA(UsdGeom.Xformable):
            cache.GetLocalToWorldTransform(prim)  # Operations that are not there are told only now.


def _check_value(attribute: Usd.Attribute, value: Any, wanted: Any, is_finite: bool, source: object) -> None:
    if value is None:
        return
    is_other = not isinstance(value, wanted) if isinstance(wanted, type) else _is_of_no_known_type(attribute, value)
    if is_other:
        raise GraspdError(
            f"expected {attribute.GetPath()} in {source} to be {attribute.GetTypeName()}, got "
            f"{type(value).__name__}; re-export the file"
        )
    if attribute.GetName() == "axis" and _is_of_schema(attribute) and value not in ("X", "Y", "Z"):
        raise GraspdError(
            f"expected {attribute.GetPath()} in {source} to be X, Y or Z, got {shortened(str(value))!r}; "
            "re-export the file"
        )
    if is_finite and not np.abs(numbers_in(value)).max(initial=0.0) <= FARTHEST:
        raise GraspdError(
            f"expected {attribute.GetPath()} in {source} to be finite, got {shortened(str(value))}; re-export the file"
        )


def _is_of_no_known_type(attribute: Usd.Attribute, value: Any) -> bool:
    """Tell whether a file gives an attribute of a schema a type that nobody knows; others may have their own types."""
    return isinstance(value, Sdf.UnregisteredValue) and _is_of_schema(attribute)


def _is_of_schema(attribute: Usd.Attribute) -> bool:
    return bool(attribute.GetPrim().GetPrimDefinition().GetSchemaAttributeSpec(attribute.GetName()))


def _prims(stage: Usd.Stage) -> Iterator[Usd.Prim]:
    yield from stage.TraverseAll()
    for prototype in stage.GetPrototypes():
        yield from Usd.PrimRange(prototype, Usd.PrimAllPrimsPredicate)


def numbers_in(value: Any) -> np.ndarray:
    """Return the numbers of a scalar, a vector, a matrix or a quaternion; NaN for anything else."""
    if hasattr(value, "GetImaginary"):
        return np.array([*value.GetImaginary(), value.GetReal()], dtype=np.float64)
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return np.array(np.nan)
