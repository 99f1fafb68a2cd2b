# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The commands ``graspd objects ...``: their arguments, and what they print."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro

from omni_graspd.cli.console import Action
from omni_graspd.errors import GraspdError
from omni_graspd.library import data_folder, is_in_library, list_all_names, resolve
from omni_graspd.objects.intake import IntakeReport, check_object
from omni_graspd.objects.length_unit import SharedUnit
from omni_graspd.objects.object_reader import ObjectReaderConfig
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.shared_units import shared_units
from omni_graspd.objects.user_objects import add_object, check_name_is_free, remove_object, rename_object
from omni_graspd.plural import counted
from omni_graspd.usd.simready_package import Provenance

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"accepted": "green", "repaired": "yellow", "refused": "bold red"}


@dataclass(frozen=True, kw_only=True)
class ProvenanceOptions:
    """What a package says about where an object comes from."""

    author: str = "unknown"
    """Person or organisation that made the object."""
    license: str = "unknown"
    """Licence, for example CC-BY-4.0."""
    category: str = ""
    """What it is, for catalogues. Default: its label."""
    qcode: str = ""
    """Wikidata item of what it is, for example Q89. Default: that of a physical object."""


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """How files are read."""

    intake: ObjectReaderConfig = field(default_factory=ObjectReaderConfig)
    """How files are read: units, mass, repair; objects in the library are used as they are."""


@dataclass(frozen=True, kw_only=True)
class AddOptions:
    """How files are read and kept."""

    name: str | None = None
    """Name in the library, for a single file. Default: the file's name, or its folder's if that says more."""
    label: str | None = None
    """Semantic class. Default: the file's, otherwise the name without its number."""
    replace: bool = False
    """Replace an existing object of that name."""
    provenance: ProvenanceOptions = field(default_factory=ProvenanceOptions)
    """Author and licence."""
    intake: ObjectReaderConfig = field(default_factory=ObjectReaderConfig)
    """How files are read: units, mass, repair; objects in the library are used as they are."""


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What goes into a package."""

    out: Path
    """Folder for the package: OUT/NAME/simready/NAME.usda."""
    grasps: Path | None = None
    """Dataset folder whose grasps of the object go into the package."""
    most: int = 64
    """Maximum number of grasps, the best of all hands."""
    provenance: ProvenanceOptions = field(default_factory=ProvenanceOptions)
    """Author and licence."""
    intake: ObjectReaderConfig = field(default_factory=ObjectReaderConfig)
    """How files are read: units, mass, repair; objects in the library are used as they are."""


def add(
    files: Annotated[tuple[str, ...], tyro.conf.Positional],
    options: Annotated[AddOptions, tyro.conf.arg(name="")],
) -> Action:
    """Import meshes and USD files into your library, repaired, as USD packages for use with --object NAME.

    Exits with code 1 if a file was refused.

    Args:
        files: OBJ, PLY, STL, GLB, glTF or USD files, or quoted globs.
        options: Import options.
    """
    return partial(_add, files, options)


def check(
    files: Annotated[tuple[str, ...], tyro.conf.Positional],
    options: Annotated[CheckOptions, tyro.conf.arg(name="")],
) -> Action:
    """Report what an import would do with files or objects: accept, repair (and how) or refuse (why, and the remedy).

    Exits with code 1 if one would be refused.

    Args:
        files: Files, names of objects, or quoted globs.
        options: Import options.
    """
    return partial(_check, files, options)


def list_() -> Action:
    """List the built-in and imported objects with their sizes, masses and labels."""
    return _list


def remove(name: Annotated[str, tyro.conf.Positional]) -> Action:
    """Delete an object from your library.

    Args:
        name: Name of the object.
    """
    return partial(_remove, name)


def export(
    name: Annotated[str, tyro.conf.Positional], options: Annotated[ExportOptions, tyro.conf.arg(name="")]
) -> Action:
    """Write an object as a SimReady package for Isaac Sim, optionally with grasps from a dataset.

    Args:
        name: Name of an object, or a file.
        options: What goes into it.
    """
    return partial(_export, name, options)


def _paths(patterns: Sequence[str]) -> list[Path]:
    """Turn names, files and globs into files; a file that is not there is reported like any other bad one."""
    if not patterns:
        raise GraspdError("expected one or more files, got none; name the files")
    paths: list[Path] = []
    for pattern in patterns:
        is_path = Path(pattern).suffix and not any(character in pattern for character in "*?[")
        is_name = pattern in list_all_names("objects")
        paths += [Path(pattern)] if is_path and not is_name else resolve("objects", pattern)
    return list(dict.fromkeys(paths))


def _check(patterns: Sequence[str], options: CheckOptions, console: Console) -> None:
    paths = _paths(patterns)
    units = shared_units(paths, options.intake)
    reports = [_examine(path, options.intake, units, console) for path in paths]
    _finish(reports, console)


def _examine(
    path: Path, config: ObjectReaderConfig, units: Mapping[Path, SharedUnit], console: Console
) -> IntakeReport:
    report = check_object(path, None if is_in_library(path) else config, units.get(path))
    console.print(f"{path}: {report.line}", style=_STYLES[report.verdict], soft_wrap=True, markup=False)
    if report.rigid is not None:
        console.print(f"    {_facts(report.rigid, report.volume)}", soft_wrap=True, markup=False)
        for note in report.rigid.notes:
            if note not in report.repairs:
                console.print(f"    {note}", style="dim", soft_wrap=True, markup=False)
    return report


def _facts(rigid: RigidObject, volume: float) -> str:
    sides = " x ".join(f"{1e3 * side:.0f}" for side in np.ptp(rigid.mesh.vertices, axis=0))
    look = "texture" if rigid.appearance.texture and rigid.visual.uvs is not None else "plain colour"
    return (
        f"{rigid.name} ({rigid.label}): {sides} mm, {1e6 * volume:.0f} cm3, {rigid.mass:.3g} kg, "
        f"{len(rigid.mesh.faces)} faces, {look}"
    )


def _finish(reports: Sequence[IntakeReport], console: Console) -> None:
    if len(reports) > 1:
        counts = {verdict: sum(report.verdict == verdict for report in reports) for verdict in _STYLES}
        console.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    if any(report.verdict == "refused" for report in reports):
        sys.exit(1)


def _add(patterns: Sequence[str], options: AddOptions, console: Console) -> None:
    paths = _paths(patterns)
    if options.name is not None and len(paths) > 1:
        raise GraspdError(f"--name takes a single file, got {len(paths)}; add them one at a time")
    units = shared_units(paths, options.intake)
    reports = []
    for path in paths:
        report = _examine(path, options.intake, units, console)
        reports.append(report)
        if report.rigid is not None:
            rigid = rename_object(report.rigid, options.name, options.label)
            check_name_is_free(rigid.name, replace_existing=options.replace)
            with tempfile.TemporaryDirectory() as scratch:
                thumbnail = _draw(rigid, Path(scratch))
                provenance = _provenance(options.provenance)
                target = add_object(rigid, provenance, thumbnail, replace_existing=options.replace)
            console.print(f"    added as {rigid.name}: {target}", soft_wrap=True, markup=False)
    _finish(reports, console)


def _draw(rigid: RigidObject, folder: Path) -> Path:
    # Rendering and its packages are only loaded where they are needed.
    from omni_graspd.backend import load_backend
    from omni_graspd.inspection.object_pictures import write_thumbnail

    write_thumbnail(load_backend("auto"), rigid, folder / "thumbnail.png")
    return folder / "thumbnail.png"


def _provenance(options: ProvenanceOptions) -> Provenance:
    return Provenance(
        author=options.author,
        license=options.license,
        date=date.today().isoformat(),
        category=options.category,
        qcode=options.qcode,
    )


def _list(console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "label", "size mm", "mass kg", "faces", "where"):
        table.add_column(column, justify="right" if column in ("size mm", "mass kg", "faces") else "left")
    for name in list_all_names("objects"):
        (path,) = resolve("objects", name)
        report = check_object(path)
        where = "built in" if path.is_relative_to(data_folder()) else str(path)
        if report.rigid is None:
            table.add_row(name, "-", "-", "-", "-", f"{where}: {report.line}")
            continue
        rigid = report.rigid
        sides = " x ".join(f"{1e3 * side:.0f}" for side in np.ptp(rigid.mesh.vertices, axis=0))
        table.add_row(name, rigid.label, sides, f"{rigid.mass:.3g}", str(len(rigid.mesh.faces)), where)
    console.print(table)


def _remove(name: str, console: Console) -> None:
    console.print(f"removed {remove_object(name)}", soft_wrap=True, markup=False)


def _export(name: str, options: ExportOptions, console: Console) -> None:
    from omni_graspd.objects.simready_object import write_simready_object

    (path, *others) = _paths([name])
    if others:
        raise GraspdError(f"expected one object, got {len(others) + 1} matching {name!r}; name one of them")
    report = check_object(path, None if is_in_library(path) else options.intake)
    if report.rigid is None:
        raise GraspdError(report.reason)
    grasps = []
    if options.grasps is not None:
        from omni_graspd.dataset.grasp_export import dataset_grasp_vectors

        grasps = dataset_grasp_vectors(options.grasps, report.rigid, options.most)
    with tempfile.TemporaryDirectory() as scratch:
        thumbnail = _draw(report.rigid, Path(scratch))
        provenance = _provenance(options.provenance)
        target = write_simready_object(report.rigid, options.out, provenance, thumbnail, grasps)
    console.print(f"{target}: {counted(len(grasps), 'grasp')}", soft_wrap=True, markup=False)
