# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of views and grasps, drawn so that the same step always gets the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.prediction import near_units
from omni_graspd.prediction.shape_grid import ShapeGrids
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.prediction.training_set import TrainingSet
from omni_graspd.seeding import random_generator

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]


@dataclass(frozen=True, eq=False)
class Batch:
    """V views and G grasps of each, in crop frames."""

    points: Tensor
    """Crops [m], shape [V, point_count, 3]."""
    cameras: Tensor
    """Unit directions to the cameras, shape [V, 3]."""
    seen: Tensor
    """What the cameras know of the voxels, shape [V, 2, SIDE, SIDE, SIDE]."""
    shapes: ShapeGrids
    """The whole objects."""
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
    scale = np.exp(config.scale_noise * random.standard_normal(config.views)) if step >= 0 else np.ones(config.views)
    to_crop, shift = data.T_crop_world[views][:, :3, :3], data.T_crop_world[views][:, None, :3, 3]
    columns = {name: values[rows] for name, values in data.rows.columns().items()}
    positions = scale[:, None, None] * (np.einsum("vij,vgj->vgi", to_crop, columns.pop("positions")) + shift)
    rotations = np.einsum("vij,vgjk->vgik", to_crop, columns.pop("rotations"))
    joint_count, shape = columns["joints"].shape[-1], rows.shape
    # Half of the grasps that the head sees are nearly right, the others anything up to far off.
    level = near_units.WORST * random.random(shape) ** 2
    arrays = {
        "points": scale[:, None, None] * data.points[views],
        "cameras": data.cameras[views],
        "seen": data.seen[views],
        "positions": positions,
        "rotations": rotations,
        "times": random.random(shape),
        "noise": random.standard_normal((*shape, 9 + joint_count)),
        "spoilt": level[..., None] * random.standard_normal((*shape, 6 + joint_count)) / np.sqrt(3.0),
        "level": level,
    }

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)

    places = scale[:, None] * data.places[views]
    return Batch(
        rows={name: tensor(values) for name, values in columns.items()},
        shapes=ShapeGrids(tensor(data.shapes[views]), tensor(places[:, :3]), tensor(places[:, 3])),
        **{name: tensor(values) for name, values in arrays.items()},
    )
