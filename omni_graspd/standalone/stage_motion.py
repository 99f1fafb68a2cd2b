# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What moves on a stage by itself: time samples, carried over to PhysX before each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.standalone.physx_stage import LoadedStage, is_followed_number, moving_bodies


@dataclass(frozen=True)
class _Column:
    """What changes of some prims, over time."""

    query: Any
    """The prims, in ovstage."""
    values: dict[str, np.ndarray]
    """Attributes in each step by their names in ovstage, shape [step_count, prim_count, ...]."""

    @cached_property
    def changes(self) -> np.ndarray:
        """Whether they differ from those of the step before, shape [step_count], bool; the first step always counts."""
        changes = np.zeros(len(next(iter(self.values.values()))), dtype=bool)
        changes[0] = True
        for values in self.values.values():
            changes[1:] |= (values[1:] != values[:-1]).any(axis=tuple(range(1, values.ndim)))
        return changes


class StageMotion:
    """Carries time samples over: transforms of kinematic bodies, target positions of drives, strength of gravity.

    In each step, kinematic bodies move to where they are at its end, and the numbers are those of that moment.
    omni.physx follows the same attributes, and more, by itself.
    """

    def __init__(self, stage: Usd.Stage, loaded: LoadedStage, times: np.ndarray) -> None:
        """Read the samples.

        Args:
            stage: The stage.
            loaded: Its copy.
            times: Ends of the steps that will be made [s], shape [step_count].
        """
        self._loaded, self._resources = loaded, ExitStack()
        self._bodies = [stage.GetPrimAtPath(path) for path in moving_bodies(stage)]
        self._numbers = list(_moving_numbers(stage))
        self._columns = list(self._read(times * stage.GetTimeCodesPerSecond()))

    def advance(self, physx: Any, step: int) -> None:
        """Set everything as it is at the end of the step that is about to be made; steps are counted from 0."""
        changed = [column for column in self._columns if column.changes[step]]
        for column in changed:
            self._loaded.write(column.query, {name: values[step] for name, values in column.values.items()})
        if changed:
            self._loaded.hand_over(physx)

    def close(self) -> None:
        """Free what the motion holds of the copy."""
        self._resources.close()

    def _read(self, codes: np.ndarray) -> Iterator[_Column]:
        if self._bodies:
            query = self._select(prim.GetPath() for prim in self._bodies)
            yield _Column(query, _transforms(self._bodies, codes))
        for name in sorted({number.GetName() for number in self._numbers}):
            numbers = [number for number in self._numbers if number.GetName() == name]
            values = np.stack([_interpolated(number, codes) for number in numbers], axis=1)
            yield _Column(self._select(number.GetPrimPath() for number in numbers), {name: values})

    def _select(self, paths: Iterable[Sdf.Path]) -> Any:
        return self._resources.enter_context(self._loaded.select(paths))


def _moving_numbers(stage: Usd.Stage) -> Iterator[Usd.Attribute]:
    if any(layer.ListAllTimeSamples() for layer in stage.GetUsedLayers()):
        for prim in stage.Traverse():
            if prim.IsA(UsdPhysics.Joint) or prim.IsA(UsdPhysics.Scene):
                followed = (number for number in prim.GetAuthoredAttributes() if is_followed_number(number.GetName()))
                yield from (number for number in followed if number.GetNumTimeSamples() > 1)


def _transforms(prims: list[Usd.Prim], codes: np.ndarray) -> dict[str, np.ndarray]:
    """Return local and world transforms as row-vector matrices, shape [code_count, prim_count, 4, 4]."""
    local, world = np.empty((2, len(codes), len(prims), 4, 4))
    cache = UsdGeom.XformCache()
    for row, code in enumerate(codes):
        cache.SetTime(Usd.TimeCode(float(code)))
        for column, prim in enumerate(prims):
            local[row, column] = cache.GetLocalTransformation(prim)[0]
            world[row, column] = cache.GetLocalToWorldTransform(prim)
    return {"omni:xform": local, "omni:fabric:worldMatrix": world}


def _interpolated(attribute: Usd.Attribute, codes: np.ndarray) -> np.ndarray:
    samples = attribute.GetTimeSamples()
    return np.interp(codes, samples, [attribute.Get(sample) for sample in samples]).astype(np.float32)
