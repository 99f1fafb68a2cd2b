# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Stages in PhysX: loaded through ovstage, attached for a simulation, kept for the next one where that is wanted."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Sdf, Tf, Usd, UsdGeom, UsdPhysics

_FOLLOWED_NUMBERS = ("physics:targetPosition", "physics:gravityMagnitude")
"""How names of attributes end whose numbers may change while PhysX has the stage."""
_WORLD_TRANSFORM = "omni:fabric:worldMatrix"


def is_followed_number(name: str) -> bool:
    """Tell whether an attribute of this name may change: by time samples, or when a stage that is kept comes again."""
    return name.endswith(_FOLLOWED_NUMBERS)


def moving_bodies(stage: Usd.Stage) -> list[Sdf.Path]:
    """Return the kinematic bodies whose transforms have time samples, in stage order."""
    if not any(layer.ListAllTimeSamples() for layer in stage.GetUsedLayers()):
        return []
    bodies = [UsdPhysics.RigidBodyAPI(prim) for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    kinematic = [body.GetPrim() for body in bodies if body.GetKinematicEnabledAttr().Get()]
    return [prim.GetPath() for prim in kinematic if _is_moving(prim)]


def _is_moving(prim: Usd.Prim) -> bool:
    while prim:
        if UsdGeom.Xformable(prim).TransformMightBeTimeVarying():
            return True
        prim = prim.GetParent()
    return False


@cache
def start_physx() -> Any:
    """Start PhysX once for the life of the process, on the CPU, on the calling thread, without chatter.

    Worker threads cost a hundred times more than a step of a few bodies, hence none.
    """
    import ovphysx
    import ovstage
    from ovphysx.types import GlobalConfigKey, LogLevel

    ovphysx.set_global_config(GlobalConfigKey.LOG_LEVEL, LogLevel.ERROR)
    # Some warnings come from no named source, to which the level does not apply: of prismatic joints, PhysX compares
    # the positions of bodies along the axes of the world and calls sound ones disjointed.
    ovphysx.enable_python_logging("omni_graspd.physx", min_severity=LogLevel.ERROR)
    ovphysx.set_global_config(GlobalConfigKey.DEFAULT_LOG_OUTPUT, False)
    ovphysx.set_global_config(GlobalConfigKey.CPU_ONLY, True)
    ovphysx.set_global_config(GlobalConfigKey.NUM_THREADS, 0)
    # PhysX drops every attribute of a schema that was not registered before the first stage.
    ovstage.population.register_usd_schemas([os.fspath(path) for path in _physx_schema_folders()])
    return ovphysx.PhysX()


def _physx_schema_folders() -> list[Path]:
    """Locate the PhysX schemas without importing their package, which would register them with our own USD as well."""
    package = metadata.distribution("physx-usd-schemas")
    modules = ("PhysxSchema", "OmniUsdPhysicsDeformableSchema")
    return [Path(str(package.locate_file(f"physx_usd_schemas/{module}/resources"))) for module in modules]


class LoadedStage:
    """A stage in ovstage, from where PhysX can take it any number of times.

    Each time PhysX builds its scene from nothing, so that a simulation has the same bits whatever was simulated before.
    """

    def __init__(self, path: Path, source: Usd.Stage | None = None) -> None:
        """Load a USD file.

        Args:
            path: The file.
            source: The stage of which the file is a copy, if it is to be followed: see :meth:`follow`. It must not have
                scene graph instances.
        """
        import ovstage

        start_physx()
        self._source, self._ordinal, self._sealed = source, 1, False
        self._scene = ovstage.Stage("graspd")
        self._moved: set[Sdf.Path] = set()
        self._changed: set[Sdf.Path] = set()
        self._moving: list[Sdf.Path] = []
        self._outdated = False
        self._listener = None
        domains = ovstage.PopulationDomain
        # Instances and the world transforms of nested prims come with the rendering domain only.
        domain = domains.ALL if source is None else domains.PHYSICS
        try:
            ovstage.population.open_usd(self._scene, os.fspath(path), ordinal=1, domains=domain)
            if source is not None:
                self._moving = moving_bodies(source)
                self._correct_world_transforms(source)
                self._listener = Tf.Notice.Register(Usd.Notice.ObjectsChanged, self._note, source)
            self._seal()
        except BaseException:
            self.close()
            raise

    def follow(self, source: Usd.Stage) -> bool:
        """Take over where prims of the source were moved since, and numbers that changed.

        Returns:
            False if this is a copy of another stage, or more has changed than that; then load it anew.
        """
        if self._source != source or self._outdated or self._moving != moving_bodies(source):
            return False
        movers = [UsdGeom.Xformable(source.GetPrimAtPath(path)) for path in sorted(self._moved.union(self._moving))]
        if any(mover.GetResetXformStack() for mover in movers):
            return False
        if movers:
            matrices = np.array([np.array(mover.GetLocalTransformation()) for mover in movers])
            with self.select([mover.GetPath() for mover in movers]) as query:
                self.write(query, {"omni:xform": matrices})
        for name in sorted({path.name for path in self._changed}):
            paths = [path for path in sorted(self._changed) if path.name == name]
            values = np.array([source.GetAttributeAtPath(path).Get() for path in paths], dtype=np.float32)
            with self.select([path.GetPrimPath() for path in paths]) as query:
                self.write(query, {name: values})
        self._write_world_transforms(source)
        self._seal()
        self._moved.clear()
        self._changed.clear()
        return True

    @contextmanager
    def select(self, paths: Iterable[Sdf.Path]) -> Iterator[Any]:
        """Select prims in ovstage for the length of the context."""
        import ovstage

        strings = [str(path) for path in paths]
        names = ovstage.PathDictionary(self._scene).create_path_list_from_strings(strings)
        with names, self._scene.query_from_path_list(names) as query:
            yield query

    def write(self, query: Any, values: dict[str, np.ndarray]) -> None:
        """Write attributes of prims by their names in ovstage, as matrices [prim_count, 4, 4] or numbers [prim_count].

        PhysX, if it has the stage, is told by :meth:`hand_over`.
        """
        import ovstage

        semantics = {3: ovstage.AttributeSemantic.MATRIX, 1: ovstage.AttributeSemantic.NONE}
        self._begin()
        writes = [
            ovstage.WriteDesc(name, np.ascontiguousarray(array), is_array=False, semantic=semantics[array.ndim])
            for name, array in values.items()
        ]
        self._scene.write_attributes(query, writes, self._ordinal).wait()

    def hand_over(self, physx: Any) -> None:
        """Tell PhysX, which has the stage, what was written since the last time."""
        self._seal()
        physx.wait_task(physx.update_from_ovstage(self._ordinal, self._ordinal))

    @contextmanager
    def attached(self) -> Iterator[Any]:
        """Have PhysX take the stage for the length of the context."""
        physx = start_physx()
        physx.wait_task(physx.attach_ovstage(self._scene, read_ordinal=self._ordinal))
        try:
            yield physx
        finally:
            physx.wait_task(physx.detach_ovstage())

    def close(self) -> None:
        """Free the copy."""
        if self._listener is not None:
            self._listener.Revoke()
        self._scene.destroy()

    def _note(self, notice: Usd.Notice.ObjectsChanged, _: Usd.Stage) -> None:
        for path in [*notice.GetResyncedPaths(), *notice.GetChangedInfoOnlyPaths()]:
            if path.IsPropertyPath() and UsdGeom.Xformable.IsTransformationAffectedByAttrNamed(path.name):
                self._moved.add(path.GetPrimPath())
            elif path.IsPropertyPath() and is_followed_number(path.name):
                self._changed.add(path)
            else:
                self._outdated = True

    def _correct_world_transforms(self, source: Usd.Stage) -> None:
        """Have PhysX compose world transforms; those given with the physics domain are copies of the local ones.

        Moving bodies keep theirs, which change in each step: the order in which PhysX takes the bodies, and so the bits
        of a simulation, follow from which attributes are there.
        """
        moving = set(self._moving)
        with self.select(prim.GetPath() for prim in source.Traverse() if prim.GetPath() not in moving) as query:
            self._begin()
            self._scene.delete_attributes(query, [_WORLD_TRANSFORM], ordinal=self._ordinal).wait()
        self._write_world_transforms(source)

    def _write_world_transforms(self, source: Usd.Stage) -> None:
        """Write those of moving bodies at the start."""
        if self._moving:
            cache = UsdGeom.XformCache()
            matrices = [np.array(cache.GetLocalToWorldTransform(source.GetPrimAtPath(path))) for path in self._moving]
            with self.select(self._moving) as query:
                self.write(query, {_WORLD_TRANSFORM: np.array(matrices)})

    def _begin(self) -> None:
        """Open a version for what is written next, unless one is open."""
        if self._sealed:
            self._ordinal += 1
            self._sealed = False

    def _seal(self) -> None:
        """Close the version, so that PhysX sees it."""
        self._scene.advance_write_floor(ordinal=self._ordinal).wait()
        self._sealed = True


_kept: list[LoadedStage] = []
"""The stage that was kept last, if any."""


@contextmanager
def attached_stage(stage: Usd.Stage, *, keep: bool) -> Iterator[tuple[Any, LoadedStage]]:
    """Have PhysX take a stage for the length of the context.

    Args:
        stage: The stage.
        keep: Keep what was loaded for the next time, at which only transforms and numbers that changed are read. One
            stage is kept at most, until the next is kept or the process ends.

    Yields:
        PhysX, and the copy of the stage that it has.
    """
    # Loaded in the same way whether it is kept or not: the order of its prims, and so the bits, depend on that.
    source = None if any(prim.IsInstance() for prim in stage.Traverse()) else stage
    if not keep or source is None:
        with closing(_load(stage, source)) as loaded, loaded.attached() as physx:
            yield physx, loaded
        return
    if not (_kept and _kept[0].follow(stage)):
        drop_kept_stage()
        _kept.append(_load(stage, source))
    with _kept[0].attached() as physx:
        yield physx, _kept[0]


@atexit.register
def drop_kept_stage() -> None:
    """Free the stage that is kept."""
    while _kept:
        _kept.pop().close()


def _load(stage: Usd.Stage, source: Usd.Stage | None) -> LoadedStage:
    with tempfile.TemporaryDirectory(prefix="graspd-") as folder:
        path = Path(folder) / "stage.usdc"
        _export(stage, path)
        return LoadedStage(path, source)


def _export(stage: Usd.Stage, path: Path) -> None:
    """Write the stage to one file; composing it takes time, and is left out where its root layer is all there is."""
    layers = [layer for layer in stage.GetUsedLayers() if layer != stage.GetSessionLayer() or not layer.empty]
    alone = layers == [stage.GetRootLayer()]
    (stage.GetRootLayer() if alone else stage.Flatten()).Export(os.fspath(path))
