# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The motion of bodies while a backend steps them, and when they are at rest; written once for all backends."""

from __future__ import annotations

import numpy as np
from pxr import Usd, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult


def dynamic_bodies(stage: Usd.Stage) -> tuple[str, ...]:
    """Return the paths of the enabled, non-kinematic rigid bodies, in stage order.

    Prims below the root of an articulation are left out, since its links do not move freely. Where a link or joint is
    the root, the links beside it are listed.

    Raises:
        GraspdError: If there is none.
    """
    paths = []
    prims = iter(stage.Traverse(Usd.TraverseInstanceProxies()))
    for prim in prims:
        if prim.HasAPI(UsdPhysics.ArticulationRootAPI):
            prims.PruneChildren()
        elif prim.HasAPI(UsdPhysics.RigidBodyAPI):
            body = UsdPhysics.RigidBodyAPI(prim)
            if body.GetRigidBodyEnabledAttr().Get() and not body.GetKinematicEnabledAttr().Get():
                paths.append(str(prim.GetPath()))
    if not paths:
        raise GraspdError(
            "the stage has no dynamic rigid body; apply PhysicsRigidBodyAPI to a prim (enabled, not kinematic)"
        )
    return tuple(paths)


class MotionRecord:
    """Takes the states of bodies at the recorded times and tells when they may be left alone.

    Args:
        body_paths: Prim path of each body.
        config: Step length, time limit, and what counts as rest.
        start: State of each body at time 0: pose, linear and angular velocity in metres, shape [body_count, 13].
    """

    def __init__(self, body_paths: tuple[str, ...], config: SimulateConfig, start: np.ndarray) -> None:
        self._body_paths, self._config = body_paths, config
        self._record_steps = max(1, round(config.record_interval / config.time_step))
        self.step_count = max(1, round(config.max_time / config.time_step))
        self._times, self._states = [0.0], [start]
        self._resting = np.zeros(len(body_paths))
        self._rest_records = np.full(len(body_paths), -1)

    def is_due(self, step: int) -> bool:
        """Tell whether the state after this step, counted from 1, is recorded."""
        return step % self._record_steps == 0 or step == self.step_count

    def add(self, step: int, state: np.ndarray) -> bool:
        """Record the state after a step.

        Args:
            step: Number of the step, counted from 1.
            state: As at the start, shape [body_count, 13].

        Returns:
            Whether all bodies are at rest (or have been, if they are independent), so that stepping may end.
        """
        config = self._config
        self._times.append(step * config.time_step)
        self._states.append(state)
        slow = (np.linalg.norm(state[:, 7:10], axis=-1) < config.rest_linear_speed) & (
            np.linalg.norm(state[:, 10:13], axis=-1) < config.rest_angular_speed
        )
        self._resting = np.where(slow, self._resting + self._times[-1] - self._times[-2], 0.0)
        at_rest = self._resting >= config.rest_time
        self._rest_records = np.where(at_rest & (self._rest_records < 0), len(self._times) - 1, self._rest_records)
        return bool(np.all(self._rest_records >= 0 if config.independent else at_rest))

    def result(self) -> SimulateResult:
        """Return what was recorded."""
        recorded = np.stack(self._states)
        return SimulateResult(
            body_paths=self._body_paths,
            times=np.array(self._times),
            poses=recorded[..., :7],
            linear_velocities=recorded[-1, :, 7:10],
            angular_velocities=recorded[-1, :, 10:13],
            at_rest=self._resting >= self._config.rest_time,
            rest_records=self._rest_records,
        )
