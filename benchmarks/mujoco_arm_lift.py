# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps of an arm, judged by MuJoCo: all joints are driven along the stored way, and the object must come along."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import mujoco
import numpy as np
from mujoco_lift import (
    _BULGE,
    _HAND,
    DEXGRASPBENCH,
    LiftDrive,
    LiftOutcome,
    LiftPlan,
    LiftProtocol,
    MujocoLift,
    _add_drives,
    _add_object,
    _new_spec,
    _Run,
    _set_pose,
    _surface,
    drive_of,
)

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.robot_model import ARM, HAND, add_robot
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.way_stations import LIFT_HEIGHT, STAGES
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import transform_points

ARM_PROTOCOL = replace(DEXGRASPBENCH, waypoints=100, steps=1)
"""DexGraspBench's tabletop test; targets move at every step, as arms are driven, and take the same time. Ten
coarse ones in a phase would be blows: the palm on its weld is soft, the arm is not."""


_ARM_COLOUR, _HAND_COLOUR, _TABLE_COLOUR = (0.75, 0.76, 0.78), (0.25, 0.45, 0.65), (0.6, 0.6, 0.58)


@dataclass(frozen=True, kw_only=True)
class ArmDrive:
    """Position drives of an arm's joints, without a limit of their torque; the arm feels no gravity."""

    stiffness: float = 40000.0
    """[N m/rad], about that of the joints of industrial arms; a soft drive would trail behind its targets."""
    damping: float = 800.0
    """[N m s/rad]; with it an arm trails by 20 ms, as the palm does on the weld that drags it in the test of hands."""
    armature: float = 0.1
    """Rotor inertia [kg m2], as in models of the FR3 and the UR10e."""


@dataclass(frozen=True, eq=False)
class ArmWay:
    """The way of one grasp on an arm, in the world; the table top is z = 0."""

    T_world_base: np.ndarray
    """Where the arm stands, shape [7]."""
    T_world_object: np.ndarray
    """Rest pose of the object, shape [7]."""
    arm_positions: np.ndarray
    """Stored joints of the arm at each station, shape [station_count, arm_joint_count]."""
    hand_positions: np.ndarray
    """Joints of the hand at each station, shape [station_count, hand_joint_count]."""
    up: np.ndarray
    """Unit direction of the lift in the world, shape [3]."""


class MujocoArmLift(MujocoLift):
    """An arm with a hand beside a table with an object.

    The protocol is that of the hand alone. The palm goes where the arm brings it; drives of the hand, friction and
    thresholds are the same. The arm collides with object and table.
    """

    def __init__(
        self,
        arm: Arm,
        hand: Hand,
        T_flange_palm: np.ndarray,
        obj: RigidObject,
        object_pieces: Sequence[TriangleMesh],
        table: TriangleMesh,
        protocol: LiftProtocol = ARM_PROTOCOL,
        arm_drive: ArmDrive | None = None,
    ) -> None:
        """Build the model; the table is the box around its mesh."""
        self.arm, self.hand, self.obj, self.protocol = arm, hand, obj, protocol
        self.vertices = np.concatenate([piece.vertices for piece in object_pieces])
        spec = _new_spec(protocol)
        spec.add_texture(
            name="sky",
            type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
            builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
            rgb1=[0.93, 0.94, 0.95],
            width=8,
            height=48,
        )
        _end_table(spec, table)
        contact = {"solimp": [0.5, 0.99, 0.0001, 0.5, 2.0], "solref": [0.005, 1.0], **_surface(protocol), **_HAND}
        base = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
        add_robot(spec, arm, hand, T_flange_palm, base, arm_geometry=contact, hand_geometry=contact)
        self.driven = _drive_hand(spec, hand, protocol)
        arm_drive = arm_drive or ArmDrive()
        _drive_arm(spec, arm, arm_drive)
        _add_object(spec, obj, object_pieces, protocol)
        self.model = spec.compile()
        _damp(self.model, hand, protocol.drive or drive_of(hand), arm, arm_drive.armature)
        self.palm_body = self.model.body(f"{HAND}{hand.links[0].name}").id
        self.object_body = self.model.body("object").id
        self.base_body = self.model.body(f"{ARM}{arm.articulation.links[0].name}").id
        self.object_qpos = self.model.joint("object").qposadr[0]
        self.joint_qpos = _addresses(self.model, HAND, hand.joint_names)
        self.arm_qpos = _addresses(self.model, ARM, arm.joint_names)
        self.table = self.model.geom("table").id
        self.table_height = float(self.model.geom_pos[self.table, 2])
        bodies = np.asarray(self.model.geom_bodyid)
        self.hand_geoms = (bodies != 0) & (bodies != self.object_body)

    def lift_way(self, way: ArmWay, *, record: bool = False) -> LiftOutcome:
        """Test one grasp; not from several threads at once, since the base is moved in the model.

        Args:
            way: The way.
            record: Keep the poses of object and palm.
        """
        return _Run(self, self.plan(way), record).outcome()

    def plan(self, way: ArmWay) -> LiftPlan:
        """Stand the arm where it stands and return the targets of all joints, those of the arm first."""
        self.model.body_pos[self.base_body] = way.T_world_base[:3]
        self.model.body_quat[self.base_body] = way.T_world_base[[6, 3, 4, 5]]
        # Convex pieces that bulge into the table would jump out of it: it is lowered until they only touch.
        lowest = float(transform_points(way.T_world_object, self.vertices)[:, 2].min())
        self.model.geom_pos[self.table, 2] = self.table_height - min(max(-lowest, 0.0), _BULGE)
        count = self.protocol.waypoints
        ends = [*STAGES.values()]
        at = np.concatenate([[0.0], *(np.linspace(a, b, count + 1)[1:] for a, b in itertools.pairwise(ends))])
        targets = np.concatenate([way.arm_positions, way.hand_positions], axis=1)
        joints = np.stack([np.interp(at, np.arange(len(targets)), column) for column in targets.T], axis=1)
        steps = np.full(len(joints), self.protocol.steps)
        steps[0] = 0
        return LiftPlan(
            T_world_object_start=way.T_world_object,
            T_world_palm=np.zeros((len(joints), 7)),
            joints=joints,
            steps=steps,
            squeezed=3 * count,
            displacement=LIFT_HEIGHT * way.up,
        )

    def place(self, plan: LiftPlan) -> mujoco.MjData:
        """Return the scene at the start of a plan."""
        data = mujoco.MjData(self.model)
        start, count = plan.T_world_object_start, self.arm.joint_count
        _set_pose(data.qpos, self.object_qpos, start)
        data.qpos[self.object_qpos : self.object_qpos + 3] = transform_points(start, self.obj.center_of_mass[None])[0]
        data.qpos[self.arm_qpos], data.qpos[self.joint_qpos] = plan.joints[0, :count], plan.joints[0, count:]
        data.xfrc_applied[self.object_body, 2] = -self.protocol.gravity * self.protocol.object_mass
        self.follow(data, plan, 0)
        mujoco.mj_forward(self.model, data)
        return data

    def follow(self, data: mujoco.MjData, plan: LiftPlan, index: int) -> None:
        """Set where all joints shall go: to a target of the plan."""
        count = self.arm.joint_count
        data.ctrl[:] = np.concatenate([plan.joints[index, count:][self.driven], plan.joints[index, :count]])

    def palm_pose(self, data: mujoco.MjData) -> np.ndarray:
        """Return T_world_palm, shape [7]."""
        return np.concatenate([data.xpos[self.palm_body], data.xquat[self.palm_body][[1, 2, 3, 0]]])

    def animate(self, way: ArmWay, path: Path, *, size: tuple[int, int] = (480, 400), every: int = 1) -> None:
        """Write a GIF of a test.

        Args:
            way: The way.
            path: The file.
            size: Width and height [pixel].
            every: Targets from picture to picture.
        """
        from PIL import Image

        run = _Run(self, self.plan(way), record=False)
        self._paint()
        renderer = mujoco.Renderer(self.model, size[1], size[0])
        camera = mujoco.MjvCamera()
        camera.lookat[:] = 0.5 * (way.T_world_base[:3] + way.T_world_object[:3]) + [0.1, 0.0, 0.2]
        camera.distance, camera.azimuth, camera.elevation = 1.5, 125.0, -18.0
        pictures = []
        for index in range(1, len(run.plan.joints)):
            run.advance(index)
            if index % every == 0:
                renderer.update_scene(run.data, camera)
                pictures.append(Image.fromarray(renderer.render()).quantize(64))
        renderer.close()
        pictures += 8 * pictures[-1:]
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=60, loop=0, optimize=True)

    def _paint(self) -> None:
        """Make arm, hand and table of different colours, and the light bright."""
        self.model.vis.headlight.ambient[:], self.model.vis.headlight.diffuse[:] = 0.45, 0.5
        self.model.geom_rgba[self.table, :3] = _TABLE_COLOUR
        for geom, body in enumerate(self.model.geom_bodyid):
            name = self.model.body(body).name
            if name.startswith((ARM, HAND)):
                self.model.geom_rgba[geom, :3] = _ARM_COLOUR if name.startswith(ARM) else _HAND_COLOUR


def _addresses(model: mujoco.MjModel, prefix: str, names: Sequence[str]) -> np.ndarray:
    return np.array([model.joint(f"{prefix}{name}").qposadr[0] for name in names])


def _end_table(spec, table: TriangleMesh) -> None:
    """Make the table the box that it is: the arm stands beside it."""
    low, high = table.vertices.min(axis=0), table.vertices.max(axis=0)
    geom = spec.geom("table")
    geom.type, geom.size, geom.pos = mujoco.mjtGeom.mjGEOM_BOX, 0.5 * (high - low), 0.5 * (low + high)


def _drive_hand(spec, hand: Hand, protocol: LiftProtocol) -> np.ndarray:
    """Give the hand the drives and couplings that it has alone; returns the joints with a drive."""
    names = [f"{HAND}{name}" for name in hand.joint_names]
    return _add_drives(spec, hand, protocol.drive or drive_of(hand), names)


def _damp(model: mujoco.MjModel, hand: Hand, drive: LiftDrive, arm: Arm, armature: float) -> None:
    """Set damping and rotor inertia of all joints, those of the hand as it has them alone."""
    slides = {link.joint: link.joint_type == "prismatic" for link in hand.links if link.joint >= 0}
    for number, name in enumerate(hand.joint_names):
        address = model.joint(f"{HAND}{name}").dofadr[0]
        model.dof_damping[address] = drive.slide_damping if slides[number] else drive.damping
        model.dof_armature[address] = drive.slide_armature if slides[number] else drive.armature
    for name in arm.joint_names:
        model.dof_armature[model.joint(f"{ARM}{name}").dofadr[0]] = armature


def _drive_arm(spec, arm: Arm, drive: ArmDrive) -> None:
    for name in arm.joint_names:
        actuator = spec.add_actuator(
            name=f"drive_{ARM}{name}", target=f"{ARM}{name}", trntype=mujoco.mjtTrn.mjTRN_JOINT
        )
        actuator.set_to_position(kp=drive.stiffness, kv=drive.damping)
