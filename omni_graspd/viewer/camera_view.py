# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From where an object is looked at: from above its table, near enough to see hand and object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import viser

_ELEVATION = np.radians(30.0)
_DISTANCE, _HAND = 2.2, 0.13
"""Distance of the camera in radii of what it looks at, and how far a hand reaches around the object [m]."""


def camera_above(up: np.ndarray, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where a camera stands and what it looks at, each [3].

    Args:
        up: Unit vector that points up, shape [3].
        vertices: Points of the object [m], shape [vertex_count, 3].
    """
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    centre = 0.5 * (low + high)
    radius = 0.5 * float(np.linalg.norm(high - low)) + _HAND
    # The axis least like up, made level, is as good a side as any.
    level = np.eye(3)[int(np.argmin(np.abs(up)))]
    level = level - (level @ up) * up
    level /= np.linalg.norm(level)
    level = (level - np.cross(up, level)) / np.sqrt(2.0)
    return centre + _DISTANCE * radius * (np.cos(_ELEVATION) * level + np.sin(_ELEVATION) * up), centre


def look_from_above(server: viser.ViserServer, up: np.ndarray, vertices: np.ndarray) -> None:
    """Turn what is up upward, and put the cameras of all who look, and of who comes, above the table.

    Args:
        server: The server.
        up: Unit vector that points up, shape [3].
        vertices: Points of the object [m], shape [vertex_count, 3].
    """
    position, look_at = camera_above(up, vertices)
    server.scene.set_up_direction(up)
    server.initial_camera.position, server.initial_camera.look_at = position, look_at
    for client in server.get_clients().values():
        with client.atomic():
            client.camera.up_direction = up
            client.camera.position = position
            client.camera.look_at = look_at
