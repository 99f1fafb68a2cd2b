# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Play exported grasps in MuJoCo, with nothing but MuJoCo and NumPy: which lift the object?

graspd convert graspd_out/scenes/mug/scene_0000.grasps.parquet mug.xml --where usable
python examples/05_play_in_mujoco.py mug.xml            # all grasps, as fast as it goes
python examples/05_play_in_mujoco.py mug.xml 3          # grasp 3, in a window
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable

import mujoco
import numpy as np

STATIONS = ("pregrasp", "hover", "grasp", "squeeze", "lift")


def play(model: mujoco.MjModel, data: mujoco.MjData, grasp: int, after_step: Callable[[], None] = lambda: None) -> bool:
    """Play a grasp from keyframe to keyframe; return whether the object is up at the end, and as upright as it was."""
    keys = [model.key(f"{name}_{grasp:04d}") for name in STATIONS]
    mujoco.mj_resetDataKeyframe(model, data, keys[0].id)
    for now, then in itertools.pairwise(keys):
        while data.time < then.time[0]:
            share = (data.time - now.time[0]) / (then.time[0] - now.time[0])
            data.ctrl[:] = now.ctrl + share * (then.ctrl - now.ctrl)
            data.mocap_pos[:] = now.mpos + share * (then.mpos - now.mpos)
            data.mocap_quat[:] = now.mquat + share * (then.mquat - now.mquat)  # MuJoCo makes it a unit quaternion
            mujoco.mj_step(model, data)
            after_step()
    return is_lifted(model, data, keys[-1].qpos)


def is_lifted(model: mujoco.MjModel, data: mujoco.MjData, expected: np.ndarray) -> bool:
    """Tell whether the object is within 5 cm and 15 degrees of where a keyframe has it, as in DexGraspBench."""
    body, start = model.body("object"), model.joint("object").qposadr[0]
    aim = mujoco.MjData(model)
    aim.qpos[:] = expected
    mujoco.mj_kinematics(model, aim)
    mujoco.mj_comPos(model, aim)
    away = np.linalg.norm(data.xipos[body.id] - aim.xipos[body.id])
    cosine = abs(data.qpos[start + 3 : start + 7] @ expected[start + 3 : start + 7])
    return bool(away < 0.05 and 2.0 * np.arccos(min(cosine, 1.0)) < np.radians(15.0))


def main(path: str, grasp: int | None = None) -> int:
    """Play one grasp in a window, or all; return how many lift the object."""
    model = mujoco.MjModel.from_xml_path(path)
    data = mujoco.MjData(model)
    names = [model.key(index).name for index in range(model.nkey)]
    numbers = [int(name.removeprefix("lift_")) for name in names if name.startswith("lift_")]
    if grasp is not None and grasp not in numbers:
        raise SystemExit(f"expected a grasp among {', '.join(map(str, numbers))}, got {grasp}")
    if grasp is not None:
        from mujoco.viewer import launch_passive

        with launch_passive(model, data) as viewer:

            def show() -> None:
                viewer.sync()
                time.sleep(model.opt.timestep)

            lifted = play(model, data, grasp, show)
            print("lifted" if lifted else "not lifted")
            return int(lifted)
    lifted = [number for number in numbers if play(model, data, number)]
    print(f"{len(lifted)} of {len(numbers)} grasps lift the object: {', '.join(map(str, lifted))}")
    return len(lifted)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Play exported grasps in MuJoCo: which lift the object?")
    parser.add_argument("model", help="what graspd convert --to mjcf wrote")
    parser.add_argument("grasp", type=int, nargs="?", help="number of one grasp to show in a window")
    options = parser.parse_args()
    main(options.model, options.grasp)
