# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How a grasp of a dataset came about: made again with the dataset's settings, and recorded."""

from __future__ import annotations

from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.inspection.grasp_catalog import CatalogGrasp
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import Trajectory
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings
from omni_graspd.synthesis.synthesizer import synthesize

_SAME_POSE = 1e-4
"""A recorded run ends where the table says within this [m, rad]."""
_CAPTURE_EVERY = 5


async def recorded_run(
    grasp: CatalogGrasp,
    hand: Hand,
    obj: RigidObject,
    config: dict[str, Any],
    synthesis: SynthesisConfig,
    device: str,
    progress: Progress,
) -> Trajectory:
    """Return how a grasp came about. Tables do not hold trajectories; the same seed makes the same grasp.

    Args:
        grasp: The grasp.
        hand: Its hand.
        obj: Its object.
        config: Configuration of its dataset.
        synthesis: The part of it that is about synthesis.
        device: Warp device.
        progress: Called with gradient steps done and in total.

    Raises:
        GraspdError: If the grasps were imported, or this version makes another grasp than the table has.
    """
    if "synthesis" not in config:
        raise GraspdError("imported grasps have no recorded trajectory; re-optimise the grasp to see one")
    batch = await synthesize(
        hand,
        obj,
        [grasp.index],
        synthesis,
        seed=int(config["seed"]),
        surroundings=NOTHING if grasp.table_plane is None else Surroundings(grasp.table_plane),
        device=device,
        progress=progress,
        capture_every=_CAPTURE_EVERY,
        threads=1,
    )
    moved = float(np.abs(batch.T_object_palm[0] - grasp.T_object_palm).max())
    if not moved < _SAME_POSE or batch.trajectory is None:
        raise GraspdError(
            f"the recorded run ends {moved:.2g} away from the grasp in the table; use the versions of omni-graspd "
            "and its packages that made the dataset, or re-optimise the grasp"
        )
    return batch.trajectory
