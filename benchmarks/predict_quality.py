# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How good predicted grasps of held-out objects are, beside two others that need no network.

    python benchmarks/predict_quality.py MODEL DATASET [--splits test validation] [--views 4] [--count 16]

``dataset``: the dataset's own usable grasps in these scenes, which know the whole mesh. ``random``: grasps of the
training objects, drawn at random, turned about the vertical and moved to below the middle of what is seen: right in
distance, height and orientation, blind for shape. ``predicted`` and ``best half``: all that is predicted, and the half
with the better scores. ``refined``: all of them as starts of the optimiser on the true mesh. Share that is
usable (over the table from pregrasp to lift; refined grasps keep clear of the object, too); share whose links the
object does not pass through; epsilon quality, median; share that PhysX lifts (DexGraspBench's protocol).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

import omni_graspd as gd
from omni_graspd.api.grasps import Grasps
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps
from omni_graspd.prediction.crop import crop_object
from omni_graspd.prediction.grasp_code import from_unit
from omni_graspd.prediction.predict_grasps import predict_grasps
from omni_graspd.prediction.predicted_batch import predicted_batch
from omni_graspd.prediction.predictor import Prediction, Predictor
from omni_graspd.prediction.refinement import refine
from omni_graspd.prediction.table_search import placed_image
from omni_graspd.prediction.training_set import TrainingSet, read_training_sets
from omni_graspd.prediction.view_input import DatasetView, read_view
from omni_graspd.seeding import random_generator
from omni_graspd.usd.transforms import compose, invert, matrix_to_pose


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--splits", nargs="+", default=["test", "validation"])
    parser.add_argument("--views", type=int, default=4, help="views of each object, of different scenes")
    parser.add_argument("--count", type=int, default=16, help="grasps of each view")
    options = parser.parse_args()
    predictor, dataset = Predictor.load(options.model), gd.open(options.dataset)
    hand, sets = read_training_sets([options.dataset], predictor.model.hand.name, point_count=64, seed=0)
    for split in options.splits:
        for name in dataset.splits()[split]:
            kinds = ("dataset", "random", "predicted", "best half", "random refined", "refined")
            found: dict[str, list[Grasps]] = {kind: [] for kind in kinds}
            for view in _views(dataset, name, options.views):
                own = _own_grasps(view, hand, options.count)
                rand = _random_grasps(view, hand, own.object, sets["train"], options.count)
                made = predict_grasps(predictor, view, options.count, hand=hand)
                predicted = Grasps(hand, own.object, made.batch, np.arange(options.count), 0, made.metrics)
                several = [own, rand, predicted]
                for batch in (rand.batch, made.batch):
                    formed = refine(replace(made, obj=own.object, batch=batch))
                    several.append(Grasps(hand, own.object, formed.batch, np.arange(options.count)))
                for grasps in several:
                    _measure(grasps)
                scores = predicted.metrics["predicted_score"]
                best = predicted[np.argsort(-scores, kind="stable")[: options.count // 2]]
                for kind, grasps in zip(found, (*several[:3], best, *several[3:]), strict=True):
                    found[kind].append(grasps)
            for kind, batches in found.items():
                print(f"{split:<10} {name:<16} {kind:<14} {_figures(batches)}", flush=True)


def _views(dataset: gd.open, name: str, most: int) -> list[DatasetView]:
    """Return a view of each scene, another one in each."""
    layout, seen = DatasetLayout(dataset.root), {}
    for view in dataset.views(objects=[name]):
        seen.setdefault(view.scene_index, []).append(view.name)
    chosen = [(scene, names[scene % len(names)]) for scene, names in list(seen.items())[:most]]
    return [read_view(layout.renders(name, scene) / view) for scene, view in chosen]


def _own_grasps(view: DatasetView, hand: gd.Hand, count: int) -> Grasps:
    placed = read_scene_grasps(view.layout.scene_grasps(view.object, view.scene_index))
    mine = np.array([name == hand.name for name in placed.hands]) & placed.grasps.usable
    table = read_grasps(view.layout.grasps(hand.name, view.object))
    rows = np.flatnonzero(np.isin(table.indices, placed.grasp_indices[mine]))
    random = random_generator(0, "own", view.object, view.scene_index)
    chosen = np.sort(random.permutation(rows)[:count])
    obj = gd.load_object(view.layout.object(view.object))
    return Grasps(hand, obj, table.grasps.take(chosen), table.indices[chosen])


def _random_grasps(view: DatasetView, hand: gd.Hand, obj: gd.RigidObject, train: TrainingSet, count: int) -> Grasps:
    random = random_generator(0, "random", view.object, view.scene_index)
    crop = crop_object(placed_image(view.image), random)
    matrices, rows = np.tile(np.eye(4), (count, 1, 1)), []
    for number in range(count):
        seen = int(random.integers(len(train)))
        row = int(train.first[seen] + random.integers(train.count[seen]))
        angle = random.uniform(0.0, 2.0 * np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        world = train.T_crop_world[seen]
        matrices[number, :3, :3] = turn @ world[:3, :3] @ train.rows.rotations[row]
        matrices[number, :3, 3] = turn @ (world[:3, :3] @ train.rows.positions[row] + world[:3, 3])
        rows.append(row)
    rotations = matrices[:, :3, :3]
    hover, pregrasp = matrices.copy(), matrices.copy()
    hover[:, :3, 3] += np.einsum("gij,gj->gi", rotations, train.rows.hover[rows])
    pregrasp[:, :3, 3] = hover[:, :3, 3] + np.einsum("gij,gj->gi", rotations, train.rows.pregrasp[rows])
    joints = [from_unit(hand, part[rows]) for part in (train.rows.joints, train.rows.opened, train.rows.squeezed)]
    palms = (matrix_to_pose(part) for part in (matrices, hover, pregrasp))
    grasp, over, before = palms
    prediction = Prediction(grasp, *joints, over, before, np.ones(count))
    T_object_camera = compose(invert(view.T_world_object), matrix_to_pose(view.image.T_world_camera))
    batch = predicted_batch(hand, prediction, compose(T_object_camera, crop.T_camera_crop))
    return Grasps(hand, obj, batch, np.arange(count))


def _measure(grasps: Grasps) -> None:
    grasps.evaluate()
    grasps.measure_lift()


def _figures(several: list[Grasps]) -> str:
    usable = np.concatenate([each.usable for each in several])
    metrics = {name: np.concatenate([each.metrics[name] for each in several]) for name in several[0].metrics}
    epsilon = np.nan_to_num(metrics["epsilon"])
    parts = [
        f"{len(usable)} grasps",
        f"usable {100.0 * usable.mean():.0f} %",
        f"not pierced {100.0 * (metrics['pierced'] == 0).mean():.0f} %",
        f"epsilon median {np.median(epsilon):.3f} mean {epsilon.mean():.3f}",
        f"lifted {100.0 * metrics['lifted'].mean():.0f} %",
    ]
    return " · ".join(parts)


if __name__ == "__main__":
    main()
