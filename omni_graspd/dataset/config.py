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
    """Hand: built-in name, USD file, or glob; give it again for more. Default: allegro."""
    object: tuple[str, ...] = ()
    """Object: built-in or own name, mesh or USD file, or glob; again for more. Default: three built-in ones."""
    around: Around = "table"
    """What hands have to keep clear of: table makes grasps of the object as it rests in its scenes, a set for each rest
    pose; nothing makes one set of grasps of a floating object, as the paper does."""
    grasps: int = 16
    """Grasps per hand, object and rest pose; per hand and object with --around nothing."""
    scenes: int = 2
    """Scenes per object; in each the object is dropped anew. Objects lie as they come to rest, so that more scenes find
    more rest poses."""
    shown_grasp: ShownGrasp = "none"
    """Hand in the images: none, the grasp that holds best, or each view another one, best first. Only usable ones;
    with --around nothing those that do not hit the table. The scene files have no hand."""
    seed: int = 0
    """Seed of everything random; the same seed makes the same dataset."""
    out: Path = Path("graspd_out")
    """Dataset folder, or s3://bucket/name; what is there already is not made again. With more grasps, scenes, views,
    hands or objects than there are, only those are made."""
    work: Path | None = None
    """Local folder in which a dataset with an s3:// address is made, all of it; by default one of the user's."""
    device: str = "cpu"
    """Where grasps are computed: cpu, cuda:0, ...; auto takes the first GPU, else the CPU. Not yet tried on a GPU."""
    executor: ExecutorName = "local"
    """Where the work is done: on this machine, or on a Ray cluster that sees the dataset folder. The results do not
    depend on it."""
    workers: int = 1
    """Worker processes on this machine; 1: this process only, on all cores by threads; 0: one per core where there is
    enough to do. A script that asks for others than 1 needs `if __name__ == "__main__":`."""
    address: str = ""
    """Ray cluster, as in ray.init; without one, the one that RAY_ADDRESS names, or else a new one on this machine."""
    backend: BackendName = "auto"
    """What simulates and renders."""
    intake: ObjectReaderConfig = field(default_factory=ObjectReaderConfig)
    """Intake of object files: units, mass, repair; objects in the library are read as they are."""
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    """Synthesis of grasps."""
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    """Metrics of grasps."""
    drop: DropConfig = field(default_factory=DropConfig)
    """Drop of objects on the table."""
    scene: SceneConfig = field(default_factory=SceneConfig)
    """Look of scenes."""
    camera: CameraConfig = field(default_factory=CameraConfig)
    """Views of scenes."""
    render: RenderConfig = field(default_factory=RenderConfig)
    """Rendering."""

    def __post_init__(self) -> None:
        """Check the counts."""
        for name, least in (("grasps", 1), ("scenes", 0), ("seed", 0), ("workers", 0)):
            if getattr(self, name) < least:
                raise GraspdError(f"expected {name} to be {least} or more, got {getattr(self, name)}")
        if self.around == "table" and not self.scenes:
            raise GraspdError(
                "expected scenes to be 1 or more where grasps are made on a table, got 0; give --scenes 1, or "
                "--around nothing for grasps of a floating object"
            )
        if self.around == "table" and self.grasps > LARGEST_COUNT:
            raise GraspdError(f"expected grasps to be {LARGEST_COUNT} or fewer per rest pose, got {self.grasps}")
        if self.seed >= 2**63:
            raise GraspdError(f"expected seed to be below 2**63, as tables keep it, got {self.seed}")
