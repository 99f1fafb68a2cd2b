# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What each part of the synthesis is worth: the default preset with one switch changed at a time, as a Markdown table.

    python benchmarks/ablation.py [--objects DIR] [--only NAME ...] [--hand allegro] [--grasps 16]

Means over objects, of all grasps, nothing filtered; quality as in ``bench_synthesis.py``, CPU time on one core.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench_synthesis import mesh_files, run
from synthesis_quality import collision_pieces, measure_quality

from omni_graspd.geometry.signed_distance import SignedDistanceConfig
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.presets import PRESETS
from omni_graspd.usd.meshes import TriangleMesh

COLUMNS = ("CA cm2", "IV cm3", "eps", "hold", "deep mm", "self cm2", "ok", "CPU ms")


def variants() -> dict[str, SynthesisConfig]:
    """Return the settings to compare by name, the default first."""
    default, paper = PRESETS["default"], PRESETS["paper"]
    one_start = DraftConfig(candidates=1, iterations=0)
    steps = default.draft.iterations + default.iterations
    # The rates of plain descent have another unit than Adam's step lengths.
    descent = {name: getattr(paper, name) for name in ("optimizer", "translation_rate", "rotation_rate", "joint_rate")}
    return {
        "default": default,
        f"no draft: one start, {steps} steps": replace(default, draft=one_start, iterations=steps),
        "literal leak": replace(default, leak_mode="literal"),
        "no leak": replace(default, leak=0.0),
        "no closing term": replace(default, closing_weight=0.0),
        "no penetration term": replace(default, penetration_weight=0.0),
        "no self-collision term": replace(default, self_collision_weight=0.0),
        "Gauss-Seidel": replace(default, projection="gauss_seidel"),
        "plain gradient descent": replace(default, **descent),
        "no friction": replace(default, friction=0.0),
        "no dilation": replace(default, dilation=0.0, draft=replace(default.draft, dilation=0.0)),
        "flat triangles (Phong 0)": replace(default, distance=SignedDistanceConfig(phong_alpha=0.0)),
        "exact distances": replace(default, reuse_distance=0.0, reuse_share=0.0),
        "preset fast": PRESETS["fast"],
        "preset paper": paper,
        "preset paper, rotation times radius of gyration": replace(paper, rotation_length=None),
    }


def measure(
    hand: Hand, obj: RigidObject, config: SynthesisConfig, count: int, pieces: tuple[TriangleMesh, ...]
) -> dict[str, np.ndarray]:
    """Return the columns of the table for one object, a number per grasp except for the time."""
    run(hand, obj, config, 1, 1)  # compiles kernels, prepares hand and object
    start = time.process_time()
    batch = run(hand, obj, config, count, 1)
    seconds = (time.process_time() - start) / count
    ok = np.array([status == "ok" for status in batch.status], dtype=float)
    return measure_quality(hand, obj, batch, pieces) | {"ok": ok, "CPU ms": np.array([1e3 * seconds])}


def _print_row(label: str, values: list[float]) -> None:
    print(f"| {label} | " + " | ".join(f"{value:.3g}" for value in values) + " |", flush=True)


def main() -> None:
    """Print the table, and the standard errors of its first line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=Path, default=None, help="folder of meshes; default: the built-in objects")
    parser.add_argument("--only", nargs="*", default=[], help="take files whose path holds one of these")
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--grasps", type=int, default=16)
    options = parser.parse_args()
    hand = load_hand(options.hand)
    objects = [load_object(source) for source in mesh_files(options.objects, options.only)]
    pieces = [collision_pieces(obj) for obj in objects]
    print("| " + " | ".join((options.hand, *COLUMNS)) + " |\n" + "|---" * (len(COLUMNS) + 1) + "|")
    errors = []
    for name, config in variants().items():
        rows = [measure(hand, obj, config, options.grasps, parts) for obj, parts in zip(objects, pieces, strict=True)]
        _print_row(name, [float(np.mean([row[column].mean() for row in rows])) for column in COLUMNS])
        if not errors:
            within = [np.sqrt(sum(row[column].var() / len(row[column]) for row in rows)) for column in COLUMNS[:-1]]
            errors = [float(error) / len(rows) for error in within]
    print("\nStandard errors of the first line: ", end="")
    print(", ".join(f"{column} {error:.2g}" for column, error in zip(COLUMNS[:-1], errors, strict=True)))


if __name__ == "__main__":
    main()
