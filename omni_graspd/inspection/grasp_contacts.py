# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where a hand touches an object: distances of its surface points, contact normals, friction cones, wrench space."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import posed_points, sample_surface_points, spread_subset
from omni_graspd.metrics.columns import measure_single
from omni_graspd.metrics.contacts import exact_distance, near_surface_distances
from omni_graspd.metrics.evaluate import MetricsConfig, contact_wrench_spaces
from omni_graspd.metrics.metric import GraspsToMeasure
from omni_graspd.metrics.walls import measure_walls
from omni_graspd.objects.rigid_object import RigidObject

_REACH = 0.02
HEAT_REACH = 3.0
"""Surface points within so many contact thresholds are painted."""
_PIERCED_COLOR = (1.0, 0.0, 0.35)


@dataclass(frozen=True, eq=False)
class GraspContacts:
    """Contacts of one grasp, in the object frame."""

    points: np.ndarray
    """Points on the hand's surface [m], shape [point_count, 3]."""
    point_links: np.ndarray
    """Link of each point, shape [point_count], int."""
    distances: np.ndarray
    """Signed distance of each point to the object [m], negative inside, at most 2 cm or more, shape [point_count]."""
    contact_points: np.ndarray
    """Contacts kept for the wrench space: points on the object [m], shape [contact_count, 3]."""
    contact_normals: np.ndarray
    """Unit normals out of the object there, shape [contact_count, 3]."""
    friction: float
    """Coulomb friction of the cones: tangent of their half-angle."""
    contact_area: float
    """Hand surface nearer than the threshold [m2]."""
    penetration_depth: float
    """Deepest point of the hand in the object, or of a wall in the hand [m]."""
    pierced: tuple[int, ...]
    """Links that the object passes through."""
    epsilon: float
    """Ferrari and Canny's L1 quality."""
    volume: float
    """Volume of the grasp wrench space."""
    force_closure: bool
    """Whether any wrench can be resisted."""
    further: dict[str, float] = field(default_factory=dict)
    """Metrics that are measured by a function of their own while grasps are made, by column."""

    def figures(self) -> dict[str, float]:
        """Return what the tables say of a grasp as far as it is measured here, by column; areas in m2, depths in m."""
        own = ("epsilon", "volume", "contact_area", "penetration_depth")
        return {name: getattr(self, name) for name in own} | {"pierced": float(len(self.pierced))} | self.further


def grasp_contacts(
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: MetricsConfig,
    *,
    device: str = "cpu",
) -> GraspContacts:
    """Measure one grasp; some 10 ms, the first time of a hand or object a second more.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm pose in the object frame, shape [7].
        joint_positions: All joints [rad or m], shape [joint_count].
        config: What counts as contact; the figures equal those of the tables made with the same.
        device: Warp device.
    """
    points, distance = sample_surface_points(hand, config.point_count), _distance(obj, device)
    positions = posed_points(hand, points, T_object_palm[None], joint_positions[None])
    surface = near_surface_distances(positions, distance, max(_REACH, 2.0 * config.contact_threshold))
    touching = surface.distances < config.contact_threshold
    space = contact_wrench_spaces(obj, surface, touching, config)
    walls = measure_walls(hand, distance, T_object_palm[None], joint_positions[None])
    on_object, normals = surface.positions[0][touching[0]], surface.normals[0][touching[0]]
    grasps = GraspsToMeasure(
        hand, obj, T_object_palm[None], joint_positions[None], functools.partial(sample_surface_points, hand), device
    )
    further = measure_single(grasps, "generate")
    kept = spread_subset(on_object, config.contact_count) if len(on_object) else np.zeros(0, dtype=int)
    return GraspContacts(
        points=positions[0],
        point_links=points.link_index,
        distances=surface.distances[0],
        contact_points=on_object[kept],
        contact_normals=normals[kept],
        friction=config.friction,
        contact_area=float(points.areas[touching[0]].sum()),
        penetration_depth=max(0.0, -float(surface.distances[0].min()), float(walls.depth[0])),
        pierced=tuple(np.flatnonzero(walls.pierced_links[0]).tolist()),
        epsilon=float(space.epsilon[0]),
        volume=float(space.volume[0]),
        force_closure=bool(space.force_closure[0]),
        further={name: float(values[0]) for name, values in further.items()},
    )


def friction_cone_lines(
    contacts: GraspContacts, *, length: float = 0.02, edge_count: int = 12
) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges and rims of all friction cones, as lines that open out of the object.

    Args:
        contacts: The contacts.
        length: Length of the cones' axes [m].
        edge_count: Edges per cone.

    Returns:
        Starts and ends in the object frame [m], shape [line_count, 3] each; ``2 * edge_count`` lines per cone.
    """
    normals = contacts.contact_normals
    tangents = np.cross(normals, np.eye(3)[np.argmin(np.abs(normals), axis=1)])
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    angle = 2.0 * np.pi * np.arange(edge_count) / edge_count
    around = np.cos(angle)[:, None] * tangents[:, None] + np.sin(angle)[:, None] * np.cross(normals, tangents)[:, None]
    apex = np.repeat(contacts.contact_points[:, None], edge_count, axis=1)
    rim = apex + length * (normals[:, None] + contacts.friction * around)
    starts = np.concatenate([apex, rim], axis=1).reshape(-1, 3)
    return starts, np.concatenate([rim, np.roll(rim, -1, axis=1)], axis=1).reshape(-1, 3)


def painted_points(contacts: GraspContacts, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of a hand that are to be painted, and their colours.

    Points near the object are painted by their distance, links that the object passes through all over in magenta.

    Args:
        contacts: Contacts of the grasp.
        threshold: What counts as contact [m].

    Returns:
        Points in the object frame [m] and linear RGB, shape [point_count, 3] each.
    """
    pierced = np.isin(contacts.point_links, contacts.pierced)
    shown = pierced | (contacts.distances < HEAT_REACH * threshold)
    colors = distance_colors(contacts.distances, threshold)
    return contacts.points[shown], np.where(pierced[:, None], _PIERCED_COLOR, colors)[shown]


def distance_colors(distances: np.ndarray, threshold: float) -> np.ndarray:
    """Paint distances: blue deep inside, red at contact, yellow near, light grey beyond three thresholds.

    Args:
        distances: Signed distances [m], shape [point_count].
        threshold: What counts as contact [m].

    Returns:
        Linear RGB, shape [point_count, 3].
    """
    at = threshold * np.array([-1.0, -0.3, 0.0, 0.5, 1.0, 3.0])
    colors = np.array(
        [[0.05, 0.1, 0.8], [0.45, 0.02, 0.45], [0.8, 0.02, 0.02], [0.9, 0.2, 0.02], [0.9, 0.7, 0.05], [0.6, 0.6, 0.6]]
    )
    return np.stack([np.interp(distances, at, channel) for channel in colors.T], axis=-1)


@functools.lru_cache(maxsize=4)
def _distance(obj: RigidObject, device: str) -> SignedDistance:
    return exact_distance(obj, device)
