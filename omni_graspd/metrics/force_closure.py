# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The grasp wrench space: force closure by a linear program, epsilon quality and volume by its convex hull."""

from __future__ import annotations

import numpy as np

RANK_TOLERANCE = 1e-6
# A grasp counts as closed when all cone edges can share an equilibrium with at least this weight (weights sum to 1).
_CLOSURE_TOLERANCE = 1e-9
# Cones on parallel faces have many wrenches in common hyperplanes, and Qhull may fail to merge the facets there; it
# then starts from another simplex, and at last joggles the wrenches by about 1e-11.
_HULL_OPTIONS = ("Qx", "Qx Qs", "QJ")


def primitive_wrenches(
    positions: np.ndarray,
    normals: np.ndarray,
    *,
    friction: float,
    edge_count: int,
    center: np.ndarray,
    torque_scale: float,
    torsion: float = 0.0,
    tangents: np.ndarray | None = None,
) -> np.ndarray:
    """Return the wrenches of unit pushes along the edges of all friction cones.

    Args:
        positions: Contact points in the object frame [m], shape [contact_count, 3].
        normals: Unit normals out of the object, shape [contact_count, 3].
        friction: Coulomb friction.
        edge_count: Edges per friction cone.
        center: Point about which torques are taken, usually the centre of mass [m], shape [3].
        torque_scale: Length by which torques are divided [m].
        torsion: Torsional friction of soft fingers: largest torque about the normal per normal force [m]; 0 for hard
            contacts.
        tangents: Unit tangents along which the first edge of each cone lies, shape [contact_count, 3]; for comparison
            with others, since epsilon depends on them a little. By default across the axis that is farthest from the
            normal.

    Returns:
        Force and scaled torque on the object, shape [contact_count * edge_count, 6]; normal forces are 1. Soft contacts
        have two more each, which push along the normal and twist either way.
    """
    inward = -np.asarray(normals, dtype=np.float64)
    if tangents is None:
        tangents = np.cross(inward, np.eye(3)[np.argmin(np.abs(inward), axis=1)])
    tangent_u = np.asarray(tangents, dtype=np.float64)
    tangent_u = tangent_u / np.linalg.norm(tangent_u, axis=1, keepdims=True)
    tangent_v = np.cross(inward, tangent_u)
    angle = 2.0 * np.pi * np.arange(edge_count) / edge_count
    edges = np.cos(angle)[:, None] * tangent_u[:, None, :] + np.sin(angle)[:, None] * tangent_v[:, None, :]
    forces = inward[:, None, :] + friction * edges
    torques = np.cross((np.asarray(positions) - center)[:, None, :], forces) / torque_scale
    wrenches = np.concatenate([forces, torques], axis=-1)
    if torsion > 0.0:
        push = np.concatenate([inward, np.cross(np.asarray(positions) - center, inward) / torque_scale], axis=-1)
        twist = np.concatenate([np.zeros_like(inward), torsion / torque_scale * inward], axis=-1)
        wrenches = np.concatenate([wrenches, np.stack([push + twist, push - twist], axis=1)], axis=1)
    return wrenches.reshape(-1, 6)


def is_force_closure(wrenches: np.ndarray) -> bool:
    """Decide whether non-negative sums of wrenches reach every wrench.

    That is so if they span all six dimensions and zero is a sum of them in which every weight is positive. The linear
    program looks for the largest smallest weight.

    Args:
        wrenches: Primitive wrenches, shape [wrench_count, 6].
    """
    from scipy.optimize import linprog

    count = len(wrenches)
    if count < 7 or np.linalg.matrix_rank(wrenches, tol=RANK_TOLERANCE) < 6:
        return False
    # Variables: one weight per wrench beyond the common smallest weight t, then t itself.
    total = wrenches.sum(axis=0)
    balance = np.column_stack([wrenches.T, total])
    result = linprog(
        c=np.concatenate([np.zeros(count), [-1.0]]),
        A_eq=np.vstack([balance, np.concatenate([np.ones(count), [float(count)]])]),
        b_eq=np.concatenate([np.zeros(6), [1.0]]),
        bounds=[(0.0, None)] * (count + 1),
        method="highs",
    )
    return bool(result.success and result.x[-1] > _CLOSURE_TOLERANCE)


def epsilon_and_volume(wrenches: np.ndarray) -> tuple[float, float]:
    """Compute Ferrari and Canny's L1 quality and the volume of the grasp wrench space.

    Epsilon is the radius of the largest ball about the origin within the convex hull of the wrenches: the weakest
    disturbance that breaks the grasp, for normal forces that sum to 1.

    Args:
        wrenches: Primitive wrenches, shape [wrench_count, 6].

    Returns:
        Epsilon, 0 where the origin is not inside, and the hull's six-dimensional volume, 0 where the hull is flat.

    References:
        Ferrari and Canny, "Planning optimal grasps", ICRA 1992.
    """
    from scipy.spatial import ConvexHull, QhullError

    if len(wrenches) < 7 or np.linalg.matrix_rank(wrenches - wrenches.mean(axis=0), tol=RANK_TOLERANCE) < 6:
        return 0.0, 0.0
    for options in _HULL_OPTIONS:
        try:
            hull = ConvexHull(wrenches, qhull_options=options)
        except QhullError:
            continue
        return max(0.0, float(-hull.equations[:, -1].max())), float(hull.volume)
    return 0.0, 0.0  # numerically flat
