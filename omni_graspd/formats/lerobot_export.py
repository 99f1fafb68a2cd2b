# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Lifts as a LeRobot dataset: for each grasp the way that the lift test commands, and what the cameras saw before."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.views import scene_views
from omni_graspd.errors import GraspdError
from omni_graspd.formats.dataset_export import require_dataset, require_empty
from omni_graspd.formats.format import Format, WrittenFile
from omni_graspd.formats.grasp_reading import GraspReading, ReadGrasps, Refusal
from omni_graspd.formats.lerobot_files import FPS, Episode, write_lerobot
from omni_graspd.formats.record import GraspRecord
from omni_graspd.formats.scene_table import read_scene_table
from omni_graspd.formats.world_ways import world_ways
from omni_graspd.objects.object_reader import read_object
from omni_graspd.progress import Progress, no_progress
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay, hand_motion
from omni_graspd.usd.transforms import without_jumps

_PHASES = LiftConfig.of("dexgraspbench").phases
_IMAGES = "observation.images."
_POSE = ("x", "y", "z", "qx", "qy", "qz", "qw")


@dataclass(frozen=True)
class WrittenLifts:
    """What came of writing lifts."""

    counts: dict[str, int]
    """How many lifts were written of each hand that has any."""
    refused: tuple[Refusal, ...]
    """Grasps that were left out, and why."""
    notes: tuple[str, ...] = ()
    """What episodes lack, one sentence each."""


def write_lifts(reading: GraspReading, target: Path, *, progress: Progress = no_progress) -> WrittenLifts:
    """Write lifts as a LeRobot dataset, all or nothing; several hands go into a folder each.

    Where scenes were rendered, there is an episode for each grasp that can be carried out in each of them, with the
    colour image of each eye of each view at its start; else one for each grasp on a bare table. An episode has

    * ``observation.state``: pose of the palm in the world, then all joints, which stop at the grasp;
    * ``action``: the same, as commanded for the next frame; here the joints go on to where they squeeze;
    * ``observation.environment_state``: pose of the object in the world before the lift;
    * ``observation.images.<view>``: before the hand comes, the same in all frames;
    * ``next.success``: in the last frame, whether the lift test lifted the object; only if all of the hand's grasps
      were tested.

    Args:
        reading: Grasps of one of our datasets.
        target: Folder to write.
        progress: Called with tables of grasps written and in total: an object's, or one of each of its scenes.

    Raises:
        GraspdError: If the grasps are from elsewhere, none has a way past a table, or an image cannot be used.
    """
    layout = require_dataset(reading, "lifts, which are seen by cameras,")
    hands: dict[str, list[ReadGrasps]] = {}
    for entry in reading.grasps:
        hands.setdefault(entry.record.hand, []).append(entry)
    cameras = _cameras(layout, dict.fromkeys(entry.source.stem for entry in reading.grasps))
    refused: list[Refusal] = []
    notes: list[str] = []
    step = _steps(layout, cameras, reading, progress)
    counts: dict[str, int] = {}
    with atomic_path(target) as partial:
        partial.mkdir()
        for hand, entries in hands.items():
            before = len(refused)
            untested = [entry.record.object for entry in entries if "lifted" not in entry.record.facts]
            if 0 < len(untested) < len(entries):
                lacking = ", ".join(untested)
                notes.append(f"there is no next.success for {hand}: {lacking} had no lift test; run `graspd evaluate`")
            lifts = _HandLifts(layout, cameras, not untested, refused, step)
            episodes = (episode for entry in entries for episode in lifts.of(entry))
            folder = partial / hand if len(hands) > 1 else partial
            counts[hand] = write_lerobot(folder, episodes, _names(entries[0].record.joint_names), hand)
            if not counts[hand] and before == len(refused):
                total = sum(len(entry.record) for entry in entries)
                why = f"no scene that was rendered has one of {hand} that can be carried out"
                refused.append(Refusal(entries[0].source, total, why))
        if not any(counts.values()):
            raise GraspdError(f"expected grasps to lift, got none: {refused[0].reason}")
    return WrittenLifts({hand: count for hand, count in counts.items() if count}, tuple(refused), tuple(notes))


def _steps(
    layout: DatasetLayout, cameras: tuple[str, ...], reading: GraspReading, progress: Progress
) -> Callable[[], None]:
    """Return what is to be called after each table of grasps."""
    counts = [len(layout.scene_indices(entry.source.stem)) if cameras else 1 for entry in reading.grasps]
    done, total = itertools.count(1), sum(counts)
    return lambda: progress(next(done), total)


def _cameras(layout: DatasetLayout, names: Iterable[str]) -> tuple[str, ...]:
    """Return the cameras that most scenes were rendered with, the most cameras if in doubt; none if no scene was."""
    found = (tuple(_pictures(layout, name, scene)) for name in names for scene in layout.scene_indices(name))
    counts = Counter(cameras for cameras in found if cameras)
    return max(counts, key=lambda cameras: (counts[cameras], len(cameras)), default=())


def _pictures(layout: DatasetLayout, name: str, scene: int) -> dict[str, Path]:
    """Return the colour images of a scene by their features."""
    found = {}
    for view in scene_views(layout, name, scene):
        for eye, folder in view.eye_folders(layout).items():
            path = folder / "rgb_0000.png"
            if path.is_file():
                found[f"{_IMAGES}{view.name}{f'_{eye}' if view.eyes else ''}"] = path
    return found


@dataclass(frozen=True)
class _HandLifts:
    """The lifts of one hand."""

    layout: DatasetLayout
    cameras: tuple[str, ...]
    """Features of the images that each episode has."""
    tested: bool
    """Whether the lift test has tried all grasps, and each episode says what came of it."""
    refused: list[Refusal]
    """Gets what is left out."""
    step: Callable[[], None]
    """Called after each table of grasps."""

    def of(self, entry: ReadGrasps) -> Iterator[Episode]:
        """Yield the lifts of one object's grasps."""
        name = entry.source.stem
        center = read_object(self.layout.object(name)).center_of_mass
        if not self.cameras:
            yield from self._episodes(entry.record, center, {}, entry.source)
            self.step()
            return
        known, before = False, len(self.refused)
        for scene in self.layout.scene_indices(name):
            table = self.layout.scene_grasps(name, scene)
            if not table.is_file():
                why = f"scene_{scene:04d} of {name} has no grasps yet; run `graspd generate`"
                self.refused.append(Refusal(table, 0, why))
            elif (record := _carried_out(table, entry)) is not None:
                known = True
                yield from self._seen_episodes(record, center, table, (name, scene))
            self.step()
        if not known and before == len(self.refused):
            why = f"no scene of {name} has grasps of {entry.record.hand}; run `graspd generate`"
            self.refused.append(Refusal(entry.source, len(entry.record), why))

    def _seen_episodes(
        self, record: GraspRecord, center_of_mass: np.ndarray, table: Path, scene: tuple[str, int]
    ) -> Iterator[Episode]:
        """Yield the lifts of a scene's grasps, if it was rendered as the others were."""
        pictures = _pictures(self.layout, *scene)
        if tuple(pictures) == self.cameras:
            yield from self._episodes(record, center_of_mass, pictures, table)
        elif len(record):
            label = f"scene_{scene[1]:04d} of {scene[0]}"
            why = f"{label} has {_listed(pictures)}, not {_listed(self.cameras)}; run `graspd render`"
            self.refused.append(Refusal(table, len(record), why))

    def _episodes(
        self, record: GraspRecord, center_of_mass: np.ndarray, pictures: dict[str, Path], source: Path
    ) -> Iterator[Episode]:
        """Yield the lifts of the grasps that have a way."""
        ways = world_ways(record, center_of_mass)
        for row, way in enumerate(ways):
            if way is not None:
                frames = _frames(way)
                if self.tested:
                    success = np.zeros((len(frames["action"]), 1), dtype=bool)
                    success[-1] = record.facts["lifted"][row]
                    frames["next.success"] = success
                yield Episode(f"lift the {record.object}", frames, pictures)
        missing = sum(way is None for way in ways)
        if missing:
            why = "they have no way past a table; make them with `graspd generate`"
            self.refused.append(Refusal(source, missing, why))


def _carried_out(table: Path, entry: ReadGrasps) -> GraspRecord | None:
    """Return the chosen grasps that can be carried out in a scene; None if the scene has none of that hand."""
    for record in read_scene_table(table):
        if record.hand == entry.record.hand:
            chosen = np.isin(record.facts["index"], entry.record.facts["index"])
            return record.rows(np.flatnonzero(chosen & (record.scores["confidence"] > 0.0)))
    return None


def _listed(cameras: Iterable[str]) -> str:
    """Write features of images in a line."""
    names = ", ".join(camera.removeprefix(_IMAGES) for camera in cameras)
    return f"images of {names}" if names else "no images"


def _frames(way: HandWay) -> dict[str, np.ndarray]:
    """Return state and action at even times."""
    told = hand_motion(way, _PHASES)
    held = hand_motion(replace(way, joint_positions=way.joint_positions[[0, 1, 1]]), _PHASES)
    times = np.arange(round(told.times[-1] * FPS) + 1) / FPS
    # Motions have samples at all these times, up to rounding.
    rows = np.abs(told.times - times[:, None]).argmin(axis=1)
    palms = without_jumps(told.T_world_palm[rows])
    state = np.concatenate([palms, held.joint_positions[rows]], axis=1)
    target = np.concatenate([palms, told.joint_positions[rows]], axis=1)
    after = np.minimum(np.arange(len(times)) + 1, len(times) - 1)
    environment = np.broadcast_to(way.T_world_object, (len(times), 7))
    features = {"observation.state": state, "action": target[after], "observation.environment_state": environment}
    return {name: values.astype(np.float32) for name, values in features.items()}


def _names(joints: Sequence[str]) -> dict[str, list[str]]:
    moved = [f"palm.{name}" for name in _POSE] + [f"{joint}.pos" for joint in joints]
    environment = [f"object.{name}" for name in _POSE]
    return {"observation.state": moved, "action": moved, "observation.environment_state": environment}


def _write_all(reading: GraspReading, target: Path, progress: Progress) -> tuple[WrittenFile, tuple[Refusal, ...]]:
    written = write_lifts(reading, target, progress=progress)
    objects = dict.fromkeys(entry.record.object for entry in reading.grasps if entry.record.hand in written.counts)
    hands, count = ", ".join(written.counts), sum(written.counts.values())
    file = WrittenFile(target, hands, ", ".join(objects), count, unit="lift", notes=written.notes)
    return file, written.refused


FORMAT = Format(
    name="lerobot",
    title="lifts as a LeRobot dataset",
    place=19,
    write_all=_write_all,
    check_target=require_empty,
    needs_our_hand=True,
    needs_images=True,
)
