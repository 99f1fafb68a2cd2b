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
import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from annealed_dataset import anneal_dataset, equal_datasets
from annealed_grasps import AnnealingConfig
from predict_data import BUILT_IN, HELD_OUT, make_grasps, scan_name, scans_in, training_scans
from table_three_page import Setting, write_table
from table_three_test import measure_predictions

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.stages.settle_stage import settle_stage
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.prediction.network_config import NetworkConfig
from omni_graspd.prediction.predictor import Predictor
from omni_graspd.prediction.train_config import PRESETS, TrainConfig
from omni_graspd.prediction.training import TrainRun, train_model
from omni_graspd.prediction.training_set import read_training_sets

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
    ours, annealed = (out / planner / "all" for planner in PLANNERS)
    config = GenerateConfig(hand=(HAND,), object=tuple(training), grasps=plan.grasps, scenes=plan.scenes, out=ours)
    config = replace(config, workers=1)
    make_grasps(config)
    anneal_dataset(config, ours, annealed, plan.search)
    # Both are called `grasps`: the views are drawn by this name.
    cut = {planner: out / planner / "grasps" for planner in PLANNERS}
    kept = out / "count.json"
    if not kept.is_file():
        kept.write_text(
            json.dumps(equal_datasets({out / planner / "all": cut[planner] for planner in PLANNERS}, HAND, plan.kept))
        )
    test = replace(config, object=tuple(held_out), out=out / "test")
    with open_run(test) as run:
        asyncio.run(settle_stage(run))
    for seed in range(plan.seeds):
        for planner in PLANNERS:
            model = out / planner / f"model_{seed}"
            _train(cut[planner], model, plan.train, seed)
            _test(test, model, out / planner / f"test_{seed}", plan)
    count = json.loads(kept.read_text())
    setting = Setting(count, len(training), len(held_out), plan.train, plan.views, plan.count, plan.seeds)
    print(write_table({planner: out / planner for planner in PLANNERS}, setting, options.page))


def _train(data: Path, out: Path, config: TrainConfig, seed: int) -> None:
    """Train a model; the views are the same for all seeds and both sets."""
    if (out / "model.json").is_file():
        return
    began = time.process_time()
    hand, sets = read_training_sets([data], HAND, config=config, seed=0)
    read = time.process_time() - began
    print(f"{out}: {len(sets['train'])} views, {len(sets['train'].rows)} grasps, read in {read:.0f} s", flush=True)

    def tell(entry: dict) -> None:
        print(f"{out} {entry} {time.process_time() - began:.0f} s", flush=True)

    train_model(hand, sets, config, TrainRun(out=out, seed=seed, threads=1), tell=tell)


def _test(config: GenerateConfig, model: Path, out: Path, plan: Plan) -> None:
    predictor, hand = Predictor.load(model), load_hand(HAND)
    with open_run(config) as opened:
        run = opened.with_rest_poses()
        for obj in run.objects:
            began, around = time.process_time(), run.rest_poses[obj.name].surroundings
            measure_predictions(predictor, hand, obj, around, plan.views, plan.count, out)
            print(f"{out} {obj.name} {time.process_time() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
