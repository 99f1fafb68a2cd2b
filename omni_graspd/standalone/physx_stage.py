# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Stages in PhysX: loaded through ovstage, attached for a simulation, kept for the next one where that is wanted."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Sdf, Tf, Usd, UsdGeom


@cache
def start_physx() -> Any:
    """Start PhysX once for the life of the process, on the CPU, on the calling thread, without chatter.

    Worker threads cost a hundred times more than a step of a few bodies, hence none.
    """
    import ovphysx
    import ovstage
    from ovphysx.types import GlobalConfigKey, LogLevel

    ovphysx.set_global_config(GlobalConfigKey.LOG_LEVEL, LogLevel.ERROR)
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
        self._source, self._ordinal = source, 1
        self._scene = ovstage.Stage("graspd")
        self._moved: set[Sdf.Path] = set()
        self._outdated = False
        self._listener = None
        domains = ovstage.PopulationDomain
        # Instances and the world transforms of nested prims come with the rendering domain only.
        domain = domains.ALL if source is None else domains.PHYSICS
        try:
            ovstage.population.open_usd(self._scene, os.fspath(path), ordinal=1, domains=domain)
            if source is not None:
                self._forget_world_transforms()
                self._listener = Tf.Notice.Register(Usd.Notice.ObjectsChanged, self._note, source)
            self._scene.advance_write_floor(ordinal=self._ordinal).wait()
        except BaseException:
            self.close()
            raise

    def follow(self, source: Usd.Stage) -> bool:
        """Take over where prims of the source were moved since.

        Returns:
            False if this is a copy of another stage, or more has changed than transforms; then load it anew.
        """
        if self._source != source or self._outdated:
            return False
        if self._moved:
            paths = sorted(self._moved)
            transforms = [UsdGeom.Xformable(source.GetPrimAtPath(path)) for path in paths]
            if any(transform.GetResetXformStack() for transform in transforms):
                return False
            matrices = np.array([np.array(transform.GetLocalTransformation()) for transform in transforms])
            self._write_transforms([str(path) for path in paths], matrices)
            self._moved.clear()
        return True

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
            else:
                self._outdated = True

    def _forget_world_transforms(self) -> None:
        """Have PhysX compose world transforms; those given with the physics domain are copies of the local ones."""
        self._ordinal += 1
        with self._scene.query() as query:
            query.wait()
            self._scene.delete_attributes(query, ["omni:fabric:worldMatrix"], ordinal=self._ordinal).wait()

    def _write_transforms(self, paths: list[str], matrices: np.ndarray) -> None:
        import ovstage

        self._ordinal += 1
        dictionary = ovstage.PathDictionary(self._scene)
        with dictionary.create_path_list_from_strings(paths) as names, self._scene.query_from_path_list(names) as query:
            self._scene.write_attribute(
                query,
                "omni:xform",
                self._ordinal,
                np.ascontiguousarray(matrices),
                is_array=False,
                semantic=ovstage.AttributeSemantic.MATRIX,
            ).wait()
        self._scene.advance_write_floor(ordinal=self._ordinal).wait()


_kept: list[LoadedStage] = []
"""The stage that was kept last, if any."""


@contextmanager
def attached_stage(stage: Usd.Stage, *, keep: bool) -> Iterator[Any]:
    """Have PhysX take a stage for the length of the context.

    Args:
        stage: The stage.
        keep: Keep what was loaded for the next time, at which only transforms that changed are read. One stage is kept
            at most, until the next is kept or the process ends.
    """
    if keep and _kept and _kept[0].follow(stage):
        loaded = _kept[0]
    elif keep and not any(prim.IsInstance() for prim in stage.Traverse()):
        drop_kept_stage()
        loaded = _load(stage, stage)
        _kept.append(loaded)
    else:
        with closing(_load(stage, None)) as loaded, loaded.attached() as physx:
            yield physx
        return
    with loaded.attached() as physx:
        yield physx


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
