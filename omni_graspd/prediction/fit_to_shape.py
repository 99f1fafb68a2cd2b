# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Predicted hands fitted to the guessed object: the palm backs off until it is free, fingers close until they touch."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.hands.filling_spheres import filling_spheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.digits import find_digits
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.usd.transforms import pose_to_matrix

if TYPE_CHECKING:
    from omni_graspd.prediction.predictor import Prediction
    from omni_graspd.prediction.shape_grid import ShapeGrids

_BACK = 0.008 * np.arange(6)
"""How far palms back off [m], tried in turn."""
_SHARES = np.linspace(0.0, 1.28, 9)
"""How far fingers close from the open hand (0) to the predicted grasp (1) and on, tried in turn."""
_TOUCH = 0.001
"""So deep fingers go into the guessed object [m]."""
_CLEAR = 0.004
"""Hands that are deeper in it somewhere are not clear [m]."""


@dataclass(frozen=True, eq=False)
class Parts:
    """A hand as spheres, and which digit each moves with."""

    links: np.ndarray
    """Link of each sphere, ascending, shape [sphere_count]."""
    centers: np.ndarray
    """In the link's frame [m], shape [sphere_count, 3]."""
    radii: np.ndarray
    """Radii [m], shape [sphere_count]."""
    of_sphere: np.ndarray
    """Digit of each sphere, 0 the palm and what several digits share, digits from 1, shape [sphere_count]."""
    of_joint: np.ndarray
    """The same of each actuated joint, 0 where it moves several digits, shape [actuated_count]."""

    @property
    def count(self) -> int:
        """Number of parts, the palm included."""
        return int(max(self.of_sphere.max(initial=0), self.of_joint.max(initial=0))) + 1


@functools.lru_cache(maxsize=8)
def hand_parts(hand: Hand) -> Parts:
    """Return the spheres of a hand by digit; made once for each hand."""
    owners: list[set[int]] = [set() for _ in hand.links]
    for number, digit in enumerate(find_digits(hand), start=1):
        for link in digit.links:
            owners[link].add(number)
    of_link = np.array([min(owner) if len(owner) == 1 else 0 for owner in owners])
    of_joint = np.zeros(hand.actuated_count, dtype=int)
    for column in range(hand.actuated_count):
        moved = np.flatnonzero(hand.coupling[:, column])
        found = {int(of_link[index]) for index, link in enumerate(hand.links) if link.joint in moved}
        of_joint[column] = found.pop() if len(found) == 1 else 0
    spheres = filling_spheres(hand)
    links = np.asarray(spheres.link_index)
    return Parts(links, spheres.centers, spheres.radii, of_link[links], of_joint)


def fit_to_shape(hand: Hand, found: Prediction, shapes: ShapeGrids) -> tuple[Prediction, np.ndarray]:
    """Fit hands to the guessed object.

    The open hand backs off against its approach until it is free; then each digit closes on the line from the open
    hand to the predicted grasp, and a little beyond, until it touches. Fingers that touch nothing stay where they were
    predicted. The squeeze goes with the grasp.

    Args:
        hand: The hand.
        found: Predicted grasps.
        shapes: The guessed object, of one view.

    Returns:
        The grasps, and which of them are clear of the guessed object and touch it with two digits, [grasp_count].
    """
    parts, count = hand_parts(hand), len(found.score)
    owned = parts.of_joint > 0
    opened = np.where(owned, found.opened, found.actuated)
    away = -(pose_to_matrix(found.T_crop_palm)[:, :3, :3] @ hand.approach_direction)
    tried = np.repeat(found.T_crop_palm[None], len(_BACK), axis=0)
    tried[..., :3] += _BACK[:, None, None] * away
    gaps = _gaps(hand, parts, tried, np.broadcast_to(opened, (len(_BACK), *opened.shape)), shapes).min(axis=-1)
    free = gaps >= -_TOUCH
    step = np.where(free.any(axis=0), free.argmax(axis=0), gaps.argmax(axis=0))
    back = _BACK[step, None] * away
    palm = tried[step, np.arange(count)]
    closing = opened + _SHARES[:, None, None] * (found.actuated - opened)
    gaps = _gaps(hand, parts, np.broadcast_to(palm, (len(_SHARES), *palm.shape)), closing, shapes)
    share, touching = _first_touch(gaps)
    actuated = opened + np.where(owned, share[:, parts.of_joint], 1.0) * (found.actuated - opened)
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    squeezed = np.clip(actuated + (found.squeezed - found.actuated), lower, upper)
    actuated = np.clip(actuated, lower, upper)
    left = _gaps(hand, parts, palm[None], actuated[None], shapes)[0]
    good = (left.min(axis=-1) >= -_CLEAR) & (touching[:, 1:].sum(axis=-1) >= 2)
    hover, pregrasp = found.T_crop_hover.copy(), found.T_crop_pregrasp.copy()
    for poses in (hover, pregrasp):
        poses[:, :3] += back
    moved = {"T_crop_palm": palm, "T_crop_hover": hover, "T_crop_pregrasp": pregrasp}
    return replace(found, actuated=actuated, squeezed=squeezed, **moved), good


def _first_touch(gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share at which each part touches, 1 where it does not, and whether it does, [grasp_count, part_count].

    Args:
        gaps: At each of ``_SHARES`` [m], shape [share_count, grasp_count, part_count].
    """
    blocked = gaps < -_TOUCH
    touching, first = np.asarray(blocked.any(axis=0)), blocked.argmax(axis=0)
    before = np.maximum(first - 1, 0)
    ends = (np.take_along_axis(gaps, row[None], axis=0)[0] for row in (before, first))
    outside, inside = (gap + _TOUCH for gap in ends)
    between = np.clip(outside / np.maximum(outside - inside, 1e-9), 0.0, 1.0)
    share = _SHARES[before] + between * (_SHARES[first] - _SHARES[before])
    return np.where(touching, np.where(first == 0, 0.0, share), 1.0), touching


def _gaps(hand: Hand, parts: Parts, palms: np.ndarray, actuated: np.ndarray, shapes: ShapeGrids) -> np.ndarray:
    """Return how far each part of each hand is from the guessed object [m], shape [..., part_count]."""
    import torch  # pyright: ignore[reportMissingImports]

    shape, palms = palms.shape[:-1], palms.reshape(-1, 7)
    placed = PlacedHands.of(hand, palms, hand.joint_positions(actuated.reshape(len(palms), -1)))
    matrices = pose_to_matrix(placed.T_root_link).astype(np.float32)
    points = np.empty((len(palms), 3, len(parts.links)), dtype=np.float32)
    for link in np.unique(parts.links):
        own = slice(*np.searchsorted(parts.links, (link, link + 1)))
        np.matmul(matrices[:, link, :3, :3], parts.centers[own].T.astype(np.float32), out=points[:, :, own])
        points[:, :, own] += matrices[:, link, :3, 3:]
    asked = torch.from_numpy(points).permute(0, 2, 1)[None].to(shapes.values.device)
    found = shapes.distances(asked)[0].cpu() - torch.from_numpy(parts.radii.astype(np.float32))
    gaps = torch.full((len(found), parts.count), float("inf"))
    index = torch.from_numpy(parts.of_sphere).expand(len(found), -1)
    gaps = gaps.scatter_reduce(1, index, found, "amin")
    return gaps.numpy().astype(np.float64).reshape(*shape, parts.count)
