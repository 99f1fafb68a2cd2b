# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What reads the files that :mod:`fuzz_readers` damages: all readers."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omni_graspd.errors import GraspdError

Use = Callable[[Path, Path], Any]
"""Reads a case; takes its folder and the damaged file in it."""

_SCENE, _VIEW = "scenes/block/scene_0000", "renders/block/scene_0000/view_0000"


@dataclass(frozen=True)
class Case:
    """A kind of file, and all that reads it."""

    name: str
    """What it is called on the command line."""
    folder: str
    """Folder below the seeds that is copied for each damage."""
    file: str
    """The damaged file, relative to that folder."""
    uses: tuple[Use, ...]
    """Readers; each is tried whatever became of the others."""


def _object(_: Path, file: Path) -> Any:
    from omni_graspd.objects.object_reader import read_object

    return read_object(file)


def _added_hand(_: Path, file: Path) -> Any:
    from omni_graspd.hands.importing.hand_import import add_hand

    return add_hand("fuzzed", file, replace=True)


def _hand(_: Path, file: Path) -> Any:
    from omni_graspd.hands.hand_library import load_hand

    return load_hand(str(file))


def _checked_hand(_: Path, file: Path) -> Any:
    from omni_graspd.hands.checks.hand_check import check_hand

    return check_hand(file)


def _imported_notes(root: Path, _: Path) -> Any:
    from omni_graspd.hands.importing.hand_import import import_notes

    return import_notes(root / "pincer.usda")


def _drawn(_: Path, file: Path) -> Any:
    from omni_graspd.rendering.surfaces import read_surfaces
    from omni_graspd.usd.still_stage import open_still

    return list(read_surfaces(open_still(file)))


def _self_contained(root: Path, file: Path) -> Any:
    from omni_graspd.usd.self_contained import write_self_contained

    return write_self_contained(file, root / "copy" / "whole.usda")


def _grasps(name: str) -> Use:
    def read(_: Path, file: Path) -> Any:
        from omni_graspd.formats.reading import read_grasps

        return read_grasps(file, format_name=name, foreign_hands=True)

    return read


def _opened(root: Path, _: Path) -> Any:
    from omni_graspd.dataset import loader

    dataset = loader.open(root)
    found = [dataset.grasps(hand, where="epsilon >= 0") for hand in dataset.hands]
    return found, repr(dataset), dataset.grasps("barrett")


def _samples(root: Path, _: Path) -> Any:
    from omni_graspd.dataset import loader

    channels = ("rgb", "distance_to_camera", "semantic_segmentation", "bounding_box_2d_tight", "bounding_box_3d")
    return list(loader.open(root).samples(hand="barrett", channels=channels, grasp_slots=4))


def _labels(root: Path, file: Path) -> Any:
    from omni_graspd.dataset import loader
    from omni_graspd.dataset.labels.label_file import read_labels

    with contextlib.suppress(GraspdError):
        read_labels(file)
    return list(loader.open(root).samples(hand="barrett", channels=("rgb",), grasp_slots=4, labels=True))


def _verified(root: Path, _: Path) -> Any:
    from unittest import mock

    from omni_graspd.dataset.verification import verify

    # The checksums would tell before the file is read; a stranger's fit.
    with mock.patch.object(verify, "_file_faults", lambda *_: ()):
        found = verify.verify_dataset(root)
    for fault in found.faults:
        if len(fault.problem) > 700 or "\n" in fault.problem:
            raise GraspdError(fault.problem)  # counts as one
    return found


def _verified_with_checksums(root: Path, _: Path) -> Any:
    from omni_graspd.dataset.verification.verify import verify_dataset

    return verify_dataset(root)


def _card(root: Path, _: Path) -> Any:
    from omni_graspd.inspection.dataset_card import dataset_readme

    return dataset_readme(root)


def _catalog(root: Path, _: Path) -> Any:
    from omni_graspd.inspection.grasp_catalog import GraspCatalog

    catalog = GraspCatalog(root)
    found = [catalog.grasp(0), catalog.metrics_of(0), catalog.usable(), catalog.index_of(0)]
    return found, [catalog.metric(name) for name in catalog.metric_names()]


def _measured(root: Path, _: Path) -> Any:
    from omni_graspd.dataset.evaluation.measured_grasps import read_measured_grasps

    for table in read_measured_grasps(root):
        table.verdicts()


def _kept(root: Path, _: Path) -> Any:
    from omni_graspd.dataset.kept_settings import kept_settings

    return kept_settings(root)


def _evaluation(root: Path, _: Path) -> Any:
    from omni_graspd.dataset.evaluation.evaluate_dataset import _tables
    from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings
    from omni_graspd.dataset.manifest import read_manifest

    return list(_tables(root, read_manifest(root), EvaluationSettings(), "cpu"))


def _scene(root: Path, file: Path) -> Any:
    from omni_graspd.dataset.scene_files import read_rest_pose
    from omni_graspd.rendering.cameras import read_camera_rigs
    from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
    from omni_graspd.usd.stage import open_stage

    stage = open_stage(file)
    for rig in read_camera_rigs(stage):
        for path in rig.camera_paths:
            read_pinhole_camera(stage, path, rig.width, rig.height)
    return read_rest_pose(file)


def _frame(_: Path, file: Path) -> Any:
    from omni_graspd.rendering.image_writer import read_frame

    return read_frame(file.parent)


def _single_files(seeds: Path) -> Iterator[Case]:
    for suffix in ("stl", "obj", "ply", "glb", "usda", "usdc"):
        yield Case(suffix, suffix, f"block.{suffix}", (_object,))
    for file in ("block.obj", "block.mtl", "wood.png"):
        yield Case(f"look_{file[-3:]}", "look", file, (lambda root, _: _object(root, root / "block.obj"),))
    yield Case("look_glb", "look", "block.glb", (_object,))
    yield Case("foreign_usda", "foreign", "block.usda", (_object, _drawn, _self_contained))
    yield Case("foreign_texture", "foreign", "wood.png", (lambda root, _: _object(root, root / "block.usda"),))
    yield Case("hand_usda", "pincer", "pincer.usda", (_hand, _checked_hand, _added_hand))
    yield Case("hand_toml", "pincer", "hand.toml", (lambda root, _: _hand(root, root / "pincer.usda"), _imported_notes))
    yield Case("urdf", "urdf", "hand.urdf", (_added_hand,))
    yield Case("urdf_mesh", "urdf", "finger.stl", (lambda root, _: _added_hand(root, root / "hand.urdf"),))
    yield Case("mjcf", "mjcf", "hand.xml", (_added_hand,))
    for folder in sorted(path.name for path in seeds.iterdir() if path.is_dir()):
        from omni_graspd.formats.registry import FORMATS

        if folder in FORMATS:
            (file,) = [path for path in (seeds / folder).iterdir() if path.is_file()]
            yield Case(folder, folder, file.name, (_grasps(folder),))


def _dataset_files(seeds: Path) -> Iterator[Case]:
    everything = (_opened, _verified, _card, _catalog, _measured, _evaluation, _grasps_of_dataset)
    yield Case("dataset_table", "set", "grasps/barrett/block.parquet", (*everything, _samples))
    yield Case("dataset_scene_table", "set", f"{_SCENE}.grasps.parquet", (_verified, _card, _samples))
    yield Case("dataset_manifest", "set", "dataset.json", (*everything, _kept, _verified_with_checksums))
    yield Case("dataset_checksums", "set", "checksums.parquet", (_verified_with_checksums,))
    yield Case("dataset_scene", "set", f"{_SCENE}.usda", (_scene, _verified, _samples))
    yield Case("dataset_object", "set", "objects/block.usd", (_object, _verified))
    yield Case("dataset_hand", "set", "hands/barrett.usd", (_hand, _verified))
    yield Case(
        "dataset_hand_settings", "set", "hands/barrett.toml", (lambda root, _: _hand(root, root / "hands/barrett.usd"),)
    )
    view = seeds / "set" / _VIEW
    for kind, chosen in (
        ("camera", ["camera_params_0000.json"]),
        ("labels", sorted(path.name for path in view.glob("*.json") if "camera_params" not in path.name)),
        ("arrays", sorted(path.name for path in view.glob("*.npy"))),
        ("pictures", sorted(path.name for path in view.glob("*.png"))),
    ):
        for name in chosen:
            yield Case(f"dataset_{kind}", "set", f"{_VIEW}/{name}", (_frame, _samples, _verified))
    for name in sorted(path.name for path in view.glob("*.npz")):
        yield Case("dataset_grasp_labels", "set", f"{_VIEW}/{name}", (_labels, _verified))


def _grasps_of_dataset(root: Path, _: Path) -> Any:
    return _grasps("dataset")(root, root)


def all_cases(seeds: Path) -> dict[str, list[Case]]:
    """Return all cases by name; several files may go by one name."""
    found: dict[str, list[Case]] = {}
    for case in (*_single_files(seeds), *_dataset_files(seeds)):
        found.setdefault(case.name, []).append(case)
    return found


def copied(source: Path, target: Path, damaged: str, content: bytes) -> None:
    """Copy a case with one file damaged; the others are the same files on disk."""

    def link(original: str, copy: str) -> None:
        os.link(original, copy)

    shutil.copytree(source, target, copy_function=link)
    (target / damaged).unlink()
    (target / damaged).write_bytes(content)
