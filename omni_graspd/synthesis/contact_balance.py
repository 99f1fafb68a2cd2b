# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Contact forces in balance: which forces inside the friction cones press an object, carry it and do not turn it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_EDGES = 6
_PER_LINK = 3
_ITERATIONS = 60
# Stands in for the normal of a contact that there is not.
_ANY_DIRECTION = np.array([0.0, 0.0, 1.0])


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


def pressing_contacts(distances: np.ndarray, link_index: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the few nearest points of each link among those nearer than ``threshold``.

    Args:
        distances: Distance of each hand point from the object [m], shape [..., point_count].
        link_index: Link of each point, ascending, shape [point_count].
        threshold: Points nearer than this press [m].

    Returns:
        Indices of points, at most three of each link, and which of them press; as many whatever the distances are, so
        that results for a hand do not depend on those for others. Each has shape [..., slot_count].
    """
    ends = np.append(np.flatnonzero(np.diff(link_index)) + 1, len(link_index))
    nearest = [
        start + np.argsort(distances[..., start:end], axis=-1, kind="stable")[..., :_PER_LINK]
        for start, end in zip(np.append(0, ends[:-1]), ends, strict=True)
    ]
    indices = np.concatenate(nearest, axis=-1)
    return indices, np.take_along_axis(distances, indices, axis=-1) < threshold


def balance_forces(
    arms: np.ndarray, normals: np.ndarray, task: BalanceTask, presses: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Choose forces on the object that are in balance with its weight, as far as they can be.

    The shares of the friction cones' edges x >= 0 minimise |W x - w|^2 + (sum x - force)^2 + spread^2 |x|^2, W the
    edges' wrenches and w the weight. With seven rows the dual has seven unknowns, which Newton's method finds.

    Args:
        arms: Contacts from the centre of mass [m], shape [..., contact_count, 3].
        normals: Unit normals out of the object, same shape.
        task: What is asked for.
        presses: Which contacts there are, shape [..., contact_count], bool; None: all.

    Returns:
        Forces on the object [N], shape [..., contact_count, 3], and the wrench that is left over all forces, torques
        divided by the length: 0 is balance, 1 is a push from one side, shape [...].
    """
    shape, count = np.shape(arms)[:-2], np.shape(arms)[-2]
    presses = np.ones((*shape, count), dtype=bool) if presses is None else presses
    if not presses.any():
        return np.zeros((*shape, count, 3)), np.ones(shape)
    here = presses.reshape(-1, count)
    edges = cone_edges(np.where(here[..., None], normals.reshape(-1, count, 3), _ANY_DIRECTION), task.friction)
    edges = edges * here[..., None, None]
    levers = np.where(here[..., None], arms.reshape(-1, count, 3), 0.0)
    torques = np.cross(levers[:, :, None], edges) / task.length
    wrenches = np.concatenate([edges, torques], axis=-1).reshape(len(here), -1, 6)
    sums = np.repeat(here, _EDGES, axis=1)[..., None].astype(np.float64)
    rows = np.ascontiguousarray(np.swapaxes(np.concatenate([wrenches, sums], axis=-1), 1, 2))
    wanted = np.append(task.weight, np.zeros(3))
    shares = _non_negative(rows, np.append(wanted, task.force), task.spread)
    forces = (shares.reshape(len(here), count, _EDGES, 1) * edges).sum(axis=2)
    missed = (rows[:, :6] @ shares[..., None])[..., 0] - wanted
    left = np.linalg.norm(missed, axis=1) / np.maximum(shares.sum(axis=1), 1e-9)
    left = np.where(here.any(axis=1), left, 1.0)
    return forces.reshape(*shape, count, 3), left.reshape(shape)


def cone_edges(normals: np.ndarray, friction: float) -> np.ndarray:
    """Return forces along the edges of friction cones with a normal part of 1, shape [..., edge_count, 3].

    Args:
        normals: Unit normals out of the object, shape [..., 3].
        friction: Coulomb friction.
    """
    first = np.cross(normals, np.eye(3)[np.argmin(np.abs(normals), axis=-1)])
    first /= np.linalg.norm(first, axis=-1, keepdims=True)
    second = np.cross(normals, first)
    angles = 2.0 * np.pi * np.arange(_EDGES)[:, None] / _EDGES
    around = np.cos(angles) * first[..., None, :] + np.sin(angles) * second[..., None, :]
    return np.asarray(friction * around - normals[..., None, :])


def _non_negative(rows: np.ndarray, values: np.ndarray, damping: float) -> np.ndarray:
    """Minimise |rows x - values|^2 + damping^2 |x|^2 over x >= 0 for each problem, shape [problem_count, unknowns].

    With y the residual, x = max(0, rows^T y) / damping^2, and y minimises the convex and piecewise quadratic
    |y|^2 / 2 - values · y + |max(0, rows^T y)|^2 / (2 damping^2). Problems that are solved drop out.
    """
    scale, enough = 1.0 / (damping * damping), 1e-9 * np.linalg.norm(values)
    pulls = np.zeros((len(rows), rows.shape[2]))
    todo = np.arange(len(rows))
    dual, reach = np.zeros((len(rows), len(values))), pulls
    for _ in range(_ITERATIONS):
        pull = np.maximum(reach, 0.0)
        pulls[todo] = pull
        gradient = dual - values + scale * _times(rows, pull)
        left = np.linalg.norm(gradient, axis=1) >= enough
        if not left.any():
            break
        todo, rows, dual, reach, gradient = todo[left], rows[left], dual[left], reach[left], gradient[left]
        step = _newton_step(rows, reach, gradient, scale)
        along = _times(np.swapaxes(rows, 1, 2), step)
        length = _step_length(values, scale, dual, step, reach, along, gradient)[:, None]
        dual, reach = dual + length * step, reach + length * along
    return scale * pulls


def _newton_step(rows: np.ndarray, reach: np.ndarray, gradient: np.ndarray, scale: float) -> np.ndarray:
    """Return where the dual would be least if no further edge came to pull or ceased to."""
    active = rows * (reach > 0.0)[:, None]
    hessian = np.eye(rows.shape[1]) + scale * (active @ np.swapaxes(rows, 1, 2))
    return np.asarray(np.linalg.solve(hessian, -gradient[..., None])[..., 0])


def _step_length(
    values: np.ndarray,
    scale: float,
    dual: np.ndarray,
    step: np.ndarray,
    reach: np.ndarray,
    along: np.ndarray,
    gradient: np.ndarray,
) -> np.ndarray:
    """Halve each step until the dual falls enough, shape [problem_count]."""

    def height(length: np.ndarray) -> np.ndarray:
        y, pull = dual + length[:, None] * step, np.maximum(reach + length[:, None] * along, 0.0)
        return np.asarray(
            0.5 * (y * y).sum(axis=1) - (values * y).sum(axis=1) + 0.5 * scale * (pull * pull).sum(axis=1)
        )

    length = np.zeros(len(dual))
    start, slope = height(length), (gradient * step).sum(axis=1)
    length[:] = 1.0
    while True:
        again = (length > 1e-6) & (height(length) > start + 1e-4 * length * slope)
        if not again.any():
            return length
        length = np.where(again, 0.5 * length, length)


def _times(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.asarray((matrices @ vectors[..., None])[..., 0])
