# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Predicted grasps as starts of the optimiser, on the object's mesh: the network says where, the optimiser how."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omni_graspd.prediction.predict_grasps import PredictedGrasps
from omni_graspd.prediction.seen_object import guessed_object
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import SurroundingsModel, object_model
from omni_graspd.synthesis.optimization import load_kernels
from omni_graspd.synthesis.passes import Recorder, run_passes
from omni_graspd.synthesis.request import GraspRequest, Wanted
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.synthesis.way_check import with_way

_OPENED = (0.0, 0.4, 0.8)
"""Shares of the way back from the grasp to hover at which candidates start; the draft chooses among them."""

_GROWN = 0.003
"""So far outside the guessed object hands are refined [m]: where it is guessed too small, fingers would be in the true
one. The squeeze closes the gap."""


def refine(found: PredictedGrasps, config: SynthesisConfig | None = None, device: str = "cpu") -> PredictedGrasps:
    """Optimise predicted grasps on the mesh of their object, over its table, and plan their ways anew.

    For the grasps of a view that is the true mesh, for those of an image what the model guesses, and a little more.

    Args:
        found: Predicted grasps.
        config: Settings of the optimiser.
        device: Warp device.

    Returns:
        The same number of grasps, usable ones first, then by predicted score; ``status`` says why others are not.
    """
    config, batch, hand = config or SynthesisConfig(), found.batch, found.hand
    assert batch.way is not None and batch.postures is not None
    obj = found.known or guessed_object(found.guess, found.T_object_crop, found.name, _GROWN)
    around = Surroundings(batch.way.table_plane[0])
    load_kernels(config, device)
    wanted = Wanted(
        GraspRequest(obj, range(len(batch.status)), around),
        object_model(obj, config.distance, device),
        SurroundingsModel(around, device),
    )
    shares = _OPENED if config.draft.iterations else _OPENED[1:2]
    back = batch.way.T_object_hover_palm[:, :3] - batch.T_object_palm[:, :3]
    grasp, opened = (
        joints[:, hand.actuated] for joints in (batch.joint_positions, batch.postures.pregrasp_joint_positions)
    )
    poses = np.repeat(batch.T_object_palm[:, None], len(shares), axis=1)
    poses[..., :3] += np.array(shares)[:, None] * back[:, None]
    actuated = grasp[:, None] + np.array(shares)[:, None] * (opened - grasp)[:, None]
    starts = poses.reshape(-1, 7), actuated.reshape(-1, hand.actuated_count)
    ((formed, depths),) = run_passes(hand, [wanted], config, starts, Recorder(0, lambda steps: None), device)
    refined = with_way(hand, wanted, formed, depths, config, device)
    order = np.argsort(~refined.usable, kind="stable")
    return replace(found, batch=refined.take(order), score=found.score[order])
