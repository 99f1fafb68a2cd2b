# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What every page with a hand on it has: its links as nodes of the scene, and sliders for its actuated joints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.usd.meshes import TriangleMesh

if TYPE_CHECKING:
    import viser


def add_link_mesh(scene: viser.SceneApi, name: str, mesh: TriangleMesh, color: tuple[int, int, int]) -> Any:
    """Add the surface of a link and return its node."""
    return scene.add_mesh_simple(
        name,
        mesh.vertices.astype(np.float32),
        mesh.faces.astype(np.uint32),
        color=color,
        flat_shading=True,
        side="double",
    )


def add_joint_sliders(gui: viser.GuiApi, hand: Hand, moved: Callable[[Any], Any]) -> list[Any]:
    """Add a slider for each actuated joint, at the open hand, and return them.

    Args:
        gui: Where to; inside a folder's block, the folder.
        hand: The hand.
        moved: Called when one of them is moved.
    """
    sliders = []
    for joint, opened in zip(hand.actuated, hand.open_positions, strict=True):
        low, high = float(hand.joint_lower[joint]), float(hand.joint_upper[joint])
        start = float(np.clip(opened, low, high))
        slider = gui.add_slider(hand.joint_names[joint], low, high, max((high - low) / 200.0, 1e-6), start)
        slider.on_update(moved)
        sliders.append(slider)
    return sliders
