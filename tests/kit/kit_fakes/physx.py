# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""PhysX: bodies that fall straight down until they touch z = 0 and stay there; or the real thing where ovphysx is."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdPhysics, UsdUtils


class Physics:
    """State of the simulation that is attached.

    ``with_ovphysx = True`` steps through the standalone backend's PhysX instead of letting bodies fall.
    """

    def __init__(self, kit: Any) -> None:
        self.kit = kit
        self.with_ovphysx = False
        self.stage: Usd.Stage | None = None
        self.time = 0.0
        self.pending: float | None = None
        self.bodies: dict[str, dict[str, np.ndarray]] = {}
        self.refused: set[str] = set()
        self._open = ExitStack()
        self._reader: Any = None

    def attach(self, stage_id: int) -> bool:
        """Take a stage of the stage cache."""
        self.detach()
        cache = UsdUtils.StageCache.Get()
        self.stage = cache.Find(Usd.StageCache.Id.FromLongInt(stage_id))
        if not self.stage:
            raise RuntimeError(f"no stage {stage_id} in the stage cache")
        paths = _dynamic_bodies(self.stage)
        self.bodies = {path: _start(self.stage.GetPrimAtPath(path)) for path in paths if path not in self.refused}
        self.time, self.pending = 0.0, None
        if self.with_ovphysx:
            self._attach_ovphysx()
        return True

    def _attach_ovphysx(self) -> None:
        from omni_graspd.standalone.physx_stage import attached_stage
        from omni_graspd.standalone.simulate import _BodyReader

        self._physx, self._loaded = self._open.enter_context(attached_stage(self.stage, keep=False))
        self._reader = _BodyReader(self._physx, tuple(self.bodies), 1.0)

    def detach(self) -> None:
        """Let go of the stage."""
        self._open.close()
        self._reader, self.stage, self.bodies = None, None, {}

    def simulate(self, elapsed: float, current: float) -> None:
        """Begin a step."""
        if self.stage is None or self.pending is not None:
            raise RuntimeError("simulate() without an attached stage, or before the results of the last were fetched")
        # omni.physx takes the time that it is given for the end of its steps (PhysXUpdate.cpp).
        if abs(current - elapsed - self.time) > 1e-6:
            raise RuntimeError(f"simulate() to time {current}, expected {self.time + elapsed}")
        self.pending = elapsed
        if self._reader is not None:
            self._follow_samples(current)

    def _follow_samples(self, time: float) -> None:
        """Move kinematic bodies and set drives as their time samples say, as omni.physx does (PrimUpdate.cpp)."""
        from omni_graspd.standalone.stage_motion import StageMotion

        motion = StageMotion(self.stage, self._loaded, np.array([time]))
        self._open.callback(motion.close)
        motion.advance(self._physx, 0)

    def fetch(self) -> None:
        """End a step."""
        if self.pending is None:
            raise RuntimeError("fetch_results() without simulate()")
        if self._reader is None:
            for body in self.bodies.values():
                _fall(body, self.pending)
        else:
            self._physx.step_sync(self.pending)
            for body, row in zip(self.bodies.values(), self._reader.read(), strict=True):
                body["position"], body["rotation"] = row[:3], row[3:7]
                body["velocity"], body["angular"] = row[7:10], row[10:13]
        self.time, self.pending = self.time + self.pending, None
        if self.kit.settings.get("/physics/updateToUsd", True):
            self.write(to_usd=True, velocities=bool(self.kit.settings.get("/physics/updateVelocitiesToUsd")))

    def write(self, *, to_usd: bool, velocities: bool) -> None:
        """Write poses and velocities to the attached stage, as PhysX does."""
        if not to_usd or self.stage is None:
            return
        cache = UsdGeom.XformCache()
        for path, body in self.bodies.items():
            prim = self.stage.GetPrimAtPath(path)
            if prim.IsInstanceProxy():
                continue
            world = Gf.Matrix4d().SetRotate(Gf.Quatd(body["rotation"][3], *body["rotation"][:3]))
            world.SetTranslateOnly(Gf.Vec3d(*body["position"]))
            local = world * cache.GetParentToWorldTransform(prim).GetInverse()
            UsdGeom.Xformable(prim).MakeMatrixXform().Set(local)
            if velocities:
                api = UsdPhysics.RigidBodyAPI(prim)
                api.CreateVelocityAttr(Gf.Vec3f(*body["velocity"]))
                api.CreateAngularVelocityAttr(Gf.Vec3f(*np.degrees(body["angular"])))


def _dynamic_bodies(stage: Usd.Stage) -> list[str]:
    bodies = [UsdPhysics.RigidBodyAPI(prim) for prim in stage.Traverse(Usd.TraverseInstanceProxies())]
    bodies = [body for body in bodies if body.GetPrim().HasAPI(UsdPhysics.RigidBodyAPI)]
    moving = [b for b in bodies if b.GetRigidBodyEnabledAttr().Get() and not b.GetKinematicEnabledAttr().Get()]
    return [str(body.GetPath()) for body in moving]


def _start(prim: Usd.Prim) -> dict[str, np.ndarray]:
    matrix = UsdGeom.XformCache().GetLocalToWorldTransform(prim).RemoveScaleShear()
    position, quaternion = matrix.ExtractTranslation(), matrix.ExtractRotationQuat()
    bounds = UsdGeom.BBoxCache(Usd.TimeCode.Default(), ["default", "proxy", "render"]).ComputeWorldBound(prim)
    low = bounds.ComputeAlignedRange().GetMin()[2]
    return {
        "position": np.array(position),
        "rotation": np.array([*quaternion.GetImaginary(), quaternion.GetReal()]),
        "velocity": np.zeros(3),
        "angular": np.zeros(3),
        "height": np.array(max(low, 0.0)),
    }


def _fall(body: dict[str, np.ndarray], step: float) -> None:
    body["velocity"] = body["velocity"] - [0.0, 0.0, 9.81 * step]
    move = max(body["velocity"][2] * step, -float(body["height"]))
    body["position"] = body["position"] + [0.0, 0.0, move]
    body["height"] = body["height"] + move
    if body["height"] <= 1e-9:
        body["velocity"] = np.zeros(3)


def behaviours(kit: Any) -> dict[str, dict[str, Any]]:
    """Return functions and classes by module and name."""

    class IPhysxSimulation:
        def attach_stage(self, stage_id: int) -> bool:
            return kit.physics.attach(stage_id)

        def detach_stage(self) -> None:
            kit.physics.detach()

        def get_attached_stage(self) -> int:
            stage = kit.physics.stage
            return 0 if stage is None else UsdUtils.StageCache.Get().GetId(stage).ToLongInt()

        def simulate(self, elapsed_time: float, current_time: float) -> None:
            kit.physics.simulate(elapsed_time, current_time)

        def fetch_results(self) -> None:
            kit.physics.fetch()

    class PhysX:
        def get_rigidbody_transformation(self, path: str) -> dict[str, Any]:
            body = kit.physics.bodies.get(path)
            if body is None:
                return {"ret_val": False}
            return {"ret_val": True, "position": tuple(body["position"]), "rotation": tuple(body["rotation"])}

        def update_transformations(
            self,
            updateToFastCache: bool,
            updateToUsd: bool,
            updateVelocitiesToUsd: bool = False,
            outputVelocitiesLocalSpace: bool = False,
        ) -> None:
            kit.physics.write(to_usd=updateToUsd, velocities=updateVelocitiesToUsd)

        def is_running(self) -> bool:
            return kit.is_playing

    class Timeline:
        def is_playing(self) -> bool:
            return kit.is_playing

        def is_stopped(self) -> bool:
            return not kit.is_playing

    timeline = {"omni.timeline": {"Timeline": Timeline}}
    return timeline | {"omni.physx.bindings._physx": {"IPhysxSimulation": IPhysxSimulation, "PhysX": PhysX}}
