# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The palm dragged in the viewport: fingers follow, and on release the grasp forms anew.

While this is on, the stage's edit target is the session layer, so that the viewport's own manipulator moves the hand
without writing into the user's stage.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import omni.kit.app
import omni.usd

from omni_graspd.inspection.inspection import Inspection
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.kit.viewport import HAND_PATH, GraspView, open_stage

_RELEASED_AFTER = 0.15
"""A hand that rests this long after a move counts as let go [s]: Kit tells no release of its manipulator's button."""
_MOVED = 1e-5


async def follow_drags(inspection: Inspection, view: GraspView, shown: Callable[[Posture], None]) -> None:
    """Watch the hand's prim, frame by frame, until cancelled.

    Args:
        inspection: The session; its selected grasp is shown in ``view``.
        view: Shows it.
        shown: Called with each posture that is to be shown, the last one of a drag with its score.
    """
    stage = open_stage()
    target = stage.GetEditTarget()
    stage.SetEditTarget(stage.GetSessionLayer())
    omni.usd.get_context().get_selection().set_selected_prim_paths([HAND_PATH], True)
    try:
        await inspection.prepare()
        resting, moved_at = view.palm_on_stage(), 0.0
        while True:
            await omni.kit.app.get_app().next_update_async()
            palm = view.palm_on_stage()
            if _has_moved(palm, resting):
                resting, moved_at = palm, time.monotonic()
                shown(await inspection.drag(palm))
            elif moved_at and time.monotonic() - moved_at > _RELEASED_AFTER:
                moved_at = 0.0
                async for posture in inspection.reoptimize():
                    shown(posture)
                resting = view.palm_on_stage()
    finally:
        if stage:
            stage.SetEditTarget(target)


def _has_moved(pose: np.ndarray, before: np.ndarray) -> bool:
    """Tell whether a pose differs from another; a quaternion and its negative are the same."""
    turned = 1.0 - abs(float(pose[3:] @ before[3:]))
    return bool(np.abs(pose[:3] - before[:3]).max() > _MOVED or turned > _MOVED**1.5)
