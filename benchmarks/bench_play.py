# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Exported grasps, played: does the object come up as in the lift test? Exits with 1 when that differs too often.

    python benchmarks/bench_play.py [--hands allegro barrett] [--objects soup_can mug] [--grasps 16]

Usable grasps are written with ``graspd convert --to mjcf`` and ``--to usd``. The MJCF models are played in MuJoCo by
``examples/05_play_in_mujoco.py``, against ``mujoco_lift.py``, which builds its models by itself. The USD scenes are
played in PhysX as they are in their files, against the lift test, which makes its stage by itself. ovphysx does not
read time samples of drives: the session that steps it sets the targets from the file, as Isaac Sim does by itself.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
import tyro
from mujoco_lift import DEXGRASPBENCH, MujocoLift
from pxr import Usd

from omni_graspd.dataset.tables import GraspTable, write_grasps
from omni_graspd.formats.conversion import ConvertConfig, convert
from omni_graspd.formats.usd_play import play_folder
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.resting_pieces import write_resting_object
from omni_graspd.scenes.drop import DropConfig, drop_object
from omni_graspd.scenes.grasp_tests.lift import measure_lift
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.surroundings import table_under
from omni_graspd.synthesis.synthesizer import synthesize

MIN_AGREEMENT = 0.95
_EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "05_play_in_mujoco.py"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to play."""

    hands: tuple[str, ...] = ("allegro", "shadow", "barrett")
    """Hands."""
    objects: tuple[str, ...] = ("soup_can", "mug", "squeeze_bottle")
    """Objects; each lies as it comes to rest in its first drop."""
    grasps: int = 7
    """Grasps of each pair; those that are not usable are left out."""
    seed: int = 3
    """Seed of the grasps."""


def compare(hand_name: str, object_name: str, options: Options, folder: Path) -> np.ndarray:
    """Return what lifts, shape [4, usable_count]: MuJoCo test and playback, PhysX test and playback; print."""
    hand = load_hand(hand_name)
    write_resting_object(load_object(object_name), folder / f"{object_name}.usd")
    obj = load_object(str(folder / f"{object_name}.usd"))
    rest = asyncio.run(drop_object(obj, 0, DropConfig(), 0, simulate))
    around, config = table_under(rest.T_world_object), SynthesisConfig()
    batch = asyncio.run(synthesize(hand, obj, range(options.grasps), config, seed=options.seed, surroundings=around))
    usable = np.flatnonzero(batch.usable)
    numbers = np.arange(options.grasps, dtype=np.int32)
    write_grasps(GraspTable(hand.name, object_name, hand.joint_names, numbers, 0, batch, {}), folder / "all.parquet")
    begin = time.process_time()
    for name in ("play.xml", "play.usd"):
        convert(folder / "all.parquet", folder / name, ConvertConfig(object_path=folder / f"{object_name}.usd"))
    cost = (time.process_time() - begin) / max(len(usable), 1)
    test = MujocoLift(hand, obj, obj.convex_pieces, DEXGRASPBENCH)
    physx = asyncio.run(measure_lift(simulate, hand, obj, batch, object_pieces=obj.convex_pieces))
    result = np.array(
        [
            [test.lift(batch, row).lifted for row in usable],
            _played_by_mujoco(folder / "play.xml", usable),
            physx.lifted[usable],
            [_played_by_physx(play_folder(folder / "play.usd") / f"grasp_{row:04d}.usd") for row in usable],
        ],
        dtype=bool,
    ).reshape(4, len(usable))
    _print(f"{hand_name} {object_name}", result, f", {1e3 * cost:.0f} ms CPU to write a grasp")
    return result


def _played_by_mujoco(path: Path, rows: np.ndarray) -> list[bool]:
    spec = importlib.util.spec_from_file_location("play_in_mujoco", _EXAMPLE)
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    model = mujoco.MjModel.from_xml_path(str(path))
    return [example.play(model, mujoco.MjData(model), row) for row in rows]


def _played_by_physx(path: Path) -> bool:
    """Step a scene from its file to its end, and judge the object by what the file says of the lift."""
    stage, config = Usd.Stage.Open(str(path)), LiftConfig()
    duration = stage.GetEndTimeCode() / stage.GetTimeCodesPerSecond()
    watch = SimulateConfig(time_step=config.time_step, max_time=duration, rest_time=np.inf, record_interval=duration)
    result = asyncio.run(simulate(stage, watch))
    first, last = result.poses[[0, -1], result.body_paths.index("/World/lift/object")]
    away = np.linalg.norm(last[:3] - first[:3] - np.array(stage.GetDefaultPrim().GetAttribute("graspd:lift").Get()))
    tilt = 2.0 * np.arccos(min(abs(first[3:] @ last[3:]), 1.0))
    return bool(away <= config.largest_drift and tilt <= config.largest_tilt)


def _print(name: str, lifted: np.ndarray, more: str = "") -> None:
    shares = lifted.mean(axis=1) if lifted.size else np.full(4, np.nan)
    same = [int((lifted[0] == lifted[1]).sum()), int((lifted[2] == lifted[3]).sum())]
    print(
        f"{name}: {lifted.shape[1]} grasps; MuJoCo lifts {shares[0]:.2f}, played {shares[1]:.2f}, same {same[0]}; "
        f"PhysX lifts {shares[2]:.2f}, played {shares[3]:.2f}, same {same[1]}{more}",
        flush=True,
    )


def main(options: Options) -> int:
    """Compare all pairs, and all."""
    found = []
    for hand in options.hands:
        for obj in options.objects:
            with tempfile.TemporaryDirectory(prefix="graspd-") as folder:
                found.append(compare(hand, obj, options, Path(folder)))
    total = np.concatenate(found, axis=1)
    _print("all", total)
    agreement = [(total[0] == total[1]).mean(), (total[2] == total[3]).mean()]
    return int(min(agreement) < MIN_AGREEMENT)


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
