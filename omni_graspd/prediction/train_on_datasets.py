# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From dataset folders to a model folder with a picture: what ``graspd train`` does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from omni_graspd.atomic import writing_to
from omni_graspd.backend import load_backend
from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.prediction.example_views import example_views
from omni_graspd.prediction.model import Model, require_torch
from omni_graspd.prediction.picture import draw_predictions
from omni_graspd.prediction.predict_grasps import predict_grasps
from omni_graspd.prediction.predictor import Predictor
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.prediction.training import Tell, TrainRun, train_model
from omni_graspd.prediction.training_set import TrainingSet, read_training_sets
from omni_graspd.progress import Progress, no_progress

PICTURE = "predictions.png"
"""The picture in a model's folder."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a run learns from."""

    paths: tuple[Path, ...]
    """Dataset folders."""
    hand: Hand
    """The hand."""
    sets: dict[str, TrainingSet]
    """Views by split."""


def read_training_data(
    paths: Sequence[Path], hand: str, config: TrainConfig, seed: int, progress: Progress = no_progress
) -> TrainingData:
    """Read datasets for training.

    Args:
        paths: Dataset folders, or addresses of datasets.
        hand: Whose grasps; needed if a dataset has several hands.
        config: Settings.
        seed: Draws the pixels.
        progress: Called with objects read and in total.

    Raises:
        GraspdError: If PyTorch is missing, or the datasets cannot be used.
    """
    require_torch()
    if not paths:
        raise GraspdError("expected one or more dataset folders to train on, got none")
    roots = tuple(local_dataset(path) for path in paths)
    own, sets = read_training_sets(roots, hand, config=config, seed=seed, progress=progress)
    return TrainingData(roots, own, sets)


def train_on_datasets(
    data: TrainingData,
    config: TrainConfig,
    run: TrainRun,
    *,
    progress: Progress = no_progress,
    tell: Tell = lambda entry: None,
) -> Model:
    """Train a model, or go on where that was stopped.

    Raises:
        GraspdError: As :func:`~omni_graspd.prediction.training.train_model`; or if the folder cannot be written.
    """
    with writing_to(run.out):
        return train_model(data.hand, data.sets, config, run, progress=progress, tell=tell)


def draw_examples(data: TrainingData, model: Model, run: TrainRun, progress: Progress = no_progress) -> Path | None:
    """Draw what a new model predicts, held-out objects first; None without a renderer.

    Args:
        data: What it learned from.
        model: The model.
        run: Where it lies.
        progress: Called with pictures drawn and in total.
    """
    if find_spec("mitsuba") is None:
        return None
    predictor, path = Predictor(model, run.device), run.out / PICTURE
    views = example_views(data.paths, data.hand.name)
    predictions = [predict_grasps(predictor, view, hand=data.hand) for view in views]
    title = f"Predicted grasps, {data.hand.name}"
    asyncio.run(draw_predictions(load_backend("auto"), predictions, path, title=title, progress=progress))
    return path
