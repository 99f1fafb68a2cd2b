# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One step against a plane, a sphere and a box, by hand; to a millionth of the tested motion.

The object has unit mass; its inertia about each axis is ``inertia``. A point at p with normal n and depth d pushes by
d / (1 + (p × n)² / inertia). Each case is put to the kernels as it is, and through the whole chain: hand points, a mesh
with that shape, distance queries, both paths.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import trimesh
from contact_bench import NO_WEIGHTS, run_kernels
from contact_reference import Contacts

from omni_graspd.geometry.signed_distance import SignedDistanceConfig
from omni_graspd.hands.collision_spheres import CollisionSpheres
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import HandModel, ObjectModel
from omni_graspd.synthesis.optimization import Shard
from omni_graspd.usd.transforms import IDENTITY

# Powers of two, so that rounding of positions plays no part.
_PROBE = 2.0**-8
_DILATION = 2.0**-6
_LENGTH = 2.0**-5
_X, _Y, _Z = np.eye(3)


@dataclass
class Case:
    """Points on a shape, and what one step leaves of the seven motions: the lengths of translation and rotation."""

    shape: trimesh.Trimesh
    points: np.ndarray
    normals: np.ndarray
    depths: np.ndarray
    friction: float
    left: np.ndarray  # [7, 2], translation and rotation

    def losses(self) -> np.ndarray:
        return np.hypot(self.left * [1.0, _LENGTH], 0.1 * _PROBE).sum(axis=1)


def box() -> trimesh.Trimesh:
    return trimesh.creation.box((2.0**-4, 2.0**-3, 2.0**-4))


def box_inertia(axis: int) -> float:
    square = np.array([2.0**-4, 2.0**-3, 2.0**-4]) ** 2
    return float(square.sum() - square[axis]) / 12.0


def round_shape() -> trimesh.Trimesh:
    """A sphere of radius 1/32 m with vertices on the axes, where points are nearest to them alone."""
    shape = trimesh.Trimesh(
        [_X, -_X, _Y, -_Y, _Z, -_Z],
        [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]],
    )
    for _ in range(3):
        shape = shape.subdivide()
    vertices = shape.vertices / np.linalg.norm(shape.vertices, axis=1, keepdims=True)
    return trimesh.Trimesh(2.0**-5 * vertices, shape.faces, process=False)


def one_point_on_a_plane(friction: float) -> Case:
    """On top of the box, beside the centre of mass: it pushes down and tilts, and drags sideways."""
    depth, side, height = 2.0 * _PROBE, 2.0**-6, 2.0**-5 + _DILATION - 2.0 * _PROBE
    about_x, about_y, about_z = (box_inertia(axis) for axis in range(3))
    push = 1.0 / (1.0 + side**2 / about_y)
    held_x = min(_PROBE / (1.0 + height**2 / about_y), friction * depth * push)
    held_y = min(_PROBE / (1.0 + height**2 / about_x + side**2 / about_z), friction * depth * push)

    def straight(deep: float, motion: float) -> tuple[float, float]:
        return abs(motion - deep * push), deep * push * side / about_y

    def along_x(way: float) -> tuple[float, float]:
        turn = (-depth * push * side + way * held_x * height) / about_y
        return np.hypot(_PROBE - held_x, depth * push), abs(turn)

    def along_y() -> tuple[float, float]:
        turn = [-held_y * height / about_x, -depth * push * side / about_y, held_y * side / about_z]
        return np.hypot(_PROBE - held_y, depth * push), np.linalg.norm(turn)

    up, down = straight(depth + _PROBE, _PROBE), straight(depth - _PROBE, -_PROBE)
    left = [straight(depth, 0.0), along_x(1.0), along_y(), up, along_x(-1.0), along_y(), down]
    point = np.array([[side, 0.0, height]])
    return Case(box(), point, _Z[None], np.array([depth]), friction, np.array(left))


def two_points_across_a_sphere(friction: float) -> Case:
    """A pinch: nothing moves along it; across it friction holds what it can, and nothing turns."""
    depth, radius = 2.0 * _PROBE, 2.0**-5 + _DILATION - 2.0 * _PROBE
    shape = round_shape()
    inertia = float(shape.moment_inertia[0, 0] / shape.volume)
    across = _PROBE - min(_PROBE / (1.0 + radius**2 / inertia), friction * depth)
    left = np.zeros((7, 2))
    left[[2, 3, 5, 6], 0] = across
    points = radius * np.array([_X, -_X])
    return Case(shape, points, np.array([_X, -_X]), np.full(2, depth), friction, left)


def four_points_on_a_box() -> Case:
    """Two to each side, one pair of diagonal ones deeper: they turn the box. Without friction."""
    depth, deeper, high = 2.0 * _PROBE, 3.0 * _PROBE, 2.0**-5
    about_z = box_inertia(2)
    push = 1.0 / (1.0 + high**2 / about_z)
    turn = 2.0 * high * (deeper - depth) * push / 4.0 / about_z
    # Along x the push of 4 points is that of 4 / 4 of the probe; its torques cancel.
    rest, along, across = (0.0, turn), (_PROBE - _PROBE * push, turn), (_PROBE, turn)
    left = np.array([rest, along, across, across, along, across, across])
    depths = np.array([deeper, depth, depth, deeper])
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    normals = signs[:, :1] * _X
    points = normals * (2.0**-5 + _DILATION - depths)[:, None] + signs[:, 1:] * high * _Y
    return Case(box(), points, normals, depths, 0.0, left)


_CASES = {
    "plane, smooth": one_point_on_a_plane(0.0),
    "plane, slides": one_point_on_a_plane(0.05),
    "plane, sticks": one_point_on_a_plane(2.0),
    "sphere, smooth": two_points_across_a_sphere(0.0),
    "sphere, slides": two_points_across_a_sphere(0.05),
    "sphere, sticks": two_points_across_a_sphere(2.0),
    "box": four_points_on_a_box(),
}


@pytest.fixture(params=_CASES.values(), ids=_CASES)
def case(request) -> Case:
    return request.param


def test_the_kernels_give_the_closed_form(case):
    inertia = case.shape.moment_inertia / case.shape.volume
    contacts = Contacts(case.points, -case.depths, case.normals, case.friction, 0.0, np.linalg.inv(inertia), _LENGTH)
    losses = run_kernels(contacts, probe=_PROBE).losses
    np.testing.assert_allclose(losses, case.losses(), atol=1e-6 * _PROBE, rtol=0.0)


@pytest.mark.parametrize("fused", [True, False])
def test_the_whole_chain_gives_the_closed_form(case, branched_hand, solid, fused):
    count = len(case.points)
    points = HandPoints(np.zeros(count, dtype=int), case.points, case.normals, np.ones(count))
    ignored = np.ones((len(branched_hand.links),) * 2, dtype=bool)
    spheres = CollisionSpheres(np.zeros(0, dtype=int), np.zeros((0, 3)), np.zeros(0), ignored)
    config = SynthesisConfig(
        iterations=1,
        probe=_PROBE,
        dilation=_DILATION,
        friction=case.friction,
        rotation_length=_LENGTH,
        leak=0.0,
        distance=SignedDistanceConfig(phong_alpha=0.0),
        **NO_WEIGHTS,
    )
    obj = replace(solid(case.shape), center_of_mass=np.zeros(3))
    shard = Shard(
        HandModel(branched_hand, points, spheres, "cpu"),
        [ObjectModel(obj, config.distance, "cpu")],
        np.zeros(1, dtype=int),
        IDENTITY[None],
        branched_hand.open_positions[None],
        config,
        "cpu",
        fused=fused,
    )
    shard.run(0, 1)
    np.testing.assert_allclose(shard.state.stable_losses.numpy()[0], case.losses(), atol=1e-6 * _PROBE, rtol=0.0)


def test_the_gradient_of_one_point_on_a_plane_has_a_closed_form():
    depth, smooth = 2.0 * _PROBE, 0.1 * _PROBE
    contacts = Contacts(np.array([[0.0, 0.0, 0.04]]), np.array([-depth]), _Z[None], friction=0.0)
    _, gradients = run_kernels(contacts, probe=_PROBE)
    # At rest and along z the object ends ``depth`` lower, along x and y it keeps its motion besides.
    slope = (3.0 * depth / np.hypot(depth, smooth) + 4.0 * depth / np.sqrt(depth**2 + _PROBE**2 + smooth**2)) / 7.0
    np.testing.assert_allclose(gradients, [[0.0, 0.0, -slope]], atol=1e-6)
