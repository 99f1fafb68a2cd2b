# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The configuration of a whole dataset; the command line is made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from omni_graspd.backend import BackendName
from omni_graspd.dataset.grasp_numbers import LARGEST_COUNT
from omni_graspd.errors import GraspdError
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.objects.object_reader import ObjectReaderConfig
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.scenes.drop import DropConfig
from omni_graspd.scenes.scene_writer import SceneConfig
from omni_graspd.synthesis.config import SynthesisConfig

ExecutorName = Literal["local", "ray"]
ShownGrasp = Literal["none", "best", "each"]
Around = Literal["table", "nothing"]


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """What to make: which hands and objects, how many grasps, scenes and views, and where to."""

    hand: tuple[str, ...] = ()
    """Hands: names, USD files or globs (default: allegro)."""
    object: tuple[str, ...] = ()
    """Objects: names, mesh or USD files, or globs (default: three built-in ones)."""
    around: Around = "table"
    """Grasp objects resting on the table, with a set of grasps per rest pose, or floating objects (nothing), as in the
    paper."""
    grasps: int = 16
    """Grasps per hand, object and rest pose; with --around nothing, per hand and object."""
    scenes: int = 2
    """Scenes per object; each drops the object again, so more scenes find more rest poses."""
    shown_grasp: ShownGrasp = "none"
    """Hand shown in the images: none, the best grasp, or a different grasp in each view, best first. Only usable grasps
    are shown; with --around nothing, those that clear the table. Scene files never contain a hand."""
    seed: int = 0
    """Random seed; the same seed makes the same dataset."""
    out: Path = Path("graspd_out")
    """Dataset folder, or s3://bucket/name; anything already there is kept. If it has fewer grasps, scenes, views, hands
    or objects than requested, only the missing ones are made."""
    work: Path | None = None
    """Local working folder for a dataset with an s3:// address; it holds the whole dataset. Default: below
    GRASPD_HOME."""
    device: str = "cpu"
    """Device that computes grasps: cpu, cuda:0 or auto; auto: the first GPU, if any."""
    executor: ExecutorName = "local"
    """Where the work runs: on this machine, or on a Ray cluster that can access the dataset folder. The results are the
    same."""
    workers: int = 0
    """Worker processes, 0 for one per core if there is enough to do; 1: this process only, with threads on all cores.
    With any number but 1, a script needs `if __name__ == "__main__":`."""
    address: str = ""
    """Address of the Ray cluster, as for ray.init. Default: the one in RAY_ADDRESS, otherwise a new one on this
    machine."""
    backend: BackendName = "auto"
    """What simulates and renders: standalone, or kit inside Isaac Sim; auto picks the one available."""
    intake: ObjectReaderConfig = field(default_factory=ObjectReaderConfig)
    """How object files are read: units, mass, repair; objects in the library are used as they are."""
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    """Grasp synthesis."""
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    """Grasp metrics."""
    drop: DropConfig = field(default_factory=DropConfig)
    """Dropping objects on the table."""
    scene: SceneConfig = field(default_factory=SceneConfig)
    """Scene appearance."""
    camera: CameraConfig = field(default_factory=CameraConfig)
    """Camera views."""
    render: RenderConfig = field(default_factory=RenderConfig)
    """Rendering."""

    def __post_init__(self) -> None:
        """Check the counts."""
        for name, least in (("grasps", 1), ("scenes", 0), ("seed", 0), ("workers", 0)):
            if getattr(self, name) < least:
                raise GraspdError(f"expected {name} to be {least} or more, got {getattr(self, name)}")
        if self.around == "table" and not self.scenes:
            raise GraspdError(
                "expected scenes to be 1 or more for grasps on a table, got 0; pass --scenes 1, or --around nothing "
                "for grasps of a floating object"
            )
        if self.around == "table" and self.grasps > LARGEST_COUNT:
            raise GraspdError(f"expected grasps to be at most {LARGEST_COUNT} per rest pose, got {self.grasps}")
        if self.seed >= 2**63:
            raise GraspdError(f"expected seed to be below 2**63, the largest a table can store, got {self.seed}")
