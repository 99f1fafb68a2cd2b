# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From where an object is looked at: from above its table, near enough to see hand and object, past the hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import viser

_ELEVATION = np.radians(30.0)
_DISTANCE, _HAND = 2.2, 0.13
"""Distance of the camera in radii of what it looks at, and how far a hand reaches around the object [m]."""
_SIDES = 8
_MOST_POINTS = 300
_HIDES = 0.012
"""A point of the hand hides what is behind it and so near to its line of sight [m]."""


def camera_above(
    up: np.ndarray, vertices: np.ndarray, hand_vertices: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return where a camera stands and what it looks at, each [3].

    Args:
        up: Unit vector that points up, shape [3].
        vertices: Points of the object [m], shape [vertex_count, 3].
        hand_vertices: Points of a hand that is not to stand between camera and object [m], shape [vertex_count, 3].
    """
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    centre = 0.5 * (low + high)
    radius = 0.5 * float(np.linalg.norm(high - low)) + _HAND
    # The axis least like up, made level, is as good a side as any.
    level = np.eye(3)[int(np.argmin(np.abs(up)))]
    level = level - (level @ up) * up
    level /= np.linalg.norm(level)
    angles = 2.0 * np.pi * np.arange(_SIDES) / _SIDES - 0.25 * np.pi
    sides = np.outer(np.cos(angles), level) + np.outer(np.sin(angles), np.cross(up, level))
    sights = np.cos(_ELEVATION) * sides + np.sin(_ELEVATION) * up
    hidden = [0.0 if hand_vertices is None else _hidden(sight, vertices, hand_vertices) for sight in sights]
    return centre + _DISTANCE * radius * sights[int(np.argmin(hidden))], centre


def _hidden(sight: np.ndarray, vertices: np.ndarray, hand_vertices: np.ndarray) -> float:
    """Return the share of an object that a hand hides from a camera far away in a direction."""
    points, hand = (some[:: -(-len(some) // _MOST_POINTS)] for some in (vertices, hand_vertices))
    apart = hand[None] - points[:, None]
    along = apart @ sight
    beside = np.linalg.norm(apart - along[..., None] * sight, axis=-1)
    return float(((along > 0.0) & (beside < _HIDES)).any(axis=1).mean())


def look_from_above(server: viser.ViserServer, up: np.ndarray, vertices: np.ndarray, hand_vertices: np.ndarray) -> None:
    """Turn what is up upward, and put the cameras of all who look, and of who comes, above the table.

    Args:
        server: The server.
        up: Unit vector that points up, shape [3].
        vertices: Points that are to be seen, the object's and an arm's [m], shape [vertex_count, 3].
        hand_vertices: Points of the hand [m], shape [vertex_count, 3].
    """
    position, look_at = camera_above(up, vertices, hand_vertices)
    server.scene.set_up_direction(up)
    server.initial_camera.position, server.initial_camera.look_at = position, look_at
    for client in server.get_clients().values():
        with client.atomic():
            client.camera.up_direction = up
            client.camera.position = position
            client.camera.look_at = look_at
