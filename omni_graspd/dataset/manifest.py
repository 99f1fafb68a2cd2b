# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a dataset is and how it was made: ``dataset.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.table_schema import SCHEMA_VERSION
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened

_PACKAGES = (
    "omni-graspd",
    "numpy",
    "scipy",
    "trimesh",
    "warp-lang",
    "usd-core",
    "coacd",
    "ovphysx",
    "mitsuba",
    "pyarrow",
)


_LONGEST_NAME = 200
"""Most bytes in the name of a hand or object: with a suffix it has to fit the name of a file."""


@dataclass(frozen=True)
class Asset:
    """A hand or an object of a dataset."""

    file: str
    """Its USD file, relative to the dataset folder."""
    source: str
    """Name of the file it was read from, without folders."""
    hash: str
    """Hash of its geometry, joints, mass, look and label; see ``content_hash``."""
    license: str | None
    """Licence, where it is known: that of the built-in assets."""
    provenance: str | None
    """Where the asset comes from, where that is known."""


@dataclass(frozen=True)
class Manifest:
    """What is needed to make the same dataset again. No times, no machine paths."""

    config: dict[str, Any]
    """The whole configuration, nested, with hands and objects by name, seed included."""
    hands: dict[str, Asset]
    """Hands by name."""
    objects: dict[str, Asset]
    """Objects by name."""
    packages: dict[str, str]
    """Versions of the packages that bear on the results."""
    counts: dict[str, int]
    """How many grasps, scenes, scene grasps and images there are."""
    evaluation: dict[str, Any] = field(default_factory=dict)
    """Settings of the metrics that were added afterwards; empty before."""
    schema_version: int = SCHEMA_VERSION
    """Version of the tables and of the folder layout."""


def package_versions() -> dict[str, str]:
    """Return the installed versions of the packages that bear on the results; those not installed are left out."""
    from importlib import metadata

    from omni_graspd.version import __version__

    versions = {"omni-graspd": __version__}
    for name in _PACKAGES[1:]:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def write_manifest(manifest: Manifest, root: Path) -> None:
    """Write ``dataset.json``: all or nothing, same bytes for the same manifest."""
    content = {"schema_version": manifest.schema_version, **asdict(manifest)}
    if not manifest.evaluation:
        del content["evaluation"]
    with atomic_path(DatasetLayout(root).manifest) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_manifest(root: Path) -> Manifest:
    """Read ``dataset.json`` of a dataset folder.

    Raises:
        GraspdError: If the folder has none, or it is damaged or of another schema version.
    """
    path = DatasetLayout(root).manifest
    if not path.is_file():
        raise GraspdError(
            f"expected a dataset folder, got {root}, which has no dataset.json; create a dataset with `graspd generate "
            f"--out {root}`"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__}")
        version = content["schema_version"]
        if version == SCHEMA_VERSION:
            return _parse(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GraspdError(
            f"{path} is not the dataset.json of a dataset ({shortened(f'{type(error).__name__}: {error}', 160)}); "
            "choose another folder with --out"
        ) from error
    raise GraspdError(
        f"expected a dataset of schema version {SCHEMA_VERSION}, got version {shortened(str(version))} in {root}; "
        "choose another folder with --out, or use the version of omni-graspd that made it"
    )


def is_around_table(config: dict[str, Any]) -> bool:
    """Tell whether the grasps of a dataset are made for how its objects lie, a set for each rest pose."""
    return config.get("around") == "table"


def _plain(name: str) -> str:
    """Return the name of a hand or an object, of which paths are made; datasets of strangers may name any path."""
    is_one = name and not name.startswith(".") and not any(letter in name for letter in "/\\:\0")
    if not is_one or len(name.encode(errors="replace")) > _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"name {shortened(name)!r}, which is no file name")
    return name


_SETTINGS: dict[str, Any] = {
    **dict.fromkeys(("hand", "object"), list),
    **dict.fromkeys(("around", "backend", "device"), str),
    **dict.fromkeys(("seed", "grasps", "scenes"), int),
    **{name: {} for name in ("synthesis", "metrics", "imported")},
    "scene": {"clutter": int},
    "camera": {"stereo": bool},
    "render": {"annotators": list},
}
"""Kinds of the settings that are read one by one; a table stands for nested ones."""
_EVALUATION: dict[str, Any] = {"largest_displacement": float, "hold": {"moved_threshold": float}}
_ALWAYS = ("seed", "backend", "device")
_AROUND_TABLE = ("grasps", "scenes", "scene")
_LARGEST = 2**63


def _check_kinds(values: Any, kinds: dict[str, Any], name: str) -> None:
    """Refuse settings that are of another kind than the code that reads them expects."""
    if not isinstance(values, dict):
        raise ValueError(f"{name} that is no table")
    for key, kind in kinds.items():
        if key not in values:
            continue
        value = values[key]
        if isinstance(kind, dict):
            _check_kinds(value, kind, f"{name}.{key}")
        elif kind is float and type(value) in (int, float) and abs(value) < _LARGEST:
            continue
        elif type(value) is not kind or (kind is int and not 0 <= value < _LARGEST):
            raise ValueError(f"{name}.{key} {shortened(repr(value))}, which is no {kind.__name__} that it can be")


def _asset(content: Any, name: str) -> Asset:
    """Return a hand or object; all it says is text."""
    asset = Asset(**content)
    if not all(isinstance(value, str) for value in (asset.file, asset.source, asset.hash)) or not all(
        value is None or isinstance(value, str) for value in (asset.license, asset.provenance)
    ):
        raise ValueError(f"the entry of {shortened(name)!r}, in which something is no text")
    return asset


def _check_config(config: Any) -> None:
    _check_kinds(config, _SETTINGS, "config")
    annotators = config.get("render", {}).get("annotators", [])
    if not all(isinstance(name, str) for name in annotators):
        raise ValueError("config.render.annotators that are no names")
    needed = _ALWAYS + (_AROUND_TABLE if is_around_table(config) else ())
    lacking = [name for name in needed if name not in config] if "synthesis" in config else []
    if lacking or (is_around_table(config) and "clutter" not in config["scene"]):
        raise ValueError(f"a config without {lacking[0] if lacking else 'scene.clutter'}")


def _parse(content: dict[str, Any]) -> Manifest:
    config = content["config"]
    _check_config(config)
    _check_kinds(content["counts"], dict.fromkeys(content["counts"], int), "counts")
    _check_kinds(content["packages"], dict.fromkeys(content["packages"], str), "packages")
    _check_kinds(content.get("evaluation", {}), _EVALUATION, "evaluation")
    if "synthesis" in config:
        config.setdefault("around", "nothing")  # before there was the setting, all objects floated
    return Manifest(
        config=config,
        hands={_plain(name): _asset(asset, name) for name, asset in content["hands"].items()},
        objects={_plain(name): _asset(asset, name) for name, asset in content["objects"].items()},
        packages=content["packages"],
        counts=content["counts"],
        evaluation=content.get("evaluation", {}),
    )
