# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of an arm that holds a hand, alone or at a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from pxr import UsdGeom

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.mount import default_mount
from omni_graspd.backend import Backend
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.posed_hand import author_posed_hand, posed_mesh
from omni_graspd.inspection.studio import (
    DRAWN_CHANNELS,
    author_camera,
    author_lights,
    before_background,
    camera_pose,
    halved,
)
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import IDENTITY, author_pose, compose, matrix_to_pose

_SIDES = ((0.75, -1.0, 0.55), (0.75, 1.0, 0.55))
_TABLE_LOOK = Appearance(color=(0.5, 0.5, 0.49), roughness=0.8)


@dataclass(frozen=True, eq=False)
class PosedRobot:
    """An arm and the hand on it, in one posture."""

    arm: Arm
    """The arm."""
    arm_positions: np.ndarray
    """Its joints [rad or m], shape [joint_count]."""
    T_world_base: np.ndarray
    """Where it stands, shape [7]."""
    hand: Hand | None = None
    """The hand; None for the bare arm."""
    hand_positions: np.ndarray | None = None
    """Its joints [rad or m]."""
    T_flange_palm: np.ndarray = field(default_factory=IDENTITY.copy)
    """How it is mounted, shape [7]."""

    @property
    def T_world_palm(self) -> np.ndarray:
        """Where the palm is, shape [7]."""
        flange = matrix_to_pose(self.arm.chain().end(self.arm_positions[None])[0])
        return compose(compose(self.T_world_base, flange), self.T_flange_palm)


@dataclass(frozen=True, eq=False)
class PlacedFile:
    """Something else in the picture."""

    usd: Path
    """Its USD file."""
    T_world_object: np.ndarray
    """Where it is, shape [7]."""


async def draw_robot(
    backend: Backend,
    robot: PosedRobot,
    things: Sequence[PlacedFile] = (),
    table: TriangleMesh | None = None,
    size: tuple[int, int] = (640, 560),
) -> list[np.ndarray]:
    """Draw a robot from its left and its right side.

    Args:
        backend: What renders.
        robot: The robot.
        things: What else is there.
        table: A table.
        size: Width and height of each picture [pixel].

    Returns:
        Two sRGB pictures, [height, width, 3], uint8.
    """
    stage = create_stage("World")
    points = _author_robot(stage, robot)
    for number, thing in enumerate(things):
        prim = UsdGeom.Xform.Define(stage, f"/World/Thing_{number}").GetPrim()
        prim.GetReferences().AddReference(str(thing.usd.absolute()))
        author_pose(prim, thing.T_world_object)
    if table is not None:
        prim = author_mesh(stage, "/World/Table", table).GetPrim()
        bind_material(prim, author_material(stage, "/World/Table_look", _TABLE_LOOK))
    sides = [np.array(side) / np.linalg.norm(side) for side in _SIDES]
    author_lights(stage, sides)
    rigs = []
    for number, side in enumerate(sides):
        pose = camera_pose(points, side, aspect=size[0] / size[1])
        rigs.append(author_camera(stage, f"side_{number}", pose, 2 * size[0], 2 * size[1]))
    config = replace(RenderConfig(samples_per_pixel=4, max_depth=3), annotators=DRAWN_CHANNELS)
    return [halved(before_background(frame)) async for frame in backend.render(stage, rigs, config)]


async def draw_arm(backend: Backend, arm: Arm, hand: Hand | None) -> np.ndarray:
    """Draw an arm in the middle of its joints' ranges, with an open hand if there is one, from two sides.

    Args:
        backend: What renders.
        arm: The arm.
        hand: The hand.

    Returns:
        An sRGB picture, [height, width, 3], uint8.
    """
    middle = 0.5 * (arm.lower + arm.upper)
    bent = np.clip(middle + 0.25 * (arm.upper - arm.lower), middle - 0.7, middle + 0.7)
    robot = PosedRobot(arm, bent, IDENTITY)
    if hand is not None:
        opened = hand.joint_positions(hand.open_positions)
        robot = replace(robot, hand=hand, hand_positions=opened, T_flange_palm=default_mount(hand))
    return np.concatenate(await draw_robot(backend, robot), axis=1)


def _author_robot(stage, robot: PosedRobot) -> np.ndarray:
    """Put the robot on the stage; return its vertices in the world."""
    author_posed_hand(stage, "/World/Arm", robot.arm.articulation, robot.T_world_base, robot.arm_positions)
    points = [posed_mesh(robot.arm.articulation, robot.T_world_base, robot.arm_positions).vertices]
    if robot.hand is not None and robot.hand_positions is not None:
        author_posed_hand(stage, "/World/Hand", robot.hand, robot.T_world_palm, robot.hand_positions)
        points.append(posed_mesh(robot.hand, robot.T_world_palm, robot.hand_positions).vertices)
    return np.concatenate(points)
