# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where a run's work is done changes nothing in what it writes: this process, worker processes, a Ray cluster."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import trimesh

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.execution import executor
from omni_graspd.dataset.execution.shards import Shard, read_reports
from omni_graspd.dataset.execution.worker_processes import worker_processes
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.stages.pipeline import STAGES, generate
from omni_graspd.errors import GraspdError
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.progress import no_progress
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.synthesis.config import SynthesisConfig

_GRASPS = 130
"""Per rest pose: two whole shards and a rest."""


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> GenerateConfig:
    meshes = tmp_path_factory.mktemp("meshes")
    trimesh.creation.box((0.05, 0.06, 0.07)).export(meshes / "block.ply")
    return GenerateConfig(
        hand=("barrett",),
        object=(str(meshes / "block.ply"),),
        grasps=_GRASPS,
        scenes=2,
        camera=CameraConfig(views=1, width=32, height=24),
        render=RenderConfig(samples_per_pixel=1, denoise=False),
        synthesis=SynthesisConfig(iterations=10, tries=2),
        metrics=MetricsConfig(point_count=300),
        out=tmp_path_factory.mktemp("here") / "out",
    )


@pytest.fixture(scope="module")
def here(config: GenerateConfig) -> dict[str, str]:
    """The bytes of a run in this process."""
    asyncio.run(generate(config))
    return _digests(config.out)


def _digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != "shards.jsonl")
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_worker_processes_write_the_same_bytes(config: GenerateConfig, here: dict[str, str], tmp_path: Path) -> None:
    asyncio.run(generate(replace(config, workers=2, out=tmp_path / "out")))
    assert _digests(tmp_path / "out") == here


def test_every_shard_is_reported_once(config: GenerateConfig, here: dict[str, str]) -> None:
    reports = [
        report for report in read_reports(DatasetLayout(config.out).shard_reports) if report.shard.stage == "synthesize"
    ]
    assert sorted((report.shard.rest_pose, report.shard.start, report.shard.stop) for report in reports) == [
        (rest_pose, start, min(start + 64, _GRASPS)) for rest_pose in (0, 1) for start in range(0, _GRASPS, 64)
    ]
    assert all(report.cpu_seconds > 0.0 and report.peak_memory > 50 for report in reports)


@pytest.mark.parametrize(("grasps", "rest_poses", "processes"), [(64, 8, 2), (16, 8, 0), (16, 32, 2), (1, 64, 0)])
def test_processes_start_by_themselves_where_there_is_enough_to_do(
    config: GenerateConfig, grasps: int, rest_poses: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    shards = [Shard("synthesize", "block", 0, grasps, "barrett", rest_pose) for rest_pose in range(rest_poses)]
    run = SimpleNamespace(config=replace(config, workers=0), device="cpu", backend=SimpleNamespace(name="standalone"))
    assert executor._worker_count(run, shards) == processes


def test_workers_end_with_a_parent_that_is_killed_and_the_run_goes_on(
    config: GenerateConfig, here: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "omni_graspd", "generate", "--hand", "barrett", "--object", config.object[0]]
    command += ["--grasps", str(_GRASPS), "--scenes", "2", "--views", "1", "--camera.width", "32", "--workers", "2"]
    command += ["--camera.height", "24", "--render.samples-per-pixel", "1", "--render.no-denoise", "--out", str(out)]
    command += ["--synthesis.iterations", "10", "--synthesis.tries", "2", "--metrics.point-count", "300"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    parts = DatasetLayout(out).grasp_parts("barrett", "block")
    _wait_for(lambda: any(parts.glob("[!.]*")))
    process.send_signal(signal.SIGKILL)
    process.wait()
    _wait_for(lambda: not _group(process.pid))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    made = _digests(out)
    del made["overview.png"]
    assert made == here


def _wait_for(condition, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def _group(leader: int) -> list[int]:
    """Return the processes of a session that still run."""
    listed = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(leader)], capture_output=True, text=True, check=False)
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if not line.split()[1].startswith("Z")]


def test_a_killed_worker_is_one_line() -> None:
    with pytest.raises(GraspdError, match=r"one was killed.*fewer --workers"), worker_processes(2) as pool:
        pool.submit(_kill_self).result()


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_ray_is_named_where_it_is_not_installed(
    config: GenerateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omni_graspd.dataset.execution import ray_executor

    monkeypatch.setattr(ray_executor, "find_spec", lambda name: None)
    with pytest.raises(GraspdError, match=r"pip install 'omni-graspd\[ray\]'"):
        asyncio.run(generate(replace(config, executor="ray", out=tmp_path / "out")))


def test_ray_starts_by_itself_where_no_cluster_is_named(
    config: GenerateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    few = replace(config, grasps=2, scenes=1)
    asyncio.run(generate(replace(few, executor="ray", workers=1, out=tmp_path / "ray")))
    asyncio.run(generate(replace(few, out=tmp_path / "here")))
    assert _digests(tmp_path / "ray") == _digests(tmp_path / "here")


def test_a_ray_cluster_that_loses_a_node_writes_the_same_bytes(
    config: GenerateConfig, here: dict[str, str], tmp_path: Path
) -> None:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        ray.init(address=cluster.address, log_to_driver=False)  # first: it may join any node of this machine
        lost = cluster.add_node(num_cpus=1)
        assert sum(node["Alive"] for node in ray.nodes()) == 2
        out = tmp_path / "out"
        parts = DatasetLayout(out).grasp_parts("barrett", "block")

        async def lose_a_node() -> None:
            while not any(parts.glob("[!.]*")):
                await asyncio.sleep(0.02)
            assert not DatasetLayout(out).grasps("barrett", "block").is_file()
            await asyncio.to_thread(cluster.remove_node, lost, allow_graceful=False)

        async def make() -> None:
            with open_run(replace(config, executor="ray", out=out)) as run:
                for name in ("settle", "synthesize"):
                    await STAGES[name](run, no_progress)

        async def both() -> None:
            await asyncio.gather(make(), lose_a_node())

        asyncio.run(both())
        _wait_for(lambda: sum(node["Alive"] for node in ray.nodes()) == 1)  # the cluster takes a moment to notice
        made = _digests(out)
        made = {name: digest for name, digest in made.items() if "/" in name}
        assert "grasps/barrett/block.parquet" in made
        assert made.items() <= here.items()
    finally:
        ray.shutdown()
        cluster.shutdown()
