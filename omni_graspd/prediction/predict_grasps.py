# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps from a view of a dataset or from any depth image, as grasps of an object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.prediction.crop import crop_object
from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.prediction.predicted_batch import predicted_batch
from omni_graspd.prediction.predictor import GuessedShape, PredictConfig, Predictor
from omni_graspd.prediction.seen_object import guessed_object
from omni_graspd.prediction.table_search import placed_image
from omni_graspd.prediction.view_input import DatasetView
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.transforms import compose, invert, matrix_to_pose

SCORE = "predicted_score"
"""Column of the score by which predicted grasps rank."""


@dataclass(frozen=True, eq=False)
class PredictedGrasps:
    """Predicted grasps of an object: those that stay over the table first, among them the best score first."""

    hand: Hand
    """The hand."""
    batch: GraspBatch
    """The grasps."""
    score: np.ndarray
    """How much each looks like a grasp of training, 0 to 1, shape [grasp_count]."""
    image: DepthImage
    """What they were predicted from, with the camera's pose and the mask that were used."""
    guess: GuessedShape
    """What the object is guessed to be, in the crop frame."""
    T_object_crop: np.ndarray
    """The crop frame in that of the grasps, shape [7]."""
    name: str
    """Name of the object."""
    known: RigidObject | None = None
    """The object of the view, or whatever it is thought to be; None: what is guessed."""

    @cached_property
    def obj(self) -> RigidObject:
        """The object: that of the view, or, as a stand-in in the frame of the camera, what is guessed."""
        return self.known or guessed_object(self.guess, self.T_object_crop, self.name)

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """Columns that go with the grasps."""
        return {SCORE: self.score}


def predict_grasps(
    predictor: Predictor,
    source: DatasetView | DepthImage,
    count: int = 32,
    *,
    seed: int = 0,
    hand: Hand | None = None,
    config: PredictConfig | None = None,
    name: str = "seen",
) -> PredictedGrasps:
    """Predict grasps of what an image shows.

    Grasps of a view are in the frame of the dataset's object, which is otherwise not used. Those of an image are in the
    frame of its camera (x right, y down, z forward), as grasps of a stand-in:
    :func:`~omni_graspd.prediction.seen_object.guessed_object`.

    Args:
        predictor: The model.
        source: A view of a dataset or an image.
        count: How many.
        seed: Draws pixels and noise.
        hand: The model's hand; by default the one of this name in the dataset or in the library.
        config: Steps.
        name: Name of the object of an image.

    Raises:
        GraspdError: If the object or the table is not seen, or the hand is not the model's.
    """
    view = source if isinstance(source, DatasetView) else None
    if hand is None:
        hand = load_hand(_hand_source(predictor.model.hand.name, view))
        predictor.model.hand.require(hand)
    image = placed_image(source.image if isinstance(source, DatasetView) else source)
    crop = crop_object(image, random_generator(seed, "predict crop"), _point_count(predictor))
    prediction = predictor.predict(crop, hand, count, seed=seed, config=config)
    known, T_object_crop = None, crop.T_camera_crop
    if view is not None:
        assert image.T_world_camera is not None
        name, known = view.object, load_object(str(view.layout.object(view.object)))
        T_object_camera = compose(invert(view.T_world_object), matrix_to_pose(image.T_world_camera))
        T_object_crop = compose(T_object_camera, crop.T_camera_crop)
    batch = predicted_batch(hand, prediction, T_object_crop)
    order = np.argsort(~batch.usable, kind="stable")
    assert prediction.shape is not None
    return PredictedGrasps(
        hand, batch.take(order), prediction.score[order], image, prediction.shape, T_object_crop, name, known
    )


def _point_count(predictor: Predictor) -> int:
    """Return how many points the crops had that a model was trained on."""
    settings = predictor.model.training.get("settings")
    points = settings.get("points") if isinstance(settings, dict) else None
    return points if type(points) is int and 32 <= points <= 65536 else 256


def _hand_source(name: str, view: DatasetView | None) -> str:
    if view is not None and view.layout.hand(name).is_file():
        return str(view.layout.hand(name))
    return name
