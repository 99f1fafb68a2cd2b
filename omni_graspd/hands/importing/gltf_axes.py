# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which way up glTF meshes of a URDF are: glTF is Y up, and readers of URDF differ in whether they turn it.

Drake does, SAPIEN does not, and URDF says nothing. What collides tells: it is in the same place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.hands.importing.source_hand import SourceLink, SourceShape

_UPRIGHT = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
"""From Y up to Z up."""
_BETTER = 1.5
"""Turned meshes must fit the colliders better than others by this factor."""
_FIT = 0.5
"""They must share this part of the volume that both fill, on the average; coarse colliders tell nothing."""


def turn_gltf_up(links: Sequence[SourceLink]) -> None:
    """Turn all glTF meshes of a hand from Y up to Z up, in place, if they fit what collides better then.

    Args:
        links: Links of the hand, in any unit. The first one gets a note if its meshes and the others' were turned, or
            if that is doubtful.
    """
    plain = turned = 0.0
    count = 0
    for link in links:
        seen = [shape for shape in link.visuals if shape.T_link_gltf is not None]
        solid = [shape for shape in link.colliders if shape.T_link_gltf is None]
        if seen and solid:
            count += 1
            box = _bounds(solid, is_turned=False)
            plain += _overlap(_bounds(seen, is_turned=False), box)
            turned += _overlap(_bounds(seen, is_turned=True), box)
    if not turned > _BETTER * plain:
        return
    if not turned > _FIT * count:
        links[0].notes.append("left the glTF meshes as they are, though the colliders hint at Y up; look at the hand")
        return
    for link in links:
        for shape in (*link.visuals, *link.colliders):
            if shape.T_link_gltf is not None:
                shape.mesh.apply_transform(_turn(shape.T_link_gltf))
    links[0].notes.append("turned the glTF meshes from Y up to Z up, as the colliders are")


def _turn(T_link_gltf: np.ndarray) -> np.ndarray:
    return T_link_gltf @ _UPRIGHT @ np.linalg.inv(T_link_gltf)


def _bounds(shapes: Sequence[SourceShape], *, is_turned: bool) -> np.ndarray:
    """Return the lower and upper corner of the box around shapes, shape [2, 3]."""
    corners = []
    for shape in shapes:
        vertices = np.asarray(shape.mesh.vertices)
        if is_turned and shape.T_link_gltf is not None:
            vertices = vertices @ _turn(shape.T_link_gltf)[:3, :3].T + _turn(shape.T_link_gltf)[:3, 3]
        corners += [vertices.min(axis=0), vertices.max(axis=0)]
    return np.array([np.min(corners, axis=0), np.max(corners, axis=0)])


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Return the volume that two boxes share, as a part of what they fill together."""
    common = np.prod(np.maximum(np.minimum(a[1], b[1]) - np.maximum(a[0], b[0]), 0.0))
    together = np.prod(a[1] - a[0]) + np.prod(b[1] - b[0]) - common
    return float(common / together) if together > 0.0 else 0.0
