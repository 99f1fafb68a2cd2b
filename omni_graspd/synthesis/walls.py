# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which links of posed hands an object passes through, and how deep it is in the spheres inside them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import warp as wp

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.filling_spheres import filling_spheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.link_bounds import link_bounds
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.hands.skeleton import hand_skeleton
from omni_graspd.synthesis.wall_kernels import pierced_kernel, sphere_depth_kernel

PIERCED_DEPTH = 0.1
"""What a start that the object passes through counts as deeper [m]: it is taken only if all others are as bad."""


def pierced_links(hands: PlacedHands, distance: SignedDistance) -> np.ndarray:
    """Tell which links the object passes through.

    It does where its surface cuts a line inside the link, see :mod:`omni_graspd.hands.skeleton`: a bone anywhere, a
    spoke where the other end is outside the object again. Bones begin and end at least 2 mm below the link's surface,
    spokes 4 mm: what is less deep does not count.

    Args:
        hands: The hands, in the object frame.
        distance: The object.

    Returns:
        Shape [hand_count, link_count], bool.
    """
    device = distance.device
    lines, poses = _lines(hands.hand, device), hands.on(device)
    found = wp.zeros(poses.shape, dtype=int, device=device)
    inputs = [distance.mesh.id, distance.corner_normals, distance.sign_mode, poses]
    inputs += [lines.line_start, lines.starts, lines.ends, lines.bones, lines.bound_center, lines.bound_radius]
    wp.launch(pierced_kernel, dim=found.shape, inputs=inputs, outputs=[found], device=device)
    return found.numpy() != 0


def sphere_depths(hands: PlacedHands, distance: SignedDistance) -> np.ndarray:
    """Measure how deep the object is in the spheres inside each hand's links.

    At least so far a hand must move to be free, however thin the object is.

    Args:
        hands: The hands, in the object frame.
        distance: The object.

    Returns:
        Depths [m], 0 where the object is outside of all spheres, shape [hand_count].
    """
    device = distance.device
    lines, poses = _lines(hands.hand, device), hands.on(device)
    depths = wp.zeros((len(hands), len(lines.radii)), dtype=float, device=device)
    inputs = [distance.mesh.id, distance.corner_normals, distance.sign_mode, poses]
    inputs += [lines.sphere_link, lines.centers, lines.radii]
    wp.launch(sphere_depth_kernel, dim=depths.shape, inputs=inputs, outputs=[depths], device=device)
    return depths.numpy().max(axis=1, initial=0.0).astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Lines:
    """A skeleton on a device."""

    line_start: wp.array
    starts: wp.array
    ends: wp.array
    bones: wp.array
    bound_center: wp.array
    bound_radius: wp.array
    sphere_link: wp.array
    centers: wp.array
    radii: wp.array


@functools.lru_cache(maxsize=16)
def _lines(hand: Hand, device: str) -> _Lines:
    skeleton = hand_skeleton(hand)
    links = np.arange(len(hand.links) + 1)
    bounds = link_bounds(
        np.tile(skeleton.link_index, 2), np.concatenate([skeleton.starts, skeleton.ends]), len(hand.links)
    )
    spheres = filling_spheres(hand)
    columns = (
        (np.searchsorted(skeleton.link_index, links), int),
        (skeleton.starts, wp.vec3),
        (skeleton.ends, wp.vec3),
        (skeleton.bones, int),
        (bounds[:, :3], wp.vec3),
        (bounds[:, 3], float),
        (spheres.link_index, int),
        (spheres.centers, wp.vec3),
        (spheres.radii, float),
    )
    kinds = {int: np.int32, float: np.float32, wp.vec3: np.float32}
    return _Lines(*(wp.array(values.astype(kinds[dtype]), dtype=dtype, device=device) for values, dtype in columns))
