# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Stored joint positions of arms, checked with other code than that which found them."""

from __future__ import annotations

from collections.abc import Sequence

import manifold3d
import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import compose, invert, pose_to_matrix

_POSTURES, _ALWAYS = 24, 0.9
_DEEP = 1e-5
"""Gaps are told from overlap to this depth, by hulls that are so much smaller [m]."""


def palm_errors(
    arm: Arm, T_world_base: np.ndarray, T_flange_palm: np.ndarray, arm_positions: np.ndarray, T_world_palm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far stored joint positions bring the palm from where it should be [m], [rad], shape [count].

    Args:
        arm: The arm.
        T_world_base: Where it stands, shape [7].
        T_flange_palm: The mount, shape [7].
        arm_positions: Stored joints [rad or m], shape [count, joint_count].
        T_world_palm: Where the palm should be, shape [count, 7].
    """
    links = link_poses(arm.articulation, T_world_base, arm_positions)
    flange = compose(links[:, arm.flange_link], arm.T_link_flange)
    off = compose(invert(T_world_palm), compose(flange, T_flange_palm))
    angles = 2.0 * np.arctan2(np.linalg.norm(off[:, 3:6], axis=1), np.abs(off[:, 6]))
    return np.linalg.norm(off[:, :3], axis=1), angles


class CollisionCheck:
    """Distances between convex pieces by manifold3d: of the arm's links, the hand's and whatever stands around."""

    def __init__(self, arm: Arm, hand: Hand, T_flange_palm: np.ndarray) -> None:
        """Make the solids."""
        self._arm, self._hand, self._mount = arm, hand, T_flange_palm
        self._links = [_solids(pieces) for pieces in hand_colliders(arm.articulation)]
        self._fingers = [_solids(pieces) for pieces in hand_colliders(hand)]
        self._ignored = self._always()

    def touching(
        self,
        T_world_base: np.ndarray,
        arm_positions: np.ndarray,
        hand_positions: np.ndarray,
        things: Sequence[tuple[Sequence[TriangleMesh], np.ndarray]],
    ) -> list[str]:
        """Return what links of the arm overlap in one posture.

        Args:
            T_world_base: Where the arm stands, shape [7].
            arm_positions: Joints of the arm, shape [joint_count].
            hand_positions: Joints of the hand.
            things: Convex pieces and pose of each thing around.
        """
        links, fingers = self._placed(T_world_base, arm_positions, hand_positions)
        others = [_moved(_solids(pieces), pose) for pieces, pose in things]
        found = []
        for a, one in enumerate(links):
            if a == 0:
                continue  # The base stands.
            found += [f"link {a} thing {k}" for k, other in enumerate(others) if _overlap(one, other)]
            found += [f"link {a} {b}" for b in range(a) if (a, b) not in self._ignored and _overlap(one, links[b])]
        for b, finger in enumerate(fingers):
            key = len(links) + b
            found += [
                f"link {a} finger {b}"
                for a in range(len(links))
                if (key, a) not in self._ignored and _overlap(links[a], finger)
            ]
        return found

    def _placed(self, T_world_base: np.ndarray, arm_positions: np.ndarray, hand_positions: np.ndarray):
        poses = link_poses(self._arm.articulation, T_world_base, arm_positions)
        palm = compose(compose(poses[self._arm.flange_link], self._arm.T_link_flange), self._mount)
        fingers = link_poses(self._hand, palm, hand_positions)
        return (
            [_moved(solids, pose) for solids, pose in zip(self._links, poses, strict=True)],
            [_moved(solids, pose) for solids, pose in zip(self._fingers, fingers, strict=True)],
        )

    def _always(self) -> set[tuple[int, int]]:
        """Return the pairs that joints connect, or that overlap in nearly all postures; the larger number first."""
        arm, count = self._arm, len(self._arm.articulation.links)
        ignored = {(k, link.parent) for k, link in enumerate(arm.articulation.links) if link.parent >= 0}
        random, seen = np.random.default_rng(1), {}
        opened = self._hand.joint_positions(self._hand.open_positions)
        base = np.array([0.0, 0, 0, 0, 0, 0, 1])
        for _ in range(_POSTURES):
            links, fingers = self._placed(base, random.uniform(arm.lower, arm.upper), opened)
            bodies = [*links, *fingers]
            for a in range(len(bodies)):
                for b in range(min(a, count)):
                    seen[a, b] = seen.get((a, b), 0) + _overlap(bodies[a], bodies[b])
        return ignored | {pair for pair, times in seen.items() if times >= _ALWAYS * _POSTURES}


def _solids(pieces: Sequence[TriangleMesh]) -> list[manifold3d.Manifold]:
    return [manifold3d.Manifold.hull_points(np.ascontiguousarray(piece.vertices)) for piece in pieces]


def _moved(solids: Sequence[manifold3d.Manifold], pose: np.ndarray) -> list[manifold3d.Manifold]:
    matrix = np.ascontiguousarray(pose_to_matrix(pose)[:3])
    return [solid.transform(matrix) for solid in solids]


def _overlap(one: Sequence[manifold3d.Manifold], other: Sequence[manifold3d.Manifold]) -> bool:
    return any(not (a ^ b).is_empty() and (a ^ b).volume() > _DEEP**3 for a in one for b in other if _near(a, b))


def _near(a: manifold3d.Manifold, b: manifold3d.Manifold) -> bool:
    (one, other) = (np.array(solid.bounding_box()).reshape(2, 3) for solid in (a, b))
    return bool((one[0] <= other[1]).all() and (other[0] <= one[1]).all())
