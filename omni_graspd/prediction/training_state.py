# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where training stands, on disk: a run that was stopped goes on and ends with the same network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.prediction.parameter_file import read_arrays, write_arrays

FILE = "training.safetensors"
PARTS = ("now", "mean", "best", "first", "second")
"""What is kept of each parameter: its value, the running mean, that of the best look, and Adam's two moments."""


@dataclass(eq=False)
class TrainingState:
    """Where training stands."""

    arrays: dict[str, dict[str, np.ndarray]]
    """By the names of :data:`PARTS`, parameters by name."""
    step: int = 0
    """Gradient steps made."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """What was seen at each look: ``step``, and the terms of the loss on ``train`` and ``validation`` objects."""


def write_state(state: TrainingState, run: Mapping[str, Any], folder: Path) -> None:
    """Write where a run stands.

    Args:
        state: Where it stands.
        run: What determines it: settings, seed, data.
        folder: The model's folder.
    """
    arrays = {f"{part}/{name}": values for part in PARTS for name, values in state.arrays[part].items()}
    said = {"step": str(state.step), "history": json.dumps(state.history), "run": json.dumps(run, sort_keys=True)}
    write_arrays(arrays, folder / FILE, said)


def read_state(folder: Path, shapes: Mapping[str, tuple[int, ...]], run: Mapping[str, Any]) -> TrainingState | None:
    """Read where a run stands; None if it has not begun.

    Args:
        folder: The model's folder.
        shapes: Shapes of the parameters.
        run: What determines the run that is to go on.

    Raises:
        GraspdError: If the file is damaged, or of a run with other settings or data.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    every = {f"{part}/{name}": shape for part in PARTS for name, shape in shapes.items()}
    try:
        arrays, said = read_arrays(path, every)
        step, history = int(said["step"]), json.loads(said["history"])
        before = json.loads(said["run"])
        if step < 0 or not isinstance(history, list) or not isinstance(before, dict):
            raise ValueError("no state of training")
    except (ValueError, KeyError, RecursionError, GraspdError) as error:
        raise GraspdError(
            f"expected a stopped run with the same settings in {path} ({shortened(str(error), 160)}); delete the file "
            "to begin again, or choose another folder with --out"
        ) from error
    require_same_run(before, run, folder)
    parts = {part: {name: arrays[f"{part}/{name}"] for name in shapes} for part in PARTS}
    return TrainingState(parts, step, history)


def require_same_run(before: Mapping[str, Any], run: Mapping[str, Any], folder: Path) -> None:
    """Check that a folder belongs to a run.

    Raises:
        GraspdError: If it belongs to a run with other settings or data; the message names one.
    """
    wanted = json.loads(json.dumps(run))  # tuples are lists there
    differs = [name for name in run if before.get(name) != wanted[name]]
    if differs:
        first = differs[0]
        raise GraspdError(
            f"{folder} belongs to training with another {first} ({shortened(str(before.get(first)), 60)} instead of "
            f"{shortened(str(run[first]), 60)}); choose another folder with --out, or delete it"
        )
