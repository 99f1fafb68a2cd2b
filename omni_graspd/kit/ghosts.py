# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands in many grasps at once, see-through, on the session layer of the open stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.posed_hand import author_posed_hand
from omni_graspd.kit.viewport import open_stage
from omni_graspd.usd.transforms import compose

ROOT = "/GraspdGhosts"
"""Prim below which ghosts stand; what is there is no obstacle."""
_COLOR, _OPACITY = (0.25, 0.65, 1.0), 0.35


class Ghosts:
    """See-through hands around an object; the user's own layers are not touched."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._stage: Usd.Stage | None = None
        self._paths: list[str] = []

    def show(self, hand: Hand, T_world_object: np.ndarray, poses: np.ndarray, joints: np.ndarray) -> None:
        """Show one ghost for each grasp, in place of those that are there.

        Args:
            hand: The hand.
            T_world_object: Where the object stands in the stage's world frame [m], shape [7].
            poses: Palm poses in the object frame, shape [grasp_count, 7].
            joints: All joints [rad or m], shape [grasp_count, joint_count].

        Raises:
            GraspdError: If no stage is open.
        """
        self.clear()
        stage = open_stage()
        self._stage, self._paths = stage, [f"{ROOT}/grasp_{index:04d}" for index in range(len(poses))]
        with Usd.EditContext(stage, stage.GetSessionLayer()):
            UsdGeom.Xform.Define(stage, ROOT)
            look = _look(stage)
            for path, pose, positions in zip(self._paths, poses, joints, strict=True):
                prim = author_posed_hand(stage, path, hand, compose(T_world_object, pose), positions)
                UsdShade.MaterialBindingAPI.Apply(prim).Bind(look, UsdShade.Tokens.strongerThanDescendants)

    def pick(self, shown: Sequence[int]) -> None:
        """Draw some of the ghosts and hide the others.

        Args:
            shown: Their numbers.
        """
        if self._stage is None:
            return
        with Usd.EditContext(self._stage, self._stage.GetSessionLayer()):
            for number, path in enumerate(self._paths):
                token = UsdGeom.Tokens.inherited if number in shown else UsdGeom.Tokens.invisible
                UsdGeom.Imageable(self._stage.GetPrimAtPath(path)).CreateVisibilityAttr().Set(token)

    def clear(self) -> None:
        """Take all ghosts off the stage."""
        stage, self._stage, self._paths = self._stage, None, []
        if stage and stage.GetSessionLayer().GetPrimAtPath(ROOT):
            with Usd.EditContext(stage, stage.GetSessionLayer()):
                stage.RemovePrim(ROOT)


def _look(stage: Usd.Stage) -> UsdShade.Material:
    material = UsdShade.Material.Define(stage, f"{ROOT}/Look")
    shader = UsdShade.Shader.Define(stage, f"{ROOT}/Look/Shader")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*_COLOR))
    shader.CreateInput("opacity", Sdf.ValueTypeNames.Float).Set(_OPACITY)
    shader.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(0.5)
    material.CreateSurfaceOutput().ConnectToSource(shader.CreateOutput("surface", Sdf.ValueTypeNames.Token))
    return material
