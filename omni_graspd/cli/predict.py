# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd predict``."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.backend import load_backend
from omni_graspd.cli.console import Action, progress_bar
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.plural import counted
from omni_graspd.prediction.image_input import read_source
from omni_graspd.prediction.picture import draw_predictions
from omni_graspd.prediction.predict_grasps import PredictedGrasps, predict_grasps
from omni_graspd.prediction.prediction_file import write_prediction
from omni_graspd.prediction.predictor import Predictor
from omni_graspd.prediction.refinement import refine
from omni_graspd.prediction.view_input import DatasetView

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """What is predicted, and what is known of the image."""

    count: int = 32
    """Number of grasps."""
    out: Path | None = None
    """Table of grasps to write, .parquet; of an image also the guessed object, .ply."""
    picture: Path | None = None
    """Picture of the best grasps to write, .png."""
    intrinsics: tuple[float, float, float, float] | None = None
    """Camera of a depth image: FX FY CX CY [pixel]; a dataset's view has it."""
    mask: Path | None = None
    """Image of the same size, above 0 where the object is. Default: what stands on the table."""
    camera_pose: tuple[float, float, float, float, float, float, float] | None = None
    """Pose of the camera, X Y Z QX QY QZ QW, looking along +Z with +Y down, in a world with Z up and the table top at
    z = 0. Default: the table is found in the image."""
    hand: str = ""
    """The model's hand, by name or USD file. Default: by its name, from the dataset or the library."""
    refine: bool = False
    """Optimise the predicted grasps on the object's mesh: that of the view's object, or the guessed one."""
    seed: int = 0
    """Random seed of the prediction."""
    device: str = "cpu"
    """PyTorch device: cpu or cuda:0."""


def predict(
    model: Annotated[Path, tyro.conf.Positional],
    image: Annotated[Path, tyro.conf.Positional],
    options: Annotated[PredictOptions, tyro.conf.arg(name="")],
) -> Action:
    """Predict grasps from a depth image, best first, with pregrasp, hover and squeeze.

    Grasps of a dataset's view are in the frame of its object; those of an image file in the frame of the camera: x
    right, y down, z forward. Needs pip install 'omni-graspd[predict]'.

    Args:
        model: Folder that graspd train wrote.
        image: View of a dataset (renders/mug/scene_0000/view_0000), or a depth image: .npy in metres or 16-bit PNG in
            millimetres.
        options: What to predict.
    """
    return partial(_predict, model, image, options)


def _predict(model: Path, image: Path, options: PredictOptions, console: Console) -> None:
    predictor = Predictor.load(model, options.device)
    source = read_source(image, options.intrinsics, options.mask, options.camera_pose)
    hand = load_hand(options.hand) if options.hand else None
    if hand is not None:
        predictor.model.hand.require(hand)
    name = "seen" if options.out is None else options.out.stem
    begin = time.perf_counter()
    found = predict_grasps(predictor, source, options.count, seed=options.seed, hand=hand, name=name)
    found = refine(found) if options.refine else found
    _show(found, time.perf_counter() - begin, console)
    if options.out is not None:
        of_image = not isinstance(source, DatasetView)
        for path in write_prediction(found, options.out, with_object=of_image, seed=options.seed):
            console.print(f"written: {path}", soft_wrap=True, markup=False)
    if options.picture is not None:
        title = f"Predicted grasps, {found.hand.name}"
        with progress_bar(console, "draw", "picture") as progress:
            asyncio.run(
                draw_predictions(load_backend("auto"), [found], options.picture, title=title, progress=progress)
            )
        console.print(f"picture: {options.picture}", soft_wrap=True, markup=False)


def _show(found: PredictedGrasps, seconds: float, console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("grasp", "score", "palm x y z [m]", "usable"):
        table.add_column(heading, justify="left" if heading == "grasp" else "right")
    for row in range(min(_SHOWN, len(found.score))):
        place = " ".join(f"{value:.3f}" for value in found.batch.T_object_palm[row, :3])
        table.add_row(str(row), f"{found.score[row]:.2f}", place, "yes" if found.batch.usable[row] else "no")
    console.print(table)
    usable = int(found.batch.usable.sum())
    console.print(
        f"{counted(len(found.score), 'grasp')} of {found.obj.name} by {found.hand.name}, {usable} usable, "
        f"in {1e3 * seconds:.0f} ms",
        soft_wrap=True,
        markup=False,
    )
