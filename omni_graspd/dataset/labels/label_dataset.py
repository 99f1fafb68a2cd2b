# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp labels for the rendered views of a dataset: what is there and still true stays, the rest is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

from omni_graspd.atomic import remove_leftovers, require_inside, writing_to
from omni_graspd.dataset.checksums import forget_checksums, update_checksums
from omni_graspd.dataset.execution.worker_processes import worker_processes
from omni_graspd.dataset.labels.label_file import label_path
from omni_graspd.dataset.labels.label_scene import LabelledScene, SceneToLabel, label_scene
from omni_graspd.dataset.labels.view_labels import LabelSettings
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.lock import exclusive
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.views import scene_views
from omni_graspd.errors import GraspdError
from omni_graspd.progress import Progress, no_progress
from omni_graspd.quiet_warp import start_warp

_VIEWS_PER_PROCESS = 16
"""Fewer views than this are labelled before another process has started."""


@dataclass(frozen=True)
class LabelCounts:
    """What became of a dataset's labels."""

    written: int = 0
    """Files that were written."""
    kept: int = 0
    """Files that were there, made of the same grasps with the same settings."""
    without_grasps: tuple[str, ...] = ()
    """Scenes in which a hand has no usable grasp: their files say that nothing is good to touch."""


def label_dataset(
    root: Path,
    settings: LabelSettings | None = None,
    *,
    hands: Sequence[str] = (),
    device: str = "cpu",
    workers: int | None = None,
    progress: Progress = no_progress,
) -> LabelCounts:
    """Write the grasp labels of all views of a dataset, a file for each eye and hand beside the eye's images.

    Files that are there stay if the usable grasps and the settings are still the same. Stopped or killed, the same call
    goes on where it was; files have the same bytes for any number of workers.

    Args:
        root: The dataset folder.
        settings: Radius, contact threshold, number of points.
        hands: Only these hands; all by default.
        device: Warp device.
        workers: Processes; by default one for each core if there is enough to do. With 1 all is done in this process.
        progress: Called with views done and in total, counted for each hand.

    Raises:
        GraspdError: If the folder is no dataset or cannot be written, has no such hand or no images with distances, or
            a file in it is damaged.
    """
    manifest = read_manifest(root)
    unknown = sorted(set(hands) - set(manifest.hands))
    if unknown:
        raise GraspdError(f"this dataset has no hand {unknown[0]!r}; choose from {', '.join(sorted(manifest.hands))}")
    with writing_to(root), exclusive(root):
        remove_leftovers(root)
        chosen, objects = hands or tuple(manifest.hands), tuple(manifest.objects)
        todo = list(_scenes(root, chosen, objects, settings or LabelSettings(), device))
        if not todo:
            raise GraspdError(f"there are no images to label in {root}; render some with `graspd render --out {root}`")
        return _label(root, todo, workers, progress)


async def label_stage(run: Run, progress: Progress = no_progress) -> None:
    """Write the grasp labels of all views of an open run; see :func:`label_dataset`.

    Args:
        run: An open run whose stages are done.
        progress: Called with views done and in total.
    """
    names = [hand.name for hand in run.hands], [obj.name for obj in run.objects]
    todo = list(_scenes(run.layout.root, *names, LabelSettings(), run.device))
    _label(run.layout.root, todo, run.config.workers or None, progress)
    run.send()


def _scenes(
    root: Path, hands: Sequence[str], objects: Sequence[str], settings: LabelSettings, device: str
) -> Iterator[SceneToLabel]:
    layout = DatasetLayout(root)
    for object_name in objects:
        for scene_index in layout.scene_indices(object_name):
            views = scene_views(layout, object_name, scene_index)
            if views:
                for hand in hands:
                    yield SceneToLabel(root, hand, object_name, scene_index, views, settings, device)


def _label(root: Path, todo: Sequence[SceneToLabel], workers: int | None, progress: Progress) -> LabelCounts:
    layout, total = DatasetLayout(root), sum(len(scene.views) for scene in todo)
    files = [
        label_path(folder, scene.hand)
        for scene in todo
        for view in scene.views
        for folder in view.eye_folders(layout).values()
    ]
    for file in files:
        require_inside(file, root, "the label file")
    forget_checksums(root, {file.relative_to(root).as_posix() for file in files})
    progress(0, total)
    done, made = 0, []
    for scene, labelled in _labelled(todo, workers or min(cpu_count() or 1, 1 + total // _VIEWS_PER_PROCESS)):
        done += len(scene.views)
        made.append((scene, labelled))
        progress(done, total)
    update_checksums(root)
    bare = sorted(f"{s.object}/scene_{s.scene_index:04d} ({s.hand})" for s, labelled in made if not labelled.grasps)
    return LabelCounts(sum(m.written for _, m in made), sum(m.kept for _, m in made), tuple(bare))


def _labelled(todo: Sequence[SceneToLabel], workers: int) -> Iterator[tuple[SceneToLabel, LabelledScene]]:
    if workers == 1 or len(todo) <= 1:
        for scene in todo:
            yield scene, label_scene(scene)
        return
    with worker_processes(min(workers, len(todo)), start_warp) as pool:
        futures = {pool.submit(label_scene, scene): scene for scene in todo}
        for future in as_completed(futures):
            yield futures[future], future.result()
