# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid-body simulation without Kit: PhysX on the CPU through ovphysx, beside usd-core in one process."""

from __future__ import annotations

import ctypes
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
from pxr import Usd, UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.scenes.motion_record import MotionRecord, dynamic_bodies
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult
from omni_graspd.standalone.physx_stage import attached_stage
from omni_graspd.standalone.stage_motion import StageMotion

_ARENA_MAX = -8
"""M_ARENA_MAX of glibc."""
_ATTRIBUTES = ("position", "orientation", "linearVelocity", "angularVelocity")


def _keep_one_arena() -> None:
    """Ask the C library not to give each thread a heap of its own; only glibc does.

    Stages are loaded by threads that come and go. Their heaps fragment: with them the process grows by 45 KB a drop for
    thousands of drops, without by next to nothing. Threads keep the heap they have, hence at import.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_ARENA_MAX, 1)


_keep_one_arena()


async def simulate(stage: Usd.Stage, config: SimulateConfig) -> SimulateResult:
    """Step the stage's rigid bodies with PhysX until all rest or the time is up; the stage is not changed.

    The same stage and configuration give the same bits, however often and in whatever order it is called in a process.

    Args:
        stage: Stage with at least one enabled, non-kinematic ``PhysicsRigidBodyAPI`` prim. Gravity and materials are
            taken from it. Time samples are followed where transforms of kinematic bodies, target positions of drives
            and the strength of gravity have them; time 0 is the start.
        config: Step length, time limit, and what counts as rest.

    Returns:
        Recorded poses (the start included) and the final velocities, in metres.

    Raises:
        GraspdError: If the stage has no dynamic rigid body, or PhysX did not take one of them.
    """
    body_paths = dynamic_bodies(stage)
    with attached_stage(stage, keep=config.keep_loaded) as (physx, loaded):
        reader = _BodyReader(physx, body_paths, UsdGeom.GetStageMetersPerUnit(stage))
        record = MotionRecord(body_paths, config, reader.read())
        times = np.arange(1, record.step_count + 1) * config.time_step
        with closing(StageMotion(stage, loaded, times)) as motion:
            return _step_until_rest(physx, reader, record, motion, config.time_step)


def _step_until_rest(
    physx: Any, reader: _BodyReader, record: MotionRecord, motion: StageMotion, time_step: float
) -> SimulateResult:
    for step in range(1, record.step_count + 1):
        motion.advance(physx, step - 1)
        physx.step_sync(time_step)
        if record.is_due(step) and record.add(step, reader.read()):
            break
    reader.check_order()
    return record.result()


class _BodyReader:
    """Reads the state of bodies from PhysX over and over; names are looked up once, which takes most of the time."""

    def __init__(self, physx: Any, body_paths: tuple[str, ...], metres: float) -> None:
        from ovphysx.types import ObjectScope, SimObjectType

        self._physx, self._body_paths, self._metres = physx, body_paths, metres
        with _quiet():
            self._query = physx.query(SimObjectType.RIGID_BODY, scope=ObjectScope.ALL).wait()
        self._order = self._find_order()

    def read(self) -> np.ndarray:
        """Read pose, linear and angular velocity of each body in metres, shape [body_count, 13]."""
        columns = self._read_columns(lambda group, dictionary: group.tensors[0].numpy().astype(np.float64))
        state = np.concatenate([columns[name] for name in _ATTRIBUTES], axis=1)[self._order]
        state[:, :3] *= self._metres
        state[:, 7:10] *= self._metres
        return state

    def check_order(self) -> None:
        """Make sure that the rows are still those of the bodies they were.

        Raises:
            GraspdError: If PhysX sorted its bodies anew.
        """
        if not np.array_equal(self._find_order(), self._order):
            raise GraspdError("PhysX changed the order of its bodies during the simulation")

    def _find_order(self) -> np.ndarray:
        """Return the row of each body, shape [body_count]; the same in all columns."""
        columns = self._read_columns(lambda group, dictionary: dictionary.get_path_strings(group.prim_list))
        rows = {path: row for row, path in enumerate(columns[_ATTRIBUTES[0]])}
        missing = [path for path in self._body_paths if path not in rows]
        if missing or any(list(column) != list(rows) for column in columns.values()):
            body = missing[0] if missing else self._body_paths[0]
            raise GraspdError(f"PhysX does not simulate {body}; check its physics schemas")
        return np.array([rows[path] for path in self._body_paths])

    def _read_columns(self, convert: Callable[[Any, Any], Any]) -> dict[str, Any]:
        columns = {}
        with _quiet():
            result = self._physx.read(self._query, _ATTRIBUTES).wait()
            try:
                while (group := result.fetch_next().wait()) is not None:
                    name = result.dictionary.token_to_string(group.attribute)
                    columns[name] = convert(group, result.dictionary)
                    del group
            finally:
                result.close_sync()
        return columns


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the remark that reading wakes Warp, which looks for a CUDA driver; Warp is in use here anyhow."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="ovphysx is in CPU-only mode", category=RuntimeWarning)
        yield
