# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Random drags of the palm, also through walls: is the grasp formed anew ever worse than its start, or pierced?

    python benchmarks/bench_reoptimise.py [--drags 1000] [--hand NAME] [--object NAME]

Exits with 1 if one is. Pierced hands are found with trimesh's rays, not with our kernels. Times are those on an object
with 16,000 faces.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import trimesh
from bench_walls import pierced_by_rays

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.inspection.grasp_contacts import grasp_contacts
from omni_graspd.inspection.reoptimization import form_fingers, prepare, ranking_scores, reoptimize
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.object_reader import read_object
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.config import SynthesisConfig


def main() -> int:
    """Drag, form anew, print figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--drags", type=int, default=1000)
    parser.add_argument("--hand", default="allegro")
    parser.add_argument("--object", default="", help="default: the mug with 16k faces")
    arguments = parser.parse_args()
    hand, config = load_hand(arguments.hand), SynthesisConfig()
    obj = read_object(_file_of(arguments.object)) if arguments.object else _fine_mug()
    prepare(hand, obj, config)
    start = _first_grasp(hand, obj, config)
    random = random_generator(0, "drags")
    anew, live, shown, worse, improved, ends, dragged = [], [], [], 0, 0, [], []
    for _ in range(arguments.drags):
        pose = _dragged(start.T_object_palm, random)
        begin = time.perf_counter()
        moved = form_fingers(hand, obj, pose, start.joint_positions, config)
        live.append(time.perf_counter() - begin)
        before = ranking_scores(hand, obj, moved.T_object_palm[None], moved.joint_positions[None], config)[0]
        begin = time.perf_counter()
        *_, end = reoptimize(hand, obj, moved.T_object_palm, moved.joint_positions, config)
        anew.append(time.perf_counter() - begin)
        if len(shown) < 100:
            grasp_contacts(hand, obj, end.T_object_palm, end.joint_positions, MetricsConfig())
            shown.append(time.perf_counter() - begin)
        ends.append(end)
        dragged.append(moved)
        worse += end.score > before + 1e-6
        improved += end.score < before - 1e-6
    print(f"{hand.name}, {obj.name} with {len(obj.mesh.faces)} faces, {arguments.drags} drags")
    print(f"worse than their start: {worse}; better: {improved}")
    through = sum(_pierced(hand, obj, ends))
    print(f"pierced when let go: {sum(_pierced(hand, obj, dragged))}; formed anew: {through}")
    for name, seconds in (
        ("while dragging", live),
        ("formed anew", anew),
        ("... with contacts and wrench space", shown),
    ):
        milliseconds = 1e3 * np.array(seconds)
        print(f"{name}: median {np.median(milliseconds):.1f} ms, 95 % {np.quantile(milliseconds, 0.95):.1f} ms")
    print(f"updates a second while dragging: {1.0 / np.median(live):.0f}")
    return 1 if worse or through else 0


def _pierced(hand, obj, postures):
    palms = np.stack([posture.T_object_palm for posture in postures])
    joints = np.stack([posture.joint_positions for posture in postures])
    return pierced_by_rays(hand, obj, palms, joints)


def _file_of(name: str):
    from omni_graspd.library import resolve

    return resolve("objects", name)[0]


def _fine_mug():
    from dataclasses import replace

    from omni_graspd.usd.meshes import TriangleMesh

    obj = load_object("mug")
    mesh = trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False).subdivide()
    fine = TriangleMesh(np.asarray(mesh.vertices), np.asarray(mesh.faces, dtype=np.int32))
    return replace(obj, name="mug_fine", mesh=fine)


def _first_grasp(hand, obj, config):
    *_, start = reoptimize(
        hand, obj, np.array([0.0, 0.0, 0.15, 1.0, 0.0, 0.0, 0.0]), hand.joint_positions(hand.open_positions), config
    )
    return start


def _dragged(pose: np.ndarray, random: np.random.Generator) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec(random.normal(0.0, 0.5, 3)) * Rotation.from_quat(pose[3:])
    return np.concatenate([pose[:3] + random.uniform(-0.06, 0.06, 3), turn.as_quat()])


if __name__ == "__main__":
    sys.exit(main())
