# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The convex pieces that a hand's links collide with, as its USD file gives them."""

from __future__ import annotations

import functools

import numpy as np
from pxr import Usd, UsdPhysics

from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.usd.link_reader import owning_body
from omni_graspd.usd.meshes import TriangleMesh, merge_in_frame, mesh_prims
from omni_graspd.usd.still_stage import open_still

_PURPOSES = ("default", "render", "guide", "proxy")


@functools.lru_cache(maxsize=16)
def hand_colliders(hand: Hand) -> tuple[tuple[TriangleMesh, ...], ...]:
    """Return convex meshes to collide with, link by link; those of the same hand are made once.

    A link's collision meshes stand for their convex hulls. A link without any collides as the convex hull of its
    surface; one without surface does not collide. Hulls have at most 64 vertices, as PhysX wants them.

    Args:
        hand: The hand.

    Returns:
        For each link its convex meshes in the link's frame [m].
    """
    stage = open_still(hand.source)
    return tuple(_pieces(stage.GetPrimAtPath(link.prim_path), link) for link in hand.links)


def _pieces(body: Usd.Prim, link: Link) -> tuple[TriangleMesh, ...]:
    colliders = [
        prim
        for prim in (mesh_prims(body, _PURPOSES) if body else [])
        if prim.HasAPI(UsdPhysics.CollisionAPI) and owning_body(prim) == body
    ]
    meshes = [merge_in_frame([prim], body) for prim in colliders] or [link.mesh]
    return tuple(convex_hull(mesh.vertices) for mesh in meshes if _has_volume(mesh.vertices))


def _has_volume(vertices: np.ndarray) -> bool:
    return len(vertices) >= 4 and np.linalg.matrix_rank(vertices - vertices[0], tol=1e-6) == 3
