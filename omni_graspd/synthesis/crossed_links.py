# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which links of posed hands pass through one another: no finger may pass through another finger."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import warp as wp

from omni_graspd.hands.collidable_pairs import collidable_link_pairs
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.link_bounds import link_bounds
from omni_graspd.hands.skeleton import hand_skeleton
from omni_graspd.synthesis.crossed_links_kernels import crossed_kernel
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY


def crossed_links(hand: Hand, joint_positions: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Tell which links another link passes through.

    See :func:`crossing_pairs`.

    Args:
        hand: The hand.
        joint_positions: All joints [rad or m], shape [hand_count, joint_count].
        device: Warp device.

    Returns:
        Shape [hand_count, link_count], bool.
    """
    return np.asarray(crossing_pairs(hand, joint_positions, device).any(axis=2))


def crossing_pairs(hand: Hand, joint_positions: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Tell which link passes through which other one.

    It does where its surface cuts a bone of the other, see :mod:`omni_graspd.hands.skeleton`. Bones begin and end at
    least 2 mm below a link's surface: what is less deep does not count. Pairs that are joined, and pairs of which one
    passes through the other in the open posture already, are left out: they overlap by design.

    Args:
        hand: The hand.
        joint_positions: All joints [rad or m], shape [hand_count, joint_count].
        device: Warp device.

    Returns:
        Shape [hand_count, link_count, link_count], bool: whether the third index passes through the second.
    """
    return _cut(hand, _crossable_pairs(hand, device), joint_positions, device)


@functools.lru_cache(maxsize=16)
def _crossable_pairs(hand: Hand, device: str) -> np.ndarray:
    """Return a link with bones and one that must not cut them in each row, shape [pair_count, 2]."""
    skeleton = hand_skeleton(hand)
    bony = np.isin(np.arange(len(hand.links)), skeleton.link_index[skeleton.bones])
    covered = np.array([len(link.mesh.faces) > 0 for link in hand.links])
    pairs = np.argwhere(collidable_link_pairs(hand) & bony[:, None] & covered)
    opened = _cut(hand, pairs, hand.joint_positions(hand.open_positions)[None], device)[0]
    by_design = opened | opened.T
    return pairs[~by_design[pairs[:, 0], pairs[:, 1]]]


def _cut(hand: Hand, pairs: np.ndarray, joint_positions: np.ndarray, device: str) -> np.ndarray:
    """Look at some pairs of links, shape [hand_count, link_count, link_count], bool."""
    poses = link_poses(hand, IDENTITY, joint_positions).astype(np.float32)
    found = wp.zeros((len(poses), len(pairs)), dtype=int, device=device)
    # Held until the result is read: of two threads that ask first at a time, one gets links that the cache drops.
    links = _device_links(hand, device)
    inputs = [
        wp.array(poses, dtype=wp.transform, ndim=2, device=device),
        wp.array(pairs.astype(np.int32), dtype=wp.vec2i, device=device),
        *links.arrays,
    ]
    wp.launch(crossed_kernel, dim=found.shape, inputs=inputs, outputs=[found], device=device)
    cut = np.zeros((len(poses), len(hand.links), len(hand.links)), dtype=bool)
    cut[:, pairs[:, 0], pairs[:, 1]] = found.numpy() != 0
    return cut


@dataclass(frozen=True, eq=False)
class _DeviceLinks:
    """Bones and surfaces of a hand's links on a device."""

    arrays: tuple[wp.array, ...]
    """What ``crossed_kernel`` takes of them, in its order."""
    meshes: tuple[wp.Mesh | None, ...]
    """The surfaces; the kernel knows them by their numbers, which does not keep them alive."""


@functools.lru_cache(maxsize=16)
def _device_links(hand: Hand, device: str) -> _DeviceLinks:
    skeleton = hand_skeleton(hand)
    link_index, starts, ends = (
        column[skeleton.bones] for column in (skeleton.link_index, skeleton.starts, skeleton.ends)
    )
    count, vertices = len(hand.links), [link.mesh.vertices for link in hand.links]
    about_bones = link_bounds(np.tile(link_index, 2), np.concatenate([starts, ends]), count)
    owners = np.repeat(np.arange(count), [len(own) for own in vertices])
    about_meshes = link_bounds(owners, np.concatenate(vertices), count)
    meshes = tuple(_device_mesh(link.mesh, device) for link in hand.links)
    bone_start = np.searchsorted(link_index, np.arange(count + 1))
    numbers = np.array([mesh.id if mesh else 0 for mesh in meshes], dtype=np.uint64)
    arrays = (
        wp.array(bone_start.astype(np.int32), dtype=int, device=device),
        _floats(starts, wp.vec3, device),
        _floats(ends, wp.vec3, device),
        _floats(about_bones[:, :3], wp.vec3, device),
        _floats(about_bones[:, 3], float, device),
        wp.array(numbers, dtype=wp.uint64, device=device),
        _floats(about_meshes[:, :3], wp.vec3, device),
        _floats(about_meshes[:, 3], float, device),
    )
    return _DeviceLinks(arrays, meshes)


def _device_mesh(mesh: TriangleMesh, device: str) -> wp.Mesh | None:
    if not len(mesh.faces):
        return None
    corners = wp.array(mesh.faces.astype(np.int32).reshape(-1), dtype=int, device=device)
    return wp.Mesh(_floats(mesh.vertices, wp.vec3, device), corners)


def _floats(values: np.ndarray, dtype: type, device: str) -> wp.array:
    return wp.array(values.astype(np.float32), dtype=dtype, device=device)
