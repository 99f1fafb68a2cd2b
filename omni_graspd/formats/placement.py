# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where in the world the object of some grasps lies, and on what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True, eq=False)
class Placement:
    """A scene, as far as grasps in it need it. What else lies on the table is not in it."""

    scene: str
    """Name of the scene, for example ``scene_0000``."""
    T_world_object: np.ndarray
    """Pose of the object [m], shape [7]."""
    table: TriangleMesh
    """The table in the world [m]; its top is the plane z = 0."""
    friction: float
    """Coulomb friction of the table."""
