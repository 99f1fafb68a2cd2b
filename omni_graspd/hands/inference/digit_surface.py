# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Points on a hand's digits and the surface of its palm, for inferring how it grasps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.digits import Digit, find_digits, hand_bodies
from omni_graspd.hands.inference.surface_samples import surface_samples
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import spread_subset
from omni_graspd.seeding import random_generator
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_POINTS_PER_LINK = 12
_CANDIDATES_PER_LINK = 120


@dataclass(frozen=True, eq=False)
class DigitSurface:
    """Points on the digits, and the palm."""

    hand: Hand
    """The hand."""
    digits: tuple[Digit, ...]
    """Its digits, by the names of their tips: nothing may depend on the order of links."""
    link_index: np.ndarray
    """Link of each point, ascending, shape [point_count]."""
    positions: np.ndarray
    """Points in the frame of their link [m], shape [point_count, 3]."""
    rows: tuple[tuple[np.ndarray, ...], ...]
    """For each digit, and each link of it that has points, the indices of these points."""
    palm: TriangleMesh
    """Surface of the palm and of what is welded to it, in the palm frame [m]."""
    size: float
    """Length of a short digit [m]: the lower quartile over the digits."""

    @classmethod
    def from_hand(cls, hand: Hand) -> DigitSurface:
        """Spread points over the digits' links; a link without surface has one, its origin, if no link has any.

        Raises:
            ValueError: If the hand has no digits.
        """
        digits = tuple(sorted(find_digits(hand), key=lambda digit: hand.links[digit.tip_link].name))
        links = sorted({k for digit in digits for k in digit.links})
        if not any(len(hand.links[k].mesh.faces) for k in links):
            parts = [(k, np.zeros((1, 3))) for k in links]
        else:
            parts = [(k, _spread_points(hand, k)) for k in links if len(hand.links[k].mesh.faces)]
        link_index = np.concatenate([np.full(len(points), k) for k, points in parts])
        rows = tuple(
            tuple(np.flatnonzero(link_index == k) for k in digit.links if (link_index == k).any()) for digit in digits
        )
        size = float(np.quantile([digit.length for digit in digits], 0.25, method="lower"))
        return cls(hand, digits, link_index, np.concatenate([p for _, p in parts]), rows, palm_surface(hand), size)

    def place(self, actuated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Place the points and the fingertips in the palm frame.

        Args:
            actuated: Actuated positions [rad or m], shape [posture_count, actuated_count].

        Returns:
            Points [m], shape [posture_count, point_count, 3], and tips [m], shape [posture_count, digit_count, 3].
        """
        T_palm_link = pose_to_matrix(link_poses(self.hand, IDENTITY, self.hand.joint_positions(actuated)))
        T = T_palm_link[:, self.link_index]
        points = np.einsum("bpij,pj->bpi", T[..., :3, :3], self.positions) + T[..., :3, 3]
        T = T_palm_link[:, [digit.tip_link for digit in self.digits]]
        tips = np.array([digit.tip_point for digit in self.digits])
        return points, np.einsum("bdij,dj->bdi", T[..., :3, :3], tips) + T[..., :3, 3]

    def moved(self) -> np.ndarray:
        """Tell which actuated joints move which digits, bool, shape [digit_count, actuated_count]."""
        links = self.hand.links
        joints = [[links[k].joint for k in digit.links if links[k].joint >= 0] for digit in self.digits]
        return np.array([np.abs(self.hand.coupling[of_digit]).sum(axis=0) > 0.0 for of_digit in joints])


def palm_surface(hand: Hand) -> TriangleMesh:
    """Merge the surfaces of the palm and of all links welded to it, in the palm frame."""
    T_palm_link = pose_to_matrix(link_poses(hand, IDENTITY, np.zeros(hand.joint_count)))
    vertices, faces, offset = [np.zeros((0, 3))], [np.zeros((0, 3), dtype=np.int32)], 0
    for k, body in enumerate(hand_bodies(hand)):
        if body == 0:
            mesh = hand.links[k].mesh
            vertices.append(mesh.vertices @ T_palm_link[k][:3, :3].T + T_palm_link[k][:3, 3])
            faces.append(mesh.faces + offset)
            offset += len(mesh.vertices)
    return TriangleMesh(np.concatenate(vertices), np.concatenate(faces))


def closest_surface_point(mesh: TriangleMesh, point: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the point of a surface that is nearest to another [m], shape [3], and the face that it lies on."""
    triangles = mesh.vertices[mesh.faces]
    nearest = trimesh.triangles.closest_point(triangles, np.broadcast_to(point, (len(triangles), 3)))
    face = int(np.argmin(np.linalg.norm(nearest - point, axis=1)))
    return nearest[face], face


def sample_postures(hand: Hand, count: int) -> np.ndarray:
    """Draw postures evenly over the joints' ranges, each joint from a stream of its own (Latin hypercube).

    Returns:
        Actuated positions [rad or m], shape [count, actuated_count].
    """
    shares = np.zeros((count, hand.actuated_count))
    for column, joint in enumerate(hand.actuated):
        random = random_generator(0, "hand inference", hand.joint_names[joint])
        shares[:, column] = (random.permutation(count) + random.uniform(size=count)) / count
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    return lower + shares * (upper - lower)


def frame_along(direction: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Return an orthonormal frame with its last row along ``direction`` and its first beside ``edge``, shape [3, 3].

    Directions that are given in frames made from the hand's own edges turn with the hand.
    """
    side = edge - direction * float(edge @ direction)
    if np.linalg.norm(side) < 1e-9 * max(float(np.linalg.norm(edge)), 1e-30):
        side = np.cross(direction, np.eye(3)[np.argmin(np.abs(direction))])
    side = side / np.linalg.norm(side)
    return np.stack([side, np.cross(direction, side), direction])


def _spread_points(hand: Hand, link: int) -> np.ndarray:
    points, _ = surface_samples(hand.links[link].mesh, _CANDIDATES_PER_LINK, hand.links[link].name)
    return points[spread_subset(points, _POINTS_PER_LINK)]
