# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Creating, opening and saving stages: metres, kilograms, Z up, one default prim, atomic writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from pxr import Sdf, Tf, Usd, UsdGeom, UsdPhysics

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.git_lfs import check_no_lfs_pointer
from omni_graspd.plain_text import shortened
from omni_graspd.usd.composition_size import check_composition
from omni_graspd.usd.crate_size import check_crate
from omni_graspd.usd.missing_files import without_warnings
from omni_graspd.usd.stage_values import check_values
from omni_graspd.usd.text_nesting import check_nesting


def create_stage(root_name: str, path: Path | None = None) -> Usd.Stage:
    """Create a stage in metres, kilograms and Z up, with an Xform default prim ``/root_name``.

    Args:
        root_name: Name of the default prim.
        path: Where the stage will be saved, so that relative references and textures resolve before that; nothing is
            written until :func:`save_stage`. Without it the layer is anonymous.
    """
    layer = Sdf.Layer.CreateAnonymous(".usda") if path is None else _unsaved_layer(path)
    stage = Usd.Stage.Open(layer)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdPhysics.SetStageKilogramsPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, f"/{root_name}").GetPrim())
    return stage


def _unsaved_layer(path: Path) -> Sdf.Layer:
    identifier = os.fspath(path.absolute())
    layer = Sdf.Layer.Find(identifier)
    if layer is not None:
        layer.Clear()
        return layer
    return Sdf.Layer.New(Sdf.FileFormat.FindByExtension("usda"), identifier)


def open_stage(path: Path, *, is_quiet: bool = False) -> Usd.Stage:
    """Open a USD file.

    Args:
        path: The file.
        is_quiet: Keep OpenUSD's warnings off the terminal: the caller says itself what is missing.

    Raises:
        GraspdError: If the file is missing or is not USD, is composed of too many prims, or has values of other kinds
            than its attributes.
    """
    _require_file(path)
    name = os.fspath(path)
    with reading_usd(path):
        layer = Sdf.Layer.FindOrOpen(name)
        # Kept until the stage holds them, so that nothing is read twice.
        layers = check_composition(layer) if layer else []
        with without_warnings() if is_quiet else nullcontext():
            stage = Usd.Stage.Open(name)
        layers.clear()
        check_values(stage, path)
    return stage


def open_layer(path: Path) -> Sdf.Layer:
    """Read a USD file alone, as it is on disk, without what it references.

    Raises:
        GraspdError: If the file is missing or is not USD.
    """
    _require_file(path)
    with reading_usd(path):
        return Sdf.Layer.OpenAsAnonymous(os.fspath(path))


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise GraspdError(f"expected a USD file, got {path}, which does not exist; check the path")
    check_no_lfs_pointer(path)
    check_nesting(path)
    check_crate(path)


def file_of(stage: Usd.Stage) -> str:
    """Return the path of a stage's file, or its identifier if it lies in no file."""
    layer = stage.GetRootLayer()
    return layer.realPath or layer.identifier


@contextmanager
def reading_usd(path: Path | str) -> Iterator[None]:
    """Turn what OpenUSD says of a broken file into one line; parts of a file are read as late as they are asked for.

    Args:
        path: The file.

    Raises:
        GraspdError: If OpenUSD cannot read what the block asks for.
    """
    try:
        yield
    except (Tf.ErrorException, UnicodeDecodeError) as error:
        raise GraspdError(f"expected a readable USD file, got {path} ({_reason(error)}); re-export it") from error


def _reason(error: Exception) -> str:
    try:
        return shortened(str(error.args[0].commentary), 200) if isinstance(error, Tf.ErrorException) else "no UTF-8"
    except (IndexError, UnicodeDecodeError):  # It repeats what it has found in the file.
        return "no USD"


def save_stage(stage: Usd.Stage, path: Path) -> None:
    """Write the stage's root layer to ``path`` under a temporary name and rename it: all or nothing.

    Raises:
        GraspdError: If the disk is full or the folder cannot be written.
    """
    save_layer(stage.GetRootLayer(), path)


def save_layer(layer: Sdf.Layer, path: Path) -> None:
    """Write a layer to ``path`` under a temporary name and rename it: all or nothing.

    Raises:
        GraspdError: If the disk is full or the folder cannot be written.
    """
    try:
        with atomic_path(path) as temporary:
            layer.Export(os.fspath(temporary))
    except Tf.ErrorException as error:
        reason = str(error).strip().splitlines()[0].rpartition(" : ")[2].strip("' ")
        raise GraspdError(f"expected to write {path}, got {reason!r}; free some space or mend the folder") from error


def prim_name(name: str) -> str:
    """Return ``name`` with what USD does not allow in prim names replaced, for example ``025_mug`` -> ``_025_mug``."""
    return Tf.MakeValidIdentifier(name)
