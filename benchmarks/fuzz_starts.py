# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Many bad starts on bad meshes; exits with 1 when a row that is marked ok holds a number that is not finite.

    python benchmarks/fuzz_starts.py [--starts 10000] [--objects DIR] [--hand allegro ...] [--iterations 20]

Meshes are damaged behind the reader's back, since the reader mends or refuses most damage; what it does with the same
mesh as a file is in the last column. A quarter of the starts are as sampled, the others inside the object, exactly on
its surface, and with joints at random, beyond their limits too.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

import numpy as np
import trimesh
from scipy.spatial.transform import Rotation

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.library import list_names
from omni_graspd.objects.mass_properties import solid_properties
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis import search, synthesizer
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.starts import sample_starts
from omni_graspd.usd.meshes import TriangleMesh

Surface = tuple[np.ndarray, np.ndarray, bool]
"""Vertices, faces, and whether the kernels are told that it is closed."""


def intact(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """As it is."""
    return vertices, faces, True


def scaled_up(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """As if metres were centimetres."""
    return 100.0 * vertices, faces, True


def scaled_down(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """As if centimetres were metres."""
    return 0.01 * vertices, faces, True


def thin_shell(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """The surface, and 0.1 mm below it the same one inside out."""
    normals = trimesh.Trimesh(vertices, faces, process=False).vertex_normals
    below = vertices - 1e-4 * normals
    return np.concatenate([vertices, below]), np.concatenate([faces, faces[:, ::-1] + len(vertices)]), True


def thin_plate(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """The object pressed to a thickness of 0.1 mm."""
    flat = vertices * [1.0, 1.0, 1e-4 / np.ptp(vertices[:, 2])]
    return flat, faces, True


def duplicate_faces(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """A third of the faces twice, a tenth of them inside out as well."""
    again = faces[random.random(len(faces)) < 0.33]
    return vertices, np.concatenate([faces, again, again[::3, ::-1]]), True


def degenerate_faces(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """A tenth of the faces without area, and vertices at the same place."""
    chosen = random.random(len(faces)) < 0.1
    bad = faces[chosen].copy()
    bad[::2, 2] = bad[::2, 1]
    bad[1::2] = bad[1::2, :1]
    welded = vertices.copy()
    moved = random.integers(len(vertices), size=max(len(vertices) // 50, 1))
    welded[moved] = vertices[random.integers(len(vertices))]
    return welded, np.concatenate([faces, bad]), True


def holes(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """A tenth of the faces missing."""
    return vertices, faces[random.random(len(faces)) > 0.1], False


def flipped_faces(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """A fifth of the faces inside out."""
    turned = random.random(len(faces)) < 0.2
    return vertices, np.where(turned[:, None], faces[:, ::-1], faces), True


def triangle_soup(vertices: np.ndarray, faces: np.ndarray, random: np.random.Generator) -> Surface:
    """No two faces share a vertex."""
    return vertices[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3), False


DAMAGES: tuple[Callable[[np.ndarray, np.ndarray, np.random.Generator], Surface], ...] = (
    *(intact, thin_shell, scaled_up, duplicate_faces, thin_plate, degenerate_faces, holes),
    *(scaled_down, flipped_faces, triangle_soup),
)


@dataclass
class Tally:
    """What became of the grasps on one kind of damage."""

    status: Counter = field(default_factory=Counter)
    not_finite: int = 0
    seconds: float = 0.0
    reader: Counter = field(default_factory=Counter)


def damaged(obj: RigidObject, damage: Callable[..., Surface], random: np.random.Generator) -> RigidObject:
    """Return an object with a damaged surface, and with the mass properties of that where they mean anything."""
    vertices, faces, closed = damage(np.asarray(obj.mesh.vertices), np.asarray(obj.mesh.faces), random)
    mesh = TriangleMesh(vertices, np.ascontiguousarray(faces, dtype=np.int32))
    with np.errstate(all="ignore"):
        volume, center, inertia = solid_properties(mesh)
    sound = volume > 0.0 and np.isfinite(inertia).all() and np.linalg.eigvalsh(inertia).min() > 0.0
    properties = {"mass": volume, "center_of_mass": center, "inertia": inertia} if sound else {}
    return replace(obj, name=f"{obj.name}_{damage.__name__}", mesh=mesh, closed=closed and obj.closed, **properties)


def read_again(obj: RigidObject, folder: Path) -> str:
    """Say what the reader does with an object's mesh in a file: reads it, mends it, or refuses it."""
    path = folder / "object.ply"
    trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False).export(path)
    try:
        return "mended" if read_object(path).notes else "read"
    except GraspdError:
        return "refused"


def bad_starts(hand: Hand, obj: RigidObject, indices: Sequence[int], *rest: object, **options: object):
    """Sample starts, then spoil three quarters of them."""
    poses, actuated = sample_starts(hand, obj, indices, *rest, **options)
    random = np.random.default_rng([len(poses), *[int(i) for i in indices[:1]]])
    rotations = Rotation.random(len(poses), random_state=int(random.integers(2**31)))
    lower, upper = obj.mesh.vertices.min(axis=0), obj.mesh.vertices.max(axis=0)
    joint_lower, joint_upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    for row in range(len(poses)):
        kind = int(indices[row * len(indices) // len(poses)]) % 4
        if kind in (1, 2):
            inside = random.uniform(lower, upper) if kind == 1 else random.choice(obj.mesh.vertices)
            poses[row, :3] = inside - rotations[row].apply(hand.approach_point)
            poses[row, 3:] = rotations[row].as_quat()
        if kind == 3:
            actuated[row] = random.uniform(joint_lower, joint_upper) + random.normal(scale=0.3, size=len(joint_lower))
    return poses, actuated


def count_not_finite(batch: GraspBatch) -> int:
    """Count rows marked ok with a number that is not finite, or a quaternion that is none."""
    columns = [batch.T_object_palm, batch.joint_positions, *batch.losses.values()]
    finite = np.all([np.isfinite(c.reshape(len(c), -1)).all(axis=1) for c in columns], axis=0)
    finite &= np.abs(np.linalg.norm(batch.T_object_palm[:, 3:], axis=1) - 1.0) < 1e-6
    return int(np.sum((np.array(batch.status) == "ok") & ~finite))


def fuzz(
    hands: Sequence[Hand], objects: Sequence[RigidObject], starts: int, config: SynthesisConfig, *, seed: int = 0
) -> dict[str, Tally]:
    """Run ``starts`` grasps in all, each hand and object with some damages in turn; returns tallies by damage."""
    kinds = len(DAMAGES)
    every = kinds // max(math.ceil(kinds / len(objects)), 3)
    runs = [
        (hand, obj, DAMAGES[(i + j * len(hands) + k) % kinds])
        for i, hand in enumerate(hands)
        for j, obj in enumerate(objects)
        for k in range(0, kinds, every)
    ]
    tallies = {damage.__name__: Tally() for damage in DAMAGES}
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(search, "sample_starts", bad_starts):
        for number, (hand, obj, damage) in enumerate(runs):
            first, stop = (starts * n // len(runs) for n in (number, number + 1))
            tally, spoiled = tallies[damage.__name__], damaged(obj, damage, np.random.default_rng([seed, number]))
            begin = time.perf_counter()
            batch = asyncio.run(synthesizer.synthesize(hand, spoiled, range(first, stop), config, seed=seed))
            tally.seconds += time.perf_counter() - begin
            tally.status.update(status.split(":")[0] for status in batch.status)
            tally.not_finite += count_not_finite(batch)
            tally.reader[read_again(spoiled, Path(folder))] += 1
    return tallies


def main() -> int:
    """Run the fuzz and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=10000)
    parser.add_argument("--objects", type=Path, default=None, help="folder of meshes, beside the built-in objects")
    parser.add_argument("--hand", nargs="*", default=None, help="default: all built-in hands")
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--candidates", type=int, default=2, help="starts per grasp in the draft; 1: no draft")
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    hands = [load_hand(name) for name in options.hand or list_names("hands")]
    files = sorted(options.objects.rglob("*")) if options.objects else []
    sources = [*list_names("objects"), *(str(p) for p in files if p.suffix in {".ply", ".obj", ".stl", ".glb"})]
    objects = [load_object(source) for source in sources]
    draft = DraftConfig(
        candidates=options.candidates,
        iterations=options.iterations if options.candidates > 1 else 0,
        point_count=options.points,
    )
    config = SynthesisConfig(iterations=options.iterations, point_count=options.points, draft=draft)
    begin = time.perf_counter()
    tallies = fuzz(hands, objects, options.starts, config, seed=options.seed)
    print(f"{len(hands)} hands, {len(objects)} objects, {options.iterations} steps")
    print(f"{'mesh':18s} {'not finite':>10s} {'ms each':>8s}  rows; the same mesh as a file")
    for name, tally in tallies.items():
        rows, reader = (", ".join(f"{n} {what}" for what, n in c.most_common()) for c in (tally.status, tally.reader))
        each = 1e3 * tally.seconds / max(tally.status.total(), 1)
        print(f"{name:18s} {tally.not_finite:10d} {each:8.1f}  {rows}; {reader}")
    wrong = sum(tally.not_finite for tally in tallies.values())
    grasps = sum(tally.status.total() for tally in tallies.values())
    print(f"{grasps} grasps in {time.perf_counter() - begin:.0f} s, {wrong} marked ok and not finite")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
