# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Epsilon and volume of the grasp wrench space: closed forms, linear programs, GraspIt!'s grasps."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
import scipy.spatial
from scipy.optimize import linprog

from omni_graspd.metrics.force_closure import epsilon_and_volume, is_force_closure, primitive_wrenches

_TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / math.sqrt(3.0)
_ANTIPODES = np.array([[1.0, 0, 0], [-1.0, 0, 0]])


def _on_sphere(normals: np.ndarray, friction: float, edge_count: int = 8, torsion: float = 0.0) -> np.ndarray:
    """Wrenches of contacts on a sphere of 4 cm about its centre."""
    return primitive_wrenches(
        0.04 * normals,
        normals,
        friction=friction,
        edge_count=edge_count,
        center=np.zeros(3),
        torque_scale=0.04,
        torsion=torsion,
    )


def test_a_regular_tetrahedron_of_contacts_is_weakest_against_torques_about_a_contact():
    # The normals sum to zero, so normal forces can be shared at will and the mean lever counts: sqrt(8/9) for 3 of 4.
    friction = 0.1
    epsilon, _ = epsilon_and_volume(_on_sphere(_TETRAHEDRON, friction, edge_count=24))
    assert epsilon == pytest.approx(friction * 0.75 * math.sqrt(8.0 / 9.0), rel=0.01)


def test_two_soft_antipodal_contacts_have_the_harmonic_strength_of_friction_and_torsion():
    friction, torsion = 0.4, 0.01  # 1 cm is a quarter of the radius
    epsilon, volume = epsilon_and_volume(_on_sphere(_ANTIPODES, friction, edge_count=32, torsion=torsion))
    assert epsilon == pytest.approx(1.0 / math.hypot(1.0 / friction, 0.04 / torsion), rel=0.01)
    assert volume > 0.0
    assert is_force_closure(_on_sphere(_ANTIPODES, friction, torsion=torsion))


def test_two_hard_antipodal_contacts_resist_no_torque_about_their_line():
    wrenches = _on_sphere(_ANTIPODES, 0.4, edge_count=32)
    assert epsilon_and_volume(wrenches) == (0.0, 0.0)
    assert not is_force_closure(wrenches)


def test_a_product_of_polygons_has_the_product_of_their_areas():
    # A hexagon in each of three planes: volume 3 sqrt(3)/2 each, inner radius sqrt(3)/2.
    angles = np.pi / 3 * np.arange(6)
    hexagon = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    corners = np.array([np.concatenate(parts) for parts in itertools.product(hexagon, repeat=3)])
    epsilon, volume = epsilon_and_volume(corners)
    assert epsilon == pytest.approx(math.sqrt(3.0) / 2.0, rel=1e-9)
    assert volume == pytest.approx((1.5 * math.sqrt(3.0)) ** 3, rel=1e-9)


def _nearest_facet(wrenches: np.ndarray) -> tuple[np.ndarray, float]:
    """Try the hyperplanes through any six wrenches: the unit normal of the nearest that has all others behind it."""
    subsets = wrenches[np.array(list(itertools.combinations(range(len(wrenches)), 6)))]
    flat = np.linalg.cond(subsets) > 1e10
    subsets[flat] = np.eye(6)
    planes = np.linalg.solve(subsets, np.ones((len(subsets), 6, 1)))[..., 0]
    planes[flat] = np.nan
    behind = (planes @ wrenches.T <= 1.0 + 1e-9).all(axis=1)
    distances = np.where(behind, 1.0 / np.linalg.norm(planes, axis=1), np.inf)
    nearest = int(np.argmin(distances))
    return planes[nearest] * distances[nearest], float(distances[nearest])


def _reach(wrenches: np.ndarray, direction: np.ndarray) -> float:
    """How far the hull goes in a direction, by a linear program; 0 if the origin is not inside."""
    program = linprog(
        np.concatenate([np.zeros(len(wrenches)), [-1.0]]),
        A_eq=np.block([[wrenches.T, -direction[:, None]], [np.ones(len(wrenches)), 0.0]]),
        b_eq=np.concatenate([np.zeros(6), [1.0]]),
        bounds=(0.0, None),
        method="highs",
    )
    return float(program.x[-1]) if program.success else 0.0


@pytest.mark.slow
def test_epsilon_equals_a_linear_program_on_500_random_contact_sets():
    random = np.random.default_rng(0)
    closed = 0
    for _ in range(500):
        positions, normals = random.normal(size=(2, 4, 3))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        if random.random() < 0.8:  # contacts that face inward close more often
            normals = positions / np.linalg.norm(positions, axis=1, keepdims=True)
        wrenches = primitive_wrenches(
            positions, normals, friction=0.9, edge_count=3, center=np.zeros(3), torque_scale=2.0
        )
        epsilon, _ = epsilon_and_volume(wrenches)
        if not is_force_closure(wrenches):
            assert epsilon == pytest.approx(0.0, abs=1e-12)
            continue
        closed += 1
        normal, distance = _nearest_facet(wrenches)
        assert epsilon == pytest.approx(distance, abs=1e-6)
        assert _reach(wrenches, normal) == pytest.approx(epsilon, abs=1e-6)
    assert 100 < closed < 450


def _across_x(inward: np.ndarray) -> np.ndarray:
    """First cone edges of the recomputed list: across x, or across z where the normal is along x."""
    reference = np.where(np.abs(inward[:, :1]) < 0.99, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
    return np.cross(inward, reference)


@pytest.mark.slow
def test_epsilon_of_all_listed_graspit_grasps_is_reproduced(shared_folder):
    lists = shared_folder / "baselines" / "graspit" / "best_grasps.json"
    if not lists.is_file():
        pytest.skip("needs the grasps of other planners")
    count = 0
    for entry in json.loads(lists.read_text()):
        for grasp in entry["grasps"]:
            contacts = grasp["contacts"]
            inward = np.array([contact["n_in"] for contact in contacts], dtype=float)
            inward /= np.linalg.norm(inward, axis=1, keepdims=True)
            positions = np.array([contact["p"] for contact in contacts], dtype=float)
            wrenches = np.concatenate(
                [
                    primitive_wrenches(
                        positions[[i]],
                        -inward[[i]],
                        friction=contacts[i]["mu"],
                        edge_count=8,
                        center=np.array(entry["cog"], dtype=float),
                        torque_scale=entry["max_radius"],
                        tangents=_across_x(inward)[[i]],
                    )
                    for i in range(len(contacts))
                ]
            )
            # The list has -1 where there is no force closure.
            assert epsilon_and_volume(wrenches)[0] == pytest.approx(max(0.0, grasp["epsilon_pcwf"]), abs=1e-6)
            assert is_force_closure(wrenches) == (grasp["epsilon_pcwf"] > 0.0)
            count += 1
    assert count == 116


@pytest.mark.parametrize("working", ["Qx Qs", "QJ"])
def test_where_qhull_fails_it_is_asked_again(monkeypatch, working):
    hull = scipy.spatial.ConvexHull

    def failing(points, qhull_options):
        if qhull_options != working:
            raise scipy.spatial.QhullError("wide merge")
        return hull(points, qhull_options=qhull_options)

    monkeypatch.setattr(scipy.spatial, "ConvexHull", failing)
    epsilon, volume = epsilon_and_volume(np.concatenate([np.eye(6), -np.eye(6)]))
    assert epsilon == pytest.approx(1.0 / math.sqrt(6.0), rel=1e-9)
    assert volume == pytest.approx(2.0**6 / math.factorial(6), rel=1e-9)
