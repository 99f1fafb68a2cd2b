# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where a run's work is done changes nothing in what it writes: this process, worker processes, a Ray cluster."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from dataset_bytes import dataset_digests
from small_dataset import QUICK_OPTIONS, small_config

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.execution import executor, ray_driver
from omni_graspd.dataset.execution.shards import WHOLE_SHARD, Shard, read_reports
from omni_graspd.dataset.execution.worker_processes import worker_processes
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.stages.pipeline import STAGES, generate
from omni_graspd.errors import GraspdError
from omni_graspd.interrupts import held_interrupts
from omni_graspd.progress import no_progress
from omni_graspd.scenes.scene_writer import SceneConfig

_SHARD, _GRASPS = 4, 9
"""Per rest pose: two whole shards and a rest."""


@pytest.fixture(scope="module", autouse=True)
def _small_shards() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(WHOLE_SHARD, "synthesize", _SHARD)
        yield


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> GenerateConfig:
    return small_config(tmp_path_factory.mktemp("here"), grasps=_GRASPS, scenes=2, scene=SceneConfig())


@pytest.fixture(scope="module")
def here(config: GenerateConfig) -> dict[str, str]:
    """The bytes of a run in this process."""
    asyncio.run(generate(config))
    return dataset_digests(config.out)


@pytest.mark.slow
def test_worker_processes_write_the_same_bytes(config: GenerateConfig, here: dict[str, str], tmp_path: Path) -> None:
    asyncio.run(generate(replace(config, workers=2, out=tmp_path / "out")))
    assert dataset_digests(tmp_path / "out") == here


@pytest.mark.slow
def test_every_shard_is_reported_once(config: GenerateConfig, here: dict[str, str]) -> None:
    reports = [
        report for report in read_reports(DatasetLayout(config.out).shard_reports) if report.shard.stage == "synthesize"
    ]
    assert sorted((report.shard.rest_pose, report.shard.start, report.shard.stop) for report in reports) == [
        (rest_pose, start, min(start + _SHARD, _GRASPS)) for rest_pose in (0, 1) for start in range(0, _GRASPS, _SHARD)
    ]
    assert all(report.cpu_seconds > 0.0 and report.peak_memory > 50 for report in reports)


@pytest.mark.parametrize(("grasps", "rest_poses", "processes"), [(64, 8, 2), (16, 8, 0), (16, 32, 2), (1, 64, 0)])
def test_processes_start_by_themselves_where_there_is_enough_to_do(
    config: GenerateConfig, grasps: int, rest_poses: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setitem(WHOLE_SHARD, "synthesize", 64)
    shards = [Shard("synthesize", "block", 0, grasps, "barrett", rest_pose) for rest_pose in range(rest_poses)]
    run = SimpleNamespace(config=replace(config, workers=0), device="cpu", backend=SimpleNamespace(name="standalone"))
    assert executor._worker_count(run, shards) == processes


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed_and_the_run_goes_on(
    config: GenerateConfig, here: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    program = "from omni_graspd.dataset.execution.shards import WHOLE_SHARD\n"
    program += f"WHOLE_SHARD['synthesize'] = {_SHARD}\n"
    program += "from omni_graspd.cli.main import main\nmain()"
    command = [sys.executable, "-c", program, "generate", "--hand", "barrett", "--object", config.object[0]]
    command += ["--grasps", str(_GRASPS), "--scenes", "2", "--views", "1", "--mono", "--workers", "2"]
    command += ["--camera.width", "32", "--camera.height", "24", *QUICK_OPTIONS]
    command += ["--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    parts = DatasetLayout(out).grasp_parts("barrett", "block")
    _wait_for(lambda: any(parts.glob("[!.]*")))
    process.send_signal(signal.SIGKILL)
    process.wait()
    _wait_for(lambda: not _group(process.pid))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    made = dataset_digests(out)
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "moment", "code"),
    [
        *((signal.SIGINT, moment, 130) for moment in (0.3, 1.0, 2.5, 4.0)),
        *((signal.SIGTERM, moment, 143) for moment in (1.0, 4.0)),
    ],
)
def test_a_signal_ends_a_run_and_its_workers_while_they_start(
    number: signal.Signals, moment: float, code: int, tmp_path: Path
) -> None:
    # Where the tests run in the background, their processes ignore Ctrl-C, but not SIGTERM.
    heeds = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " if number == signal.SIGINT else ""
    )
    script = heeds + "from omni_graspd.cli.main import main; main()"
    options = ["generate", "--object", "mug", "--object", "soup_can", "--grasps", "64", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-c", script, *options, "--out", str(tmp_path / "out")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(moment)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    # Five seconds on a machine that is free; here two tests run at a time.
    try:
        error = process.communicate(timeout=30.0)[1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == code
    assert error.splitlines()[-1].startswith("stopped; ")
    _wait_for(lambda: not _group(process.pid), 5.0)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, in a test run that was started in the background, too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_waits_where_it_is_held_back() -> None:
    with pytest.raises(KeyboardInterrupt):
        try:
            with held_interrupts():
                signal.raise_signal(signal.SIGINT)
                reached = True
        finally:
            assert reached


@pytest.mark.slow
def test_a_killed_worker_is_one_line() -> None:
    with pytest.raises(GraspdError, match=r"worker process was killed.*fewer --workers"), worker_processes(2) as pool:
        pool.submit(signal.raise_signal, signal.SIGKILL).result()


def test_ray_is_named_where_it_is_not_installed(
    config: GenerateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_driver, "find_spec", lambda name: None)
    with pytest.raises(GraspdError, match=r"pip install 'omni-graspd\[ray\]'"):
        asyncio.run(generate(replace(config, executor="ray", out=tmp_path / "out")))


@pytest.mark.parametrize(("address", "expected"), [("", "local"), ("somewhere:6379", "somewhere:6379")])
def test_only_a_cluster_that_was_named_is_joined(address: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ray, given = pytest.importorskip("ray"), {}
    monkeypatch.setattr(ray_driver, "_knock", lambda address: None)
    monkeypatch.setattr(ray, "init", lambda **options: given.update(options))
    ray_driver._connect(address, 2)
    assert given["address"] == expected
    assert given.get("num_cpus") == (None if address else 2)


def test_an_address_at_which_nobody_listens_is_one_line_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "init", lambda **options: pytest.fail("Ray would try for minutes"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "{}:{}".format(*server.getsockname())
    for named in (address, f"ray://{address}"):
        with pytest.raises(GraspdError, match=rf"cannot reach a Ray cluster at {named}: Connection refused; start one"):
            ray_driver._connect(named, 2)


@pytest.mark.slow
def test_a_driver_that_is_interrupted_ends_with_all_that_it_started() -> None:
    pytest.importorskip("ray")
    with pytest.raises(KeyboardInterrupt), ray_driver.ray_driver() as driver:
        program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
        start = (os.spawnl, os.P_NOWAIT, sys.executable, sys.executable, "-c", program)
        child = driver._pool.submit(*start).result()
        assert _is_at_work(child)
        raise KeyboardInterrupt
    _wait_for(lambda: not _is_at_work(child), 5.0)


def _is_at_work(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE  # nobody waits for one whose parent is gone
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
def test_ray_starts_by_itself_where_no_cluster_is_named(
    config: GenerateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    # Every stage would start a cluster; this one is enough.
    settled = replace(config, out=tmp_path / "here")
    _stages(settled, "settle")
    shutil.copytree(settled.out, tmp_path / "ray")
    _stages(settled, "synthesize")
    _stages(replace(settled, executor="ray", workers=1, out=tmp_path / "ray"), "synthesize")
    assert dataset_digests(tmp_path / "ray") == dataset_digests(tmp_path / "here")


def _stages(config: GenerateConfig, *names: str) -> None:
    with open_run(config) as run:
        for name in names:
            asyncio.run(STAGES[name](run, no_progress))


@pytest.mark.slow
def test_a_ray_cluster_that_loses_a_node_writes_the_same_bytes(
    config: GenerateConfig, here: dict[str, str], tmp_path: Path
) -> None:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        # Processes of this machine join a node at the address of the one that came last: not the one that will be lost.
        lost = cluster.add_node(num_cpus=1, node_ip_address="127.0.0.2")
        cluster.add_node(num_cpus=0)
        ray.init(address=cluster.address, log_to_driver=False)
        assert sum(node["Alive"] for node in ray.nodes()) == 3
        out = tmp_path / "out"
        parts = DatasetLayout(out).grasp_parts("barrett", "block")

        async def lose_a_node() -> None:
            while not any(parts.glob("[!.]*")):
                await asyncio.sleep(0.02)
            assert not DatasetLayout(out).grasps("barrett", "block").is_file()
            await asyncio.to_thread(cluster.remove_node, lost, allow_graceful=False)

        async def both() -> None:
            await asyncio.gather(generate(replace(config, executor="ray", out=out)), lose_a_node())

        asyncio.run(both())
        _wait_for(lambda: sum(node["Alive"] for node in ray.nodes()) == 2)  # the cluster takes a moment to notice
        assert dataset_digests(out) == here
    finally:
        ray.shutdown()
        cluster.shutdown()
