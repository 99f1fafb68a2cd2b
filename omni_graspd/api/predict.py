# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``gd.train`` and ``gd.predict``: grasps from a depth image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.api import assets
from omni_graspd.api.grasps import Grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.prediction import refinement
from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.prediction.image_input import read_source
from omni_graspd.prediction.predict_grasps import predict_grasps
from omni_graspd.prediction.predictor import Predictor
from omni_graspd.prediction.train_config import Preset, TrainConfig

if TYPE_CHECKING:
    from omni_graspd.dataset.loader import Dataset


def train(
    data: str | Path | Dataset | Sequence[str | Path | Dataset],
    out: str | Path = "graspd_model",
    *,
    hand: str = "",
    preset: Preset = "default",
    steps: int = 0,
    seed: int = 0,
    device: str = "cpu",
    threads: int = 0,
) -> Predictor:
    """Train a network that predicts grasps from depth images, as ``graspd train`` does; stopped, the same call resumes.

    Args:
        data: Datasets, or their folders.
        out: Folder of the model.
        hand: Whose grasps; needed if a dataset has several hands.
        preset: ``"tiny"`` takes minutes on one core.
        steps: Most gradient steps; 0: as the preset has it.
        seed: Seed; the same seed, data and number of threads make the same model.
        device: PyTorch device.
        threads: Threads on the CPU; 0: as PyTorch chooses.

    Returns:
        The predictor, for :func:`predict`; how it was trained is in ``predictor.model.training``.

    Raises:
        GraspdError: If PyTorch is missing, the datasets cannot be used, or the folder belongs to another run.
    """
    from omni_graspd.cli.console import open_console, progress_bar
    from omni_graspd.prediction.train_on_datasets import read_training_data, train_on_datasets
    from omni_graspd.prediction.training import TrainRun

    several = [data] if isinstance(data, str | Path) or hasattr(data, "manifest") else list(data)  # type: ignore[arg-type]
    paths = [Path(each) if isinstance(each, str | Path) else each.root for each in several]  # type: ignore[union-attr]
    config, run = TrainConfig.of(preset, steps), TrainRun(out=Path(out), seed=seed, device=device, threads=threads)
    console = open_console()
    with progress_bar(console, "read", "object") as progress:
        known = read_training_data(paths, hand, config, seed, progress)
    with progress_bar(console, "train", "step") as progress:
        model = train_on_datasets(known, config, run, progress=progress)
    return Predictor(model, device)


def predict(
    model: str | Path | Predictor,
    image: str | Path | np.ndarray,
    count: int = 32,
    *,
    intrinsics: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    T_world_camera: np.ndarray | None = None,
    hand: str | Path | Hand | None = None,
    refine: bool = False,
    seed: int = 0,
    device: str = "cpu",
) -> Grasps:
    """Predict grasps from a depth image, best first, with pregrasp, hover and squeeze.

    Args:
        model: Folder that :func:`train` wrote, or what it returned.
        image: Folder of a dataset's view, or distances to the image plane [m], shape [height, width].
        count: How many.
        intrinsics: Camera matrix of an image [pixel], shape [3, 3].
        mask: Which pixels of an image show the object, bool; by default what stands on the table.
        T_world_camera: Pose of an image's camera, x right, y down, z forward, in a world with Z up and the table top at
            z = 0, shape [4, 4]; by default the table is found in the image.
        hand: The model's hand; by default the one of this name in the dataset or in the library.
        refine: Optimise the grasps on the object's mesh, that of the view's object or the guessed one.
        seed: Seed of the prediction.
        device: PyTorch device; that of a predictor stays.

    Returns:
        The grasps, with a metric ``predicted_score``. Those of a view are of its object; those of an image are in the
        frame of its camera, and their object is what the model guesses it to be. ``usable`` are those clear of the
        table.

    Raises:
        GraspdError: If PyTorch is missing, the model or the image cannot be read, or object or table are not seen.
    """
    predictor = model if isinstance(model, Predictor) else Predictor.load(model, device)
    if isinstance(image, np.ndarray):
        if intrinsics is None:
            raise GraspdError("expected the camera of the depth image, got none; pass its matrix as intrinsics=")
        source = DepthImage(image, intrinsics, mask, T_world_camera)
    elif intrinsics is not None or mask is not None or T_world_camera is not None:
        raise GraspdError("camera and mask go with an array of distances; of a file, load the array and pass it")
    else:
        source = read_source(Path(image))
    own = None if hand is None else assets.load_hand(hand)
    if own is not None:
        predictor.model.hand.require(own)
    found = predict_grasps(predictor, source, count, seed=seed, hand=own)
    if refine:
        found = refinement.refine(found)
    indices = np.arange(len(found.score), dtype=np.int32)
    return Grasps(found.hand, found.obj, found.batch, indices, seed, found.metrics)
