# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One run over one dataset folder: settings resolved to hands, objects, backend and device, and the folder opened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import warp as wp

from omni_graspd.atomic import writing_to
from omni_graspd.backend import Backend, load_backend, local_asset
from omni_graspd.dataset.asset_copies import asset_entry
from omni_graspd.dataset.checksums import forget_checksums, update_checksums
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.dataset_folder import open_dataset
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.lock import exclusive
from omni_graspd.dataset.manifest import Asset, Manifest, package_versions, read_manifest, write_manifest
from omni_graspd.dataset.remote_folder import RemoteFolder, remote_address
from omni_graspd.dataset.scene_rest_poses import SceneRestPoses, floating, read_scene_rest_poses
from omni_graspd.dataset.table_files import row_count, true_count
from omni_graspd.dataset.table_kinds import GRASPS, SCENE_GRASPS
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.library import Kind, resolve
from omni_graspd.objects.object_library import default_objects, load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.shared_units import shared_units

_DEFAULT_HAND = "allegro"


@dataclass(frozen=True)
class Run:
    """Everything the stages need."""

    config: GenerateConfig
    """Settings."""
    layout: DatasetLayout
    """Paths of the dataset."""
    hands: tuple[Hand, ...]
    """Hands, in the order of the settings."""
    objects: tuple[RigidObject, ...]
    """Objects, in the order of the settings."""
    backend: Backend
    """What simulates and renders."""
    device: str
    """Warp device of synthesis and metrics."""
    renderer: tuple[str, str]
    """Which renderer the backend takes, and why."""
    manifest: Manifest
    """What this run makes; its counts are those at the start."""
    remote: RemoteFolder | None = None
    """Where in an object store the dataset lies, if it does; workers do not reach there."""
    rest_poses: Mapping[str, SceneRestPoses] = field(default_factory=dict)
    """How each object lies in its scenes, by name; of a run of :meth:`with_rest_poses`, empty before."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle all but the backend, which is loaded again by its name: workers have simulators of their own."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "backend"}
        values |= {"layout": DatasetLayout(self.layout.root.absolute()), "remote": None}
        return _restore_run, (values, self.backend.name)

    def with_rest_poses(self) -> Run:
        """Return the run with what its scene files say of how the objects lie.

        Raises:
            GraspdError: If a scene is missing where grasps depend on it, or damaged.
        """
        scenes = range(self.config.scenes)
        if self.config.around == "nothing":
            return replace(self, rest_poses={obj.name: floating(len(scenes)) for obj in self.objects})
        others = self.objects if self.config.scene.clutter else ()
        rest_poses = {obj.name: read_scene_rest_poses(self.layout, obj.name, scenes, others) for obj in self.objects}
        return replace(self, rest_poses=rest_poses)

    def begin_change(self, files: Iterable[Path]) -> None:
        """Forget the checksums of files that are about to be written anew, so that a killed run leaves no wrong one."""
        forget_checksums(self.layout.root, {path.relative_to(self.layout.root).as_posix() for path in files})

    def finish_stage(self) -> None:
        """Count what is there, write it to the manifest, and the checksums of what is new."""
        write_manifest(replace(self.manifest, counts=self._counts()), self.layout.root)
        update_checksums(self.layout.root)
        self.send()

    def _counts(self) -> dict[str, int]:
        tables = [table for obj in self.objects for table in self.layout.scene_tables(obj.name)]
        pairs = [self.layout.grasps(hand.name, obj.name) for obj in self.objects for hand in self.hands]
        grasp_tables = [path for path in pairs if path.is_file()]
        counts = {
            "grasps": sum(row_count(path, GRASPS) for path in grasp_tables),
            "scenes": sum(len(self.layout.scene_indices(obj.name)) for obj in self.objects),
            "scene_grasps": sum(row_count(path, SCENE_GRASPS) for path in tables),
            "images": sum(len(self.layout.image_folders(obj.name)) for obj in self.objects),
        }
        if self.config.around == "nothing":
            return counts
        return counts | {
            "usable_grasps": sum(true_count(path, "usable") for path in grasp_tables),
            "rest_poses": sum(rest.count for rest in self.with_rest_poses().rest_poses.values()),
        }

    def send(self, *, every: float = 0.0) -> None:
        """Send what is new to where the dataset lies, if that is not here; not more often than ``every`` seconds."""
        if self.remote is not None:
            self.remote.push(every=every)


def _restore_run(values: dict[str, Any], backend: str) -> Run:
    return Run(**values, backend=load_backend(backend))  # type: ignore[arg-type]


@contextmanager
def open_run(config: GenerateConfig, backend: Backend | None = None) -> Iterator[Run]:
    """Load hands and objects, then open the dataset folder and hold it while the block runs.

    Args:
        config: Settings.
        backend: What simulates and renders; ``None`` loads the one that the settings name.

    Yields:
        The run.

    Raises:
        GraspdError: If a hand, an object, the device or the backend cannot be had, or the folder cannot be used.
            Nothing is written before all of them are there.
    """
    device, backend = resolve_device(config.device), backend or load_backend(config.backend)
    hands = tuple(load_hand(str(path)) for path in _files("hands", config.hand or (_DEFAULT_HAND,)))
    files = _files("objects", config.object or default_objects())
    units = shared_units(files, config.intake)
    objects = tuple(load_object(str(path), config.intake, units.get(path)) for path in files)
    _check_names("hands", hands)
    _check_names("objects", objects)
    renderer = backend.choose_renderer(config.render)
    manifest = Manifest(
        config=_settings(config, hands, objects) | {"device": device, "backend": backend.name, "renderer": renderer[0]},
        hands={hand.name: _entry(hand, f"hands/{hand.name}.usd", config.out) for hand in hands},
        objects={obj.name: _entry(replace(obj, notes=()), f"objects/{obj.name}.usd", config.out) for obj in objects},
        packages=package_versions(),
        counts={},
    )
    address = remote_address(config.out)
    remote = RemoteFolder.open(address, config.work) if address else None
    root = remote.local if remote else config.out
    with writing_to(root):
        if not root.exists():
            root.mkdir(parents=True)
        with exclusive(root):
            if remote:
                remote.pull()
            manifest = open_dataset(root, manifest)
            hands = tuple(sorted(hands, key=lambda hand: list(manifest.hands).index(hand.name)))
            objects = tuple(sorted(objects, key=lambda obj: list(manifest.objects).index(obj.name)))
            run = Run(config, DatasetLayout(root), hands, objects, backend, device, renderer, manifest, remote)
            run.send()  # an address that cannot be written to shows before hours of work
            yield run
            run.send()


def resolve_device(name: str) -> str:
    """Turn ``auto`` into the first GPU, else the CPU, and check other names.

    Raises:
        GraspdError: If there is no such Warp device.
    """
    wp.init()
    names = ["cpu", *(str(device) for device in wp.get_cuda_devices())]
    if name == "auto":
        return names[1] if len(names) > 1 else "cpu"
    if name not in names:
        raise GraspdError(f"expected device to be auto or one of {', '.join(names)}, got {name!r}; choose one of these")
    return name


def run_names(config: GenerateConfig) -> tuple[list[str], list[str]]:
    """Return the names of the hands and objects of a run, without loading them.

    Raises:
        GraspdError: If there is no such hand or object.
    """
    hands = _files("hands", config.hand or (_DEFAULT_HAND,))
    return [path.stem for path in hands], [path.stem for path in _files("objects", config.object or default_objects())]


def _files(kind: Kind, patterns: Sequence[str]) -> list[Path]:
    files = [path for pattern in patterns for path in resolve(kind, local_asset(pattern))]
    return list({path.resolve(): path for path in files}.values())


def _check_names(kind: Kind, assets: Sequence[Hand | RigidObject]) -> None:
    sources: dict[str, Path] = {}
    for asset in assets:
        other = sources.setdefault(asset.name, asset.source)
        if other != asset.source:
            raise GraspdError(
                f"expected {kind} with distinct names, got {asset.name!r} from both {other} and {asset.source}; rename "
                "one of the files"
            )


def _entry(asset: Hand | RigidObject, file: str, root: Path) -> Asset:
    """Return what the manifest says of a hand or object; of the dataset's own copies it says what it said before."""
    if asset.source.resolve() == (root / file).resolve():
        manifest = read_manifest(root)
        return (manifest.hands if isinstance(asset, Hand) else manifest.objects)[asset.name]
    return asset_entry(asset, file)


def _settings(
    config: GenerateConfig,
    hands: Sequence[Hand],
    objects: Sequence[RigidObject],
) -> dict[str, Any]:
    """Return the configuration as it bears on the results: names, not paths; nothing of where the work is done.

    Lists of the images may be asked for later, too.
    """
    settings = json.loads(json.dumps(asdict(config), default=str))
    for name in ("out", "work", "executor", "workers", "address"):
        del settings[name]
    for name in ("variant", "index", "coco", "writer_threads"):
        del settings["render"][name]
    return settings | {"hand": [hand.name for hand in hands], "object": [obj.name for obj in objects]}
