# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A grasp in the viewport: hand, object, contacts and friction cones on the session layer of the open stage.

The user's own layers are not touched; everything lies below one prim and goes with it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import omni.kit.viewport.utility
import omni.usd
from pxr import Gf, Sdf, Usd, UsdGeom, Vt

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.posed_hand import author_posed_hand, move_posed_hand, switch_physics_off
from omni_graspd.inspection.grasp_contacts import GraspContacts, friction_cone_lines, painted_points
from omni_graspd.usd.transforms import compose, local_to_world, matrix_to_pose, pose_to_matrix, transform_points

ROOT = "/GraspdInspection"
"""Prim below which everything is shown."""
HAND_PATH = f"{ROOT}/Hand"
"""The hand; what the user moves."""
_OBJECT_PATH, _CONTACTS_PATH, _CONES_PATH = f"{ROOT}/Object", f"{ROOT}/Contacts", f"{ROOT}/FrictionCones"
_POINT_WIDTH = 0.0025
_LINE_WIDTH = 0.0004
_CONE_COLOR = (0.1, 0.75, 0.3)


def open_stage() -> Usd.Stage:
    """Return the stage that is open in the viewport.

    Raises:
        GraspdError: If none is open.
    """
    stage = omni.usd.get_context().get_stage()
    if stage is None:
        raise GraspdError("no stage is open; choose File > New")
    return stage


class GraspView:
    """What is shown of one grasp."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._hand: Hand | None = None
        self._object: Path | None = None
        self._stage: Usd.Stage | None = None
        self.T_world_object = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
        """Where the object stands [m], shape [7]."""

    def show(
        self,
        hand: Hand,
        object_file: Path,
        T_object_palm: np.ndarray,
        joint_positions: np.ndarray,
        threshold: float,
        contacts: GraspContacts | None = None,
    ) -> None:
        """Show a hand at an object; what is there of another hand or object goes.

        Args:
            hand: The hand.
            object_file: The object's USD file.
            T_object_palm: Palm pose in the object frame, shape [7].
            joint_positions: All joints [rad or m], shape [joint_count].
            threshold: What counts as contact, for the colours [m].
            contacts: Distances and cones; None hides those of the posture before.

        Raises:
            GraspdError: If no stage is open.
        """
        stage = open_stage()
        fresh = (hand, object_file, stage) != (self._hand, self._object, self._stage)
        if fresh or not stage.GetPrimAtPath(HAND_PATH):
            self.clear()
            self._begin(stage, object_file)
            fresh = True
        T_world_palm = compose(self.T_world_object, T_object_palm)
        with Usd.EditContext(stage, stage.GetSessionLayer()):
            if fresh:
                author_posed_hand(stage, HAND_PATH, hand, T_world_palm, joint_positions)
            else:
                move_posed_hand(stage, HAND_PATH, hand, T_world_palm, joint_positions)
        self._hand, self._object, self._stage = hand, object_file, stage
        self._draw(stage, contacts, threshold)
        if fresh:
            viewport = omni.kit.viewport.utility.get_active_viewport()
            if viewport is not None:
                omni.kit.viewport.utility.frame_viewport_prims(viewport, [ROOT])

    def _begin(self, stage: Usd.Stage, object_file: Path) -> None:
        units = UsdGeom.GetStageMetersPerUnit(stage)
        if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y:
            self.T_world_object = np.array([0.0, 0.0, 0.0, -np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)])
        else:
            self.T_world_object = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
        with Usd.EditContext(stage, stage.GetSessionLayer()):
            UsdGeom.Xform.Define(stage, ROOT)
            prim = UsdGeom.Xform.Define(stage, _OBJECT_PATH).GetPrim()
            prim.GetReferences().AddReference(str(object_file.absolute()))
            switch_physics_off(prim)
            matrix = pose_to_matrix(self.T_world_object)
            # Files of a dataset are in metres.
            matrix[:3, :3] /= units
            UsdGeom.Xformable(prim).MakeMatrixXform().Set(Gf.Matrix4d(matrix.T))

    def _draw(self, stage: Usd.Stage, contacts: GraspContacts | None, threshold: float) -> None:
        units = UsdGeom.GetStageMetersPerUnit(stage)
        with Usd.EditContext(stage, stage.GetSessionLayer()):
            points = UsdGeom.Points.Define(stage, _CONTACTS_PATH)
            cones = UsdGeom.BasisCurves.Define(stage, _CONES_PATH)
            if contacts is None:
                points.GetPointsAttr().Set(Vt.Vec3fArray())
                cones.GetPointsAttr().Set(Vt.Vec3fArray())
                cones.GetCurveVertexCountsAttr().Set(Vt.IntArray())
                return
            painted, colors = painted_points(contacts, threshold)
            where = transform_points(self.T_world_object, painted) / units
            starts, ends = friction_cone_lines(contacts)
            lines = transform_points(self.T_world_object, np.stack([starts, ends], axis=1).reshape(-1, 3)) / units
            with Sdf.ChangeBlock():
                points.GetPointsAttr().Set(_vectors(where))
                points.GetWidthsAttr().Set(Vt.FloatArray(len(where), _POINT_WIDTH / units))
                points.GetDisplayColorAttr().Set(_vectors(colors))
                cones.GetTypeAttr().Set(UsdGeom.Tokens.linear)
                cones.GetPointsAttr().Set(_vectors(lines))
                cones.GetCurveVertexCountsAttr().Set(Vt.IntArray(len(starts), 2))
                cones.GetWidthsAttr().Set(Vt.FloatArray([_LINE_WIDTH / units]))
                cones.GetDisplayColorAttr().Set(Vt.Vec3fArray([Gf.Vec3f(*_CONE_COLOR)]))
            points.SetWidthsInterpolation(UsdGeom.Tokens.vertex)
            points.GetDisplayColorPrimvar().SetInterpolation(UsdGeom.Tokens.vertex)
            cones.SetWidthsInterpolation(UsdGeom.Tokens.constant)

    def set_hand_visible(self, visible: bool) -> None:
        """Show or hide the hand: contacts lie between hand and object, where neither lets them be seen.

        Args:
            visible: Whether the hand is drawn.

        Raises:
            GraspdError: If nothing is shown.
        """
        if self._stage is None or not self._stage.GetPrimAtPath(HAND_PATH):
            raise GraspdError("there is no hand in the viewport; select a grasp first")
        with Usd.EditContext(self._stage, self._stage.GetSessionLayer()):
            token = UsdGeom.Tokens.inherited if visible else UsdGeom.Tokens.invisible
            UsdGeom.Imageable(self._stage.GetPrimAtPath(HAND_PATH)).CreateVisibilityAttr().Set(token)

    @property
    def hand_is_visible(self) -> bool:
        """Whether the hand is drawn."""
        prim = self._stage.GetPrimAtPath(HAND_PATH) if self._stage is not None else None
        return bool(prim) and UsdGeom.Imageable(prim).ComputeVisibility() != UsdGeom.Tokens.invisible

    def palm_on_stage(self) -> np.ndarray:
        """Return where the palm is now on the stage, in the object frame, shape [7]; after the user moved the hand.

        Raises:
            GraspdError: If nothing is shown.
        """
        if self._stage is None or self._hand is None or not self._stage.GetPrimAtPath(HAND_PATH):
            raise GraspdError("there is no hand in the viewport; select a grasp first")
        root = Sdf.Path(self._hand.links[0].prim_path).GetPrefixes()[0]
        palm = Sdf.Path(self._hand.links[0].prim_path).ReplacePrefix(root, Sdf.Path(HAND_PATH))
        matrix = local_to_world(self._stage.GetPrimAtPath(palm)).copy()
        matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
        matrix[:3, 3] *= UsdGeom.GetStageMetersPerUnit(self._stage)
        return matrix_to_pose(np.linalg.inv(pose_to_matrix(self.T_world_object)) @ matrix)

    def clear(self) -> None:
        """Take everything off the stage."""
        stage, self._stage, self._hand, self._object = self._stage, None, None, None
        if stage and stage.GetSessionLayer().GetPrimAtPath(ROOT):
            with Usd.EditContext(stage, stage.GetSessionLayer()):
                stage.RemovePrim(ROOT)


def _vectors(array: np.ndarray) -> Vt.Vec3fArray:
    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(array, dtype=np.float32))
