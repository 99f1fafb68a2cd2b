# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid-body simulation inside Kit: omni.physx steps a private copy of the stage; no timeline, nothing is rendered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import omni.kit.app
import omni.physx
import omni.timeline
from pxr import Sdf, Usd, UsdGeom, UsdPhysics, UsdUtils

from omni_graspd.errors import GraspdError
from omni_graspd.scenes.motion_record import MotionRecord, dynamic_bodies
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult

_SLICE = 0.008
"""How long [s] steps may take before Kit draws its next frame."""
_SCENE_SETTINGS = (
    ("physxScene:enableGPUDynamics", Sdf.ValueTypeNames.Bool, False),
    ("physxScene:broadphaseType", Sdf.ValueTypeNames.Token, "MBP"),
    ("physxScene:enableEnhancedDeterminism", Sdf.ValueTypeNames.Bool, True),
)
"""A few bodies are faster on the CPU, whose results can be repeated and are never held back from USD."""
_one_at_a_time = asyncio.Lock()
"""omni.physx has one attached stage."""


async def simulate(stage: Usd.Stage, config: SimulateConfig) -> SimulateResult:
    """Step the stage's rigid bodies with PhysX until all rest or the time is up; the stage is not changed.

    Kit goes on drawing meanwhile. PhysX lets go of the stage that is open and takes it back at the end. Callbacks that
    the user subscribed to physics steps are called for these steps as well: omni.physx does not tell stages apart.

    Args:
        stage: Stage with at least one enabled, non-kinematic ``PhysicsRigidBodyAPI`` prim. Gravity and materials are
            taken from it. Time samples are followed where transforms of kinematic bodies, target positions of drives
            and the strength of gravity have them; time 0 is the start.
        config: Step length, time limit, and what counts as rest.

    Returns:
        Recorded poses (the start included) and the final velocities, in metres.

    Raises:
        GraspdError: If the stage has no dynamic rigid body, PhysX did not take one of them, the timeline plays, or
            Isaac Sim runs another physics engine.
    """
    body_paths = dynamic_bodies(stage)
    _require_physx()
    async with _one_at_a_time:
        _require_stopped()
        copy = Usd.Stage.Open(stage.Flatten())
        _author_scene_settings(copy)
        with _attached(copy) as simulation:
            return await _step_until_rest(simulation, copy, body_paths, config)


def _require_physx() -> None:
    """Check the engine where it can be another: in Isaac Sim 6."""
    try:
        from isaacsim.core.simulation_manager import SimulationManager
    except ImportError:
        return
    active_engine = getattr(SimulationManager, "get_active_physics_engine", None)
    engine = "physx" if active_engine is None else str(active_engine())
    if engine != "physx":
        raise GraspdError(
            f"expected PhysX as the physics engine, got {engine}; start Isaac Sim without Newton, or run "
            "SimulationManager.switch_physics_engine('physx')"
        )


def _require_stopped() -> None:
    if not omni.timeline.get_timeline_interface().is_stopped():
        raise GraspdError("the timeline is playing, and PhysX simulates one stage at a time; press Stop")


def _author_scene_settings(copy: Usd.Stage) -> None:
    # By name: the module of PhysX's schemas is there in Kit only.
    for prim in copy.Traverse():
        if prim.IsA(UsdPhysics.Scene):
            prim.AddAppliedSchema("PhysxSceneAPI")
            for name, kind, value in _SCENE_SETTINGS:
                prim.CreateAttribute(name, kind).Set(value)


@contextmanager
def _attached(copy: Usd.Stage) -> Iterator[Any]:
    """Have omni.physx take the copy for the length of the context, and whatever it had before afterwards."""
    simulation = omni.physx.get_physx_simulation_interface()
    before = simulation.get_attached_stage()
    cache = UsdUtils.StageCache.Get()
    stage_id = cache.Insert(copy)
    try:
        if not simulation.attach_stage(stage_id.ToLongInt()):
            raise GraspdError("omni.physx refused the stage; see Isaac Sim's log")
        yield simulation
    finally:
        simulation.detach_stage()
        if before:
            simulation.attach_stage(before)
        cache.Erase(stage_id)


async def _step_until_rest(
    simulation: Any, copy: Usd.Stage, body_paths: tuple[str, ...], config: SimulateConfig
) -> SimulateResult:
    app = omni.kit.app.get_app()
    reader = _BodyReader(copy, body_paths)
    record = MotionRecord(body_paths, config, reader.read())
    slice_start = time.perf_counter()
    for step in range(1, record.step_count + 1):
        # The time is that of the end of the step: what is animated goes to where it is then.
        simulation.simulate(config.time_step, step * config.time_step)
        simulation.fetch_results()
        if record.is_due(step) and record.add(step, reader.read()):
            break
        if time.perf_counter() - slice_start > _SLICE:
            await app.next_update_async()
            slice_start = time.perf_counter()
    return record.result()


class _BodyReader:
    """Reads the state of bodies: poses from PhysX itself, velocities from where it writes them on the copy."""

    def __init__(self, copy: Usd.Stage, body_paths: tuple[str, ...]) -> None:
        self._physx = omni.physx.get_physx_interface()
        self._body_paths, self._metres = body_paths, UsdGeom.GetStageMetersPerUnit(copy)
        bodies = [UsdPhysics.RigidBodyAPI(copy.GetPrimAtPath(path)) for path in body_paths]
        self._velocities = [(body.GetVelocityAttr(), body.GetAngularVelocityAttr()) for body in bodies]
        self._last_poses: np.ndarray | None = None

    def read(self) -> np.ndarray:
        """Read pose, linear and angular velocity of each body in metres, shape [body_count, 13]."""
        # The settings of the application decide whether a step does this; asked for, it is done.
        self._physx.update_transformations(False, True, True, False)
        poses = np.array([self._pose(path) for path in self._body_paths])
        velocities = np.array([[*linear.Get(), *np.radians(angular.Get())] for linear, angular in self._velocities])
        if self._last_poses is not None:
            # PhysX writes nothing for a body that fell asleep, so that its last velocity stays.
            velocities[np.all(poses == self._last_poses, axis=-1)] = 0.0
        self._last_poses = poses
        state = np.concatenate([poses, velocities], axis=-1)
        state[:, :3] *= self._metres
        state[:, 7:10] *= self._metres
        return state

    def _pose(self, path: str) -> list[float]:
        found = self._physx.get_rigidbody_transformation(path)
        if not found["ret_val"]:
            raise GraspdError(f"PhysX does not simulate {path}; check its physics schemas")
        return [*(float(value) for value in found["position"]), *(float(value) for value in found["rotation"])]
