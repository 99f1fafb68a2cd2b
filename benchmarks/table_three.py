# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's Table III on our terms: networks that learn from our grasps, and from grasps as GraspIt! plans them.

    python benchmarks/table_three.py --objects OBJECTS --out OUT [--page docs/predict.md] [--tiny]

OBJECTS is a folder of YCB and EGAD meshes, ``ycb/*`` and ``egad/*``; built-in objects are added, those that
:data:`TESTED` names are for the test. Both planners make grasps by the Barrett hand of the same objects
in the same rest poses, as many of each; ways, pregrasps and squeezes are planned by the same code. The same network is
trained on each with the same settings and views, once for each seed, and predicts grasps of the held-out objects.
A run that was stopped goes on. ``--tiny`` shows in a minute that all of it runs; its numbers mean nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from annealed_dataset import anneal_dataset, equal_datasets
from annealed_grasps import AnnealingConfig
from predict_data import BUILT_IN, make_grasps, scan_name, scans_in, training_scans
from predict_quality import random_grasps
from table_three_page import Setting, write_table
from table_three_test import Predict, measure_dataset, measure_predictions

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.run import open_run
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.prediction.crop import Crop
from omni_graspd.prediction.network_config import NetworkConfig
from omni_graspd.prediction.predictor import PredictConfig, Prediction, Predictor
from omni_graspd.prediction.train_config import PRESETS, TrainConfig
from omni_graspd.prediction.training import TrainRun, train_model
from omni_graspd.prediction.training_set import read_training_sets
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.surroundings import Surroundings

HAND = "barrett"
PLANNERS = ("ours", "annealed")
TESTED = ("B3", "006_mustard_bottle", "G5", "061_foam_brick", "D5", "010_potted_meat_can")
"""Objects of the test, those of EGAD and of YCB in turn, so that those that were reached before a stop are of both."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of everything."""

    grasps: int = 60
    """Grasps that each planner tries for each rest pose."""
    kept: int = 30
    """Best of them by its own ranking, at most, from which a network learns."""
    scenes: int = 2
    """Drops of each object."""
    search: AnnealingConfig = field(default_factory=AnnealingConfig)
    """The other planner."""
    train: TrainConfig = field(default_factory=lambda: replace(PRESETS["tiny"], steps=2500))
    """Settings of the six trainings."""
    seeds: int = 3
    """Trainings of each set."""
    views: int = 5
    """Views of each test object."""
    count: int = 30
    """Grasps of each view."""
    slow: int = 3
    """Of each view so many are measured in what takes long: the volume of the wrench space, SD and the lift."""
    own: int = 2
    """Grasps of each training object that are measured, too."""
    known: int = 8
    """Grasps that our planner, which knows the mesh, makes of each test object in each rest pose, and most of each
    object that are measured."""
    training_objects: int | None = None
    """So many only."""
    test_objects: int | None = None
    """So many only."""


TINY = Plan(
    grasps=8,
    kept=3,
    scenes=1,
    search=AnnealingConfig(steps=1000),
    train=TrainConfig(
        network=NetworkConfig(width=16, blocks=1, basis=32, near_basis=16, channels=2),
        steps=4,
        views=2,
        grasps=4,
        check_every=2,
        points=64,
        cast=2,
    ),
    seeds=2,
    views=1,
    count=3,
    slow=1,
    own=1,
    known=2,
    training_objects=5,
    test_objects=1,
)


def main() -> None:
    """Make what is not there yet, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=Path, required=True, help="folder with ycb/ and egad/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--page", type=Path, default=None, help="page whose table is written anew")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    plan, out = TINY if options.tiny else Plan(), options.out
    training = [*BUILT_IN, *map(str, training_scans(options.objects))][: plan.training_objects]
    scans = {scan_name(path): str(path) for path in scans_in(options.objects)}
    held_out = [scans[name] for name in TESTED if name in scans][: plan.test_objects]
    folders = {planner: out / planner for planner in PLANNERS}
    whole = {planner: folder / "all" for planner, folder in folders.items()}
    # Both are called `grasps`: the views are drawn by this name.
    cut = {planner: folder / "grasps" for planner, folder in folders.items()}
    config = GenerateConfig(hand=(HAND,), object=tuple(training), grasps=plan.grasps, scenes=plan.scenes, workers=1)
    config = replace(config, out=whole["ours"])
    make_grasps(config)
    anneal_dataset(config, whole["ours"], whole["annealed"], plan.search)
    kept = out / "count.json"
    if not kept.is_file():
        kept.write_text(json.dumps(equal_datasets({whole[name]: cut[name] for name in PLANNERS}, HAND, plan.kept)))
    test = replace(config, object=tuple(held_out), grasps=plan.known, out=out / "test")
    make_grasps(test)
    tests = _Tests(test, plan)
    for planner, folder in folders.items():
        _train(cut[planner], folder, plan)
    for kind, how in (("network", PredictConfig(fit=False)), ("fitted", PredictConfig())):
        tests.of_models(list(folders.values()), kind, how)
    for planner, folder in folders.items():
        measure_dataset(cut[planner], tests.hand, plan.own, folder / "training")
    tests.of_random(cut["ours"], folders["ours"] / "random")
    measure_dataset(test.out, tests.hand, plan.known, folders["ours"] / "known")
    count = json.loads(kept.read_text())
    setting = Setting(count, len(training), plan.train, plan.views, plan.count, plan.slow, plan.seeds)
    print(write_table(folders, setting, options.page))


def _train(data: Path, folder: Path, plan: Plan) -> None:
    """Train a model for each seed; the views are the same for all seeds and planners."""
    outs = [folder / f"model_{seed}" for seed in range(plan.seeds)]
    if all((out / "model.json").is_file() for out in outs):
        return
    began = time.process_time()

    def tell(entry: dict[str, Any]) -> None:
        print(f"{folder} {entry} {time.process_time() - began:.0f} s", flush=True)

    hand, sets = read_training_sets([data], HAND, config=plan.train, seed=0)
    tell({"views": len(sets["train"]), "grasps": len(sets["train"].rows)})
    for seed, out in enumerate(outs):
        train_model(hand, sets, plan.train, TrainRun(out=out, seed=seed, threads=1), tell=tell)


class _Tests:
    """The held-out objects where they rest, and what is made and measured of them."""

    def __init__(self, config: GenerateConfig, plan: Plan) -> None:
        self.plan, self.hand = plan, load_hand(HAND)
        with open_run(config) as opened:
            run = opened.with_rest_poses()
            self.resting = [(obj, run.rest_poses[obj.name].surroundings) for obj in run.objects]

    def of_models(self, folders: list[Path], kind: str, config: PredictConfig) -> None:
        """Measure what all networks predict, one object after the other."""
        models = [(folder, seed) for seed in range(self.plan.seeds) for folder in folders]
        predictors = {model: Predictor.load(model[0] / f"model_{model[1]}") for model in models}
        for obj, around in self.resting:
            for model in models:

                def predict(crop: Crop, view: int, model: tuple[Path, int] = model) -> Prediction:
                    return predictors[model].predict(crop, self.hand, self.plan.count, seed=view, config=config)

                self._measure(predict, obj, around, model[0] / f"{kind}_{model[1]}")

    def of_random(self, data: Path, path: Path) -> None:
        """Measure random training grasps that are moved to where the objects are."""
        if len(list(path.glob("*.json"))) == len(self.resting):
            return
        _, sets = read_training_sets([data], HAND, config=replace(self.plan.train, cast=1), seed=0)
        count, random = self.plan.count, random_generator(0, "table three", "random")
        # Drawn for all objects, measured or not, so that a run that goes on draws the same.
        drawn = [
            [random_grasps(self.hand, sets["train"], count, random) for _ in range(self.plan.views)]
            for _ in self.resting
        ]
        for (obj, around), grasps in zip(self.resting, drawn, strict=True):
            self._measure(lambda crop, view, grasps=grasps: grasps[view], obj, around, path)

    def _measure(self, predict: Predict, obj: RigidObject, around: tuple[Surroundings, ...], path: Path) -> None:
        began = time.process_time()
        measure_predictions(predict, self.hand, obj, around, self.plan.views, self.plan.slow, path)
        print(f"{path} {obj.name} {time.process_time() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
