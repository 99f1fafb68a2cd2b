# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Files of Isaac Sim's isaacsim.replicator.grasping: captures of grasps, and its configuration with one of ours.

Captures say where the gripper's prim stands in the stage's world and how its joints are, in USD's units; so both need
the stage on which they were made.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Usd, UsdGeom, UsdPhysics

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.formats.record import GraspRecord, numbers, unit_poses
from omni_graspd.formats.untrusted.plain_yaml import read_yaml
from omni_graspd.hands.hand import Hand
from omni_graspd.scenes.stage_hand import StageHand, find_stage_hand, palm_pose
from omni_graspd.scenes.stage_object import StageObject, read_stage_object
from omni_graspd.usd.transforms import compose, invert, local_to_world, matrix_to_pose

_CAPTURE = re.compile(r"capture_(\d+)\.yaml")
_STEPS, _STEP = 32, 1.0 / 60.0
"""Length of a phase: the extension's own default."""


def read_captures(folder: Path, stage: Usd.Stage, hand: Hand) -> GraspRecord:
    """Read all ``capture_N.yaml`` of a folder as grasps in the frame of the object, as it stands on the stage now.

    Args:
        folder: Where the extension wrote its results, of one gripper and one object.
        stage: The stage on which they were made.
        hand: The gripper.

    Raises:
        GraspdError: If there is none, one is damaged, or gripper or object are not on the stage.
    """
    files = sorted((path for path in folder.glob("capture_*.yaml") if _CAPTURE.fullmatch(path.name)), key=_number)
    if not files:
        raise GraspdError(f"expected capture_0.yaml and so on in {folder}, got none; name the folder of the results")
    results = [_result(path) for path in files]
    of = {(result["gripper_path"], result["object_path"]) for result in results}
    if len(of) > 1:
        raise GraspdError(
            f"expected captures of one gripper and one object in {folder}, got {len(of)} pairs; divide it"
        )
    gripper, obj = (str(path) for path in of.pop())
    found, standing = find_stage_hand(stage, gripper, hand), read_stage_object(stage, obj)
    pairs = list(zip(results, files, strict=True))
    turns = [_xyzw(result, path) for result, path in pairs]
    places = unit_poses([result["gripper_location"] for result in results], turns, str(folder))
    places[:, :3] *= UsdGeom.GetStageMetersPerUnit(stage)
    T_world_palm = compose(places, _root_to_palm(stage, found))
    return GraspRecord(
        hand=hand.name,
        object=standing.rigid.name,
        joint_names=tuple(hand.joint_names),
        T_object_palm=compose(invert(standing.T_world_object), T_world_palm),
        joint_positions=np.array([_joints(result, path, stage, found, hand) for result, path in pairs]),
        notes=(f"poses are relative to {obj} as it stands on the open stage",),
    )


def write_grasping_config(
    file: Path, stage: Usd.Stage, robot: StageHand, standing: StageObject, phases: dict[str, dict[str, float]]
) -> None:
    """Write the extension's configuration: gripper, object, the joints before, and a phase for each further posture.

    It has no place for poses: those are set on its manager, see :func:`gripper_samples`.

    Args:
        file: YAML file to write, all or nothing.
        stage: The stage.
        robot: The gripper.
        standing: The object.
        phases: Joint positions by joint [rad or m], by the phase's name; the first posture is the pregrasp.
    """
    import yaml

    targets = {
        name: {robot.joint_paths[joint]: _in_usd(stage, robot, joint, value) for joint, value in posture.items()}
        for name, posture in phases.items()
    }
    first, *later = targets
    content = {
        "gripper_path": robot.root_path,
        "object_path": standing.prim_path,
        "joint_pregrasp_states": targets[first],
        "grasp_phases": [
            {
                "name": name,
                "simulation_steps": _STEPS,
                "simulation_step_dt": _STEP,
                "joint_drive_targets": targets[name],
            }
            for name in later
        ],
    }
    with atomic_path(file) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def gripper_samples(
    stage: Usd.Stage, robot: StageHand, standing: StageObject, T_object_palm: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return where the gripper's prim stands in each grasp, in the frame of the object's prim and in its units.

    Set them as ``grasp_locations`` and ``grasp_orientations`` of the extension's manager, as Gf.Vec3d and Gf.Quatd.

    Args:
        stage: The stage.
        robot: The gripper.
        standing: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].

    Returns:
        Position, shape [3], and quaternion wxyz, shape [4], of each.
    """
    T_palm_root = invert(_root_to_palm(stage, robot))
    roots = compose(T_object_palm, T_palm_root)
    world = compose(standing.T_world_object, roots)[:, :3] / UsdGeom.GetStageMetersPerUnit(stage)
    T_prim_world = np.linalg.inv(local_to_world(stage.GetPrimAtPath(standing.prim_path)))
    local = world @ T_prim_world[:3, :3].T + T_prim_world[:3, 3]
    return [(position, pose[[6, 3, 4, 5]]) for position, pose in zip(local, roots, strict=True)]


def _number(path: Path) -> int:
    match = _CAPTURE.fullmatch(path.name)
    return int(match[1]) if match else 0


def _result(path: Path) -> dict[str, Any]:
    content = read_yaml(path)
    result = content.get("grasp_result") if isinstance(content, dict) else None
    wanted = {"gripper_path", "object_path", "gripper_location", "gripper_orientation", "joint_states"}
    if not isinstance(result, dict) or not wanted <= result.keys():
        raise GraspdError(f"expected 'grasp_result' with {', '.join(sorted(wanted))} in {path}, got another file")
    return result


def _xyzw(result: dict[str, Any], path: Path) -> list[Any]:
    orientation = result["gripper_orientation"]
    if not isinstance(orientation, dict) or not isinstance(orientation.get("xyz"), list) or "w" not in orientation:
        raise GraspdError(f"expected 'gripper_orientation: {{w: ..., xyz: [...]}}' in {path}, got another")
    return [*orientation["xyz"], orientation["w"]]


def _joints(result: dict[str, Any], path: Path, stage: Usd.Stage, robot: StageHand, hand: Hand) -> np.ndarray:
    states = result["joint_states"] if isinstance(result["joint_states"], dict) else {}
    by_name = {str(joint).rpartition("/")[2]: value for joint, value in states.items()}
    missing = [name for name in hand.joint_names if name not in by_name]
    if missing:
        raise GraspdError(f"expected the joints of {hand.name} in {path}, but {', '.join(missing[:3])} is not there")
    values = numbers([by_name[name] for name in hand.joint_names], str(path), "joint states", (None,))
    return values / [_in_usd(stage, robot, name, 1.0) for name in hand.joint_names]


def _in_usd(stage: Usd.Stage, robot: StageHand, joint: str, value: float) -> float:
    """Return a joint position [rad or m] in USD's units."""
    prim = stage.GetPrimAtPath(robot.joint_paths[joint])
    if prim.IsA(UsdPhysics.RevoluteJoint):
        return math.degrees(value)
    return value / UsdGeom.GetStageMetersPerUnit(stage)


def _root_to_palm(stage: Usd.Stage, robot: StageHand) -> np.ndarray:
    """Return the palm's pose in the frame of the gripper's prim, without its scale [m], shape [7]."""
    matrix = local_to_world(stage.GetPrimAtPath(robot.root_path)).copy()
    matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
    matrix[:3, 3] *= UsdGeom.GetStageMetersPerUnit(stage)
    return compose(invert(matrix_to_pose(matrix)), palm_pose(stage, robot))
