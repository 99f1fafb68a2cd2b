# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From what a camera sees to grasps: the flow from noise, then the head that looks from the palm."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.prediction import near_units
from omni_graspd.prediction.completion import complete
from omni_graspd.prediction.crop import Crop
from omni_graspd.prediction.fit_to_shape import fit_to_shape
from omni_graspd.prediction.grasp_code import from_unit
from omni_graspd.prediction.model import Model, require_torch
from omni_graspd.prediction.model_file import read_model
from omni_graspd.prediction.network import encode, look_from_palm, velocity
from omni_graspd.prediction.rotations import turned
from omni_graspd.prediction.shape_grid import DEEP, GridPlace, ShapeGrids
from omni_graspd.ranges import require_at_least
from omni_graspd.seeding import random_generator
from omni_graspd.usd.transforms import matrix_to_pose

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]

_MOST_GRASPS = 65536
_NOT_HELD = 0.5
"""Scores of grasps that, fitted, are not clear of the guessed object, or touch it with fewer than two digits, are this
much less."""


@dataclass(frozen=True, kw_only=True)
class PredictConfig:
    """How grasps are drawn."""

    flow_steps: int = 3
    """Steps from noise to a grasp; each asks the flow twice (midpoint rule)."""
    draws: int = 2
    """Grasps drawn for each that is kept; those with the best scores are."""
    mendings: int = 2
    """How often grasps that are kept are mended as the head says."""
    fit: bool = True
    """Back palms off and close fingers until they touch the guessed object."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "predict", 1, "flow_steps", "draws")
        require_at_least(self, "predict", 0, "mendings")


@dataclass(frozen=True, eq=False)
class GuessedShape:
    """What a model guesses an object to be."""

    distances: np.ndarray
    """Signed distances in voxels, negative inside, shape [SIDE, SIDE, SIDE]."""
    place: GridPlace
    """Where the voxels are in the crop frame."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """Grasps in the crop frame with what comes before and after, best first."""

    T_crop_palm: np.ndarray
    """Palms, shape [grasp_count, 7]."""
    actuated: np.ndarray
    """Actuated positions of the grasp [rad or m], shape [grasp_count, actuated_count]."""
    opened: np.ndarray
    """Actuated positions at the pregrasp and at hover, likewise."""
    squeezed: np.ndarray
    """Actuated targets that press, likewise."""
    T_crop_hover: np.ndarray
    """Palms where the open hand begins to close, shape [grasp_count, 7]."""
    T_crop_pregrasp: np.ndarray
    """Palms before the approach, shape [grasp_count, 7]."""
    score: np.ndarray
    """How much each looks like a grasp of training, and whether it holds what the object is guessed to be, 0 to 1,
    falling, shape [grasp_count]."""
    shape: GuessedShape | None = None
    """What the object is guessed to be."""

    def take(self, rows: np.ndarray) -> Prediction:
        """Return some of the grasps."""
        columns = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "shape"}
        return replace(self, **{name: values[rows] for name, values in columns.items()})


def _best(
    grasps: tuple[Tensor, Tensor, Tensor], said: dict[str, Tensor], count: int
) -> tuple[tuple[Tensor, Tensor, Tensor], dict[str, Tensor]]:
    """Return the grasps of one view with the best scores, and what was said of them."""
    best = said["score"][0, :, 0].argsort(descending=True, stable=True)[:count]
    positions, rotations, joints = grasps
    kept = positions[:, best], rotations[:, best], joints[:, best]
    return kept, {name: values[:, best] for name, values in said.items()}


def _mended(grasps: tuple[Tensor, Tensor, Tensor], said: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return palms and joints moved as the head says."""
    positions, rotations, joints = grasps
    shift = (rotations @ said["shift"][..., None])[..., 0]
    return (
        positions + near_units.SHIFT * shift,
        rotations @ turned(near_units.TURN * said["turn"]),
        (joints + near_units.BEND * said["bend"]).clamp(-1.0, 1.0),
    )


class Predictor:
    """A model that is ready: its numbers are on the device."""

    def __init__(self, model: Model, device: str = "cpu") -> None:
        """Bring a model to a device.

        Args:
            model: The model.
            device: PyTorch device.

        Raises:
            GraspdError: If PyTorch is missing, or has no such device.
        """
        require_torch()
        import torch  # pyright: ignore[reportMissingImports]

        self.model, self.device = model, device
        try:
            self._parameters = {name: torch.tensor(part, device=device) for name, part in model.parameters.items()}
        except (RuntimeError, AssertionError) as error:
            raise GraspdError(f"expected a device of PyTorch, got {device!r} ({str(error).splitlines()[0]})") from error

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> Predictor:
        """Read a model; one that was read before is kept while its file stays as it is.

        Raises:
            GraspdError: As :func:`~omni_graspd.prediction.model_file.read_model`.
        """
        path = Path(folder).absolute()
        stamp = tuple(file.stat().st_mtime_ns for file in sorted(path.glob("model.*")))
        return _loaded(path, device, stamp)

    def predict(
        self, crop: Crop, hand: Hand, count: int = 32, *, seed: int = 0, config: PredictConfig | None = None
    ) -> Prediction:
        """Draw grasps of what a camera sees.

        Args:
            crop: Points on the object.
            hand: The model's hand.
            count: How many.
            seed: Draws the noise that grasps begin as.
            config: Steps.

        Returns:
            The grasps, ranked by the head's score.

        Raises:
            GraspdError: If it is another hand, or the count is out of range.
        """
        if not 1 <= count <= _MOST_GRASPS:
            raise GraspdError(f"expected count from 1 to {_MOST_GRASPS}, got {count}")
        if tuple(hand.joint_names) != self.model.hand.joint_names:
            self.model.hand.require(hand)
        import torch  # pyright: ignore[reportMissingImports]

        config = config or PredictConfig()
        drawn_count = min(config.draws * count, _MOST_GRASPS)
        noise = random_generator(seed, "predict").standard_normal((1, drawn_count, 9 + hand.actuated_count))
        with torch.inference_mode():
            view = self._view(crop)
            start = torch.tensor(noise, dtype=torch.float32, device=self.device)
            drawn = self.model.code.decode(self._flow(view, start, config.flow_steps))
            drawn, said = _best(drawn, look_from_palm(self._parameters, *view, *drawn), count)
            for _ in range(config.mendings):
                drawn = _mended(drawn, said)
                said = look_from_palm(self._parameters, *view, *drawn)
            rows = [values[0].cpu().numpy().astype(np.float64) for values in drawn]
            told = {name: values[0].cpu().numpy().astype(np.float64) for name, values in said.items()}
            found = _prediction(hand, rows[0], rows[1], rows[2], told)
            if config.fit:
                found, good = fit_to_shape(hand, found, view[2])
                found = replace(found, score=np.where(good, found.score, _NOT_HELD * found.score))
        found = found.take(np.argsort(-found.score, kind="stable"))
        return replace(found, shape=GuessedShape(view[2].values[0].cpu().numpy().astype(np.float64), crop.place))

    def fit(self, crop: Crop, hand: Hand, grasps: Prediction) -> Prediction:
        """Fit any grasps to the object as it is guessed; see :func:`~.fit_to_shape.fit_to_shape`.

        Args:
            crop: What is seen of the object.
            hand: The hand.
            grasps: Grasps in the crop frame.
        """
        import torch  # pyright: ignore[reportMissingImports]

        with torch.inference_mode():
            return fit_to_shape(hand, grasps, self._view(crop)[2])[0]

    def _view(self, crop: Crop) -> tuple[Tensor, Tensor, ShapeGrids]:
        """Return what the network asks about: points, the camera, and the object as it is guessed."""
        import torch  # pyright: ignore[reportMissingImports]

        points, camera, seen, origin, spacing = (
            torch.as_tensor(np.asarray(values, dtype=np.float32)[None], device=self.device)
            for values in (crop.points, crop.camera, crop.seen, crop.place.origin, crop.place.spacing)
        )
        guess = complete(self._parameters, seen).clamp(-DEEP, DEEP)
        return points, camera, ShapeGrids(guess, origin, spacing)

    def _flow(self, view: tuple[Tensor, Tensor, ShapeGrids], grasps: Tensor, steps: int) -> Tensor:
        """Move grasps from noise to data by the midpoint rule."""
        seen = encode(self._parameters, *view)
        time = grasps.new_zeros((len(grasps), 1))  # the same for all, so that its layers are asked once
        for number in range(steps):
            half = velocity(self._parameters, seen, grasps, time + number / steps)
            middle = grasps + 0.5 / steps * half
            grasps = grasps + velocity(self._parameters, seen, middle, time + (number + 0.5) / steps) / steps
        return grasps


@functools.lru_cache(maxsize=4)
def _loaded(folder: Path, device: str, stamp: tuple[int, ...]) -> Predictor:
    return Predictor(read_model(folder), device)


def _prediction(
    hand: Hand, positions: np.ndarray, rotations: np.ndarray, joints: np.ndarray, told: dict[str, np.ndarray]
) -> Prediction:
    matrices = np.tile(np.eye(4), (len(positions), 1, 1))
    matrices[:, :3, :3] = rotations
    turns = matrix_to_pose(matrices)[:, 3:]

    def at(places: np.ndarray) -> np.ndarray:
        return np.concatenate([places, turns], axis=1)

    hover, pregrasp = (np.einsum("gij,gj->gi", rotations, near_units.RETREAT * told[name]) for name in _RETREATS)
    return Prediction(
        T_crop_palm=at(positions),
        actuated=from_unit(hand, joints),
        opened=from_unit(hand, joints + near_units.OPENING * told["opened"]),
        squeezed=from_unit(hand, joints + near_units.PRESSING * told["squeezed"]),
        T_crop_hover=at(positions + hover),
        T_crop_pregrasp=at(positions + hover + pregrasp),
        score=1.0 / (1.0 + np.exp(-np.clip(told["score"][:, 0], -50.0, 50.0))),
    )


_RETREATS = ("hover", "pregrasp")
