# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rest poses are told apart up to a turn about gravity, and occur as often as an independent computation says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.drop import DropConfig, drop_objects
from omni_graspd.scenes.rest_poses import cluster_rest_poses, down_directions
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh


def _hull(points: object) -> trimesh.Trimesh:
    return trimesh.convex.convex_hull(np.asarray(points, dtype=np.float64))


_FRUSTUM = [[x * a, y * a, z] for a, z in ((0.04, 0.0), (0.022, 0.05)) for x in (-1, 1) for y in (-1, 1)]
_OCTAHEDRON = 0.045 * np.array([[1, 0, 0], [-1, 0, 0], [0, 1.2, 0], [0, -1.2, 0], [0, 0, 0.8], [0, 0, -0.8]])
_WEDGE = [[0, 0, 0], [0.08, 0, 0], [0, 0.06, 0], [0.08, 0.06, 0], [0, 0, 0.05], [0, 0.06, 0.05]]

_SHAPES = {
    "cube": trimesh.creation.box((0.05, 0.05, 0.05)),
    "slab": trimesh.creation.box((0.03, 0.06, 0.09)),
    "brick": trimesh.creation.box((0.04, 0.06, 0.1)),
    "tetrahedron": _hull([[0, 0, 0], [0.07, 0, 0], [0.01, 0.08, 0], [0.02, 0.02, 0.06]]),
    "wedge": _hull(_WEDGE),
    "hexagonal prism": trimesh.creation.cylinder(0.03, 0.05, sections=6),
    "octahedron": _hull(_OCTAHEDRON),
    "frustum": _hull(_FRUSTUM),
}


def _object(name: str, shape: trimesh.Trimesh, mass: float = 0.2) -> RigidObject:
    mesh = TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))
    return RigidObject(
        name=name,
        source=Path(f"{name}.obj"),
        mesh=mesh,
        visual=mesh,
        appearance=Appearance(),
        closed=True,
        mass=mass,
        center_of_mass=np.array(shape.center_mass),
        inertia=shape.moment_inertia * (mass / shape.mass),
        label=name,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", _SHAPES)
def test_rest_poses_occur_as_often_as_an_independent_computation_says(name: str):
    pytest.importorskip("networkx", reason="trimesh computes stable poses with it")
    transforms, expected = trimesh.poses.compute_stable_poses(_SHAPES[name], n_samples=1, sigma=0.0)
    drops = asyncio.run(drop_objects(_object(name, _SHAPES[name]), range(500), DropConfig(), 0, simulate))
    observed = down_directions(np.array([drop.T_world_object for drop in drops]))
    found = cluster_rest_poses(np.concatenate([-transforms[:, 2, :3], observed]))
    count = len(transforms)
    frequency = np.bincount(found.labels[count:], minlength=len(found.counts)) / len(drops)
    prediction = np.bincount(found.labels[:count], expected / expected.sum(), len(found.counts))
    assert 0.5 * np.abs(frequency - prediction).sum() < 0.1


def test_down_direction_is_the_turned_back_one_and_blind_to_place_and_yaw():
    random = np.random.default_rng(0)
    turns = Rotation.random(50, random_state=1)
    yaws = Rotation.from_rotvec(random.uniform(-3, 3, (50, 1)) * np.array([0.0, 0.0, 1.0]))
    expected = turns.inv().apply([0.0, 0.0, -1.0])
    for rotation in (turns, yaws * turns):
        poses = np.concatenate([random.normal(size=(50, 3)), rotation.as_quat()], axis=1)
        np.testing.assert_allclose(down_directions(poses), expected, atol=1e-12)


def test_clusters_are_chains_of_small_steps_and_the_largest_comes_first():
    angles = np.radians(np.r_[0.0, 90.0 + np.arange(0.0, 12.0, 3.0), 180.0, 183.0, 300.0])
    directions = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    poses = cluster_rest_poses(directions, angle=np.radians(4.0))
    assert poses.labels.tolist() == [2, 0, 0, 0, 0, 1, 1, 3]
    assert poses.counts.tolist() == [4, 2, 1, 1]
    np.testing.assert_array_equal(poses.down_directions, directions[[1, 5, 0, 7]])
    assert len(cluster_rest_poses(np.zeros((0, 3))).counts) == 0
