# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A file system of 30 MB that fills up, one that cannot be written to, and two runs in one folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dataset_bytes import dataset_digests
from small_dataset import small_config

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.lock import exclusive
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.errors import GraspdError
from omni_graspd.rendering.cameras import CameraConfig

_CHANGING = ("dataset.json", "checksums.parquet", "shards.jsonl", "index.parquet")


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> GenerateConfig:
    return small_config(
        tmp_path_factory.mktemp("full"), grasps=130, scenes=2, camera=CameraConfig(views=2, width=160, height=120)
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 30 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture(scope="module")
def unbroken(config: GenerateConfig, tmp_path_factory) -> dict[str, str]:
    """The bytes of a run with room enough."""
    out = tmp_path_factory.mktemp("unbroken") / "out"
    asyncio.run(generate(replace(config, out=out)))
    return dataset_digests(out)


def _leave_free(disk: Path, size: int) -> Path:
    """Fill a disk with one file so that so many bytes are left."""
    status, ballast = os.statvfs(disk), disk / "ballast"
    with ballast.open("wb") as file:
        file.write(b"\1" * (status.f_bavail * status.f_frsize - size))
    return ballast


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_fills_up_is_one_line_and_the_run_goes_on(
    config: GenerateConfig, unbroken: dict[str, str], small_disk: Path, workers: int
) -> None:
    run = replace(config, out=small_disk / "out", workers=workers)
    stopped_with = set()
    for free in (4_000, 200_000, 700_000, 1_300_000) if workers == 1 else (400_000,):
        ballast = _leave_free(small_disk, free)
        with pytest.raises(GraspdError, match=r"No space left on device.*free some space") as stopped:
            asyncio.run(generate(run))
        assert "\n" not in str(stopped.value)
        ballast.unlink()
        there = dataset_digests(run.out) if run.out.exists() else {}
        for name, digest in there.items():
            assert name in _CHANGING or ".parts/" in name or digest == unbroken[name]
        assert not [name for name in there if "/.partial-" in f"/{name}"]
        stopped_with.add(len(there))
    assert len(stopped_with) == (4 if workers == 1 else 1)  # at another place each time
    asyncio.run(generate(run))
    assert dataset_digests(run.out) == unbroken


def test_a_folder_that_cannot_be_written_to_is_one_line(config: GenerateConfig, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for out in (small_disk / "out", small_disk):
        with pytest.raises(GraspdError, match=r"Read-only file system.*choose a writable folder with --out") as stopped:
            asyncio.run(generate(replace(config, out=out)))
        assert "\n" not in str(stopped.value)


def test_two_runs_in_one_folder_are_one_line_for_the_second(config: GenerateConfig, tmp_path: Path) -> None:
    with exclusive(tmp_path), pytest.raises(GraspdError, match=r"another graspd is at work in"):
        asyncio.run(generate(replace(config, out=tmp_path)))
    assert not list(tmp_path.iterdir())
