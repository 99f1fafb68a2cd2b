# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which grasps of an object on someone's stage the arm that stands there reaches, and driving it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pxr import Usd

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.reach import Reach
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.seed_bank import SeedBank
from omni_graspd.arms.stage_arm import StageArm, find_stage_arm, stage_mount
from omni_graspd.arms.way_reach import OBJECT, pieces_of, reach_ways
from omni_graspd.arms.workspace import Thing, Workspace
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_decomposition import convex_pieces
from omni_graspd.hands.hand import Hand
from omni_graspd.scenes.stage_hand import StageHand, set_targets
from omni_graspd.scenes.stage_object import StageObject
from omni_graspd.scenes.stage_surroundings import StageSurroundings, stage_surroundings
from omni_graspd.scenes.way_stations import STAGES, moved, way_stations
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.transforms import pose_to_matrix

_SAME_POSE = 1e-3
"""An arm or a hand that stands this much elsewhere has been moved [m, cosines]."""

_LINK = 0.2
"""How far a link may stand out of the line between its joints [m]."""


@dataclass(frozen=True, eq=False)
class StageReach:
    """What an arm on a stage can do about some grasps."""

    arm: Arm
    """The arm."""
    standing: StageArm
    """Where it stood on the stage."""
    T_flange_palm: np.ndarray
    """How it holds the hand, shape [7]."""
    rows: np.ndarray
    """Rows of the grasps in their batch, shape [grasp_count]."""
    reach: Reach
    """What it can do about each."""

    def reason(self, row: int) -> str:
        """Return why a grasp cannot be reached; empty where it can.

        Args:
            row: Row of the grasp in the batch.
        """
        found = np.flatnonzero(self.rows == row)
        return self.reach.reason[found[0]] if len(found) else "not looked at"

    def joints(self, row: int, stage: str) -> dict[str, float]:
        """Return the position of each joint of the arm [rad or m] by name.

        Args:
            row: Row of the grasp in the batch; reachable.
            stage: Place of the way: ``pregrasp``, ``hover``, ``grasp``, ``squeeze`` or ``lift``.
        """
        (number,) = np.flatnonzero(self.rows == row)
        positions = self.reach.arm_positions[number, STAGES[stage]]
        return dict(zip(self.arm.joint_names, positions.tolist(), strict=True))

    def drive(self, stage: Usd.Stage, hand: StageHand, row: int, moment: str) -> tuple[str, ...]:
        """Set the arm's joint targets to its stored positions at a place of a grasp's way.

        Args:
            stage: The stage; its edit target is written to.
            hand: The hand, which has to be on that arm.
            row: Row of the grasp in the batch.
            moment: Place of the way, as in :meth:`joints`.

        Returns:
            Names of joints without a drive, which stay as they are.

        Raises:
            GraspdError: If the arm does not reach the grasp, the hand is not on it, or either has been moved.
        """
        reason = self.reason(row)
        if reason:
            raise GraspdError(f"{self.arm.name} does not reach it: {reason}")
        now = find_stage_arm(stage, self.standing.root_path, self.arm)
        if _differ(now.T_world_base, self.standing.T_world_base):
            raise GraspdError(f"the base of {self.arm.name} has moved since its reach was found; find it anew")
        if _differ(stage_mount(stage, now, hand), self.T_flange_palm):
            raise GraspdError(f"{self.arm.name} holds the hand otherwise than its reach was found for; find it anew")
        return set_targets(stage, now.joint_paths, self.joints(row, moment))


def surroundings_of_arm(
    stage: Usd.Stage, obj: StageObject, standing: StageArm, arm: Arm, leave_out: Sequence[str]
) -> StageSurroundings:
    """Return all that an arm on a stage might touch.

    Args:
        stage: The stage; it is not changed.
        obj: The object that is grasped.
        standing: Where the arm stands.
        arm: The arm.
        leave_out: Prims that are no obstacles, besides the arm.
    """
    away = float(np.linalg.norm(obj.T_world_object[:3] - standing.T_world_base[:3]))
    return stage_surroundings(stage, obj, [standing.root_path, *leave_out], away + arm.longest_reach() + _LINK)


def find_stage_reach(
    arm: Arm,
    hand: Hand,
    standing: StageArm,
    T_flange_palm: np.ndarray,
    obj: StageObject,
    around: StageSurroundings,
    batch: GraspBatch,
    rows: np.ndarray,
    config: ReachConfig,
) -> StageReach:
    """Find out which grasps an arm reaches where it stands; the stage is not needed for it.

    The base may touch what it stands on; all else is as for datasets.

    Args:
        arm: The arm.
        hand: The hand.
        standing: Where the arm stands.
        T_flange_palm: The palm in the frame of the flange, shape [7].
        obj: The object, and where it stands.
        around: What is around both.
        batch: Grasps, in the object's frame.
        rows: Rows of those that are asked about, shape [grasp_count].
        config: Settings of the search; its base and mount are not used.

    Raises:
        GraspdError: If the grasps have no known way, or MuJoCo is not installed.
    """
    wanted = batch.take(rows)
    if wanted.postures is None or wanted.way is None:
        raise GraspdError("expected grasps with a way in and out, got some without; find them where the object stands")
    things = [Thing(OBJECT, pieces_of(obj.rigid))]
    for number, (path, mesh) in enumerate(zip(around.prim_paths, around.surroundings.obstacles, strict=True)):
        again = path in around.prim_paths[:number]  # copies of an instancer have its path
        things.append(Thing(f"{path} ({number})" if again else path, tuple(convex_pieces(mesh))))
    workspace = Workspace(arm, hand, T_flange_palm, things, config.clearance, base_may_touch=True)
    for thing in things:
        workspace.place(thing.name, obj.T_world_object)
    palms = moved(obj.T_world_object, wanted.T_object_palm)
    stations = way_stations(obj.T_world_object, palms, wanted.joint_positions, wanted.postures, wanted.way)
    poses = standing.T_world_base, T_flange_palm, obj.T_world_object
    bank = SeedBank.of(arm.chain(), config.postures)
    return StageReach(arm, standing, T_flange_palm, rows, reach_ways(arm, bank, workspace, *poses, stations, config))


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(pose_to_matrix(one) - pose_to_matrix(other)).max() > _SAME_POSE)
