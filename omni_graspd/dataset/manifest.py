# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a dataset is and how it was made: ``dataset.json``, and the rules for opening an output folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omni_graspd.atomic import PARTIAL_PREFIX, atomic_path, remove_leftovers
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.table_schema import SCHEMA_VERSION
from omni_graspd.errors import GraspdError

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

    from omni_graspd import __version__

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
            f"expected a dataset folder, got {root}, which has no dataset.json; "
            f"make one with `graspd generate --out {root}`"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["schema_version"]
        if version == SCHEMA_VERSION:
            return _parse(content)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise GraspdError(
            f"expected {path} to be the dataset.json of a dataset, got something else ({error!r}); "
            "choose another folder with --out"
        ) from error
    raise GraspdError(
        f"expected a dataset of schema version {SCHEMA_VERSION}, got version {version} in {root}; "
        "choose another folder with --out, or use the omni-graspd that made it"
    )


def _parse(content: dict[str, Any]) -> Manifest:
    return Manifest(
        config=content["config"],
        hands={name: Asset(**asset) for name, asset in content["hands"].items()},
        objects={name: Asset(**asset) for name, asset in content["objects"].items()},
        packages=content["packages"],
        counts=content["counts"],
        evaluation=content.get("evaluation", {}),
    )


def open_dataset(root: Path, manifest: Manifest) -> Manifest:
    """Begin a dataset in a folder, or go on with the one that is there.

    A new or empty folder gets its ``dataset.json``. A folder that holds a dataset with the same configuration, hands,
    objects and package versions is gone on with; what a killed run left half-written is deleted.

    Args:
        root: The dataset folder.
        manifest: What this run would make; counts do not matter.

    Returns:
        The manifest as it lies in the folder.

    Raises:
        GraspdError: If the folder holds something else, or a dataset made with other settings; the message names them.
    """
    if root.exists() and not root.is_dir():
        raise GraspdError(f"expected --out to be a folder, got the file {root}; choose another name with --out")
    if not DatasetLayout(root).manifest.exists():
        if root.exists() and any(not path.name.startswith(PARTIAL_PREFIX) for path in root.iterdir()):
            raise GraspdError(
                f"expected --out to be a new or empty folder or a dataset, got {root}, which holds other "
                "files; choose another folder with --out"
            )
        remove_leftovers(root)
        write_manifest(manifest, root)
        return manifest
    present = read_manifest(root)
    differences = _differences(_identity(present), _identity(manifest))
    if differences:
        raise GraspdError(
            f"expected the settings with which {root} was begun, got others: {', '.join(differences)}; "
            "choose another folder with --out, or give the same settings to go on"
        )
    remove_leftovers(root)
    return present


def _identity(manifest: Manifest) -> dict[str, Any]:
    content = json.loads(json.dumps(asdict(manifest)))
    del content["counts"], content["evaluation"]
    return content


def _differences(present: Any, wanted: Any, name: str = "") -> list[str]:
    if isinstance(present, dict) and isinstance(wanted, dict):
        found = []
        for key in dict.fromkeys([*present, *wanted]):
            path = key if name in ("", "config") else f"{name}.{key}"
            found += _differences(present.get(key), wanted.get(key), path)
        return found
    if present == wanted:
        return []
    return [f"{name} (there {_short(present)}, now {_short(wanted)})"]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
