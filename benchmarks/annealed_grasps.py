# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps of the kind that GraspIt! plans, to compare with: written from what was published, not from its source.

Eigengrasp planning (Ciocarlie and Allen, IJRR 2009): simulated annealing over the palm's pose and the amplitudes of two
postures, for the Barrett hand how far its fingers are spread and bent. The energy sums, over desired contacts on palm
and fingers, how far each is from the object, over alpha, and how far its normal looks elsewhere. Only postures clear of
the object and the table are accepted. Steps and temperature follow Ingber's very fast re-annealing. From the best
posture of each run, as it is and after the palm has gone ahead until it touches, fingers close until each touches
(Miller and Allen, 2004), and of all grasps those with the best epsilon are listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp
from annealing_kernels import Chain, anneal_kernel

from omni_graspd.hands.filling_spheres import filling_spheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.digits import find_digits
from omni_graspd.hands.kinematics import KinematicTree, link_matrices
from omni_graspd.hands.surface_points import HandPoints, sample_surface_points, spread_subset
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.clearance import HandClearance
from omni_graspd.synthesis.models import ObjectModel
from omni_graspd.usd.transforms import IDENTITY, matrix_to_pose, pose_to_matrix

_MARGIN = 0.04
"""Of the grid of distances around an object [m]."""
_PADS = {"palm": 4, "link": 4}
_FACING = 0.6
"""Least cosine between the normal of a desired contact and the way to where the fingers meet."""
_AHEAD = np.append(np.arange(0.0, 0.05, 0.005), 0.05)
"""How far palms go ahead [m]."""
_BENDS = 30
_HALVINGS = 6


@dataclass(frozen=True, kw_only=True)
class AnnealingConfig:
    """How grasps are searched."""

    steps: int = 2000
    """Steps of each run."""
    alpha: float = 0.05
    """Distance that counts as much as a normal that is square to the surface [m]."""
    coldest: float = 2e-3
    """Temperature at the end; it begins with 1."""
    dimension: float = 4.0
    """Dimension in the schedule exp(-c k^(1/dimension))."""
    accepting: float = 0.3
    """Rise of the energy that is accepted with probability 1/e at temperature 1."""
    spacing: float = 0.004
    """Of the grid of distances [m]."""
    tolerance: float = 0.001
    """How deep the annealed hand may be in the object [m]; then it closes on the mesh itself."""


def annealed_postures(
    hand: Hand,
    obj: RigidObject,
    model: ObjectModel,
    plane: np.ndarray | None,
    runs: int,
    seed: int,
    config: AnnealingConfig,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the best legal posture of each run, the best run first.

    Args:
        hand: The hand.
        obj: The object.
        model: The same with its distances.
        plane: Table top in the object frame, unit normal and offset [m], shape [4]; None without one.
        runs: How many runs.
        seed: Seed.
        config: Settings.

    Returns:
        Palm poses, shape [run_count, 7], actuated positions, shape [run_count, actuated_count], and energies; of the
        runs that met a legal posture.
    """
    chain = _chain(hand, obj, model, plane, config)
    palms, amplitudes = _starts(hand, obj, plane, runs, seed)
    device_palms = wp.array(palms, dtype=wp.transform, device="cpu")
    device_amplitudes = wp.array(amplitudes, dtype=wp.vec2, device="cpu")
    best = wp.empty(runs, dtype=float, device="cpu")
    links = wp.zeros((runs, len(hand.links)), dtype=wp.transform, device="cpu")
    cooling = -np.log(config.coldest) / config.steps ** (1.0 / config.dimension)
    inputs = [chain, seed, config.steps, config.dimension, cooling, config.accepting]
    wp.launch(anneal_kernel, runs, inputs, [device_palms, device_amplitudes, best, links], device="cpu")
    energies = best.numpy()
    order = np.argsort(energies, kind="stable")
    order = order[np.isfinite(energies[order])]
    actuated = device_amplitudes.numpy()[order].astype(np.float64) @ _postures(hand)
    return device_palms.numpy()[order].astype(np.float64), actuated, energies[order]


def closed_grasps(
    clearance: HandClearance, T_object_palm: np.ndarray, actuated: np.ndarray, *, ahead: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Close the fingers of postures until each touches the object, or the table, or its limit.

    Args:
        clearance: The hand among object and table.
        T_object_palm: Palm poses, shape [grasp_count, 7].
        actuated: Actuated positions, shape [grasp_count, actuated_count].
        ahead: Let palms go ahead first, until the hand touches.

    Returns:
        Palm poses and actuated positions of the grasps.
    """
    hand, palms, closed = clearance.hand, T_object_palm.copy(), actuated.copy()
    if ahead:
        forward = pose_to_matrix(palms)[:, :3, :3] @ hand.approach_direction

        def gone(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            placed = palms.copy()
            placed[:, :3] += share[:, None] * forward
            return placed, actuated

        palms, _ = gone(_first_touch(clearance, gone, np.tile(_AHEAD, (len(palms), 1))))
    for digit in find_digits(hand):
        joints = [hand.links[link].joint for link in digit.links]
        (motor,) = [column for column in range(hand.actuated_count) if column and hand.coupling[joints, column].any()]
        own = _of_links(clearance, digit.links)
        limit = hand.joint_upper[hand.actuated[motor]]

        def bent(value: np.ndarray, motor: int = motor) -> tuple[np.ndarray, np.ndarray]:
            moved = closed.copy()
            moved[:, motor] = value
            return palms, moved

        tried = actuated[:, motor, None] + np.linspace(0.0, 1.0, _BENDS) * (limit - actuated[:, motor, None])
        closed[:, motor] = _first_touch(own, bent, tried)
    return palms, closed


def _first_touch(clearance: HandClearance, moved, tried: np.ndarray) -> np.ndarray:
    """Return the last value before which nothing is touched, among rising ones, shape [grasp_count, value_count]."""

    def clear(values: np.ndarray) -> np.ndarray:
        palms, actuated = moved(values)
        hands = clearance.place(palms, clearance.hand.joint_positions(actuated))
        return np.asarray(np.minimum(clearance.object_gaps(hands), clearance.heights(hands)) > 0.0)

    low, high = tried[:, 0].copy(), tried[:, 0].copy()
    going = np.ones(len(tried), dtype=bool)
    for column in range(1, tried.shape[1]):
        if not going.any():
            break
        ok = clear(np.where(going, tried[:, column], low))
        high = np.where(going, tried[:, column], high)
        low = np.where(going & ok, tried[:, column], low)
        going &= ok
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        ok = clear(middle)
        low, high = np.where(ok, middle, low), np.where(ok, high, middle)
    return low


def _of_links(clearance: HandClearance, links: tuple[int, ...]) -> HandClearance:
    """Return what measures only some links against the object; against the table, the whole hand."""
    points = clearance.points
    own = np.isin(points.link_index, links)
    part = HandPoints(points.link_index[own], points.positions[own], points.normals[own], points.areas[own])
    return HandClearance(clearance.hand, part, clearance.distance, clearance.plane, None, clearance.thin_walled)


def _postures(hand: Hand) -> np.ndarray:
    """Return what the two amplitudes move, spread and fingers of the Barrett hand, shape [2, actuated_count]."""
    spread, bend = np.zeros(hand.actuated_count), np.ones(hand.actuated_count)
    spread[0], bend[0] = 1.0, 0.0
    return np.stack([spread, bend])


def _starts(
    hand: Hand, obj: RigidObject, plane: np.ndarray | None, runs: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return open hands that look at the object from a distance, from the free side of the table."""
    random = random_generator(seed, "annealing", obj.name)
    low, high = obj.mesh.vertices.min(axis=0), obj.mesh.vertices.max(axis=0)
    outward = random.standard_normal((runs, 3))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    if plane is not None:
        height = outward @ plane[:3]
        outward += np.where(height < 0.0, -2.0 * height, 0.0)[:, None] * plane[:3]
    aside = np.cross(outward, random.standard_normal((runs, 3)))
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    matrices = np.tile(np.eye(4), (runs, 1, 1))
    matrices[:, :3, :3] = np.stack([aside, np.cross(-outward, aside), -outward], axis=-1)
    matrices[:, :3, 3] = 0.5 * (low + high) + (0.5 * np.linalg.norm(high - low) + 0.12) * outward
    amplitudes = np.column_stack([random.uniform(0.0, np.pi, runs), np.full(runs, 0.5)])
    return matrix_to_pose(matrices), amplitudes


def _chain(hand: Hand, obj: RigidObject, model: ObjectModel, plane: np.ndarray | None, config: AnnealingConfig) -> Any:
    chain, tree = Chain(), KinematicTree.from_hand(hand, "cpu")
    for name in ("parent", "joint", "joint_type", "axis", "T_parent_joint", "T_joint_link"):
        setattr(chain, name, getattr(tree, name))
    contacts, spheres, moved = _desired_contacts(hand), filling_spheres(hand), _postures(hand)
    low, high = obj.mesh.vertices.min(axis=0), obj.mesh.vertices.max(axis=0)
    origin = low - _MARGIN
    counts = np.ceil((high - low + 2.0 * _MARGIN) / config.spacing).astype(int) + 1
    places = origin + config.spacing * np.stack(np.indices(counts), axis=-1)
    distances, _ = model.distance.query(places.reshape(-1, 3), 1.0)
    columns = {
        "posture": (hand.coupling @ moved.T, float),
        "offset": (hand.coupling_offset, float),
        "upper": (hand.joint_upper, float),
        "amplitude_upper": (np.array([np.pi, hand.joint_upper[hand.actuated[1:]].min()]), float),
        "contact_link": (contacts.link_index.astype(np.int32), int),
        "contact_position": (contacts.positions, wp.vec3),
        "contact_normal": (contacts.normals, wp.vec3),
        "sphere_link": (spheres.link_index.astype(np.int32), int),
        "sphere_center": (spheres.centers, wp.vec3),
        "sphere_radius": (spheres.radii, float),
        "distances": (distances.reshape(counts), float),
    }
    for name, (values, dtype) in columns.items():
        setattr(chain, name, wp.array(values, dtype=dtype, device="cpu"))
    chain.origin, chain.spacing = wp.vec3(*origin), config.spacing
    chain.plane = wp.vec4(*(np.zeros(4) if plane is None else plane))
    chain.low, chain.high = wp.vec3(*(low - 0.15)), wp.vec3(*(high + 0.15))
    chain.alpha, chain.tolerance = config.alpha, config.tolerance
    return chain


def _desired_contacts(hand: Hand) -> HandPoints:
    """Return places on palm and fingers that look to where the fingers meet, spread over each link."""
    points = sample_surface_points(hand, 1200)
    matrices = link_matrices(hand, IDENTITY, hand.joint_positions(hand.open_positions))[points.link_index]
    places = np.einsum("pij,pj->pi", matrices[:, :3, :3], points.positions) + matrices[:, :3, 3]
    normals = np.einsum("pij,pj->pi", matrices[:, :3, :3], points.normals)
    toward = hand.approach_point + 0.05 * hand.approach_direction - places
    facing = (normals * toward).sum(axis=1) / np.linalg.norm(toward, axis=1)
    chosen = []
    for link in range(len(hand.links)):
        own = np.flatnonzero((points.link_index == link) & (facing > _FACING))
        chosen.append(own[spread_subset(points.positions[own], _PADS["palm" if link == 0 else "link"])])
    rows = np.concatenate(chosen)
    return HandPoints(points.link_index[rows], points.positions[rows], points.normals[rows], points.areas[rows])
