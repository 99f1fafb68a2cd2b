# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Replay grasps of a dataset in Isaac Lab: one per environment, closed around the object in the air, then lifted.

    graspd generate --hand allegro --object mug --grasps 16 --out set      # with any Python
    graspd convert set --to isaac_grasp --out grasps
    ./isaaclab.sh -p isaac_lab_replay.py grasps/FILE.yaml set/hands/allegro.usd set/objects/mug.usd

The script reads plain files and needs nothing of omni_graspd. Written against the source of Isaac Lab 2.3 (Isaac Sim
5.1), with the names and quaternions that version 3 has changed; not yet run in either.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PHASES = (("open", 60), ("close", 120), ("squeeze", 120), ("lift", 120))
"""Name and length [step] of each part of a replay."""
SQUEEZE = 0.3
"""How far the targets go on beyond the grasp, as a share of the way from the open hand."""
LIFT = 0.1
"""How far the hand rises [m]."""
HEIGHT = 0.5
"""Where the object is [m]."""


def read_grasps(path: Path) -> list[dict[str, Any]]:
    """Return the grasps of a file, best confidence first."""
    import yaml

    grasps = yaml.safe_load(path.read_text(encoding="utf-8"))["grasps"]
    return sorted(grasps.values(), key=lambda grasp: -grasp["confidence"])


def targets(grasp: Mapping[str, Any], names: Sequence[str], phase: str) -> list[float]:
    """Return the joint targets [rad or m] of a phase, in the order of names; joints that the file lacks stay at 0."""
    opened = [grasp["pregrasp_cspace_position"].get(name, 0.0) for name in names]
    closed = [grasp["cspace_position"].get(name, 0.0) for name in names]
    share = {"open": 0.0, "close": 1.0}.get(phase, 1.0 + SQUEEZE)
    return [start + share * (end - start) for start, end in zip(opened, closed, strict=True)]


def palm_pose(grasp: Mapping[str, Any], phase: str, share: float) -> list[float]:
    """Return the palm's pose in its environment, position [m] and quaternion w, x, y, z; the object is not turned."""
    x, y, z = grasp["position"]
    rise = LIFT * share if phase == "lift" else 0.0
    return [x, y, z + HEIGHT + rise, grasp["orientation"]["w"], *grasp["orientation"]["xyz"]]


def steps() -> Iterator[tuple[str, float]]:
    """Yield the phase of each step, and how much of it is over."""
    for phase, count in PHASES:
        for step in range(count):
            yield phase, (step + 1) / count


def place(asset: Any, poses: Any) -> None:
    """Put the roots of an asset at poses with quaternions w, x, y, z, shape [environment_count, 7], at rest.

    Version 3 has x, y, z, w.
    """
    import torch

    still = torch.zeros_like(poses[:, :6])
    if hasattr(asset, "write_root_pose_to_sim_index"):
        asset.write_root_pose_to_sim_index(root_pose=poses[:, [0, 1, 2, 4, 5, 6, 3]])
        asset.write_root_velocity_to_sim_index(root_velocity=still)
    else:
        asset.write_root_pose_to_sim(poses)
        asset.write_root_velocity_to_sim(still)


def aim(robot: Any, positions: Any) -> None:
    """Set the targets of all joints, shape [environment_count, joint_count]."""
    if hasattr(robot, "set_joint_position_target_index"):
        robot.set_joint_position_target_index(target=positions)
    else:
        robot.set_joint_position_target(positions)


def scene_config(hand_file: Path, object_file: Path, count: int) -> Any:
    """Return the scene: one hand and one object in each environment, neither drawn by gravity."""
    import isaaclab.sim as sim_utils
    from isaaclab.actuators import ImplicitActuatorCfg
    from isaaclab.assets import ArticulationCfg, AssetBaseCfg, RigidObjectCfg
    from isaaclab.scene import InteractiveSceneCfg
    from isaaclab.utils import configclass

    floating = sim_utils.RigidBodyPropertiesCfg(disable_gravity=True)

    @configclass
    class ReplaySceneCfg(InteractiveSceneCfg):
        light = AssetBaseCfg(prim_path="/World/Light", spawn=sim_utils.DomeLightCfg(intensity=2000.0))
        hand = ArticulationCfg(
            prim_path="{ENV_REGEX_NS}/Hand",
            spawn=sim_utils.UsdFileCfg(usd_path=str(hand_file.resolve()), rigid_props=floating),
            # Stiffness and damping are those of the drives in the hand's file.
            actuators={"joints": ImplicitActuatorCfg(joint_names_expr=[".*"], stiffness=None, damping=None)},
        )
        object = RigidObjectCfg(
            prim_path="{ENV_REGEX_NS}/Object",
            spawn=sim_utils.UsdFileCfg(usd_path=str(object_file.resolve()), rigid_props=floating),
            init_state=RigidObjectCfg.InitialStateCfg(pos=(0.0, 0.0, HEIGHT)),
        )

    return ReplaySceneCfg(num_envs=count, env_spacing=1.0)


def replay(scene: Any, sim: Any, grasps: Sequence[Mapping[str, Any]]) -> int:
    """Play all grasps at once; return how many objects rose with the hand."""
    import torch

    hand, obj, names = scene["hand"], scene["object"], list(scene["hand"].joint_names)
    origins = scene.env_origins

    def palms(phase: str, share: float) -> Any:
        poses = torch.tensor([palm_pose(grasp, phase, share) for grasp in grasps], device=scene.device)
        poses[:, :3] += origins
        return poses

    for phase, share in steps():
        aim(hand, torch.tensor([targets(grasp, names, phase) for grasp in grasps], device=scene.device))
        place(hand, palms(phase, share))
        scene.write_data_to_sim()
        sim.step()
        scene.update(sim.get_physics_dt())
    position = getattr(obj.data.root_pos_w, "torch", obj.data.root_pos_w)
    risen = position[:, 2] - origins[:, 2] - HEIGHT
    return int((risen > LIFT / 2).sum())


def main() -> None:
    """Start Isaac Sim, build the scene, replay."""
    from isaaclab.app import AppLauncher

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("grasps", type=Path, help="isaac_grasp YAML")
    parser.add_argument("hand", type=Path, help="the hand's USD file")
    parser.add_argument("object", type=Path, help="the object's USD file")
    parser.add_argument("--num_envs", type=int, default=16, help="grasps to replay")
    AppLauncher.add_app_launcher_args(parser)
    options = parser.parse_args()
    app = AppLauncher(options).app

    import isaaclab.sim as sim_utils
    from isaaclab.scene import InteractiveScene

    grasps = read_grasps(options.grasps)[: options.num_envs]
    sim = sim_utils.SimulationContext(sim_utils.SimulationCfg(dt=1.0 / 120.0, device=options.device))
    scene = InteractiveScene(scene_config(options.hand, options.object, len(grasps)))
    sim.reset()
    print(f"{replay(scene, sim, grasps)} of {len(grasps)} objects rose with the hand")
    app.close()


if __name__ == "__main__":
    main()
