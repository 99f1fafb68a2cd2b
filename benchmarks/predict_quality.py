# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How good predicted grasps of held-out objects are, beside two others that need no network, and what each part adds.

    python benchmarks/predict_quality.py MODEL DATASET --train TRAINED_ON [--views 2] [--count 16] [--kinds KIND ...]

DATASET has rendered views of objects that the model was not trained on; TRAINED_ON is where random grasps come from.
``dataset``: the dataset's own usable grasps in these scenes, which know the whole mesh.
``random``: grasps of training objects, drawn at random, turned about the vertical and moved to below the middle of what
is seen: right in distance, height and orientation, blind for shape; ``random, fitted``: their hands fitted to the
guessed object. ``flow``, ``chosen``, ``mended``, ``predicted``: what the flow draws; the better half by score; mended
before that; fitted, as `graspd predict` gives them. ``better half``: of those by score. ``refined``: as starts
of the optimiser, on the true mesh or on the guessed one.

Share that is usable (over the table from pregrasp to lift; refined grasps keep clear of the object, too); share whose
links the object does not pass through; epsilon quality, median and mean, 0 where it is not force closure; share that
PhysX lifts (DexGraspBench's protocol).
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
from omni_graspd.prediction.predict_grasps import PredictedGrasps, predict_grasps
from omni_graspd.prediction.predicted_batch import predicted_batch
from omni_graspd.prediction.predictor import PredictConfig, Prediction, Predictor
from omni_graspd.prediction.refinement import refine
from omni_graspd.prediction.table_search import placed_image
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.prediction.training_set import TrainingSet, read_training_sets
from omni_graspd.prediction.view_input import DatasetView, read_view
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.transforms import compose, invert, matrix_to_pose

_STEPS = {
    "flow": PredictConfig(draws=1, mendings=0, fit=False),
    "chosen": PredictConfig(mendings=0, fit=False),
    "mended": PredictConfig(fit=False),
    "predicted": PredictConfig(),
}
KINDS = (
    *("dataset", "random", "random, fitted", *_STEPS, "better half"),
    *("random, refined", "refined", "random, refined on guess", "refined on guess"),
)


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--train", type=Path, required=True, help="dataset that the model was trained on")
    parser.add_argument("--views", type=int, default=2, help="views of each object, of different scenes")
    parser.add_argument("--count", type=int, default=16, help="grasps of each view")
    parser.add_argument("--objects", nargs="+", default=None, help="some of the objects (default: all)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--out", type=Path, default=None, help="CSV file to which a line for each grasp is added")
    options = parser.parse_args()
    predictor, dataset = Predictor.load(options.model), gd.open(options.dataset)
    known = {name for names in predictor.model.training["objects"].values() for name in names}
    name = predictor.model.hand.name
    hand, sets = read_training_sets([options.train], name, config=TrainConfig(cast=1), seed=0)
    everything: dict[str, list[Grasps]] = {kind: [] for kind in options.kinds}
    for name in options.objects or dataset.objects:
        if name in known:
            parser.error(f"the model was trained with {name}")
        found: dict[str, list[Grasps]] = {kind: [] for kind in options.kinds}
        for view in _views(dataset, name, options.views):
            several = _Kinds(predictor, view, hand, sets["train"], options.count)
            for kind in options.kinds:
                grasps = several.of(kind)
                grasps.evaluate()
                grasps.measure_lift()
                found[kind].append(grasps)
                if options.out is not None:
                    _add_lines(options.out, name, kind, grasps)
        for kind, batches in found.items():
            everything[kind] += batches
            print(f"{name:<20} {kind:<24} {_figures(batches)}", flush=True)
    for kind, batches in everything.items():
        print(f"{'all':<20} {kind:<24} {_figures(batches)}")


class _Kinds:
    """Grasps of one view, by several ways."""

    def __init__(self, predictor: Predictor, view: DatasetView, hand: gd.Hand, train: TrainingSet, count: int) -> None:
        self.predictor, self.view, self.hand, self.train, self.count = predictor, view, hand, train, count
        self.obj = gd.load_object(view.layout.object(view.object))
        self.made = {name: self._predicted(config) for name, config in _STEPS.items()}

    def of(self, kind: str) -> Grasps:
        """Return grasps of a kind."""
        if kind == "dataset":
            return _own_grasps(self.view, self.hand, self.obj, self.count)
        if kind in self.made:
            return self._grasps(self.made[kind])
        if kind == "better half":
            made = self.made["predicted"]
            best = np.argsort(-made.score, kind="stable")[: self.count // 2]
            return self._grasps(replace(made, batch=made.batch.take(np.sort(best)), score=made.score[np.sort(best)]))
        if kind.startswith("random"):
            made = replace(self.made["flow"], batch=self._random(fitted="fitted" in kind))
            if kind in ("random", "random, fitted"):
                return self._grasps(made)
        else:
            made = self.made["predicted"]
        return self._grasps(refine(replace(made, known=None if "guess" in kind else self.obj)))

    def _predicted(self, config: PredictConfig) -> PredictedGrasps:
        return predict_grasps(self.predictor, self.view, self.count, hand=self.hand, config=config)

    def _grasps(self, made: PredictedGrasps) -> Grasps:
        return Grasps(self.hand, self.obj, made.batch, np.arange(len(made.score)), 0, made.metrics)

    def _random(self, *, fitted: bool) -> GraspBatch:
        crop = crop_object(placed_image(self.view.image), random_generator(0, "crop"))
        random = random_generator(0, "random", self.view.object, self.view.scene_index)
        drawn = random_grasps(self.hand, self.train, self.count, random)
        if fitted:
            drawn = self.predictor.fit(crop, self.hand, drawn)
        T_object_camera = compose(invert(self.view.T_world_object), matrix_to_pose(self.view.image.T_world_camera))
        return predicted_batch(self.hand, drawn, compose(T_object_camera, crop.T_camera_crop))


def _views(dataset: gd.open, name: str, most: int) -> list[DatasetView]:
    """Return a view of each scene, another one in each."""
    layout, seen = DatasetLayout(dataset.root), {}
    for view in dataset.views(objects=[name]):
        seen.setdefault(view.scene_index, []).append(view.name)
    chosen = [(scene, names[scene % len(names)]) for scene, names in list(seen.items())[:most]]
    return [read_view(layout.renders(name, scene) / view) for scene, view in chosen]


def _own_grasps(view: DatasetView, hand: gd.Hand, obj: gd.RigidObject, count: int) -> Grasps:
    placed = read_scene_grasps(view.layout.scene_grasps(view.object, view.scene_index))
    mine = np.array([name == hand.name for name in placed.hands]) & placed.grasps.usable
    table = read_grasps(view.layout.grasps(hand.name, view.object))
    rows = np.flatnonzero(np.isin(table.indices, placed.grasp_indices[mine]))
    random = random_generator(0, "own", view.object, view.scene_index)
    chosen = np.sort(random.permutation(rows)[:count])
    return Grasps(hand, obj, table.grasps.take(chosen), table.indices[chosen])


def random_grasps(hand: gd.Hand, train: TrainingSet, count: int, random: np.random.Generator) -> Prediction:
    """Return random grasps of training objects, turned about the vertical through the middle of what is seen.

    Args:
        hand: The hand.
        train: Where they come from.
        count: How many.
        random: Draws them.
    """
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
    return Prediction(grasp, *joints, over, before, np.ones(count))


def _add_lines(path: Path, name: str, kind: str, grasps: Grasps) -> None:
    columns = (grasps.usable, grasps.metrics["pierced"] == 0, np.nan_to_num(grasps.metrics["epsilon"]))
    with path.open("a", encoding="utf-8") as file:
        for usable, free, epsilon, lifted in zip(*columns, grasps.metrics["lifted"], strict=True):
            file.write(f'{name},"{kind}",{usable:d},{free:d},{epsilon:.4f},{lifted:d}\n')


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
