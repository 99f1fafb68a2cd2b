# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps of an object on the user's own stage: made where it stands, applied to the user's robot, saved as prims."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pxr import Usd

from omni_graspd.arms.stage_reach import StageReach
from omni_graspd.backend import local_asset
from omni_graspd.dataset.tables import GraspTable
from omni_graspd.errors import GraspdError
from omni_graspd.formats.grasp_table import table_record
from omni_graspd.formats.usd_export import author_grasps
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.kit.ghosts import ROOT as GHOSTS
from omni_graspd.kit.selection import selected_path
from omni_graspd.kit.side_loop import on_side_loop
from omni_graspd.kit.viewport import ROOT as INSPECTION
from omni_graspd.kit.viewport import open_stage
from omni_graspd.progress import Progress, no_progress
from omni_graspd.scenes.stage_hand import StageHand, find_stage_hand, move_palm, set_targets
from omni_graspd.scenes.stage_object import StageObject, read_stage_object
from omni_graspd.scenes.stage_surroundings import StageSurroundings, stage_surroundings
from omni_graspd.scenes.way_stations import LIFT_HEIGHT
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.synthesizer import synthesize
from omni_graspd.usd.prim_export import standing_pose
from omni_graspd.usd.transforms import compose

Moment = Literal["pregrasp", "hover", "grasp", "squeeze", "lift"]
MOMENTS: tuple[tuple[Moment, str, str], ...] = (
    ("pregrasp", "Pregrasp", "The open hand in front of the object."),
    ("hover", "Hover", "The open hand over the object, from where it closes."),
    ("grasp", "Grasp", "The hand around the object."),
    ("squeeze", "Squeeze", "The targets that press."),
    ("lift", "Lift", "Ten centimetres up, still pressing."),
)
"""Moments of a grasp, what a button for them says, and what they are."""
SAVED = "/World/Grasps"
_MOVED = 1e-3
"""An object that moved farther, or turned so far, is no longer where its grasps are [m, parts of a quaternion]."""


@dataclass(frozen=True, eq=False)
class StageGrasps:
    """Grasps of an object that stands on a stage, best first."""

    stage: Usd.Stage
    """The stage."""
    hand: Hand
    """The hand."""
    standing: StageObject
    """The object, and where it stood when the grasps were made."""
    around: StageSurroundings
    """What they keep clear of."""
    batch: GraspBatch
    """All grasps, those that cannot be carried out too; their ``status`` says why."""
    seed: int
    """Seed with which they were made."""

    @property
    def good(self) -> np.ndarray:
        """Rows of the grasps that can be carried out, best first, shape [good_count]."""
        rows = np.flatnonzero(self.batch.ok if self.batch.way is None else self.batch.usable)
        ranking = self.batch.ranking
        return rows if ranking is None else rows[np.argsort(ranking[rows], kind="stable")]

    def posture(self, row: int, moment: Moment) -> tuple[np.ndarray, np.ndarray]:
        """Return the palm's pose in the stage's world frame, shape [7], and all joints [rad or m], of a grasp.

        Args:
            row: Row of the grasp in ``batch``.
            moment: Which moment.
        """
        postures, way = self.batch.postures, self.batch.way
        pose, joints = self.batch.T_object_palm[row], self.batch.joint_positions[row]
        if moment == "grasp":
            return compose(self.standing.T_world_object, pose), joints
        if postures is None or (way is None and moment in ("hover", "lift")):
            raise GraspdError(f"expected grasps with a {moment}, got grasps without; make them on the stage")
        is_closed = moment in ("squeeze", "lift")
        joints = (postures.squeeze_joint_positions if is_closed else postures.pregrasp_joint_positions)[row]
        if moment == "pregrasp":
            pose = postures.T_object_pregrasp_palm[row]
        elif way is not None and moment == "hover":
            pose = way.T_object_hover_palm[row]
        elif way is not None and moment == "lift":
            pose = np.concatenate([pose[:3] + LIFT_HEIGHT * way.lift_direction[row], pose[3:]])
        return compose(self.standing.T_world_object, pose), joints

    def joints(self, row: int, moment: Moment) -> dict[str, float]:
        """Return the position of each joint [rad or m] by name at a moment of a grasp.

        Args:
            row: Row of the grasp in ``batch``.
            moment: Which moment.
        """
        return dict(zip(self.hand.joint_names, self.posture(row, moment)[1].tolist(), strict=True))

    def apply(self, robot: str, row: int, moment: Moment = "grasp", reach: StageReach | None = None) -> str:
        """Set the joint targets of a robot's hand to a moment of a grasp; move the hand there if nothing holds it.

        Those of the arm that holds it are set, too, where its reach is known.

        The stage's edit target is written to; drives take effect in the simulation.

        Args:
            robot: Prim of the hand, or of the robot that holds it.
            row: Row of the grasp in ``batch``.
            moment: Which moment.
            reach: What the arm that holds the hand can do about these grasps.

        Returns:
            What was done, and what was not, in one line.

        Raises:
            GraspdError: If the robot does not have this hand.
        """
        prim = self._standing_prim()
        found = find_stage_hand(self.stage, robot, self.hand)
        pose, joints = self.posture(row, moment)
        without = set(set_targets(self.stage, found.joint_paths, self.joints(row, moment)))
        undriven = [self.hand.joint_names[k] for k in self.hand.actuated if self.hand.joint_names[k] in without]
        done = f"{moment} of grasp {row}: targets of {len(joints) - len(without)} joints set"
        if undriven:
            done += f"; without a drive: {', '.join(undriven)}"
        if np.abs(standing_pose(prim) - self.standing.T_world_object).max() > _MOVED:
            done += f"; {prim.GetName()} has moved since the grasps were found: find them anew"
        if reach is not None:
            return f"{done}; {self._drive(reach, found, row, moment)}"
        if found.is_floating:
            move_palm(self.stage, found, pose)
            return f"{done}, hand moved"
        where = ", ".join(f"{value:.4f}" for value in pose[:3])
        return f"{done}; an arm holds the hand: bring its palm to ({where}) m"

    def _drive(self, reach: StageReach, hand: StageHand, row: int, moment: Moment) -> str:
        """Drive the arm, and return what was done or why not."""
        try:
            without = reach.drive(self.stage, hand, row, moment)
        except GraspdError as error:
            return f"the arm stays: {error}"
        done = f"targets of {reach.arm.joint_count - len(without)} joints of {reach.arm.name} set"
        return f"{done}; without a drive: {', '.join(without)}" if without else done

    def _standing_prim(self) -> Usd.Prim:
        """Return the object's prim, if the stage is still the open one and has it."""
        prim = self.stage.GetPrimAtPath(self.standing.prim_path) if self.stage == open_stage() else None
        if not prim:
            raise GraspdError(f"{self.standing.prim_path} is not on the open stage any more; find grasps anew")
        return prim

    def save(self, path: str = SAVED) -> str:
        """Write the good grasps to the stage as prims, as ``graspd convert`` to USD does, and return their path.

        Each is a hand that is there to be looked at, with ``graspd:`` attributes. The hand's file is referenced where
        it lies; the stage needs it there.

        Args:
            path: The prim to make; a number is added if it is there already.

        Raises:
            GraspdError: If no grasp is good.
        """
        self._standing_prim()
        rows = self.good
        if not len(rows):
            raise GraspdError("no grasp can be carried out, so none is saved; ask for more, or make room")
        free, number = path, 0
        while self.stage.GetPrimAtPath(free):
            number += 1
            free = f"{path}_{number:02d}"
        table = GraspTable(
            hand=self.hand.name,
            object=self.standing.rigid.name,
            joint_names=tuple(self.hand.joint_names),
            indices=rows.astype(np.int32),
            seed=self.seed,
            grasps=self.batch.take(rows),
            metrics={},
        )
        author_grasps(self.stage, free, self.hand, table_record(table), self.standing.T_world_object)
        return free


async def grasp_on_stage(
    hand: str | Path | Hand,
    prim: str | None = None,
    count: int = 16,
    *,
    robot: str | None = None,
    seed: int = 0,
    config: SynthesisConfig | None = None,
    device: str = "cpu",
    progress: Progress = no_progress,
) -> StageGrasps:
    """Find grasps of an object on the open stage, where it stands, past everything that stands around it.

    Args:
        hand: Built-in or own name, USD file, or a hand.
        prim: The object, or a prim of it; None: what is selected.
        count: How many grasps.
        robot: Prim of the robot that grasps, which is no obstacle.
        seed: Seed of everything random.
        config: Settings.
        device: Warp device.
        progress: Called on Kit's loop with gradient steps done and in total.

    Returns:
        The grasps, those that cannot be carried out included.

    Raises:
        GraspdError: If no stage is open, nothing is selected, or the object cannot be read.
    """
    if count < 1:
        raise GraspdError(f"expected count to be 1 or more, got {count}")
    stage, path = open_stage(), prim or selected_path()
    loaded = hand if isinstance(hand, Hand) else load_hand(local_asset(str(hand)))
    standing = read_stage_object(stage, path)
    around = stage_surroundings(stage, standing, [INSPECTION, GHOSTS, *([robot] if robot else [])])
    loop = asyncio.get_running_loop()
    batch = await on_side_loop(
        lambda: synthesize(
            loaded,
            standing.rigid,
            range(count),
            config or SynthesisConfig(),
            seed=seed,
            surroundings=around.surroundings,
            device=device,
            progress=lambda done, total: loop.call_soon_threadsafe(progress, done, total),
        )
    )
    return StageGrasps(stage, loaded, standing, around, batch, seed)
