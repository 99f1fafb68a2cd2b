# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps in the asset they grasp: the lines of SimReady's grasp contract (GSP.001), and beside them all of each grasp.

NVIDIA's contract knows two-jaw grippers: a line through the object, along which jaws close. For a multi-finger grasp it
is the line along which its contacts oppose each other; what such a line cannot say is in attributes of its prim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, Vt

from omni_graspd.usd.transforms import author_pose, invert, transform_points

PREFIX = "grasp_identifier"
"""Names of the prims begin so; NVIDIA's checks find them by it."""
_WIDTH = 0.002


@dataclass(frozen=True, kw_only=True, eq=False)
class GraspVector:
    """One grasp, as a line and in full."""

    line: np.ndarray
    """Where jaws would start and meet on both sides of the object, in the object frame [m], shape [2, 3]."""
    hand: str
    """Name of the hand."""
    T_object_palm: np.ndarray
    """Palm pose in the object frame [m, quaternion xyzw], shape [7]."""
    joint_names: tuple[str, ...]
    """Names of the joints."""
    joint_positions: np.ndarray
    """Joint positions of the grasp [rad or m], shape [joint_count]."""
    squeeze_joint_positions: np.ndarray | None = None
    """Joint targets that press [rad or m], shape [joint_count]; None where the grasps have none."""
    measures: dict[str, float] = field(default_factory=dict)
    """Losses and metrics by name."""


def author_grasp_vectors(stage: Usd.Stage, grasps: Sequence[GraspVector]) -> None:
    """Write grasps below the default prim, one Xform at the palm's pose with one line each, purpose ``guide``.

    Attributes of the Xform ``grasp_identifier_NNN``: ``graspd:hand``, ``graspd:jointNames``,
    ``graspd:jointPositions``, ``graspd:squeezeJointPositions`` and ``graspd:measures:<name>``; its transform is
    T_object_palm.

    Args:
        stage: A stage in metres; its default prim is the object.
        grasps: Best first.
    """
    root = stage.GetDefaultPrim().GetPath()
    for index, grasp in enumerate(grasps):
        xform = UsdGeom.Xform.Define(stage, f"{root}/{PREFIX}_{index:03d}")
        xform.CreatePurposeAttr(UsdGeom.Tokens.guide)
        author_pose(xform.GetPrim(), grasp.T_object_palm)
        _author_attributes(xform.GetPrim(), grasp)
        curve = UsdGeom.BasisCurves.Define(stage, f"{xform.GetPath()}/{PREFIX}_{index:03d}_line")
        points = transform_points(invert(grasp.T_object_palm), grasp.line).astype(np.float32)
        curve.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(points)))
        curve.CreateCurveVertexCountsAttr([2])
        curve.CreateTypeAttr(UsdGeom.Tokens.linear)
        curve.CreateWidthsAttr([_WIDTH])
        curve.SetWidthsInterpolation(UsdGeom.Tokens.constant)
        extent = [points.min(axis=0) - 0.5 * _WIDTH, points.max(axis=0) + 0.5 * _WIDTH]
        curve.CreateExtentAttr([Gf.Vec3f(*(float(v) for v in corner)) for corner in extent])
        curve.CreateDisplayColorAttr([Gf.Vec3f(0.1, 0.7, 0.2)])
        curve.CreatePurposeAttr(UsdGeom.Tokens.guide)


def _author_attributes(prim: Usd.Prim, grasp: GraspVector) -> None:
    types = Sdf.ValueTypeNames
    prim.CreateAttribute("graspd:hand", types.Token).Set(grasp.hand)
    prim.CreateAttribute("graspd:jointNames", types.TokenArray).Set(Vt.TokenArray(list(grasp.joint_names)))
    prim.CreateAttribute("graspd:jointPositions", types.DoubleArray).Set(
        Vt.DoubleArray([float(value) for value in grasp.joint_positions])
    )
    if grasp.squeeze_joint_positions is not None:
        prim.CreateAttribute("graspd:squeezeJointPositions", types.DoubleArray).Set(
            Vt.DoubleArray([float(value) for value in grasp.squeeze_joint_positions])
        )
    for name, value in grasp.measures.items():
        prim.CreateAttribute(f"graspd:measures:{name}", types.Double).Set(float(value))


def read_grasp_vectors(stage: Usd.Stage) -> list[GraspVector]:
    """Read the grasps that :func:`author_grasp_vectors` wrote; lines without a hand are left out."""
    grasps = []
    for prim in stage.GetDefaultPrim().GetChildren():
        if not (prim.GetName().startswith(PREFIX) and prim.HasAttribute("graspd:hand")):
            continue
        x, y, z = prim.GetAttribute("xformOp:translate").Get()
        quat = prim.GetAttribute("xformOp:orient").Get()
        pose = np.array([x, y, z, *quat.GetImaginary(), quat.GetReal()])
        points = np.array(prim.GetChildren()[0].GetAttribute("points").Get(), dtype=np.float64)
        squeeze = prim.GetAttribute("graspd:squeezeJointPositions")
        measures = prim.GetPropertiesInNamespace("graspd:measures")
        grasps.append(
            GraspVector(
                line=transform_points(pose, points),
                hand=prim.GetAttribute("graspd:hand").Get(),
                T_object_palm=pose,
                joint_names=tuple(prim.GetAttribute("graspd:jointNames").Get()),
                joint_positions=np.array(prim.GetAttribute("graspd:jointPositions").Get()),
                squeeze_joint_positions=np.array(squeeze.Get()) if squeeze else None,
                measures={attribute.GetBaseName(): attribute.Get() for attribute in measures},
            )
        )
    return grasps
