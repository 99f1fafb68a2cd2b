# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a network's grasps of objects it never saw are worth: the metrics of Table III and the lift test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from omni_graspd.api.grasps import Grasps
from omni_graspd.atomic import writing_to
from omni_graspd.hands.hand import Hand
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.metrics.intersection_volume import intersection_volumes
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.prediction.cast_view import RestingObject, cast_view
from omni_graspd.prediction.crop import crop_object
from omni_graspd.prediction.predicted_batch import predicted_batch
from omni_graspd.prediction.predictor import PredictConfig, Predictor
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.grasp import GraspBatch, join_batches
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.usd.transforms import compose, invert, matrix_to_pose

KINDS = {"network": PredictConfig(fit=False), "fitted": PredictConfig()}
"""What the network says, and the same fitted to the object that it guesses."""


def measure_predictions(
    predictor: Predictor,
    hand: Hand,
    obj: RigidObject,
    around: tuple[Surroundings, ...],
    views: int,
    count: int,
    path: Path,
) -> None:
    """Predict grasps from views of an object, and write what they measure to files; those that are there stay.

    Args:
        predictor: The model.
        hand: Its hand.
        obj: The object.
        around: The table in each of its rest poses, which the views take in turn.
        views: Number of views, cast from the mesh; the same for each model.
        count: Grasps of each view.
        path: Folder of the files, one for each kind of grasps and object.
    """
    for kind, config in KINDS.items():
        file = path / kind / f"{obj.name}.json"
        if file.is_file():
            continue
        batches = [
            _predicted(predictor, hand, obj, around[view % len(around)], (view, count), config) for view in range(views)
        ]
        batch = join_batches(batches)
        grasps = Grasps(hand, obj, batch, np.arange(len(batch.status)))
        columns = measured(grasps)
        file.parent.mkdir(parents=True, exist_ok=True)
        with writing_to(file):
            begun = file.with_suffix(".begun")
            begun.write_text(json.dumps({name: values.tolist() for name, values in columns.items()}), encoding="utf-8")
            begun.replace(file)


def measured(grasps: Grasps) -> dict[str, np.ndarray]:
    """Return the columns of the table: areas [cm2], volumes [cm3], displacements [cm], shares."""
    grasps.evaluate(MetricsConfig(volume=True))
    grasps.measure_hold()
    grasps.measure_lift()
    volumes = intersection_volumes(grasps.hand, grasps.object, grasps.T_object_palm, grasps.joint_positions)
    metrics = grasps.metrics
    return {
        "contact_area": 1e4 * metrics["contact_area"],
        "intersection_volume": 1e6 * volumes,
        "epsilon": np.nan_to_num(metrics["epsilon"]),
        "volume": np.nan_to_num(metrics["volume"]),
        "displacement": 1e2 * metrics["displacement"],
        "clear": grasps.usable.astype(float),
        "pierced": (metrics["pierced"] > 0).astype(float),
        "lifted": metrics["lifted"].astype(float),
    }


def _predicted(
    predictor: Predictor,
    hand: Hand,
    obj: RigidObject,
    around: Surroundings,
    numbers: tuple[int, int],
    config: PredictConfig,
) -> GraspBatch:
    """Return the grasps that a view shows, in the object's frame."""
    view, count = numbers
    assert around.plane is not None
    resting, random = RestingObject.on(obj, around.plane), random_generator(0, "table three", obj.name, view)
    image = cast_view(resting, random, TrainConfig().depth_noise)
    crop = crop_object(image, random)
    assert image.T_world_camera is not None
    T_object_camera = compose(invert(resting.T_world_object), matrix_to_pose(image.T_world_camera))
    prediction = predictor.predict(crop, hand, count, seed=view, config=config)
    return predicted_batch(hand, prediction, compose(T_object_camera, crop.T_camera_crop))
