# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where a palm meets objects: in front of which point of it a ball is best surrounded by the digits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from omni_graspd.hands.inference.ball_coverage import DigitReach
from omni_graspd.hands.inference.digit_surface import DigitSurface, closest_surface_point, frame_along
from omni_graspd.hands.inference.surface_samples import surface_samples
from omni_graspd.hands.surface_points import spread_subset

# The ball's radius as a share of a digit's length; smaller ones are tried where nothing surrounds that one.
_RADIUS = 0.3
_SHRINKAGES = (1.0, 0.7, 0.5, 0.35)
_PALM_SAMPLES = 2000
_CANDIDATES = 90
# A ball may rest so high above the point that it comes down to, as a share of its radius: on what stands beside it.
_RAISED = 1.6
# A ball's lowest point is on the palm if it is nearer than this share of the radius.
_ON_PALM = 0.1
# Width of the mean shift as a share of the ball's radius, and its steps.
_BANDWIDTH, _SHIFTS = 0.6, 30
# So much is worth taking, on a scale on which a ball touched from everywhere is worth 1.
_HELD = 0.3
# Balls count less the farther they lie from where the digits hang; the standard deviation as a share of their length.
_ASIDE = 0.3
# Cosine of the largest angle between a direction that is asked for and that of a ball.
_COSINE = 0.8
# Candidates count from this share of the best score on.
_RUNNER_UP = 0.75


@dataclass(frozen=True)
class Approach:
    """How a palm meets objects, in the palm frame."""

    point: np.ndarray
    """Where a ball on the palm is nearest to it [m], shape [3]: on its surface, or between what stands out of it."""
    direction: np.ndarray
    """Unit direction out of the palm there, shape [3]."""


@dataclass(frozen=True)
class _Balls:
    """Balls of one size that lie on the palm, each seen from a frame of its own."""

    centers: np.ndarray
    """In the palm frame [m], shape [ball_count, 3]."""
    radius: float
    """Radius, their distance to the palm [m]."""
    frames: np.ndarray
    """Rows are axes, the last one out of the palm, shape [ball_count, 3, 3]."""


def infer_approach(surface: DigitSurface, toward: np.ndarray | None = None) -> Approach:
    """Return where on the palm, and along what, an object comes.

    Balls come down on the palm until they rest, and the one is looked for that the digits can surround best. Of it and
    its good neighbours the mean is taken (mean shift), of their directions, too, and the foot of that ball.

    Args:
        surface: The hand's digits and palm; the palm has a surface.
        toward: If given, only directions out of the palm within 37 degrees of it count, shape [3].
    """
    reach = DigitReach.from_surface(surface)
    balls, scores, radius = None, np.zeros(0), 0.0
    for shrinkage in _SHRINKAGES:
        radius = _RADIUS * shrinkage * surface.size
        balls = _balls_on_palm(surface, radius, toward)
        scores = _scores(reach, balls)
        if scores.max(initial=0.0) > _HELD:
            break
    if balls is None or not scores.max(initial=0.0) > 0.0:
        return _in_front_of_the_middle(surface, reach.points, toward)
    finer = _balls_on_palm(surface, radius, toward, balls.centers[np.argmax(scores)])
    centers = np.concatenate([balls.centers, finer.centers])
    weights = _mean_shift(centers, np.concatenate([scores, _scores(reach, finer)]), radius)
    normal = weights @ np.concatenate([balls.frames, finer.frames])[:, 2]
    normal = normal / np.linalg.norm(normal)
    foot = weights @ centers - radius * normal
    on_palm, _ = closest_surface_point(surface.palm, foot)
    return Approach(on_palm if np.linalg.norm(foot - on_palm) < _ON_PALM * radius else foot, normal)


def _scores(reach: DigitReach, balls: _Balls) -> np.ndarray:
    """Return how good balls are, shape [ball_count]."""
    found = zip(balls.centers, balls.frames, strict=True)
    coverages = [reach.coverage(center, balls.radius, frame) for center, frame in found]
    return np.array(coverages) * _between_the_digits(reach.surface, balls)


def _mean_shift(centers: np.ndarray, scores: np.ndarray, radius: float) -> np.ndarray:
    """Return the weights of good balls about the best one, shape [ball_count]; they sum to 1."""
    center = centers[np.argmax(scores)]
    good = weights = np.maximum(scores / scores.max() - _RUNNER_UP, 0.0)
    for _ in range(_SHIFTS):
        weights = good * np.exp(-0.5 * (np.linalg.norm(centers - center, axis=1) / (_BANDWIDTH * radius)) ** 2)
        weights = weights / weights.sum()
        center = weights @ centers
    return weights


def _balls_on_palm(
    surface: DigitSurface, radius: float, toward: np.ndarray | None, around: np.ndarray | None = None
) -> _Balls:
    """Put balls of one radius on the palm, spread over its surface, or over what is near a ball's centre."""
    samples, faces = surface_samples(surface.palm, _PALM_SAMPLES, surface.hand.links[0].name)
    mesh = trimesh.Trimesh(surface.palm.vertices, surface.palm.faces, process=False)
    chosen = spread_subset(samples, _CANDIDATES)
    if around is not None:
        near = np.flatnonzero(np.linalg.norm(samples - around, axis=1) < 2.0 * radius)
        chosen = near[spread_subset(samples[near], _CANDIDATES // 2)]
    normals = mesh.face_normals[faces[chosen]]
    heights = np.array(
        [_height_at_rest(samples - at, out, radius) for at, out in zip(samples[chosen], normals, strict=True)]
    )
    centers = samples[chosen] + heights[:, None] * normals
    kept = heights < _RAISED * radius
    if toward is not None:
        kept &= normals @ toward > _COSINE
    triangles = surface.palm.vertices[surface.palm.faces[faces[chosen]]]
    edges = triangles[:, 1] - triangles[:, 0]
    frames = [frame_along(normal, edge) for normal, edge in zip(normals[kept], edges[kept], strict=True)]
    return _Balls(centers[kept], radius, np.array(frames).reshape(-1, 3, 3))


def _height_at_rest(offsets: np.ndarray, out: np.ndarray, radius: float) -> float:
    """Return how high a ball's centre stays above a point when it comes down on a surface toward it [m].

    Args:
        offsets: Points of the surface from there [m], shape [n, 3].
        out: Unit direction from which the ball comes, shape [3].
        radius: Its radius [m].
    """
    along = offsets @ out
    aside = np.einsum("ni,ni->n", offsets, offsets) - along * along
    below = aside < radius * radius
    return float((along[below] + np.sqrt(radius * radius - aside[below])).max())


def _between_the_digits(surface: DigitSurface, balls: _Balls) -> np.ndarray:
    """Return 1 for a ball that touches the palm amid the places where digits hang on it, less elsewhere."""
    feet = balls.centers - balls.radius * balls.frames[:, 2]
    aside = np.linalg.norm(feet - np.mean([digit.base_point for digit in surface.digits], axis=0), axis=1)
    return np.exp(-0.5 * (aside / (_ASIDE * surface.size)) ** 2)


def _in_front_of_the_middle(surface: DigitSurface, points: np.ndarray, toward: np.ndarray | None) -> Approach:
    """Return the way from the middle of the palm to that of the digits, for hands that surround no ball."""
    mesh = trimesh.Trimesh(surface.palm.vertices, surface.palm.faces, process=False)
    middle = mesh.area_faces @ mesh.triangles_center / mesh.area
    out = points.reshape(-1, 3).mean(axis=0).astype(np.float64) - middle if toward is None else toward
    length = float(np.linalg.norm(out))
    direction = out / length if length > 0.0 else np.array([0.0, 0.0, 1.0])
    beyond = middle + direction * float(np.linalg.norm(surface.palm.vertices - middle, axis=1).max())
    return Approach(closest_surface_point(surface.palm, beyond)[0], direction)
