# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The contact step in double precision, written from the formulas and without the kernels' structure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

PROBE = 1e-4
"""Size of the tested motions [m]."""
SMOOTHING = 0.1 * PROBE
"""Where the length of a motion is smooth [m], as the kernels have it."""
MOTIONS = PROBE * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
"""The seven tested motions [m]."""


@dataclass
class Contacts:
    """Hand points of one grasp and the object of unit mass that they act on, seen from its centre of mass."""

    points: np.ndarray
    distances: np.ndarray
    normals: np.ndarray
    friction: float = 0.5
    radius: float = 0.0
    inverse_inertia: np.ndarray | None = None
    rotation_length: float = 0.02

    def __post_init__(self):
        if self.inverse_inertia is None:
            self.inverse_inertia = np.eye(3) / self.rotation_length**2

    def with_distances(self, distances: np.ndarray) -> Contacts:
        return replace(self, distances=distances)


class Frozen(NamedTuple):
    """What a derivative holds fixed: slip directions and which points touch."""

    slips: np.ndarray  # [simulation, point, 3]
    touching: np.ndarray  # [simulation, point]


_OFF_CENTER = np.array([0.008, -0.005, 0.012])
_UNEVEN = np.array([[1.0, 0.2, -0.1], [0.2, 0.6, 0.3], [-0.1, 0.3, 1.5]]) / 0.02**2


def on_sphere(count: int, *, seed: int = 0, depth: float = 2e-4, **options) -> Contacts:
    """Points near a sphere of 40 mm, between ``depth`` inside and ``depth`` outside, of uneven mass."""
    random = np.random.default_rng(seed)
    normals = unit_or_zero(random.normal(size=(count, 3)))
    distances = random.uniform(-depth, depth, size=count)
    points = _OFF_CENTER + normals * (0.04 + distances[:, None])
    return Contacts(points, distances, normals, **{"inverse_inertia": _UNEVEN, **options})


def unit_or_zero(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors [..., 3] to length 1, those shorter than 1e-12 to 0."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-12, vectors / np.maximum(length, 1e-12), 0.0)


def lengths(motion: np.ndarray, contacts: Contacts, smoothing: float) -> np.ndarray:
    """Loss of motions [..., 6] of the object, translation before rotation."""
    linear, angular = motion[..., :3], contacts.rotation_length * motion[..., 3:]
    return np.sqrt((linear**2).sum(-1) + smoothing**2) + np.sqrt((angular**2).sum(-1) + smoothing**2)


def _moved_by(direction: np.ndarray, contacts: Contacts) -> tuple[np.ndarray, np.ndarray]:
    """Jacobians of pushes along ``direction`` [..., point, 3], and J times the inverse mass matrix: both [..., 6]."""
    levers = np.cross(contacts.points, direction)
    jacobian = np.concatenate([np.broadcast_to(direction, levers.shape), levers], axis=-1)
    mass_inverse = np.zeros((6, 6))
    mass_inverse[:3, :3], mass_inverse[3:, 3:] = np.eye(3), contacts.inverse_inertia
    return jacobian, jacobian @ mass_inverse


def jacobi_step(
    contacts: Contacts, motions: np.ndarray = MOTIONS, *, smoothing: float = SMOOTHING, frozen: Frozen | None = None
) -> tuple[np.ndarray, Frozen]:
    """Push from all contacts at once, averaged: losses [..., simulation] for distances (and points) [..., point].

    Also returns the slip directions and which points touch; ``frozen`` puts others in their place.
    """
    n = contacts.normals
    losses, slips, touching = [], [], []
    for m, v in enumerate(motions):
        depth = contacts.radius - contacts.distances + n @ v
        touches = (depth > 0.0) & (n.any(axis=-1)) if frozen is None else frozen.touching[m]
        slip = unit_or_zero(v - n * (n @ v)[..., None]) if frozen is None else frozen.slips[m]
        jacobian, moved = _moved_by(n, contacts)
        tangent, dragged = _moved_by(slip, contacts)
        multiplier = depth / np.maximum((jacobian * moved).sum(-1), 1e-12)
        stopping = (slip @ v) / np.maximum((tangent * dragged).sum(-1), 1e-12)
        drag = np.minimum(stopping, contacts.friction * multiplier)
        push = moved * multiplier[..., None] + dragged * drag[..., None]
        total = np.where(touches[..., None], push, 0.0).sum(axis=-2)
        count = np.maximum(touches.sum(axis=-1), 1)
        motion = np.concatenate([v, np.zeros(3)]) - total / np.asarray(count)[..., None]
        losses.append(lengths(motion, contacts, smoothing))
        slips.append(slip)
        touching.append(touches)
    return np.stack(losses, axis=-1), Frozen(np.array(slips), np.array(touching))


def sweep_step(
    contacts: Contacts, motions: np.ndarray = MOTIONS, *, smoothing: float = SMOOTHING, frozen: Frozen | None = None
) -> tuple[np.ndarray, Frozen]:
    """Push from one contact after another (Gauss-Seidel); as :func:`jacobi_step`, for distances [point]."""
    losses = []
    shape = (len(motions), len(contacts.points))
    slips, touching = np.zeros((*shape, 3)), np.zeros(shape, dtype=bool)
    for m, v in enumerate(motions):
        motion = np.concatenate([v, np.zeros(3)])
        for i, (p, phi, n) in enumerate(zip(contacts.points, contacts.distances, contacts.normals, strict=True)):
            surface = motion[:3] + np.cross(motion[3:], p)
            depth = contacts.radius - phi + n @ surface
            touching[m, i] = (depth > 0.0 and n.any()) if frozen is None else frozen.touching[m, i]
            slips[m, i] = unit_or_zero(surface - n * (n @ surface)) if frozen is None else frozen.slips[m, i]
            if not touching[m, i]:
                continue
            alone = replace(contacts, points=p)
            jacobian, moved = _moved_by(n, alone)
            tangent, dragged = _moved_by(slips[m, i], alone)
            multiplier = depth / (jacobian @ moved)
            stopping = (slips[m, i] @ surface) / max(tangent @ dragged, 1e-12)
            motion = motion - moved * multiplier - dragged * min(stopping, contacts.friction * multiplier)
        losses.append(lengths(motion, contacts, smoothing))
    return np.array(losses), Frozen(slips, touching)
