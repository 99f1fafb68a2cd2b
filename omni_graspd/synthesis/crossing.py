# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the surface of a posed hand crosses another surface anywhere, triangle by triangle."""

from __future__ import annotations

import functools

import numpy as np
import warp as wp

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.synthesis.crossing_kernels import crossing_kernel


def crossing_links(hands: PlacedHands, mesh: wp.Mesh) -> np.ndarray:
    """Tell which links of posed hands cross a mesh; one that lies wholly inside does not.

    Args:
        hands: The hands, in the mesh's frame.
        mesh: The mesh [m].

    Returns:
        Shape [hand_count, link_count], bool.
    """
    device = str(mesh.device)
    face_start, corners, centers, radii = _triangles(hands.hand, device)
    poses = hands.on(device)
    crosses = wp.zeros(poses.shape, dtype=int, device=device)
    wp.launch(
        crossing_kernel,
        dim=crosses.shape,
        inputs=[
            mesh.id,
            poses,
            face_start,
            corners,
            centers,
            radii,
        ],
        outputs=[crosses],
        device=device,
    )
    return crosses.numpy() != 0


@functools.lru_cache(maxsize=16)
def _triangles(hand: Hand, device: str) -> tuple[wp.array, wp.array, wp.array, wp.array]:
    """Return where each link's faces start, the corners of all, and a sphere about each link."""
    meshes = [link.mesh for link in hand.links]
    starts = np.cumsum([0, *(len(mesh.faces) for mesh in meshes)])
    corners = np.concatenate([mesh.vertices[mesh.faces].reshape(-1, 3) for mesh in meshes])
    centers, radii = np.zeros((len(meshes), 3)), np.zeros(len(meshes))
    for link, mesh in enumerate(meshes):
        if len(mesh.vertices):
            centers[link] = 0.5 * (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0))
            radii[link] = np.linalg.norm(mesh.vertices - centers[link], axis=1).max()
    return (
        wp.array(starts.astype(np.int32), dtype=int, device=device),
        wp.array(corners.astype(np.float32), dtype=wp.vec3, device=device),
        wp.array(centers.astype(np.float32), dtype=wp.vec3, device=device),
        wp.array(radii.astype(np.float32), dtype=float, device=device),
    )
