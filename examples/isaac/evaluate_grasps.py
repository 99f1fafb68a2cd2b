# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Try the best grasp of an object on your stage in physics, with Isaac Sim's own isaacsim.replicator.grasping.

Paste it into the Script Editor, with that extension and omni.graspd enabled. Its configuration has joints and phases
for all poses at once, so it is written for one grasp; it has no place for poses, which are set on its manager.
Not yet run in Isaac Sim.
"""

import asyncio
from pathlib import Path

from isaacsim.replicator.grasping.grasping_manager import GraspingManager
from pxr import Gf

from omni_graspd.formats.replicator_grasping import gripper_samples, read_captures, write_grasping_config
from omni_graspd.kit import grasp_on_stage
from omni_graspd.scenes.stage_hand import find_stage_hand


async def evaluate() -> None:
    """Find grasps, have the best one tried, and print the palm's pose of what held."""
    grasps = await grasp_on_stage("allegro", "/World/Box", 16, robot="/World/Robot")
    robot, best = find_stage_hand(grasps.stage, "/World/Robot", grasps.hand), grasps.good[:1]
    phases = {moment: grasps.joints(best[0], moment) for moment in ("pregrasp", "grasp", "squeeze")}
    config, results = Path("/data/grasping.yaml"), Path("/data/captures")
    write_grasping_config(config, grasps.stage, robot, grasps.standing, phases)
    manager = GraspingManager()
    manager.load_config(str(config))
    samples = gripper_samples(grasps.stage, robot, grasps.standing, grasps.batch.T_object_palm[best])
    manager.grasp_locations = [Gf.Vec3d(*position.tolist()) for position, _ in samples]
    manager.grasp_orientations = [Gf.Quatd(*quaternion.tolist()) for _, quaternion in samples]
    manager.set_results_output_dir(str(results))
    await manager.evaluate_grasp_poses(manager.get_grasp_poses(in_world_frame=True))
    print(read_captures(results, grasps.stage, grasps.hand).T_object_palm)


running = asyncio.ensure_future(evaluate())  # noqa: RUF006 the Script Editor keeps names
