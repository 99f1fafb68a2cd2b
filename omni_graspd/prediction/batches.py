# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of views and grasps, drawn so that the same step always gets the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.prediction import near_units
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.prediction.training_set import TrainingSet
from omni_graspd.seeding import random_generator

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]


@dataclass(frozen=True, eq=False)
class Batch:
    """V views and G grasps of each, in crop frames that are turned about the vertical."""

    points: Tensor
    """Crops [m], shape [V, point_count, 3]."""
    cameras: Tensor
    """Unit directions to the cameras, shape [V, 3]."""
    positions: Tensor
    """Palms [m], shape [V, G, 3]."""
    rotations: Tensor
    """Palms, shape [V, G, 3, 3]."""
    rows: dict[str, Tensor]
    """What else is known of the grasps, by the names of :class:`~omni_graspd.prediction.training_set.SceneRows`, each
    [V, G, ...]."""
    times: Tensor
    """Where on the way from noise to data the flow is asked, shape [V, G]."""
    noise: Tensor
    """Where the way begins, shape [V, G, POSE_SIZE + joint_count]."""
    spoilt: Tensor
    """By what the grasps shown to the head are spoilt, in its units: palm's place and turn, joints, shape
    [V, G, 6 + joint_count]."""
    level: Tensor
    """By how much, shape [V, G]."""


def draw_batch(data: TrainingSet, config: TrainConfig, seed: int, step: int, device: str) -> Batch:
    """Draw a batch.

    Args:
        data: Views and grasps.
        config: Sizes and noise.
        seed: Seed of the run.
        step: Number of the step; negative: a look at held-out objects, without noise on the points.
        device: Where its tensors are.
    """
    import torch  # pyright: ignore[reportMissingImports]

    random = random_generator(seed, "batch" if step >= 0 else "look", abs(step))
    views = random.integers(len(data), size=config.views)
    picks = random.random((config.views, config.grasps))
    rows = data.first[views, None] + (picks * data.count[views, None]).astype(np.int64)
    turn = _turns(random.uniform(0.0, 2.0 * np.pi, config.views))
    to_crop = turn @ data.T_crop_world[views][:, :3, :3]
    shift = (turn @ data.T_crop_world[views][:, :3, 3:])[:, None, :, 0]
    points = data.points[views] @ turn.transpose(0, 2, 1)
    scale = np.ones(config.views)
    if step >= 0:
        points = _cut(points, random, config.most_hidden)
        points = points + config.point_noise * random.standard_normal(points.shape)
        scale = np.exp(config.scale_noise * random.standard_normal(config.views))
    columns = {name: values[rows] for name, values in data.rows.columns().items()}
    positions = np.einsum("vij,vgj->vgi", to_crop, columns.pop("positions")) + shift
    points, positions = scale[:, None, None] * points, scale[:, None, None] * positions
    rotations = np.einsum("vij,vgjk->vgik", to_crop, columns.pop("rotations"))
    joint_count, shape = columns["joints"].shape[-1], rows.shape
    # Half of the grasps that the head sees are nearly right, the others anything up to far off.
    level = near_units.WORST * random.random(shape) ** 2
    arrays = {
        "points": points,
        "cameras": np.einsum("vij,vj->vi", turn, data.cameras[views]),
        "positions": positions,
        "rotations": rotations,
        "times": random.random(shape),
        "noise": random.standard_normal((*shape, 9 + joint_count)),
        "spoilt": level[..., None] * random.standard_normal((*shape, 6 + joint_count)) / np.sqrt(3.0),
        "level": level,
    }

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)

    return Batch(
        rows={name: tensor(values) for name, values in columns.items()},
        **{name: tensor(values) for name, values in arrays.items()},
    )


def _cut(points: np.ndarray, random: np.random.Generator, most: float) -> np.ndarray:
    """Hide what lies beyond a random plane, up to a share of the points; those left are drawn again in their place."""
    count = points.shape[1]
    directions = random.standard_normal((len(points), 1, 3))
    order = (points * directions).sum(axis=-1).argsort(axis=1)
    kept = np.ceil(count * (1.0 - most * random.random(len(points)))).astype(np.int64)
    drawn = (random.random((len(points), count)) * kept[:, None]).astype(np.int64)
    chosen = np.where(np.arange(count) < kept[:, None], np.arange(count), drawn)
    return np.take_along_axis(points, np.take_along_axis(order, chosen, axis=1)[..., None], axis=1)


def _turns(angles: np.ndarray) -> np.ndarray:
    """Return rotations about the vertical, shape [count, 3, 3], float32."""
    matrices = np.zeros((len(angles), 3, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(angles)
    matrices[:, 1, 0] = np.sin(angles)
    matrices[:, 0, 1] = -matrices[:, 1, 0]
    matrices[:, 2, 2] = 1.0
    return matrices.astype(np.float32)
