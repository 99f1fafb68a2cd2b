# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Time from a depth image to 32 grasps on one core; exits with 1 when it takes longer than it should.

    python benchmarks/bench_predict.py [--model MODEL] [--preset default] [--repeats 30]

Without a model the network is as it begins: its numbers do not matter for the time. The processor time of one thread,
median: of the network alone, from points to ranked grasps, and of everything, from the image to the checked table.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.prediction.crop import crop_object
from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.prediction.grasp_code import GraspCode
from omni_graspd.prediction.model import Model, ModelHand
from omni_graspd.prediction.model_file import read_model
from omni_graspd.prediction.network import initial_parameters
from omni_graspd.prediction.predict_grasps import predict_grasps
from omni_graspd.prediction.predictor import Predictor
from omni_graspd.prediction.train_config import PRESETS, Preset

_LONGEST = 0.05
"""Seconds that 32 grasps may take, from the image to the checked table."""


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--preset", choices=tuple(PRESETS), default="default")
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(1)
    hand, image = load_hand(options.hand), _ball_image()
    model = read_model(options.model) if options.model else _untrained(hand, options.preset)
    predictor = Predictor(model)
    crop = crop_object(image, np.random.default_rng(0))
    network = _median(lambda: predictor.predict(crop, hand, options.count), options.repeats)
    whole = _median(lambda: predict_grasps(predictor, image, options.count, hand=hand), options.repeats)
    sizes = sum(values.size for values in model.parameters.values())
    print(f"{options.count} grasps by {hand.name}, {sizes / 1e6:.1f} M parameters, one thread, median processor time")
    print(f"network, from points to ranked grasps: {1e3 * network:.1f} ms")
    print(f"everything, from the image to grasps that are checked against the table: {1e3 * whole:.1f} ms")
    missed = whole > _LONGEST
    print(f"missed: {1e3 * whole:.1f} ms > {1e3 * _LONGEST:.0f} ms" if missed else "all met")
    return int(missed)


def _untrained(hand: Hand, preset: Preset) -> Model:
    network = PRESETS[preset].network
    code = GraspCode(np.array([0.0, 0.0, 0.1]), np.array([0.1, 0.1, 0.05]))
    return Model(ModelHand.of(hand), network, code, initial_parameters(network, hand, 0))


def _ball_image() -> DepthImage:
    """Return the exact image of a ball of 4 cm radius on the table, seen from 45 degrees above, 320 x 240 pixels."""
    T_world_camera = np.eye(4)
    slope = np.sqrt(0.5)
    T_world_camera[:3, :3] = [[0.0, -slope, slope], [-1.0, 0.0, 0.0], [0.0, -slope, -slope]]
    T_world_camera[:3, 3] = [-0.4, 0.0, 0.44]
    intrinsics = np.array([[400.0, 0.0, 160.0], [0.0, 400.0, 120.0], [0.0, 0.0, 1.0]])
    rows, columns = np.indices((240, 320))
    rays = np.stack([columns + 0.5, rows + 0.5, np.ones(rows.shape)], axis=-1) @ np.linalg.inv(intrinsics).T
    rays = rays @ T_world_camera[:3, :3].T
    toward = T_world_camera[:3, 3] - [0.0, 0.0, 0.04]
    a, b, c = (rays**2).sum(axis=-1), rays @ toward, toward @ toward - 0.04**2
    hit = b**2 > a * c
    ball = (-b - np.sqrt(np.maximum(b**2 - a * c, 0.0))) / a
    table = np.where(rays[..., 2] < -1e-6, -T_world_camera[2, 3] / np.minimum(rays[..., 2], -1e-6), np.inf)
    return DepthImage(np.where(hit, ball, table), intrinsics, hit, T_world_camera)


def _median(work: Callable[[], object], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
