# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Lines inside the links of a hand, by which one sees whether something passes through a link.

*Bones* join the spheres inside a link, and those with its joint; *spokes* lead from the nearest sphere to points just
below the link's surface. Each line lies inside its link, so that a surface which cuts it is in the link, too.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.winding_distance import winding_distances
from omni_graspd.hands.filling_spheres import filling_spheres, hand_surface
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.usd.meshes import TriangleMesh

SKIN = 0.004
"""Spokes end so far below the surface [m]: what cuts less deep touches the link."""
# Lines that would be shorter are left out [m].
_SHORTEST = 0.001
# Spokes that are more slanted than this against the surface are left out.
_LEAST_COSINE = 0.5
# A line may leave its link by so much [m], as at joints and in shallow grooves.
_OUTSIDE = 0.0015
_SAMPLES = np.linspace(0.0, 1.0, 9)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Lines inside the links of a hand, sorted by link."""

    link_index: np.ndarray
    """Link of each line, ascending, shape [line_count]."""
    starts: np.ndarray
    """Where lines begin, at the centre of a sphere, in the link's frame [m], shape [line_count, 3]."""
    ends: np.ndarray
    """Where they end [m], shape [line_count, 3]."""
    bones: np.ndarray
    """Whether a line is a bone, else it is a spoke; shape [line_count], bool."""


@functools.lru_cache(maxsize=8)
def hand_skeleton(hand: Hand) -> Skeleton:
    """Return the skeleton of a hand; that of the same hand is made once."""
    spheres, points = filling_spheres(hand), hand_surface(hand)
    anchors = _joint_anchors(hand)
    parts = []
    for link in range(len(hand.links)):
        mesh, centers = hand.links[link].mesh, spheres.centers[spheres.link_index == link]
        if not len(centers):
            continue
        bones = _inside(mesh, *_bones(centers, anchors[link]))
        spokes = _inside(mesh, *_spokes(centers, points, link))
        for lines, is_bone in ((bones, True), (spokes, False)):
            parts.append((np.full(len(lines[0]), link), *lines, np.full(len(lines[0]), is_bone)))
    if not parts:
        return Skeleton(np.zeros(0, dtype=np.int64), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, dtype=bool))
    link_index, starts, ends, bones = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Skeleton(link_index, starts, ends, bones)


def _joint_anchors(hand: Hand) -> list[list[np.ndarray]]:
    """Return where each link is joined to its parent and its children, in its own frame [m]."""
    anchors: list[list[np.ndarray]] = [[] for _ in hand.links]
    for index, link in enumerate(hand.links):
        if link.parent >= 0:
            anchors[index].append(np.asarray(link.T_link_joint[:3]))
            anchors[link.parent].append(np.asarray(link.T_parent_joint[:3]))
    return anchors


def _bones(centers: np.ndarray, anchors: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Join spheres by a shortest tree, and each joint with the sphere nearest to it."""
    from scipy.sparse.csgraph import minimum_spanning_tree

    between = np.linalg.norm(centers[:, None] - centers, axis=-1)
    a, b = minimum_spanning_tree(between).nonzero()
    starts, ends = [centers[a]], [centers[b]]
    for anchor in anchors:
        nearest = int(np.linalg.norm(centers - anchor, axis=1).argmin())
        starts.append(centers[nearest, None])
        ends.append(anchor[None])
    return np.concatenate(starts), np.concatenate(ends)


def _spokes(centers: np.ndarray, points: HandPoints, link: int) -> tuple[np.ndarray, np.ndarray]:
    """Join points below the surface of a link with the spheres nearest to them."""
    from scipy.spatial import cKDTree

    own = points.link_index == link
    surface, normals = points.positions[own], points.normals[own]
    starts = centers[cKDTree(centers).query(surface)[1]] if len(surface) else surface
    along = surface - starts
    # Below the surface is along its normal.
    depths = (along * normals).sum(axis=1)
    keep = (depths > SKIN + _SHORTEST) & (depths > _LEAST_COSINE * np.linalg.norm(along, axis=1))
    starts, along, depths = starts[keep], along[keep], depths[keep]
    return starts, starts + along * (1.0 - SKIN / depths)[:, None]


def _inside(mesh: TriangleMesh, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines that stay inside a link."""
    if not len(starts):
        return starts, ends
    samples = starts[:, None] + _SAMPLES[:, None] * (ends - starts)[:, None]
    outside = winding_distances(mesh, samples.reshape(-1, 3), 0.1).reshape(len(starts), -1)
    # A joint may lie in the centre of a sphere: that is no line.
    keep = (outside.max(axis=1) < _OUTSIDE) & (np.linalg.norm(ends - starts, axis=1) > _SHORTEST)
    return starts[keep], ends[keep]
