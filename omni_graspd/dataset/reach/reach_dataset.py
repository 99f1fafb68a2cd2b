# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which grasps of a dataset an arm reaches: what is there and still true stays, the rest is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_reader import arm_settings_path, load_arm, read_arm
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.atomic import atomic_path, remove_leftovers, require_inside, writing_to
from omni_graspd.dataset.checksums import forget_checksums, update_checksums
from omni_graspd.dataset.content_hash import content_hash
from omni_graspd.dataset.execution.worker_processes import worker_processes
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.lock import exclusive
from omni_graspd.dataset.manifest import Manifest, read_manifest
from omni_graspd.dataset.reach.reach_scene import ReachedScene, SceneToReach, forget_assets, reach_scene
from omni_graspd.errors import GraspdError
from omni_graspd.full_install import require_extra
from omni_graspd.library import check_name, list_user_names
from omni_graspd.progress import Progress, no_progress
from omni_graspd.quiet_warp import start_warp
from omni_graspd.usd.self_contained import write_self_contained

_SCENES_PER_PROCESS = 8
"""Fewer scenes than this are done before another process has started, unless objects are lifted, too."""


@dataclass(frozen=True)
class ReachCounts:
    """What an arm reaches in a dataset."""

    written: int
    """Scenes whose table was written."""
    kept: int
    """Scenes whose table was there, made of the same grasps with the same settings."""
    usable: int
    """Usable grasps in all scenes."""
    reachable: int
    """Those that the arm reaches."""
    reasons: dict[str, int]
    """How many others fail, by how the reason begins."""
    lifted: int | None = None
    """Objects that the whole robot lifted; None where that was not tried."""


def reach_dataset(
    root: Path,
    arm: str,
    config: ReachConfig | None = None,
    *,
    lift: bool = False,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> ReachCounts:
    """Find out which usable grasps of a dataset an arm reaches; write a table for each scene, and a copy of the arm.

    Tables that are there stay if grasps, arm and settings are still the same. Stopped or killed, the same call goes on
    where it was; tables have the same bytes for any number of workers.

    Args:
        root: The dataset folder.
        arm: Name of an arm of the user's or of the dataset, or a USD file.
        config: Settings.
        lift: Try in PhysX, too, whether the whole robot lifts the object; adds columns ``arm_lifted`` and
            ``arm_lift_reason``. Tables that have them keep them without this.
        workers: Processes; by default one for each core if there is enough to do. With 1 all is done in this process.
        progress: Called with scenes done and in total.

    Raises:
        GraspdError: If the folder is no dataset or cannot be written, there is no such arm, the dataset has another arm
            of that name, or a file is damaged.
    """
    require_extra("mujoco", "arms", "arms")
    manifest = read_manifest(root)
    with writing_to(root), exclusive(root):
        remove_leftovers(root)
        forget_assets()
        name = _copy_arm(root, arm)
        todo = list(_scenes(root, manifest, name, config or ReachConfig(), lift))
        if not todo:
            raise GraspdError(f"there are no grasps in scenes in {root}; make some with `graspd synthesize`")
        return _reach(root, todo, workers, progress)


def _copy_arm(root: Path, name: str) -> str:
    """Write an arm into the dataset unless it is there; return its name."""
    layout = DatasetLayout(root)
    own = layout.arm(name) if Path(name).name == name else None
    if own is not None and own.is_file() and name not in list_user_names("arms"):
        return name
    arm = load_arm(name)
    check_name(arm.name)
    path = layout.arm(arm.name)
    require_inside(path, root, "the arm")
    if path.is_file():
        if _identity(read_arm(path)) != _identity(arm):
            raise GraspdError(
                f"expected the arm {arm.name!r} as it is in {root}, got another of this name; add it under another name"
            )
        return arm.name
    with atomic_path(path.with_suffix(".toml")) as temporary:
        temporary.write_bytes(arm_settings_path(arm.source).read_bytes())
    write_self_contained(arm.source, path)
    return arm.name


def _identity(arm: Arm) -> tuple[str, int, tuple[float, ...]]:
    return content_hash(arm.articulation), arm.flange_link, tuple(arm.T_link_flange.tolist())


def _scenes(root: Path, manifest: Manifest, arm: str, config: ReachConfig, lift: bool) -> Iterator[SceneToReach]:
    layout = DatasetLayout(root)
    for object_name in manifest.objects:
        for index in layout.scene_indices(object_name):
            if layout.scene_grasps(object_name, index).is_file():
                yield SceneToReach(root, arm, object_name, index, config, lift)


def _reach(root: Path, todo: Sequence[SceneToReach], workers: int | None, progress: Progress) -> ReachCounts:
    layout = DatasetLayout(root)
    files = [layout.reach(scene.arm, scene.object, scene.scene_index) for scene in todo]
    for file in files:
        require_inside(file, root, "the reach table")
    forget_checksums(root, {file.relative_to(root).as_posix() for file in files})
    progress(0, len(todo))
    made: list[ReachedScene] = []
    enough = len(todo) if todo[0].lift else 1 + len(todo) // _SCENES_PER_PROCESS
    for each in _reached(todo, workers or min(cpu_count() or 1, enough)):
        made.append(each)
        progress(len(made), len(todo))
    update_checksums(root)
    reasons = Counter(reason for each in made for reason in each.reasons)
    usable = sum(each.usable for each in made)
    return ReachCounts(
        written=sum(each.written for each in made),
        kept=sum(not each.written for each in made),
        usable=usable,
        reachable=usable - reasons.total(),
        reasons=dict(sorted(reasons.items())),
        lifted=sum(each.lifted or 0 for each in made) if todo[0].lift else None,
    )


def _reached(todo: Sequence[SceneToReach], workers: int) -> Iterator[ReachedScene]:
    if workers == 1 or len(todo) <= 1:
        for scene in todo:
            yield reach_scene(scene)
        return
    with worker_processes(min(workers, len(todo)), start_warp) as pool:
        futures = [pool.submit(reach_scene, scene) for scene in todo]
        for future in as_completed(futures):
            yield future.result()
