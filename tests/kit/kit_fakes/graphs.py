# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Replicator's graphs: what is authored below a trigger runs before the capture after its event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from pxr import Gf, Usd, UsdGeom


class Graphs:
    """Nodes by the event that runs them."""

    def __init__(self) -> None:
        self.nodes: dict[str, list[Callable[[Usd.Stage], None]]] = {}
        self.sent: list[str] = []
        self.random = np.random.default_rng(0)
        self.open: list[str] = []  # the trigger and the prim that are being authored

    def run(self, stage: Usd.Stage) -> None:
        """Run the nodes of the events that were sent."""
        for event in self.sent:
            for node in self.nodes[event]:
                node(stage)
        self.sent.clear()


def behaviours(kit: Any) -> dict[str, dict[str, Any]]:
    """Return functions and classes by module and name."""
    graphs = kit.graphs

    @contextmanager
    def entered(name: str) -> Iterator[None]:
        graphs.open.append(name)
        try:
            yield
        finally:
            graphs.open.pop()

    def send_og_event(event_name: str) -> None:
        assert event_name in graphs.nodes, f"no trigger for {event_name}"
        graphs.sent.append(event_name)

    def pose(position: Any = None, rotation: Any = None, scale: Any = None) -> None:
        assert position is None and scale is None and len(graphs.open) == 2, "the fake turns one prim of a trigger"
        event, path = graphs.open

        def turn(stage: Usd.Stage) -> None:
            angles = graphs.random.uniform(*rotation)
            UsdGeom.XformCommonAPI(stage.GetPrimAtPath(path)).SetRotate(Gf.Vec3f(*angles.tolist()))

        graphs.nodes.setdefault(event, []).append(turn)

    rep = "omni.replicator.core"
    return {
        f"{rep}.trigger": {"on_custom_event": lambda event_name: entered(name=event_name)},
        f"{rep}.utils": {"send_og_event": send_og_event},
        f"{rep}.get": {"prim_at_path": entered},
        f"{rep}.modify": {"pose": pose},
        f"{rep}.distribution": {"uniform": lambda lower, upper: (lower, upper)},
    }
