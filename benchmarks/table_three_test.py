# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What grasps of objects that no network saw are worth: the metrics of Table III and the lift test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from omni_graspd.api.grasps import Grasps
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps
from omni_graspd.hands.hand import Hand
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.metrics.intersection_volume import intersection_volumes
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.prediction.cast_view import RestingObject, cast_view
from omni_graspd.prediction.crop import Crop, crop_object
from omni_graspd.prediction.predicted_batch import predicted_batch
from omni_graspd.prediction.predictor import Prediction
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.grasp import join_batches
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.usd.transforms import compose, invert, matrix_to_pose

Predict = Callable[[Crop, int], Prediction]
"""From a crop and the number of its view to grasps."""


def measure_predictions(
    predict: Predict, hand: Hand, obj: RigidObject, around: tuple[Surroundings, ...], views: int, slow: int, path: Path
) -> None:
    """Predict grasps from views of an object, and write what they measure to a file; one that is there stays.

    Args:
        predict: Makes as many grasps of each view.
        hand: Its hand.
        obj: The object.
        around: The table in each of its rest poses, which the views take in turn.
        views: Number of views, cast from the mesh; the same for all that predict.
        slow: Grasps of each view, from the best score to the worst, of which everything is measured.
        path: Folder of the files, one for each object.
    """
    file = path / f"{obj.name}.json"
    if file.is_file():
        return
    batches, rows, first = [], [], 0
    for view in range(views):
        crop, T_object_crop = _seen(obj, around[view % len(around)], view)
        batches.append(predicted_batch(hand, predict(crop, view), T_object_crop))
        count = len(batches[-1].status)
        rows.append(first + np.linspace(0, count - 1, min(slow, count)).astype(int))
        first += count
    grasps = Grasps(hand, obj, join_batches(batches), np.arange(first))
    _write(file, measured(grasps, np.concatenate(rows)))


def measure_dataset(root: Path, hand: Hand, count: int, path: Path) -> None:
    """Measure some of the usable grasps of each object of a dataset, drawn at random, as predictions are measured.

    Args:
        root: The dataset.
        hand: Whose grasps.
        count: Grasps of each object, at most.
        path: Folder of the files, one for each object; those that are there stay.
    """
    layout = DatasetLayout(root)
    for table_path in sorted(layout.grasps(hand.name, "any").parent.glob("*.parquet")):
        file, table = path / f"{table_path.stem}.json", read_grasps(table_path)
        usable = np.flatnonzero(table.grasps.usable)
        if file.is_file() or not len(usable):
            continue
        rows = np.sort(random_generator(0, "table three", table.object).permutation(usable)[:count])
        obj = load_object(str(layout.object(table.object)))
        grasps = Grasps(hand, obj, table.grasps.take(rows), table.indices[rows])
        _write(file, measured(grasps, np.arange(len(rows))))


def measured(grasps: Grasps, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of the table: areas [cm2], volumes [cm3], displacements [cm], shares.

    Args:
        grasps: The grasps.
        rows: Those whose wrench space and behaviour in PhysX are measured, too, which takes ten times as long.
    """
    grasps.evaluate()
    some = grasps[rows]
    some.evaluate(MetricsConfig(volume=True))
    some.measure_hold()
    some.measure_lift()
    volumes = intersection_volumes(grasps.hand, grasps.object, grasps.T_object_palm, grasps.joint_positions)
    return {
        "contact_area": 1e4 * grasps.metrics["contact_area"],
        "intersection_volume": 1e6 * volumes,
        "epsilon": np.nan_to_num(grasps.metrics["epsilon"]),
        "clear": grasps.usable.astype(float),
        "pierced": (grasps.metrics["pierced"] > 0).astype(float),
        "volume": np.nan_to_num(some.metrics["volume"]),
        "displacement": 1e2 * some.metrics["displacement"],
        "lifted": some.metrics["lifted"].astype(float),
    }


def _seen(obj: RigidObject, around: Surroundings, view: int) -> tuple[Crop, np.ndarray]:
    """Return what a view of an object shows, and the crop frame in the object's."""
    assert around.plane is not None
    resting, random = RestingObject.on(obj, around.plane), random_generator(0, "table three", obj.name, view)
    image = cast_view(resting, random, TrainConfig().depth_noise)
    crop = crop_object(image, random)
    assert image.T_world_camera is not None
    T_object_camera = compose(invert(resting.T_world_object), matrix_to_pose(image.T_world_camera))
    return crop, compose(T_object_camera, crop.T_camera_crop)


def _write(file: Path, columns: dict[str, np.ndarray]) -> None:
    """Write columns to a JSON file, all or nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    begun = file.with_suffix(".begun")
    begun.write_text(json.dumps({name: values.tolist() for name, values in columns.items()}), encoding="utf-8")
    begun.replace(file)
