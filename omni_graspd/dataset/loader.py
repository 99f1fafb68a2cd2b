# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A dataset opened for training: tables as Arrow, views with their images, cameras and grasps as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omni_graspd.dataset.hand_joints import HandJoints, read_hand_joints
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Manifest, read_manifest
from omni_graspd.dataset.object_choice import choice_title, chosen_objects, require_known
from omni_graspd.dataset.reach.reach_columns import reach_file
from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.dataset.splits import split_by_object, split_objects
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import GRASPS, REACH
from omni_graspd.dataset.torch_samples import TorchViews
from omni_graspd.dataset.view_samples import ViewSamples
from omni_graspd.dataset.views import View, scene_views
from omni_graspd.errors import GraspdError
from omni_graspd.full_install import require_extra
from omni_graspd.plural import counted, counts_in_words
from omni_graspd.rendering.annotators import ANNOTATORS

if TYPE_CHECKING:
    import pandas
    import pyarrow as pa

    from omni_graspd.dataset.labels.view_labels import LabelSettings


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk. Nothing is read before it is asked for."""

    root: Path
    """The dataset folder."""
    manifest: Manifest
    """What the dataset is."""

    def __repr__(self) -> str:
        objects, contents = counted(len(self.objects), "object"), counts_in_words(self.manifest.counts)
        return f"<Dataset {self.root}: {', '.join(self.hands)} and {objects}; {contents}>"

    @property
    def hands(self) -> tuple[str, ...]:
        """Names of the hands."""
        return tuple(self.manifest.hands)

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of the objects."""
        return tuple(self.manifest.objects)

    def splits(self, shares: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0) -> dict[str, tuple[str, ...]]:
        """Return the objects of each split; see :func:`~omni_graspd.dataset.splits.split_objects`."""
        return split_objects(self.objects, shares, seed)

    def grasps(
        self,
        hand: str,
        *,
        split: str | None = None,
        objects: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        only_ok: bool = True,
        where: str = "",
        top: int | None = None,
        by: str = "",
    ) -> pa.Table:
        """Read the base grasps of a hand as one Arrow table.

        Args:
            hand: Name of the hand; hands have different numbers of joints, so each has tables of its own.
            split: ``train``, ``validation`` or ``test``; None: all.
            objects: Only these objects.
            columns: Only these columns; a column ``object`` is always added.
            only_ok: Leave out grasps that are marked as failed.
            where: Condition on the columns, for example ``"usable and epsilon > 0.2"``.
            top: The best grasps of each object; None: all.
            by: Column by which they are best; by default the ranking score.

        Raises:
            GraspdError: If there is no such hand, object, split or column, or the split is empty.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        from omni_graspd.dataset.selection import Selection, selected_rows
        from omni_graspd.dataset.tables import read_grasps

        require_known("hand", [hand], self.hands)
        selection = Selection(f"ok and ({where})" if where and only_ok else where, top, by)
        split_of = split_by_object(self.objects)
        layout, parts = DatasetLayout(self.root), []
        for _, name, path in layout.grasp_tables([hand], chosen_objects(self.objects, split, objects)):
            wanted = None if columns is None else list(dict.fromkeys([*columns, "status"]))
            opened = open_table(path, GRASPS)
            if wanted is not None:
                require_known("column", wanted, opened.names)
            table = opened.arrow(wanted)
            if not selection.takes_all:
                table = table.take(selected_rows(read_grasps(path), selection, split_of[name], layout))
            if only_ok:
                table = table.filter(pc.equal(table["status"], "ok"))
            if columns is not None and "status" not in columns:
                table = table.drop_columns("status")
            parts.append(table.append_column("object", pa.array([name] * len(table), pa.string())))
        if not parts:
            raise GraspdError(f"there are no grasps by {hand} in {self.root}; run `graspd synthesize` first")
        return pa.concat_tables([part.replace_schema_metadata() for part in parts])

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms of which `graspd reach` has found out what they reach."""
        return tuple(DatasetLayout(self.root).arms())

    def reach(
        self,
        arm: str,
        hand: str | None = None,
        *,
        split: str | None = None,
        objects: Sequence[str] | None = None,
        only_reachable: bool = True,
    ) -> pa.Table:
        """Read what an arm can do about the usable grasps of all scenes as one Arrow table.

        ``arm_positions`` are the joints of the arm at the 19 places of the way from the pregrasp to the lifted object,
        one after the other; the schema's metadata has ``stations`` and ``arm_joint_names`` as JSON. ``arm_lifted`` is
        there if some scenes were tried with ``--lift``, and null for others.

        Args:
            arm: Name of the arm.
            hand: Only grasps of this hand.
            split: ``train``, ``validation`` or ``test``; None: all.
            objects: Only these objects.
            only_reachable: Leave out grasps that the arm does not reach.

        Raises:
            GraspdError: If there is no such arm, hand, object or split, or a scene's table is missing.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        require_known("arm", [arm], self.arms)
        if hand is not None:
            require_known("hand", [hand], self.hands)
        layout, parts = DatasetLayout(self.root), []
        for name in chosen_objects(self.objects, split, objects):
            for scene_index in layout.scene_indices(name):
                if not layout.scene_grasps(name, scene_index).is_file():
                    continue  # as `graspd reach` does
                table = open_table(reach_file(layout, arm, name, scene_index), REACH).arrow()
                told = {key: (table.schema.metadata or {})[key] for key in (b"stations", b"arm_joint_names")}
                if hand is not None:
                    table = table.filter(pc.equal(table["hand"], hand))
                if only_reachable:
                    table = table.filter(table["reachable"])
                table = table.append_column("object", pa.array([name] * len(table), pa.string()))
                table = table.append_column("scene_index", pa.array([scene_index] * len(table), pa.int32()))
                parts.append(table.replace_schema_metadata(told))
        if not parts:
            raise GraspdError(f"there are no grasps in scenes in {self.root}; run `graspd synthesize` first")
        return pa.concat_tables(parts, promote_options="default")

    def to_pandas(self, hand: str, **options: Any) -> pandas.DataFrame:
        """Read the base grasps of a hand as a data frame; poses and joint positions are arrays in its cells.

        Args:
            hand: Name of the hand.
            options: As those of :meth:`grasps`.

        Raises:
            GraspdError: As :meth:`grasps`; or if pandas is not installed.
        """
        require_extra("pandas", "pandas", "data frames")
        return self.grasps(hand, **options).to_pandas()

    def joints(self, hand: str) -> HandJoints:
        """Read what the columns of joint positions are: names, limits, and which joints are actuated.

        Raises:
            GraspdError: If there is no such hand, or its file is damaged.
        """
        require_known("hand", [hand], self.hands)
        return read_hand_joints(DatasetLayout(self.root).hand(hand))

    def views(self, split: str | None = None, *, objects: Sequence[str] | None = None) -> tuple[View, ...]:
        """List the views that were rendered, by object, scene and name.

        Args:
            split: ``train``, ``validation`` or ``test``; None: all.
            objects: Only these objects.

        Raises:
            GraspdError: If there is no such split or object, or the split is empty.
        """
        layout, found = DatasetLayout(self.root), []
        for name in chosen_objects(self.objects, split, objects):
            for scene_index in layout.scene_indices(name):
                found += scene_views(layout, name, scene_index)
        return tuple(found)

    def samples(
        self,
        split: str | None = None,
        *,
        objects: Sequence[str] | None = None,
        hand: str | None = None,
        channels: Sequence[str] = ("rgb", "distance_to_camera"),
        grasp_slots: int | None = None,
        labels: bool = False,
        arm: str | None = None,
    ) -> ViewSamples:
        """Return the views of a split as a sequence of samples; see :class:`ViewSamples`.

        Args:
            split: ``train``, ``validation`` or ``test``; None: all.
            objects: Only these objects.
            hand: Only grasps of this hand; needed if there are several.
            channels: Image channels to read; those that were not rendered are refused, except ``pointcloud``, which is
                computed.
            grasp_slots: Give the first so many grasps of each sample, padded with zeros, so that samples can be
                stacked; None, the default: all of them, unpadded.
            labels: Add the grasp labels; :meth:`write_labels` makes them.
            arm: Add which grasps this arm reaches, and its joint positions; see :meth:`reach`.

        Raises:
            GraspdError: If there is no such split, object, hand, channel or arm, or there are no images.
        """
        if hand is None and len(self.hands) != 1:
            raise GraspdError(
                f"this dataset has several hands, whose joints differ; pass hand as one of {', '.join(self.hands)}"
            )
        name = hand or next(iter(self.hands))
        require_known("hand", [name], self.hands)
        require_known("channel", channels, tuple(ANNOTATORS))
        if arm is not None:
            require_known("arm", [arm], self.arms)
        views = self.views(split, objects=objects)
        if not views:
            raise GraspdError(
                f"there are no images of {choice_title(split, objects)} in {self.root}; run `graspd render`"
            )
        return ViewSamples(self.root, views, name, tuple(channels), grasp_slots, labels, arm)

    def write_labels(
        self, settings: LabelSettings | None = None, *, hands: Sequence[str] = (), workers: int = 1
    ) -> int:
        """Label the views for training on images, as ``graspd label`` does; labels that still hold are kept.

        Args:
            settings: Radius, contact threshold, number of points.
            hands: Only these hands; all by default.
            workers: Processes; with more than 1 a script needs ``if __name__ == "__main__":``.

        Returns:
            How many label files were written.

        Raises:
            GraspdError: If there is no such hand, or there are no images with distances.
        """
        from omni_graspd.dataset.labels.label_dataset import label_dataset

        return label_dataset(self.root, settings, hands=hands, workers=workers).written

    def as_torch(
        self,
        split: str | None = None,
        *,
        objects: Sequence[str] | None = None,
        hand: str | None = None,
        channels: Sequence[str] = ("rgb", "distance_to_camera"),
        grasp_slots: int | None = 64,
        labels: bool = False,
        arm: str | None = None,
    ) -> TorchViews:
        """Return the views of a split as a PyTorch dataset for ``torch.utils.data.DataLoader``.

        The samples are those of :meth:`samples` as tensors; PyTorch's loader does workers, shuffling and sharding. It
        stacks samples, so each has 64 grasps by default: the first ones, padded with zeros where there are fewer.
        ``grasp_mask`` tells which are grasps, ``grasp_count`` how many there are; pass ``grasp_slots=None`` for all of
        them, with a ``collate_fn`` or a batch size of 1.

        Raises:
            GraspdError: As :meth:`samples`; or if PyTorch is not installed.
        """
        if find_spec("torch") is None:
            raise GraspdError("as_torch needs PyTorch; install it with `pip install torch`, or use samples()")
        choice = {"objects": objects, "hand": hand, "channels": channels}
        return TorchViews(self.samples(split, **choice, grasp_slots=grasp_slots, labels=labels, arm=arm))


def open(path: str | Path) -> Dataset:
    """Open a dataset for reading.

    Args:
        path: Dataset folder, or ``s3://bucket/name``; then what is not here yet is fetched to a folder of the user's.

    Raises:
        GraspdError: If the folder holds no dataset of this version, or the object store cannot be reached.
    """
    root = local_dataset(path)
    return Dataset(root, read_manifest(root))
