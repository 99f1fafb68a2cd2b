# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The extension's folder as Kit's tools expect it, made from a checkout or an installed wheel, and checked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.library import data_folder, list_names

EXTENSION_NAME = "omni.graspd"
"""The extension's name, which Kit takes from the folder's."""

_CONFIG = Path("config") / "extension.toml"
ROOT_FILES = (
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs/*.md",
    "docs/images/*.jpg",
    "docs/images/*.png",
    "docs/images/*.webp",
    "kit_app/*.py",
    "kit_app/*.kit",
)
"""What is laid out besides the package and its data, as patterns; pyproject.toml has the same for the wheel."""

_NOT_CODE = ("__pycache__", "*.pyc", "data", "extension")
"""What does not belong to the package's code; in a wheel the last two are folders of it."""
_LIBRARY_TEST = (
    "from omni_graspd.library import data_folder, list_names, resolve; "
    "print(data_folder()); print(*list_names('hands')); print(*list_names('objects'))"
)


@dataclass(frozen=True)
class StagedExtension:
    """A staged folder that passed its self-check."""

    path: Path
    """The extension's folder, named like the extension."""
    file_count: int
    """Files in it."""
    byte_count: int
    """Their size [B]."""


def stage_extension(folder: Path) -> StagedExtension:
    """Lay out ``folder/omni.graspd`` with everything the extension needs, check it, and only then let it appear.

    Args:
        folder: A folder of extensions, for example Isaac Sim's ``extsUser``; made if it is missing.

    Returns:
        What was written.

    Raises:
        GraspdError: If the folder cannot be written or has such an extension already, if this installation lacks a
            file, or if what was laid out fails its self-check.
    """
    target = folder / EXTENSION_NAME
    if folder.exists() and not folder.is_dir():
        raise GraspdError(f"expected a folder for extensions, got the file {folder}; give a folder")
    if target.exists():
        raise GraspdError(f"{folder} already contains {EXTENSION_NAME}; remove {target} or choose another folder")
    source = _source_folder()
    try:
        with atomic_path(target) as partial:
            _copy_extension(source, partial)
            faults = check_extension(partial)
            if faults:
                raise GraspdError(f"{target} failed its self-check: {'; '.join(faults)}; reinstall omni-graspd")
    except OSError as error:
        raise GraspdError(f"cannot write to {folder}: {error.strerror or error}; choose a writable folder") from error
    files = [path for path in target.rglob("*") if path.is_file()]
    return StagedExtension(target, len(files), sum(path.stat().st_size for path in files))


def check_extension(path: Path) -> list[str]:
    """Return what is wrong with an extension's folder; nothing if it is ready for Kit.

    ``extension.toml`` must parse and all files and modules that it names must be there, all Python files must compile,
    and the package must find its hands and objects beside it. No file is written.

    Args:
        path: The extension's folder: a staged one, or a checkout with ``extension.toml`` at its top.
    """
    config = next((path / name for name in (_CONFIG, "extension.toml") if (path / name).is_file()), None)
    if config is None:
        return [f"no {_CONFIG}"]
    try:
        settings = tomllib.loads(config.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [f"{config.name} does not parse: {error}"]
    return [*_missing_files(path, settings), *_broken_modules(path), *_missing_assets(path)]


def named_files(settings: dict) -> list[str]:
    """Return the files that an ``extension.toml`` names, relative to the extension's folder."""
    package = settings.get("package", {})
    names = [package[key] for key in ("readme", "changelog", "icon", "preview_image") if key in package]
    return list(dict.fromkeys([*names, *settings.get("documentation", {}).get("pages", [])]))


def _source_folder() -> Path:
    """Return where ``extension.toml`` lies: ``extension/`` in the package of a wheel, the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "extension", package.parent, package.parent / "config"):
        if (folder / "extension.toml").is_file():
            return folder.parent if folder.name == "config" else folder
    raise GraspdError(f"extension.toml is missing from {package / 'extension'}; reinstall omni-graspd")


def _copy_extension(source: Path, target: Path) -> None:
    package = Path(__file__).resolve().parents[1]
    shutil.copytree(package, target / package.name, ignore=shutil.ignore_patterns(*_NOT_CODE))
    shutil.copytree(data_folder(), target / "data", ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.py"))
    files = {Path("extension.toml"): _CONFIG, _CONFIG: _CONFIG}
    for pattern in ROOT_FILES:
        files |= {path.relative_to(source): path.relative_to(source) for path in source.glob(pattern)}
    for name, new in files.items():
        if (source / name).is_file():
            (target / new).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / new)


def _missing_files(path: Path, settings: dict) -> list[str]:
    faults = [
        f"extension.toml names {name}, which is missing"
        for name in named_files(settings)
        if not (path / name).is_file()
    ]
    for module in settings.get("python", {}).get("module", []):
        folder = path / module["name"].replace(".", "/")
        if not (folder / "__init__.py").is_file() and not folder.with_suffix(".py").is_file():
            faults.append(f"extension.toml names the module {module['name']}, which is missing")
    return faults


def _broken_modules(path: Path) -> list[str]:
    faults = []
    for file in sorted([*(path / "omni_graspd").rglob("*.py"), *(path / "kit_app").glob("*.py")]):
        try:
            compile(file.read_text(encoding="utf-8"), str(file), "exec")
        except (SyntaxError, ValueError) as error:
            faults.append(f"{file.relative_to(path)} does not compile: {error}")
    return faults


def _missing_assets(path: Path) -> list[str]:
    """Ask the package in the folder, in a process of its own, which hands and objects it finds."""
    result = subprocess.run(
        [sys.executable, "-B", "-c", _LIBRARY_TEST],
        env=os.environ | {"PYTHONPATH": str(path)},
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        return [f"the package cannot find its assets: {result.stderr.strip().splitlines()[-1]}"]
    folder, hands, objects = result.stdout.splitlines()[:3]
    if Path(folder) != (path / "data").resolve():
        return [f"the package takes its assets from {folder} instead of data/"]
    faults = []
    for kind, found in (("hands", hands.split()), ("objects", objects.split())):
        missing = sorted(set(list_names(kind)) - set(found))  # type: ignore[arg-type]
        if missing:
            faults.append(f"{kind} missing from data/: {', '.join(missing)}")
    return faults
