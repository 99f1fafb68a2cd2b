# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where everything lies in a dataset folder."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from omni_graspd.errors import GraspdError


@dataclass(frozen=True)
class DatasetLayout:
    """Paths below one dataset folder; nothing is touched on disk."""

    root: Path
    """The dataset folder."""

    @property
    def manifest(self) -> Path:
        """What the dataset is: ``dataset.json``."""
        return self.root / "dataset.json"

    @property
    def overview(self) -> Path:
        """The picture of the dataset: ``overview.png``."""
        return self.root / "overview.png"

    @property
    def shard_reports(self) -> Path:
        """What each piece of work took: ``shards.jsonl``; not part of the data, since no two runs take the same."""
        return self.root / "shards.jsonl"

    def hand(self, hand: str) -> Path:
        """USD file of a hand."""
        return self.root / "hands" / f"{hand}.usd"

    def object(self, object_name: str) -> Path:
        """USD file of an object; its textures lie in ``textures/`` beside it."""
        return self.root / "objects" / f"{object_name}.usd"

    def grasps(self, hand: str, object_name: str) -> Path:
        """Table of base grasps of an object by a hand."""
        return self.root / "grasps" / hand / f"{object_name}.parquet"

    def grasp_parts(self, hand: str, object_name: str) -> Path:
        """Folder of the grasps that are made and not yet in their table."""
        return self.grasps(hand, object_name).with_suffix(".parts")

    def scene(self, object_name: str, scene_index: int) -> Path:
        """USD file of a scene."""
        return self.root / "scenes" / object_name / f"scene_{scene_index:04d}.usda"

    def scene_grasps(self, object_name: str, scene_index: int) -> Path:
        """Table of the base grasps of all hands, placed in a scene."""
        return self.root / "scenes" / object_name / f"scene_{scene_index:04d}.grasps.parquet"

    def renders(self, object_name: str, scene_index: int) -> Path:
        """Folder of a scene's views, each a folder named after its camera rig."""
        return self.root / "renders" / object_name / f"scene_{scene_index:04d}"

    def shown_grasps(self, object_name: str, scene_index: int) -> Path:
        """Which grasp each view of a scene shows, where views show hands."""
        return self.renders(object_name, scene_index) / "shown_grasps.json"

    def arm(self, arm: str) -> Path:
        """USD file of an arm; where its flange is says a TOML file of the same name."""
        return self.root / "arms" / f"{arm}.usd"

    def reach(self, arm: str, object_name: str, scene_index: int) -> Path:
        """Table of what an arm can do about the grasps of a scene."""
        return self.root / "reach" / arm / object_name / f"scene_{scene_index:04d}.parquet"

    def arms(self) -> list[str]:
        """Names of the arms that there are reach tables of, sorted."""
        return sorted(path.name for path in (self.root / "reach").glob("[!.]*") if path.is_dir())

    def scene_tables(self, object_name: str) -> list[Path]:
        """Tables of the scenes that are there, in order."""
        return sorted(self.scene_grasps(object_name, 0).parent.glob("scene_*.grasps.parquet"))

    def scene_indices(self, object_name: str) -> list[int]:
        """Numbers of the scenes that are there, in order.

        Raises:
            GraspdError: If a file among them is named otherwise.
        """
        return [_scene_index(path) for path in sorted(self.scene(object_name, 0).parent.glob("scene_*.usda"))]

    def grasp_tables(self, hands: Iterable[str], objects: Iterable[str]) -> Iterator[tuple[str, str, Path]]:
        """Yield hand, object and table of base grasps for the tables that are there, hand by hand."""
        for hand, object_name in itertools.product(hands, objects):
            path = self.grasps(hand, object_name)
            if path.is_file():
                yield hand, object_name, path

    def image_folders(self, object_name: str, scene_index: int | None = None) -> list[Path]:
        """Folders that have images, in colour or of labels alone, one per eye of a view, in order.

        Args:
            object_name: The object.
            scene_index: One of its scenes; None for all.
        """
        scenes = "scene_*" if scene_index is None else self.renders(object_name, scene_index).name
        folders = (self.root / "renders" / object_name).glob(f"{scenes}/view_*/**/")
        return sorted(folder for folder in folders if any(folder.glob("*_0000.*")))


def _scene_index(path: Path) -> int:
    number = re.fullmatch(r"scene_([0-9]{4,9})", path.stem)
    if number is None:
        raise GraspdError(
            f"expected scenes named as scene_0000.usda in {path.parent}, got {path.name!r}; move it elsewhere"
        )
    return int(number[1])
