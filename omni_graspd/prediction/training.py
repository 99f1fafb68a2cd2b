# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Training a predictor: the loop, early stopping, and going on after a stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.prediction.batches import draw_batch
from omni_graspd.prediction.grasp_code import GraspCode
from omni_graspd.prediction.model import Model, ModelHand, require_torch
from omni_graspd.prediction.model_file import DESCRIPTION, read_model, write_model
from omni_graspd.prediction.network import BASES, Parameters, initial_parameters
from omni_graspd.prediction.network_config import parameter_shapes
from omni_graspd.prediction.objective import losses
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.prediction.training_set import TrainingSet
from omni_graspd.prediction.training_state import FILE, PARTS, TrainingState, read_state, require_same_run, write_state
from omni_graspd.progress import Progress, no_progress

if TYPE_CHECKING:
    import torch  # pyright: ignore[reportMissingImports]

_LOOKS = 8
"""Batches of a look at the held-out objects, the same ones each time."""
_MEAN = 0.998
"""Share of the running mean of the parameters that a step leaves."""
_LARGEST_GRADIENT = 1.0
Tell = Callable[[dict[str, Any]], None]
"""Called after each look with the entry of the history."""


@dataclass(frozen=True, kw_only=True)
class TrainRun:
    """Where and how a run computes."""

    out: Path
    """The model's folder."""
    seed: int = 0
    """Seed of the network and the batches."""
    device: str = "cpu"
    """PyTorch device."""
    threads: int = 0
    """Threads on the processor; 0: as PyTorch chooses. Sums are rounded in another order with another number."""


def train_model(
    hand: Hand,
    sets: dict[str, TrainingSet],
    config: TrainConfig,
    run: TrainRun,
    *,
    progress: Progress = no_progress,
    tell: Tell = lambda entry: None,
) -> Model:
    """Train a predictor, or go on where training was stopped; a finished one is read.

    The held-out objects are looked at with the running mean of the parameters; the best such mean is the model. Without
    held-out objects it is the last one.

    Args:
        hand: The hand.
        sets: ``train`` and ``validation``, from :func:`~omni_graspd.prediction.training_set.read_training_sets`.
        config: Settings.
        run: Folder, seed, device.
        progress: Called with steps done and at most.
        tell: Called after each look.

    Returns:
        The model, which is also written.

    Raises:
        GraspdError: If PyTorch is missing, training diverges, or the folder belongs to another run.
    """
    require_torch()
    data = sets["train"].digest[:16], sets["validation"].digest[:16]
    known: dict[str, Any] = {"hand": ModelHand.of(hand).hash, "settings": asdict(config), "seed": run.seed}
    known |= {"data": list(data)}
    if (run.out / DESCRIPTION).is_file():
        there = read_model(run.out)
        require_same_run(there.training, known, run.out)
        return there
    shapes = parameter_shapes(config.network, hand.actuated_count)
    state = read_state(run.out, shapes, known) or _begin(initial_parameters(config.network, hand, run.seed))
    code = GraspCode.of(sets["train"].crop_positions())
    with _threads(run.threads):
        _Loop(sets, code, config, run, state).go_on(known, progress, tell)
    training = known | {"objects": {split: list(part.objects) for split, part in sets.items()}}
    model = Model(ModelHand.of(hand), config.network, code, state.arrays["best"], training | {"history": state.history})
    write_model(model, run.out)
    (run.out / FILE).unlink(missing_ok=True)
    return model


def best_look(history: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the entry of the history at which held-out objects were predicted best; None if none were looked at."""
    looked = [entry for entry in history if entry["validation"] is not None]
    return min(looked, key=lambda entry: sum(entry["validation"].values()), default=None)


def _begin(parameters: dict[str, np.ndarray]) -> TrainingState:
    zeros = {name: np.zeros_like(values) for name, values in parameters.items()}
    return TrainingState({part: zeros if part in ("first", "second") else parameters for part in PARTS})


@contextmanager
def _threads(count: int) -> Iterator[None]:
    import torch  # pyright: ignore[reportMissingImports]

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Loop:
    """Parameters, their running mean, and the optimiser."""

    def __init__(
        self, sets: dict[str, TrainingSet], code: GraspCode, config: TrainConfig, run: TrainRun, state: TrainingState
    ) -> None:
        import torch  # pyright: ignore[reportMissingImports]

        self.sets, self.code, self.config, self.run, self.state = sets, code, config, run, state

        def tensors(part: str) -> Parameters:
            return {name: torch.tensor(values, device=run.device) for name, values in state.arrays[part].items()}

        self.now, self.mean = tensors("now"), tensors("mean")
        self.trained = [name for name in self.now if name not in BASES]
        for name in self.trained:
            self.now[name].requires_grad_()
        self.optimizer = torch.optim.AdamW(
            [self.now[name] for name in self.trained], lr=config.learning_rate, weight_decay=config.weight_decay
        )
        first, second = tensors("first"), tensors("second")
        for name in self.trained:
            self.optimizer.state[self.now[name]] = {
                "step": torch.tensor(float(state.step)),
                "exp_avg": first[name],
                "exp_avg_sq": second[name],
            }

    def go_on(self, known: dict[str, Any], progress: Progress, tell: Tell) -> None:
        """Make the steps that are left."""
        seen: list[dict[str, float]] = []
        progress(self.state.step, self.config.steps)
        while self.state.step < self.config.steps and not self._is_over():
            seen.append(self._step())
            self.state.step += 1
            progress(self.state.step, self.config.steps)
            if self.state.step % self.config.check_every == 0 or self.state.step == self.config.steps:
                self._look(seen)
                write_state(self.state, known, self.run.out)
                tell(self.state.history[-1])
                seen = []

    def _step(self) -> dict[str, float]:
        import torch  # pyright: ignore[reportMissingImports]

        for group in self.optimizer.param_groups:
            group["lr"] = _rate(self.state.step, self.config)
        batch = draw_batch(self.sets["train"], self.config, self.run.seed, self.state.step, self.run.device)
        terms = losses(self.now, self.code, batch)
        total = torch.stack(list(terms.values())).sum()
        self.optimizer.zero_grad()
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_([self.now[name] for name in self.trained], _LARGEST_GRADIENT)
        if not math.isfinite(float(norm)):
            raise GraspdError(
                f"training diverged at step {self.state.step}: a gradient is not finite; train with a lower rate"
            )
        self.optimizer.step()
        share = 1.0 - min(_MEAN, (1.0 + self.state.step) / (10.0 + self.state.step))
        with torch.no_grad():
            for name in self.trained:
                self.mean[name].lerp_(self.now[name], share)
        return {name: float(value.detach()) for name, value in terms.items()}

    def _look(self, seen: list[dict[str, float]]) -> None:
        """Compare with the best look so far, and take everything down."""
        import torch  # pyright: ignore[reportMissingImports]

        held_out = None
        if len(self.sets["validation"]):
            with torch.no_grad():
                looks = [self._held_out(number) for number in range(1, _LOOKS + 1)]
            held_out = _means(looks)
        entry = {"step": self.state.step, "train": _means(seen), "validation": held_out}
        before = best_look(self.state.history)
        self.state.history.append(entry)
        arrays = self.state.arrays
        arrays["now"], arrays["mean"] = _arrays(self.now), _arrays(self.mean)
        moments = [(name, self.optimizer.state[self.now[name]]) for name in self.trained]
        arrays["first"] = arrays["first"] | _arrays({name: kept["exp_avg"] for name, kept in moments})
        arrays["second"] = arrays["second"] | _arrays({name: kept["exp_avg_sq"] for name, kept in moments})
        if held_out is None or before is None or sum(held_out.values()) < sum(before["validation"].values()):
            arrays["best"] = arrays["mean"]

    def _held_out(self, number: int) -> dict[str, float]:
        batch = draw_batch(self.sets["validation"], self.config, self.run.seed, -number, self.run.device)
        return {name: float(value) for name, value in losses(self.mean, self.code, batch).items()}

    def _is_over(self) -> bool:
        """Tell whether the last looks were no better than one before."""
        best, history = best_look(self.state.history), self.state.history
        if best is None:
            return False
        return len(history) - 1 - history.index(best) >= self.config.patience


def _rate(step: int, config: TrainConfig) -> float:
    """Return the step size: rising over the first fiftieth of the steps, then half a period of a cosine."""
    warm = max(config.steps // 50, 1)
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * (step - warm) / max(config.steps - warm, 1)))


def _means(entries: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([entry[name] for entry in entries])), 6) for name in entries[0]}


def _arrays(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: values.detach().cpu().numpy().copy() for name, values in tensors.items()}
