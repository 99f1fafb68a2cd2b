# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's Table III on our terms: networks that learn from our grasps, and from grasps as GraspIt! plans them.

    python benchmarks/table_three.py --objects OBJECTS --out OUT [--page docs/predict.md] [--tiny]

OBJECTS is a folder of YCB and EGAD meshes, ``ycb/*`` and ``egad/*``; built-in objects are added, those that
:data:`~predict_data.HELD_OUT` names are for the test. Both planners make grasps by the Barrett hand of the same objects
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
from predict_data import BUILT_IN, HELD_OUT, make_grasps, scan_name, scans_in, training_scans
from predict_quality import random_grasps
from table_three_page import Setting, write_table
from table_three_test import Predict, measure_dataset, measure_predictions

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.run import open_run
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.prediction.network_config import NetworkConfig
from omni_graspd.prediction.predictor import PredictConfig, Predictor
from omni_graspd.prediction.train_config import PRESETS, TrainConfig
from omni_graspd.prediction.training import TrainRun, train_model
from omni_graspd.prediction.training_set import read_training_sets
from omni_graspd.seeding import random_generator

HAND = "barrett"
PLANNERS = ("ours", "annealed")


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
    train: TrainConfig = field(default_factory=lambda: replace(PRESETS["tiny"], steps=1000))
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
    held_out = [str(path) for path in scans_in(options.objects) if scan_name(path) in HELD_OUT][: plan.test_objects]
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
    for seed in range(plan.seeds):
        for planner, folder in folders.items():
            _train(cut[planner], folder / f"model_{seed}", plan.train, seed)
            tests.of_model(folder, seed, "network", PredictConfig(fit=False))
    for planner, folder in folders.items():
        measure_dataset(cut[planner], tests.hand, plan.own, folder / "training")
    for seed in range(plan.seeds):
        for folder in folders.values():
            tests.of_model(folder, seed, "fitted", PredictConfig())
    tests.of_random(cut["ours"], folders["ours"] / "random")
    measure_dataset(test.out, tests.hand, plan.known, folders["ours"] / "known")
    count = json.loads(kept.read_text())
    setting = Setting(count, len(training), len(held_out), plan.train, plan.views, plan.count, plan.slow, plan.seeds)
    print(write_table(folders, setting, options.page))


def _train(data: Path, out: Path, config: TrainConfig, seed: int) -> None:
    """Train a model; the views are the same for all seeds and both sets."""
    if (out / "model.json").is_file():
        return
    began = time.process_time()
    hand, sets = read_training_sets([data], HAND, config=config, seed=0)
    read = time.process_time() - began
    print(f"{out}: {len(sets['train'])} views, {len(sets['train'].rows)} grasps, read in {read:.0f} s", flush=True)

    def tell(entry: dict[str, Any]) -> None:
        print(f"{out} {entry} {time.process_time() - began:.0f} s", flush=True)

    train_model(hand, sets, config, TrainRun(out=out, seed=seed, threads=1), tell=tell)


class _Tests:
    """The held-out objects where they rest, and what is made and measured of them."""

    def __init__(self, config: GenerateConfig, plan: Plan) -> None:
        self.plan, self.hand = plan, load_hand(HAND)
        with open_run(config) as opened:
            run = opened.with_rest_poses()
            self.resting = [(obj, run.rest_poses[obj.name].surroundings) for obj in run.objects]

    def of_model(self, folder: Path, seed: int, kind: str, config: PredictConfig) -> None:
        """Measure what a planner's network of a seed predicts."""
        predictor, count = Predictor.load(folder / f"model_{seed}"), self.plan.count
        self._measure(
            lambda crop, view: predictor.predict(crop, self.hand, count, seed=view, config=config),
            folder / f"{kind}_{seed}",
        )

    def of_random(self, data: Path, path: Path) -> None:
        """Measure random training grasps that are moved to where the objects are."""
        if len(list(path.glob("*.json"))) == len(self.resting):
            return
        _, sets = read_training_sets([data], HAND, config=replace(self.plan.train, cast=1), seed=0)
        count, random = self.plan.count, random_generator(0, "table three", "random")
        self._measure(lambda crop, view: random_grasps(self.hand, sets["train"], count, random), path)

    def _measure(self, predict: Predict, path: Path) -> None:
        began = time.process_time()
        for obj, around in self.resting:
            measure_predictions(predict, self.hand, obj, around, self.plan.views, self.plan.slow, path)
        print(f"{path} {time.process_time() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
