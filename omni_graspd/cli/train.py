# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd train``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from omni_graspd.cli.console import Action, duration, progress_bar
from omni_graspd.plural import counted
from omni_graspd.prediction.train_config import Preset, TrainConfig
from omni_graspd.prediction.train_on_datasets import draw_examples, read_training_data, train_on_datasets
from omni_graspd.prediction.training import TrainRun, best_look

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What is trained, and where."""

    hand: str = ""
    """Hand whose grasps are learned; needed if the datasets have several."""
    out: Path = Path("graspd_model")
    """Folder of the model."""
    preset: Preset = "default"
    """Size of network and batches; tiny takes minutes on one core."""
    steps: int = 0
    """Most gradient steps. Default: that of the preset."""
    seed: int = 0
    """Random seed; the same seed, data and number of threads make the same model."""
    device: str = "cpu"
    """PyTorch device: cpu or cuda:0."""
    threads: int = 0
    """Threads on the CPU; 0: as PyTorch chooses."""
    picture: bool = True
    """Draw predictions for held-out objects at the end, predictions.png; --no-picture leaves it out."""


def train(
    path: Annotated[list[Path], tyro.conf.Positional],
    options: Annotated[TrainOptions, tyro.conf.arg(name="")],
) -> Action:
    """Train a network that predicts grasps from a depth image, on the usable grasps and the views of datasets.

    Training stops early when held-out objects (the validation split) are predicted no better. If a run is stopped, the
    same command resumes it and ends with the same network. Needs pip install 'omni-graspd[predict]'.

    Args:
        path: Dataset folders, or s3://bucket/name.
        options: What to train.
    """
    return partial(_train, path, options)


def _train(paths: list[Path], options: TrainOptions, console: Console) -> None:
    begin, config = time.perf_counter(), TrainConfig.of(options.preset, options.steps)
    with progress_bar(console, "read", "object") as progress:
        data = read_training_data(paths, options.hand, config, options.seed, progress)
    for split, part in data.sets.items():
        grasps = counted(int(part.count.sum()), "grasp")
        objects = f" of {', '.join(part.objects)}" if part.objects else "; no held-out objects, so no early stopping"
        console.print(f"{split}: {counted(len(part), 'image')}, {grasps} before them{objects}", soft_wrap=True)
    run = TrainRun(out=options.out, seed=options.seed, device=options.device, threads=options.threads)
    with progress_bar(console, "train", "step") as progress:
        model = train_on_datasets(data, config, run, progress=progress, tell=lambda entry: _tell(entry, console))
    best = best_look(model.training["history"])
    if best is not None:
        line = f"best on held-out objects after {counted(best['step'], 'step')}: {_terms(best['validation'])}"
        console.print(line, soft_wrap=True)
    if options.picture:
        with progress_bar(console, "draw", "picture") as progress:
            picture = draw_examples(data, model, run, progress)
        console.print(
            "no picture: no renderer is installed" if picture is None else f"picture: {picture}", soft_wrap=True
        )
    took = duration(time.perf_counter() - begin)
    console.print(
        f"model: {options.out} in {took}; next: graspd predict {options.out} IMAGE", soft_wrap=True, markup=False
    )


def _tell(entry: dict[str, Any], console: Console) -> None:
    held_out = "" if entry["validation"] is None else f" · held-out {_terms(entry['validation'])}"
    console.print(f"step {entry['step']}: {_terms(entry['train'])}{held_out}", style="dim", soft_wrap=True)


def _terms(terms: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.3f}" for name, value in terms.items())
