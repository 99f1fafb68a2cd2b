# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Lifts as a LeRobot dataset: for each grasp the way that the lift test commands, and what the cameras saw before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.views import scene_views
from omni_graspd.errors import GraspdError
from omni_graspd.formats.dataset_export import FORMAT as DATASET
from omni_graspd.formats.dataset_export import require_empty
from omni_graspd.formats.format import Format, WrittenFile
from omni_graspd.formats.grasp_reading import GraspReading, ReadGrasps, Refusal
from omni_graspd.formats.lerobot_files import FPS, Episode, write_lerobot
from omni_graspd.formats.record import GraspRecord
from omni_graspd.formats.scene_table import read_scene_table
from omni_graspd.formats.world_ways import world_ways
from omni_graspd.objects.object_reader import read_object
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay, hand_motion
from omni_graspd.usd.transforms import without_jumps

_PHASES = LiftConfig.of("dexgraspbench").phases
_POSE = ("x", "y", "z", "qx", "qy", "qz", "qw")


@dataclass(frozen=True)
class WrittenLifts:
    """What came of writing lifts."""

    episode_count: int
    """How many lifts were written."""
    refused: tuple[Refusal, ...]
    """Grasps that were left out, and why."""


def write_lifts(reading: GraspReading, target: Path) -> WrittenLifts:
    """Write lifts as a LeRobot dataset, all or nothing; several hands go into a folder each.

    Where scenes were rendered, there is an episode for each grasp that can be carried out in each of them, with the
    colour image of each eye of each view at its start; else one for each grasp on a bare table. An episode has

    * ``observation.state``: pose of the palm in the world, then all joints, which stop at the grasp;
    * ``action``: the same, as commanded for the next frame; here the joints go on to where they squeeze;
    * ``observation.environment_state``: pose of the object in the world before the lift;
    * ``observation.images.<view>``: before the hand comes, the same in all frames;
    * ``next.success``: in the last frame, whether the lift test lifted the object, where that was tested.

    Args:
        reading: Grasps of one of our datasets.
        target: Folder to write.

    Raises:
        GraspdError: If the grasps are from elsewhere, or none has a way past a table.
    """
    if reading.format_name != DATASET.name:
        raise GraspdError(
            f"expected the folder of a dataset to write lifts from, got grasps read as {reading.format_name}; convert "
            "the dataset"
        )
    hands: dict[str, list[ReadGrasps]] = {}
    for entry in reading.grasps:
        hands.setdefault(entry.record.hand, []).append(entry)
    layout = DatasetLayout(reading.grasps[0].source.parents[2])
    cameras = _cameras(layout, [entry.source.stem for entry in reading.grasps])
    refused: list[Refusal] = []
    count = 0
    with atomic_path(target) as partial:
        partial.mkdir()
        for hand, entries in hands.items():
            episodes = (episode for entry in entries for episode in _lifts(layout, entry, cameras, refused))
            folder = partial / hand if len(hands) > 1 else partial
            count += write_lerobot(folder, episodes, _names(entries[0].record.joint_names), hand)
        if not count:
            reason = refused[0].reason if refused else "no scene that was rendered has one that can be carried out"
            raise GraspdError(f"expected grasps to lift, got none: {reason}")
    return WrittenLifts(count, tuple(refused))


def _cameras(layout: DatasetLayout, names: Sequence[str]) -> tuple[str, ...]:
    """Return the cameras of the first scene that was rendered; none if no scene was."""
    found = (_pictures(layout, name, scene) for name in names for scene in layout.scene_indices(name))
    return next((tuple(pictures) for pictures in found if pictures), ())


def _pictures(layout: DatasetLayout, name: str, scene: int) -> dict[str, Path]:
    """Return the colour images of a scene by their features."""
    found = {}
    for view in scene_views(layout, name, scene):
        for eye, folder in view.eye_folders(layout).items():
            path = folder / "rgb_0000.png"
            if path.is_file():
                found[f"observation.images.{view.name}{f'_{eye}' if view.eyes else ''}"] = path
    return found


def _lifts(
    layout: DatasetLayout, entry: ReadGrasps, cameras: Sequence[str], refused: list[Refusal]
) -> Iterator[Episode]:
    """Yield the lifts of one object's grasps by one hand; note what is left out."""
    name = entry.source.stem
    center = read_object(layout.object(name)).center_of_mass
    if not cameras:
        yield from _episodes(entry.record, np.ones(len(entry.record), dtype=bool), center, {}, entry.source, refused)
        return
    before = len(refused)
    scenes = 0
    for scene in layout.scene_indices(name):
        pictures, table = _pictures(layout, name, scene), layout.scene_grasps(name, scene)
        if tuple(pictures) != tuple(cameras):
            seen = ", ".join(pictures) or "none"
            refused.append(Refusal(table, 0, f"its images are {seen}, not {', '.join(cameras)}; run `graspd render`"))
            continue
        for record in read_scene_table(table):
            if record.hand == entry.record.hand:
                mine = np.isin(record.facts["index"], entry.record.facts["index"])
                scenes += 1
                yield from _episodes(
                    record, mine & (record.scores["confidence"] > 0.0), center, pictures, table, refused
                )
    if not scenes and before == len(refused):
        refused.append(Refusal(entry.source, len(entry.record), f"no scene of {name} has images; run `graspd render`"))


def _episodes(
    record: GraspRecord,
    chosen: np.ndarray,
    center_of_mass: np.ndarray,
    pictures: dict[str, Path],
    source: Path,
    refused: list[Refusal],
) -> Iterator[Episode]:
    """Yield the lifts of the chosen grasps that have a way."""
    record = record.rows(np.flatnonzero(chosen))
    ways = world_ways(record, center_of_mass)
    lifted = record.facts.get("lifted")
    for row, way in enumerate(ways):
        if way is not None:
            frames = _frames(way)
            success = np.zeros((len(frames["action"]), 1), dtype=bool)
            success[-1] = lifted is not None and bool(lifted[row])
            yield Episode(f"lift the {record.object}", frames | {"next.success": success}, pictures)
    missing = sum(way is None for way in ways)
    if missing:
        refused.append(Refusal(source, missing, "they have no way past a table; make them with `graspd generate`"))


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


def _write_all(reading: GraspReading, target: Path) -> tuple[WrittenFile, tuple[Refusal, ...]]:
    written = write_lifts(reading, target)
    hands = dict.fromkeys(entry.record.hand for entry in reading.grasps)
    objects = dict.fromkeys(entry.record.object for entry in reading.grasps)
    return WrittenFile(target, ", ".join(hands), ", ".join(objects), written.episode_count), written.refused


FORMAT = Format(
    name="lerobot",
    title="lifts as a LeRobot dataset",
    place=19,
    write_all=_write_all,
    check_target=require_empty,
    needs_our_hand=True,
    needs_images=True,
)
