# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shards: the pieces of work of a run, and what is noted of each that was done."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

ShardStage = Literal["settle", "synthesize", "place", "render"]

WHOLE_SHARD: dict[ShardStage, int] = {"settle": 8, "synthesize": 64, "place": 8, "render": 8}
"""Scenes or grasps of a whole shard on the CPU; the last of an object or rest pose may have fewer."""


_ON_CUDA = 1024


def grasp_shard_size(device: str) -> int:
    """Return how many grasps are computed together, and lost together when a run is killed; results do not change.

    Args:
        device: Device that computes them.
    """
    return _ON_CUDA if device.startswith("cuda") else WHOLE_SHARD["synthesize"]


@dataclass(frozen=True)
class Shard:
    """A piece of a run. What it writes depends on the configuration and the seed only, not on where it is done."""

    stage: ShardStage
    """Stage."""
    object: str
    """Name of the object."""
    start: int
    """First grasp of the rest pose, or first scene."""
    stop: int
    """The one after the last."""
    hand: str = ""
    """Name of the hand; empty for scenes and images, which are those of all hands."""
    rest_pose: int = 0
    """Rest pose in which the object is grasped; 0 for floating objects, scenes and images."""


@dataclass(frozen=True)
class ShardReport:
    """What a shard took."""

    shard: Shard
    """The shard."""
    seconds: float
    """Wall time [s]."""
    cpu_seconds: float
    """Time of all threads of the process that did it [s]."""
    peak_memory: int
    """Most memory that this process has had by then [MB]."""

    @property
    def line(self) -> str:
        """All of it for people, in one line."""
        shard = self.shard
        by = f" by {shard.hand}, rest pose {shard.rest_pose}," if shard.hand else ""
        took = f"{self.seconds:.1f} s, {self.cpu_seconds:.1f} s of processor time, {self.peak_memory} MB"
        return f"{shard.stage} {shard.object}{by} {shard.start} to {shard.stop - 1}: {took}"


class ShardClock:
    """Measures one shard from now on."""

    def __init__(self, shard: Shard) -> None:
        self._shard, self._wall, self._cpu = shard, time.perf_counter(), time.process_time()

    def report(self) -> ShardReport:
        """Return what the shard took up to now."""
        return ShardReport(
            self._shard,
            seconds=round(time.perf_counter() - self._wall, 3),
            cpu_seconds=round(time.process_time() - self._cpu, 3),
            peak_memory=_peak_memory(),
        )


def note_report(report: ShardReport, path: Path) -> None:
    """Append a report to a file of one JSON object a line."""
    content = asdict(report.shard) | {key: value for key, value in asdict(report).items() if key != "shard"}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(content) + "\n")


def read_reports(path: Path) -> list[ShardReport]:
    """Read what was noted; a line that a killed run left unfinished is left out, and so are all without a file."""
    reports = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            content = json.loads(line)
            rest_pose = content.pop("rest_pose", 0)  # runs before there were rest poses did not say
            names = ("stage", "object", "start", "stop", "hand")
            shard = Shard(**{key: content.pop(key) for key in names}, rest_pose=rest_pose)
            reports.append(ShardReport(shard, **content))
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
    return reports


def _peak_memory() -> int:
    """Return the most memory that this process has had [MB]; 0 where the system does not say (Windows)."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)
