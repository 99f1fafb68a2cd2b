# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rate of the loader against plain reading of the same files; exits with 1 when it is slower than it should be.

    python benchmarks/bench_loader.py DATASET [--hand NAME] [--workers 2] [--seconds 10]

Grasp rows a second, read as one Arrow table. Images a second with ``--workers`` processes, as samples with cameras and
grasps, against decoding the same PNG files alone with as many processes. Both take turns; the best of three counts.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.loader import Dataset
from omni_graspd.dataset.loader import open as open_dataset
from omni_graspd.dataset.view_samples import ViewSamples

_ROWS_FLOOR = 5000.0
_RATIO_FLOOR = 0.9


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--hand", default=None)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--views", type=int, default=400, help="samples read in each turn, views read again if fewer")
    options = parser.parse_args()
    dataset = open_dataset(options.dataset)
    hand = options.hand or dataset.hands[0]
    rows = _rows_a_second(dataset, hand)
    samples = dataset.samples(hand=hand, channels=("rgb",))
    order = [index % len(samples) for index in range(options.views)]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_load, _shares(samples, order, options.workers)))  # starts the processes
        turns = [
            (_rate(pool, _load, samples, order, options), _rate(pool, _decode, samples, order, options))
            for _ in range(3)
        ]
    loaded, decoded = np.max(turns, axis=0)
    print(f"{rows:.0f} grasp rows a second")
    print(f"{loaded:.0f} images a second as samples, {decoded:.0f} as plain PNG files: {loaded / decoded:.2f}")
    misses = [f"{rows:.0f} rows a second < {_ROWS_FLOOR:.0f}"] if rows < _ROWS_FLOOR else []
    misses += [f"{loaded / decoded:.2f} < {_RATIO_FLOOR}"] if loaded < _RATIO_FLOOR * decoded else []
    print("missed: " + "; ".join(misses) if misses else "all met")
    return 1 if misses else 0


def _rows_a_second(dataset: Dataset, hand: str) -> float:
    begin = time.perf_counter()
    count, turns = 0, 0
    while time.perf_counter() - begin < 1.0 or turns < 3:
        count += dataset.grasps(hand, only_ok=False).num_rows
        turns += 1
    return count / (time.perf_counter() - begin)


def _shares(samples: ViewSamples, order: list[int], workers: int) -> list[tuple[ViewSamples, list[int]]]:
    return [(samples, order[start::workers]) for start in range(workers)]


def _rate(pool, work, samples: ViewSamples, order: list[int], options: argparse.Namespace) -> float:
    begin = time.perf_counter()
    images = sum(pool.map(work, _shares(samples, order, options.workers)))
    return images / (time.perf_counter() - begin)


def _load(share: tuple[ViewSamples, list[int]]) -> int:
    samples, order = share
    return sum(max(1, len(samples.views[index].eyes)) for index in order if samples[index])


def _decode(share: tuple[ViewSamples, list[int]]) -> int:
    from PIL import Image

    samples, order = share
    count = 0
    for index in order:
        view = samples.views[index]
        folder = DatasetLayout(samples.root).renders(view.object, view.scene_index) / view.name
        for eye in view.eyes or ("",):
            with Image.open(folder / eye / "rgb_0000.png") as image:
                np.array(image)
            count += 1
    return count


if __name__ == "__main__":
    sys.exit(main())
