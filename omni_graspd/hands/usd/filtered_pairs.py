# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which links of a hand overlap whatever its joints do, and so must not collide with each other in a simulator."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import trimesh

from omni_graspd.hands.usd.hand_design import HandDesign, LinkDesign, pose_links, with_followers
from omni_graspd.seeding import random_generator
from omni_graspd.usd.transforms import pose_to_matrix

_POSTURES = 8
# Links that overlap in this share of the postures are built into each other; others meet on the way.
_SHARE = 0.5
_DEPTH = 1e-4
_SAMPLES = 200


@dataclass(frozen=True)
class _Piece:
    """A convex collider in its link's frame."""

    points: np.ndarray
    """On its surface [m], shape [point_count, 3]."""
    bounds: np.ndarray
    """Its lowest and highest coordinates [m], shape [2, 3]."""
    radius: float
    """Largest distance of a point from the middle of the bounds [m]."""
    planes: np.ndarray
    """Unit normals out of it and their offsets [m], shape [face_count, 4]; ``n x + d`` is negative inside."""

    @property
    def middle(self) -> np.ndarray:
        """Middle of the bounds [m], shape [3]."""
        return self.bounds.mean(axis=0)


def overlapping_pairs(design: HandDesign, posture: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
    """Return pairs of links without a joint between them whose colliders overlap in at least half of some postures.

    Args:
        design: The hand.
        posture: Joint positions in which it is written, by joint name [rad or m]; the first posture that is looked at.

    Returns:
        Names of links, in the order of the design.
    """
    pieces = {link.name: _pieces(link) for link in design.links if link.shape is not None}
    joined = {frozenset((link.name, link.parent)) for link in design.links}
    pairs = [pair for pair in itertools.combinations(pieces, 2) if frozenset(pair) not in joined]
    if not pairs:
        return ()
    counts = np.zeros(len(pairs))
    ends = np.cumsum([0, *(len(some) for some in pieces.values())])
    rows = {name: slice(ends[k], ends[k + 1]) for k, name in enumerate(pieces)}
    radii = np.array([piece.radius for some in pieces.values() for piece in some])
    reaches = radii[:, None] + radii
    for drawn in (posture, *_postures(design)):
        poses = pose_links(design, drawn)
        placed = {name: pose_to_matrix(poses[name]) for name in pieces}
        back = {name: np.linalg.inv(T) for name, T in placed.items()}
        middles = np.array([placed[n][:3, :3] @ p.middle + placed[n][:3, 3] for n in pieces for p in pieces[n]])
        near = np.linalg.norm(middles[:, None] - middles, axis=2) <= reaches
        for k, (a, b) in enumerate(pairs):
            close = np.argwhere(near[rows[a], rows[b]])
            if len(close):
                found = [(pieces[a][i], pieces[b][j]) for i, j in close]
                counts[k] += _overlap(found, back[b] @ placed[a], back[a] @ placed[b])
    return tuple(pair for pair, count in zip(pairs, counts, strict=True) if count >= _SHARE * (1 + _POSTURES))


def _postures(design: HandDesign) -> list[dict[str, float]]:
    """Draw postures within the limits; joints that follow do."""
    stream = random_generator(0, "filtered pairs", design.name)
    joints = [link.joint for link in design.links if link.joint is not None]
    return [
        with_followers(design, {j.name: float(stream.uniform(j.lower, j.upper)) for j in joints if j.leader is None})
        for _ in range(_POSTURES)
    ]


def _pieces(link: LinkDesign) -> list[_Piece]:
    pieces = []
    for piece in link.shape.convex_pieces if link.shape is not None else ():
        hull = trimesh.Trimesh(piece.vertices, piece.faces, process=False)
        samples = trimesh.sample.sample_surface(hull, _SAMPLES, seed=0)[0]
        offsets = -np.einsum("fi,fi->f", hull.face_normals, hull.triangles[:, 0])
        planes = np.concatenate([hull.face_normals, offsets[:, None]], axis=1)
        points = np.concatenate([hull.vertices, samples])
        bounds = np.stack([points.min(axis=0), points.max(axis=0)])
        radius = float(np.linalg.norm(points - bounds.mean(axis=0), axis=1).max())
        pieces.append(_Piece(points, bounds, radius, planes))
    return pieces


def _overlap(pairs: Sequence[tuple[_Piece, _Piece]], T_b_a: np.ndarray, T_a_b: np.ndarray) -> bool:
    """Tell whether a piece of link a and one of link b overlap."""
    return any(_reaches_into(a, b, T_b_a) or _reaches_into(b, a, T_a_b) for a, b in pairs)


def _reaches_into(a: _Piece, b: _Piece, T_b_a: np.ndarray) -> bool:
    """Tell whether a point of ``a`` is inside ``b``."""
    points = a.points @ T_b_a[:3, :3].T + T_b_a[:3, 3]
    points = points[((points > b.bounds[0]) & (points < b.bounds[1])).all(axis=1)]
    return bool(((points @ b.planes[:, :3].T + b.planes[:, 3]).max(axis=1, initial=-np.inf) < -_DEPTH).any())
