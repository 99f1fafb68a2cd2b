# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where a palm meets objects: in front of which point of it a ball is best surrounded by the digits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from omni_graspd.hands.digit_surface import (
    DigitSurface,
    closest_surface_point,
    frame_along,
    sample_postures,
    sphere_directions,
)
from omni_graspd.hands.digits import surface_samples
from omni_graspd.hands.surface_points import spread_subset

# The ball's radius as a share of a digit's length; smaller ones are tried where nothing surrounds that one.
_RADIUS = 0.3
_SHRINKAGES = (1.0, 0.7, 0.5, 0.35)
_POSTURES = 320
_PALM_SAMPLES = 2000
_CANDIDATES = 110
_DIRECTIONS = 48
# A digit may reach so deep into the ball and touches it within so much, as shares of its radius.
_DEPTH, _REACH = 0.12, 0.3
# Cosines between which a direction counts from not at all to fully touched: 53 to 18 degrees.
_FAR, _NEAR = 0.6, 0.95
# More digits than that on one spot add nothing.
_ENOUGH = 1.5
# The mean of what is best surrounded, at least so much, makes a ball that can be held.
_HELD = 0.5
# Candidates count from this share of the best score on.
_RUNNER_UP = 0.75


@dataclass(frozen=True)
class Approach:
    """How a palm meets objects, in the palm frame."""

    point: np.ndarray
    """On the palm's surface [m], shape [3]."""
    direction: np.ndarray
    """Unit direction out of the palm there, shape [3]."""


@dataclass(frozen=True)
class _Balls:
    """Balls that lie on the palm, each seen from a frame of its own."""

    centers: np.ndarray
    """In the palm frame [m], shape [ball_count, 3]."""
    radii: np.ndarray
    """Distance to the palm [m], shape [ball_count]."""
    frames: np.ndarray
    """Rows are axes, the last one out of the palm, shape [ball_count, 3, 3]."""


def infer_approach(surface: DigitSurface, toward: np.ndarray | None = None) -> Approach:
    """Return where on the palm, and along what, an object comes.

    Balls are put on the palm. Of many postures those count in which a digit touches the ball without reaching into it;
    the directions in which the ball is touched should cover all of it. From the best ball the mean of its good
    neighbours is taken (mean shift), and of the palm the point that is nearest to that.

    Args:
        surface: The hand's digits and palm; the palm has a surface.
        toward: If given, only directions out of the palm within 60 degrees of it count, shape [3].
    """
    points = surface.place(sample_postures(surface.hand, _POSTURES))[0].astype(np.float32)
    balls, scores, radius = None, np.zeros(0), 0.0
    for shrinkage in _SHRINKAGES:
        radius = _RADIUS * shrinkage * surface.size
        balls = _balls_on_palm(surface, radius, toward)
        scores = np.array([_coverage(surface, points, balls, ball) for ball in range(len(balls.radii))])
        if scores.max(initial=0.0) > _HELD:
            break
    if balls is None or not scores.max(initial=0.0) > 0.0:
        return _in_front_of_the_middle(surface, points, toward)
    center = balls.centers[np.argmax(scores)]
    weights = np.maximum(scores / scores.max() - _RUNNER_UP, 0.0)
    for _ in range(30):
        near = weights * np.exp(-0.5 * (np.linalg.norm(balls.centers - center, axis=1) / (0.6 * radius)) ** 2)
        center = near @ balls.centers / near.sum()
    point, _ = closest_surface_point(surface.palm, center)
    return Approach(point, (center - point) / np.linalg.norm(center - point))


def _balls_on_palm(surface: DigitSurface, radius: float, toward: np.ndarray | None) -> _Balls:
    """Put balls of about one radius on the palm, spread over all of its surface that they can touch."""
    samples, faces = surface_samples(surface.palm, _PALM_SAMPLES, surface.hand.links[0].name)
    mesh = trimesh.Trimesh(surface.palm.vertices, surface.palm.faces, process=False)
    chosen = spread_subset(samples, _CANDIDATES)
    centers = samples[chosen] + radius * mesh.face_normals[faces[chosen]]
    distances = np.linalg.norm(centers[:, None] - samples, axis=2)
    nearest = distances.argmin(axis=1)
    radii = distances[np.arange(len(centers)), nearest]
    normals = (centers - samples[nearest]) / radii[:, None]
    kept = radii > 0.85 * radius
    if toward is not None:
        kept &= normals @ toward > 0.5
    triangles = surface.palm.vertices[surface.palm.faces[faces[chosen]]]
    edges = triangles[:, 1] - triangles[:, 0]
    frames = [frame_along(normal, edge) for normal, edge in zip(normals[kept], edges[kept], strict=True)]
    return _Balls(centers[kept], radii[kept], np.array(frames).reshape(-1, 3, 3))


def _coverage(surface: DigitSurface, points: np.ndarray, balls: _Balls, ball: int) -> float:
    """Return how much of a ball digits can touch, 0 to 1.5.

    Args:
        surface: The digits.
        points: Their points in many postures [m], shape [posture_count, point_count, 3].
        balls: The balls.
        ball: Which one.
    """
    radius = balls.radii[ball]
    directions = (sphere_directions(_DIRECTIONS) @ balls.frames[ball]).astype(np.float32)
    offsets = points - balls.centers[ball].astype(np.float32)
    distances = np.sqrt(np.einsum("bpi,bpi->bp", offsets, offsets))
    touched = np.zeros(len(directions))
    for rows in surface.rows:
        digit = np.concatenate(rows)
        free = np.flatnonzero(distances[:, digit].min(axis=1) > (1.0 - _DEPTH) * radius)
        best = np.full(len(directions), -1.0)
        for link in rows:
            of_link = distances[np.ix_(free, link)]
            touching = np.flatnonzero(of_link.min(axis=1, initial=np.inf) < (1.0 + _REACH) * radius)
            if len(touching):
                at = link[of_link[touching].argmin(axis=1)]
                unit = offsets[free[touching], at] / distances[free[touching], at, None]
                best = np.maximum(best, (unit @ directions.T).max(axis=0))
        touched += np.clip((best - _FAR) / (_NEAR - _FAR), 0.0, 1.0)
    return float(np.minimum(touched, _ENOUGH).mean())


def _in_front_of_the_middle(surface: DigitSurface, points: np.ndarray, toward: np.ndarray | None) -> Approach:
    """Return the way from the middle of the palm to that of the digits, for hands that surround no ball."""
    mesh = trimesh.Trimesh(surface.palm.vertices, surface.palm.faces, process=False)
    middle = mesh.area_faces @ mesh.triangles_center / mesh.area
    out = points.reshape(-1, 3).mean(axis=0).astype(np.float64) - middle if toward is None else toward
    length = float(np.linalg.norm(out))
    direction = out / length if length > 0.0 else np.array([0.0, 0.0, 1.0])
    beyond = middle + direction * float(np.linalg.norm(surface.palm.vertices - middle, axis=1).max())
    return Approach(closest_surface_point(surface.palm, beyond)[0], direction)
