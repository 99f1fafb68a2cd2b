# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand's USD as it is, faults included: what the check looks at where the reader would refuse."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdPhysics

from omni_graspd.hands.usd.collider_reader import Collider, read_colliders
from omni_graspd.hands.usd.hand_settings import HandSettings, hand_settings_path, read_hand_settings
from omni_graspd.hands.usd.joint_reader import Mimic, joint_body, joint_frame, read_mimic
from omni_graspd.hands.usd.link_reader import read_link_mesh
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.stage import reading_usd
from omni_graspd.usd.still_stage import open_still
from omni_graspd.usd.transforms import local_to_world, pose_to_matrix

JointKind = Literal["revolute", "prismatic", "fixed", "other"]


@dataclass(frozen=True)
class Drive:
    """A joint's motor, in USD's units (degrees or stage units)."""

    stiffness: float
    """Force per deviation."""
    damping: float
    """Force per speed."""
    max_force: float
    """Largest force or torque; infinite where the file does not say."""


@dataclass(frozen=True, eq=False)
class SurveyedJoint:
    """A joint between two bodies, or between a body and the world."""

    prim: Usd.Prim
    """Its prim."""
    kind: JointKind
    """How it moves; ``other`` for ball joints and joints with six axes."""
    bodies: tuple[str | None, str | None]
    """Paths of its bodies; None for the world."""
    axis: str
    """Axis token, ``X``, ``Y`` or ``Z`` in a sound file; empty where there is none."""
    lower: float
    """Lower limit [degree, or m for sliding joints]; -inf where the file has none."""
    upper: float
    """Upper limit [degree, or m for sliding joints]; inf where the file has none."""
    drives: tuple[Drive, ...]
    """Its motors."""
    mimic: Mimic | None
    """What it follows."""
    schemas: tuple[str, ...]
    """Applied schemas as the file has them, unknown ones included."""
    T_world_joint: tuple[np.ndarray, np.ndarray] | None
    """Joint frame as each body places it [m], shape [4, 4] each; None with less than two bodies or a broken frame."""

    @property
    def path(self) -> str:
        """Path of its prim."""
        return str(self.prim.GetPath())

    @property
    def name(self) -> str:
        """Name of its prim."""
        return self.prim.GetName()

    @property
    def is_movable(self) -> bool:
        """Whether it connects two bodies and moves."""
        return self.kind != "fixed" and None not in self.bodies

    @property
    def is_driven(self) -> bool:
        """Whether a motor with some gain moves it."""
        return any(drive.stiffness > 0.0 or drive.damping > 0.0 for drive in self.drives)


@dataclass(frozen=True, eq=False)
class SurveyedLink:
    """A rigid body."""

    prim: Usd.Prim
    """Its prim."""
    T_world_link: np.ndarray
    """Where the file places it, without scale [m], shape [4, 4]."""
    scale: np.ndarray
    """Scale along its axes, that of its ancestors included, shape [3]."""
    mesh: TriangleMesh
    """Visible surface in its frame [m]; empty where it has none that can be read."""
    colliders: tuple[Collider, ...]
    """What it collides with."""
    mass: float | None
    """Authored mass [kg], or None."""
    density: float | None
    """Authored density [kg/m3], or None."""

    @property
    def path(self) -> str:
        """Path of its prim."""
        return str(self.prim.GetPath())

    @property
    def name(self) -> str:
        """Name of its prim."""
        return self.prim.GetName()


@dataclass(frozen=True, eq=False)
class ArticulationSurvey:
    """All bodies and joints below a stage's default prim."""

    source: Path
    """The file."""
    stage: Usd.Stage
    """The open stage."""
    root: Usd.Prim
    """Default prim, or the pseudo-root."""
    links: tuple[SurveyedLink, ...]
    """Bodies in stage order."""
    joints: tuple[SurveyedJoint, ...]
    """Enabled joints in stage order, those to the world included."""
    settings: HandSettings
    """What ``hand.toml`` says."""

    @property
    def metres_per_unit(self) -> float:
        """Length of the stage's unit [m]."""
        return UsdGeom.GetStageMetersPerUnit(self.stage)

    @cached_property
    def link_by_path(self) -> dict[str, SurveyedLink]:
        """Links by path."""
        return {link.path: link for link in self.links}

    @cached_property
    def parents(self) -> dict[str, tuple[str, SurveyedJoint] | None]:
        """Parent and joint of each link that the root reaches, parents first; None for the root."""
        neighbours: dict[str, list[tuple[str, SurveyedJoint]]] = {}
        for joint in self.joints:
            a, b = joint.bodies
            if a is not None and b is not None and a != b:
                neighbours.setdefault(a, []).append((b, joint))
                neighbours.setdefault(b, []).append((a, joint))
        found: dict[str, tuple[str, SurveyedJoint] | None] = {}
        root = self._root_link(set(neighbours))
        queue = [] if root is None else [root]
        if root is not None:
            found[root] = None
        while queue:
            body = queue.pop(0)
            for other, joint in neighbours.get(body, []):
                if other not in found:
                    found[other] = (body, joint)
                    queue.append(other)
        return found

    def _root_link(self, jointed: set[str]) -> str | None:
        seconds = {joint.bodies[1] for joint in self.joints if None not in joint.bodies}
        rooted = [link.path for link in self.links if link.prim.HasAPI(UsdPhysics.ArticulationRootAPI)]
        first = [link.path for link in self.links if link.path in jointed and link.path not in seconds]
        return next(iter([path for path in rooted if path in jointed] or first or sorted(jointed)), None)

    @cached_property
    def tips(self) -> tuple[str, ...]:
        """Paths of the links that end a chain with at least one movable joint."""
        inner = {parent[0] for parent in self.parents.values() if parent is not None}
        return tuple(path for path, parent in self.parents.items() if parent is not None and path not in inner)


def survey_articulation(path: Path) -> ArticulationSurvey:
    """Read a hand's file without judging it.

    Raises:
        GraspdError: If the file is missing or not USD, or the hand.toml beside it is broken.
    """
    with reading_usd(path):
        return _survey(open_still(path), path)


def _survey(stage: Usd.Stage, path: Path) -> ArticulationSurvey:
    root = stage.GetDefaultPrim() or stage.GetPseudoRoot()
    prims = list(Usd.PrimRange(root, Usd.TraverseInstanceProxies()))
    return ArticulationSurvey(
        source=path,
        stage=stage,
        root=root,
        links=tuple(_survey_link(prim) for prim in prims if prim.HasAPI(UsdPhysics.RigidBodyAPI)),
        joints=tuple(_survey_joint(prim) for prim in prims if _is_enabled_joint(prim)),
        settings=read_hand_settings(hand_settings_path(path)),
    )


def applied_schemas(prim: Usd.Prim) -> tuple[str, ...]:
    """Return the applied schemas as the file has them; plain OpenUSD hides those it does not know."""
    return tuple(str(name) for name in prim.GetPrimTypeInfo().GetAppliedAPISchemas())


def _is_enabled_joint(prim: Usd.Prim) -> bool:
    joint = UsdPhysics.Joint(prim)
    return bool(joint) and joint.GetJointEnabledAttr().Get() is not False


def _survey_link(prim: Usd.Prim) -> SurveyedLink:
    metres = UsdGeom.GetStageMetersPerUnit(prim.GetStage())
    matrix = local_to_world(prim)
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    T_world_link = np.eye(4)
    T_world_link[:3, :3] = matrix[:3, :3] / np.where(scale > 0.0, scale, 1.0)
    T_world_link[:3, 3] = matrix[:3, 3] * metres
    sound = bool(np.isfinite(matrix).all() and scale.min() > 1e-9)
    mesh = read_link_mesh(prim) if sound else TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    if not is_sound(mesh):
        mesh = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    kilograms = UsdPhysics.GetStageKilogramsPerUnit(prim.GetStage())
    api = UsdPhysics.MassAPI(prim) if prim.HasAPI(UsdPhysics.MassAPI) else None
    mass = api.GetMassAttr().Get() if api else None
    density = api.GetDensityAttr().Get() if api else None
    return SurveyedLink(
        prim=prim,
        T_world_link=T_world_link,
        scale=scale,
        mesh=mesh,
        colliders=tuple(read_colliders(prim)) if sound else (),
        mass=None if mass is None else float(mass) * kilograms,
        density=None if density is None else float(density) * kilograms / metres**3,
    )


def is_sound(mesh: TriangleMesh) -> bool:
    """Tell whether all vertices are finite and all faces use vertices that exist."""
    indices_fit = not len(mesh.faces) or (mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices))
    return bool(np.isfinite(mesh.vertices).all() and indices_fit)


def _survey_joint(prim: Usd.Prim) -> SurveyedJoint:
    joint = UsdPhysics.Joint(prim)
    relationships = (joint.GetBody0Rel(), joint.GetBody1Rel())
    bodies = tuple(joint_body(prim.GetStage(), relationship) for relationship in relationships)
    kind, axis, lower, upper = _motion(prim)
    return SurveyedJoint(
        prim=prim,
        kind=kind,
        bodies=(str(bodies[0].GetPath()) if bodies[0] else None, str(bodies[1].GetPath()) if bodies[1] else None),
        axis=axis,
        lower=lower,
        upper=upper,
        drives=_drives(prim),
        mimic=read_mimic(prim, kind),
        schemas=applied_schemas(prim),
        T_world_joint=_joint_in_world(joint, bodies[0], bodies[1]) if bodies[0] and bodies[1] else None,
    )


def _motion(prim: Usd.Prim) -> tuple[JointKind, str, float, float]:
    if prim.IsA(UsdPhysics.FixedJoint):
        return "fixed", "X", 0.0, 0.0
    kinds: tuple[tuple[JointKind, type], ...] = (
        ("revolute", UsdPhysics.RevoluteJoint),
        ("prismatic", UsdPhysics.PrismaticJoint),
    )
    for kind, schema in kinds:
        if prim.IsA(schema):
            joint = schema(prim)
            unit = 1.0 if kind == "revolute" else UsdGeom.GetStageMetersPerUnit(prim.GetStage())
            lower, upper = joint.GetLowerLimitAttr().Get(), joint.GetUpperLimitAttr().Get()
            axis = str(joint.GetAxisAttr().Get() or "")
            # The schema's own default is no limit.
            return kind, axis, -math.inf if lower is None else lower * unit, math.inf if upper is None else upper * unit
    return "other", "", -math.inf, math.inf


def _drives(prim: Usd.Prim) -> tuple[Drive, ...]:
    names = ("angular", "linear", "rotX", "rotY", "rotZ", "transX", "transY", "transZ")
    apis = [UsdPhysics.DriveAPI(prim, name) for name in names if prim.HasAPI(UsdPhysics.DriveAPI, name)]
    return tuple(
        Drive(
            stiffness=float(api.GetStiffnessAttr().Get() or 0.0),
            damping=float(api.GetDampingAttr().Get() or 0.0),
            max_force=math.inf if api.GetMaxForceAttr().Get() is None else float(api.GetMaxForceAttr().Get()),
        )
        for api in apis
    )


def _joint_in_world(joint: UsdPhysics.Joint, *bodies: Usd.Prim) -> tuple[np.ndarray, np.ndarray] | None:
    frames = []
    metres = UsdGeom.GetStageMetersPerUnit(joint.GetPrim().GetStage())
    sides = (
        (joint.GetBody0Rel(), joint.GetLocalPos0Attr().Get(), joint.GetLocalRot0Attr().Get()),
        (joint.GetBody1Rel(), joint.GetLocalPos1Attr().Get(), joint.GetLocalRot1Attr().Get()),
    )
    for body, (relationship, position, rotation) in zip(bodies, sides, strict=True):
        matrix = local_to_world(body)
        scale = np.linalg.norm(matrix[:3, :3], axis=0)
        if not (is_rotation(rotation) and np.isfinite([*(position or ()), *matrix.ravel()]).all() and scale.min() > 0):
            return None
        T_world_body = matrix.copy()
        T_world_body[:3, :3] /= scale
        T_world_body[:3, 3] *= metres
        frames.append(T_world_body @ pose_to_matrix(joint_frame(body, relationship, position, rotation)))
    return frames[0], frames[1]


def is_rotation(rotation: Gf.Quatf | None) -> bool:
    """Tell whether a quaternion has length one; none counts as the identity."""
    if rotation is None:
        return True
    length = math.hypot(*rotation.GetImaginary(), rotation.GetReal())
    return abs(length - 1.0) < 1e-2
