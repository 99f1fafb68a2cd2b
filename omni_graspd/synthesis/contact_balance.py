# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Contact forces in balance: which forces inside the friction cones press an object, carry it and do not turn it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_EDGES = 6
_PER_LINK = 3
_ITERATIONS = 60


@dataclass(frozen=True)
class BalanceTask:
    """What contact forces have to do."""

    force: float
    """Sum of the normal forces [N]."""
    weight: np.ndarray
    """Force that they carry together, shape [3] [N]."""
    friction: float
    """Coulomb friction that they count on."""
    length: float
    """Length by which torques are divided [m]."""
    spread: float
    """How much forces are spread over contacts, against balance."""


def pressing_contacts(distances: np.ndarray, link_index: np.ndarray, threshold: float) -> np.ndarray:
    """Return the few nearest points of each link among those nearer than ``threshold``.

    Args:
        distances: Distance of each hand point from the object [m], shape [point_count].
        link_index: Link of each point, ascending, shape [point_count].
        threshold: Points nearer than this press [m].
    """
    near = np.flatnonzero(distances < threshold)
    near = near[np.lexsort((distances[near], link_index[near]))]
    links = link_index[near]
    first = np.searchsorted(links, links)
    return near[np.arange(len(near)) - first < _PER_LINK]


def balance_forces(arms: np.ndarray, normals: np.ndarray, task: BalanceTask) -> tuple[np.ndarray, float]:
    """Choose forces on the object that are in balance with its weight, as far as they can be.

    The shares of the friction cones' edges x >= 0 minimise |W x - w|^2 + (sum x - force)^2 + spread^2 |x|^2, W the
    edges' wrenches and w the weight. With seven rows the dual has seven unknowns, which Newton's method finds.

    Args:
        arms: Contacts from the centre of mass [m], shape [contact_count, 3].
        normals: Unit normals out of the object, same shape.
        task: What is asked for.

    Returns:
        Forces on the object [N], shape [contact_count, 3], and the wrench that is left over all forces, torques divided
        by the length: 0 is balance, 1 is a push from one side.
    """
    if not len(arms):
        return np.zeros((0, 3)), 1.0
    edges = cone_edges(normals, task.friction)
    wrenches = np.concatenate([edges, np.cross(arms[:, None], edges) / task.length], axis=-1).reshape(-1, 6).T
    wanted = np.append(task.weight, np.zeros(3))
    rows = np.concatenate([wrenches, np.ones((1, wrenches.shape[1]))])
    shares = _non_negative(rows, np.append(wanted, task.force), task.spread)
    forces = (shares.reshape(len(arms), _EDGES, 1) * edges).sum(axis=1)
    left = float(np.linalg.norm(wrenches @ shares - wanted)) / max(float(shares.sum()), 1e-9)
    return forces, left


def cone_edges(normals: np.ndarray, friction: float) -> np.ndarray:
    """Return forces along the edges of friction cones with a normal part of 1, shape [contact_count, edge_count, 3]."""
    first = np.cross(normals, np.eye(3)[np.argmin(np.abs(normals), axis=1)])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normals, first)
    angles = 2.0 * np.pi * np.arange(_EDGES) / _EDGES
    around = np.cos(angles)[:, None, None] * first + np.sin(angles)[:, None, None] * second
    return np.swapaxes(-normals + friction * around, 0, 1)


def _non_negative(rows: np.ndarray, values: np.ndarray, damping: float) -> np.ndarray:
    """Minimise |rows x - values|^2 + damping^2 |x|^2 over x >= 0.

    With y the residual, x = max(0, rows^T y) / damping^2, and y minimises the convex and piecewise quadratic
    |y|^2 / 2 - values · y + |max(0, rows^T y)|^2 / (2 damping^2).
    """
    scale = 1.0 / (damping * damping)
    dual = np.zeros(len(values))
    for _ in range(_ITERATIONS):
        pull = np.maximum(rows.T @ dual, 0.0)
        gradient = dual - values + scale * (rows @ pull)
        if np.linalg.norm(gradient) < 1e-9 * np.linalg.norm(values):
            break
        active = rows[:, pull > 0.0]
        step = np.linalg.solve(np.eye(len(values)) + scale * (active @ active.T), -gradient)
        dual = dual + _step_length(rows, values, scale, dual, step, gradient) * step
    return scale * np.maximum(rows.T @ dual, 0.0)


def _step_length(
    rows: np.ndarray, values: np.ndarray, scale: float, dual: np.ndarray, step: np.ndarray, gradient: np.ndarray
) -> float:
    """Halve the step until the dual falls enough."""

    def height(y: np.ndarray) -> float:
        return float(0.5 * y @ y - values @ y + 0.5 * scale * (np.maximum(rows.T @ y, 0.0) ** 2).sum())

    start, slope, length = height(dual), float(gradient @ step), 1.0
    while length > 1e-6 and height(dual + length * step) > start + 1e-4 * length * slope:
        length *= 0.5
    return length
