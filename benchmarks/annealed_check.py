# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How near annealed grasps come to those that GraspIt! itself planned, of the same floating objects.

    python benchmarks/annealed_check.py BASELINES [--runs 60]

BASELINES holds ``graspit/best_grasps.json`` and its meshes. Annealed are the better half by epsilon, as in Table III.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from annealed_grasps import AnnealingConfig, annealed_postures, closed_grasps

from omni_graspd.formats.reading import read_grasps
from omni_graspd.geometry.signed_distance import SignedDistanceConfig
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import sample_surface_points
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.metrics.intersection_volume import intersection_volumes
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.clearance import HandClearance
from omni_graspd.synthesis.models import object_model

_HAND = "barrett"


def main() -> None:
    """Measure both, object by object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("baselines", type=Path)
    parser.add_argument("--runs", type=int, default=60)
    options = parser.parse_args()
    print("object, planner, grasps, CA cm2, IV cm3, epsilon, closed, penetration mm, pierced; CPU s a grasp")
    rows: dict[str, list[np.ndarray]] = {"GraspIt!": [], "annealed": []}
    for read in read_grasps(options.baselines / "graspit" / "best_grasps.json").grasps:
        if read.hand is None or read.hand.name != _HAND or read.object_path is None:
            continue
        obj = load_object(str(read.object_path))
        theirs = read.record.T_object_palm, read.record.joint_positions
        began = time.process_time()
        ours = _annealed(read.hand, obj, options.runs)
        seconds = (time.process_time() - began) / len(ours[0])
        for planner, grasps, cost in (("GraspIt!", theirs, ""), ("annealed", ours, f"{seconds:.2f}")):
            row = _figures(read.hand, obj, *grasps)
            rows[planner].append(row)
            print(obj.name, planner, len(grasps[0]), np.round(row, 3), cost, flush=True)
    for planner, found in rows.items():
        print("mean", planner, np.round(np.mean(found, axis=0), 3))


def _annealed(hand: Hand, obj: RigidObject, runs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return palms and joints of the better half of annealed grasps."""
    model = object_model(obj, SignedDistanceConfig(phong_alpha=0.0), "cpu")
    palms, actuated, _ = annealed_postures(hand, obj, model, None, runs, 0, AnnealingConfig())
    clearance = HandClearance(hand, sample_surface_points(hand, 1200), model.distance, None)
    closed = [closed_grasps(clearance, palms, actuated, ahead=ahead) for ahead in (False, True)]
    both, joints = (np.concatenate(column) for column in zip(*closed, strict=True))
    joints = hand.joint_positions(joints)
    epsilon = np.nan_to_num(evaluate_grasps(hand, obj, both, joints, MetricsConfig())["epsilon"])
    best = np.where(epsilon[: len(palms)] >= epsilon[len(palms) :], 0, len(palms)) + np.arange(len(palms))
    best = best[np.argsort(-epsilon[best], kind="stable")][: runs // 2]
    return both[best], joints[best]


def _figures(hand: Hand, obj: RigidObject, palms: np.ndarray, joints: np.ndarray) -> np.ndarray:
    found = evaluate_grasps(hand, obj, palms, joints, MetricsConfig())
    volumes = intersection_volumes(hand, obj, palms, joints)
    columns = (1e4 * found["contact_area"], 1e6 * volumes, np.nan_to_num(found["epsilon"]), found["force_closure"])
    return np.array([np.mean(column) for column in (*columns, 1e3 * found["penetration_depth"], found["pierced"] > 0)])


if __name__ == "__main__":
    main()
