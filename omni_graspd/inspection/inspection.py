# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One session of looking at a dataset's grasps; panels and pages show it, and hold no state of their own.

Long calls are coroutines that compute in a thread of their own, slice by slice: cancelled, they end within a slice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from omni_graspd.dataset.restored_config import restore_config
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.inspection import reoptimization
from omni_graspd.inspection.dataset_assets import DatasetAssets
from omni_graspd.inspection.decisions import (
    Decision,
    Decisions,
    GraspKey,
    Verdict,
    dataset_identity,
    decisions_path,
    mended_grasp,
)
from omni_graspd.inspection.grasp_catalog import CatalogGrasp, GraspCatalog
from omni_graspd.inspection.grasp_contacts import GraspContacts, grasp_contacts
from omni_graspd.inspection.grasp_list import GraspList
from omni_graspd.inspection.grasp_scenes import ArmMotion, arm_motion, scenes_of_grasp
from omni_graspd.inspection.recorded_run import recorded_run
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress, no_progress
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import Trajectory
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings

T = TypeVar("T")


class Inspection:
    """A dataset that is looked at: list, selected grasp, its hand and object, the posture shown, decisions."""

    def __init__(
        self,
        root: Path,
        device: str = "cpu",
        *,
        source: Path | None = None,
        made_in: TemporaryDirectory[str] | None = None,
    ) -> None:
        """Open a dataset; nothing in its folder is ever written.

        Args:
            root: The dataset folder.
            device: Warp device.
            source: Grasp file or folder that the dataset was made from, to be looked at; decisions lie beside it.
            made_in: Folder of such a dataset; gone when the session is closed.

        Raises:
            GraspdError: If the folder is no dataset with grasps, or the decisions beside it belong to another.
        """
        self.root, self.device = root, device
        self.source = source or root
        self._made_in = made_in
        self.catalog = GraspCatalog(root)
        # Grasps are known by their number: in a file that has changed, they are others.
        tables = [] if source is None else [table.path for table in self.catalog.tables]
        self.decisions = Decisions(decisions_path(self.source), dataset_identity(self.catalog.manifest, tables))
        self.list = GraspList(self.catalog, self.decisions)
        config = self.catalog.manifest.config
        self.synthesis = restore_config(SynthesisConfig, config.get("synthesis", {}))
        self.metrics = restore_config(MetricsConfig, config.get("metrics", {}))
        self.assets = DatasetAssets(self.catalog.layout)
        self._swapped: tuple[str, RigidObject] | None = None
        self._posture: Posture | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inspection")

    def close(self) -> None:
        """End the thread; what runs ends with its slice."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._made_in is not None:
            self._made_in.cleanup()

    @property
    def export_folder(self) -> Path:
        """Where accepted grasps are exported to: beside what is looked at."""
        source = self.source.resolve()
        return source.with_name(f"{source.stem if source.is_file() else source.name}_accepted")

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Compute in the session's own thread, after what runs there."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # What is selected

    @property
    def grasp(self) -> CatalogGrasp:
        """The selected grasp as its table has it.

        Raises:
            GraspdError: If none is shown, its table is gone or its row damaged.
        """
        if self.list.selected is None:
            raise GraspdError("the filter leaves no grasps, so none is selected; widen it")
        return self.catalog.grasp(self.list.selected)

    @property
    def key(self) -> GraspKey:
        """Hand, object and number of the selected grasp."""
        grasp = self.grasp
        return grasp.hand, grasp.object, grasp.index

    @property
    def posture(self) -> Posture:
        """What is shown: the pose dragged or formed anew, else that decided on, else that of the table."""
        if self._posture is not None:
            return self._posture
        decision = self.decisions.get(self.key)
        if decision is not None and decision.mended is not None and not decision.mended.object:
            mended = decision.mended
            return Posture(np.array(mended.T_object_palm), np.array(mended.joint_positions), mended.score)
        grasp = self.grasp
        score = self.catalog.metrics_of(grasp.row).get("loss_escape", float("nan"))
        return Posture(grasp.T_object_palm, grasp.joint_positions, score)

    def select(self, row: int) -> None:
        """Select a grasp by its row; a posture that was not decided on is dropped."""
        self.list.select(row)
        self.reset()

    def step(self, by: int) -> None:
        """Select the next grasp, or with -1 the one before."""
        self.list.step(by)
        self.reset()

    def reset(self) -> None:
        """Show the selected grasp as it is in its table or as it was decided on, at its own object."""
        self._posture, self._swapped = None, None

    def pose(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> None:
        """Show a posture that somebody made by hand.

        Args:
            T_object_palm: Palm pose, shape [7].
            joint_positions: All joints [rad or m], shape [joint_count].
        """
        self._posture = Posture(np.array(T_object_palm), np.array(joint_positions), float("nan"))

    # Hands and objects

    @property
    def hand(self) -> Hand:
        """The hand of the selected grasp, read from the dataset once."""
        return self.assets.hand(self.grasp.hand)

    @property
    def object(self) -> RigidObject:
        """The object at which the hand is shown: that of the selected grasp, or the one put in its place."""
        return self.assets.object(self.grasp.object) if self._swapped is None else self._swapped[1]

    @property
    def shown_object(self) -> str:
        """Name of the object at which the hand is shown, as the dataset has it, or as it was asked for."""
        return self.grasp.object if self._swapped is None else self._swapped[1].name

    @property
    def table_plane(self) -> np.ndarray | None:
        """Table top under the object, in its frame, shape [4]; None where it floats or another is in its place."""
        return self.grasp.table_plane if self._swapped is None else None

    @property
    def surroundings(self) -> Surroundings:
        """What a hand that forms anew keeps off: the table, where there is one; neighbours are not known here."""
        return NOTHING if self.table_plane is None else Surroundings(self.table_plane)

    def scene_indices(self) -> list[int]:
        """Return the scenes to which the selected grasp belongs: those in which its object lies as it expects.

        Raises:
            GraspdError: If a scene is damaged.
        """
        return scenes_of_grasp(self.catalog.layout, self.grasp)

    def arm_motion(self, arm: str, scene_index: int | None = None) -> ArmMotion | None:
        """Return how an arm carries out the selected grasp; None where no reach table has it.

        Args:
            arm: Name of an arm for which the dataset has reach tables.
            scene_index: Number of the scene; by default the first in which the arm reaches the grasp.

        Raises:
            GraspdError: If a table, a scene or the arm is damaged.
        """
        scenes = self.scene_indices() if scene_index is None else [scene_index]
        return arm_motion(self.catalog.layout, self.assets.arm(arm), self.grasp, scenes)

    @property
    def object_file(self) -> Path:
        """USD file of the object that is shown, for a stage.

        Raises:
            GraspdError: If the object put in place is a mesh: stages reference USD files.
        """
        if self._swapped is None:
            return self.catalog.layout.object(self.grasp.object)
        source = self._swapped[1].source
        if not source.suffix.startswith(".usd"):
            raise GraspdError(
                f"expected a USD file, got {source}; add it to the library first with `graspd objects add`"
            )
        return source

    async def prepare(self) -> None:
        """Read hand and object of the selected grasp and ready what computes; seconds the first time, then nothing."""
        await self.in_thread(lambda: reoptimization.prepare(self.hand, self.object, self.synthesis, self.device))

    async def swap_object(self, name_or_path: str) -> None:
        """Put another object in the place of the selected grasp's; the posture stays until it is formed anew.

        Args:
            name_or_path: Name in the library, or a file; empty for the dataset's own again.

        Raises:
            GraspdError: If it cannot be read; the object stays.
        """
        if not name_or_path:
            self._swapped = None
            return
        obj = await self.in_thread(lambda: load_object(name_or_path))
        self._posture, self._swapped = self.posture, (name_or_path, obj)

    # What is computed

    async def contacts(self) -> GraspContacts:
        """Measure the posture that is shown."""
        posture = self.posture
        return await self.in_thread(
            lambda: grasp_contacts(
                self.hand,
                self.object,
                posture.T_object_palm,
                posture.joint_positions,
                self.metrics,
                device=self.device,
            )
        )

    async def drag(self, T_object_palm: np.ndarray) -> Posture:
        """Move the palm and let the fingers follow a little.

        Args:
            T_object_palm: Palm pose under the cursor, shape [7].
        """
        joints, hand, obj, around = self.posture.joint_positions, self.hand, self.object, self.surroundings
        self._posture = await self.in_thread(
            lambda: reoptimization.form_fingers(
                hand, obj, T_object_palm, joints, self.synthesis, device=self.device, surroundings=around
            )
        )
        return self._posture

    async def reoptimize(self, T_object_palm: np.ndarray | None = None) -> AsyncIterator[Posture]:
        """Form the grasp anew from the posture shown; the last posture stays shown, and is never worse than the start.

        Args:
            T_object_palm: Palm pose from which to start, shape [7]; by default the one shown.

        Yields:
            Postures on the way, the last one with its score. Cancelled, what was shown before is shown again.
        """
        before = self._posture
        start = self.posture
        pose = start.T_object_palm if T_object_palm is None else T_object_palm
        hand, obj = self.hand, self.object
        options = {"device": self.device, "surroundings": self.surroundings}
        slices = reoptimization.reoptimize(hand, obj, pose, start.joint_positions, self.synthesis, **options)
        done = False
        try:
            while (posture := await self.in_thread(lambda: next(slices, None))) is not None:
                self._posture = posture
                done = not np.isnan(posture.score)
                yield posture
        finally:
            if not done:
                self._posture = before

    async def trajectory(self, progress: Progress = no_progress) -> Trajectory:
        """Return how the selected grasp came about: made again with the dataset's settings and recorded.

        Args:
            progress: Called with gradient steps done and in total.

        Raises:
            GraspdError: If the grasps were imported, or this version makes another grasp than the table has.
        """
        grasp, config = self.grasp, self.catalog.manifest.config
        obj = self.assets.object(grasp.object)
        return await recorded_run(grasp, self.hand, obj, config, self.synthesis, self.device, progress)

    # What is decided

    def decide(self, verdict: Verdict | None) -> None:
        """Accept or reject the selected grasp, or take the decision back with None; written at once.

        What is accepted is the posture shown, at the object shown.

        Raises:
            GraspdError: If the posture is worse than none (not finite), or the file cannot be written.
        """
        if verdict is None:
            self.decisions.decide(self.key, None)
            return
        mended = None
        if verdict == "accepted" and self._posture is not None:
            swapped = "" if self._swapped is None else self._swapped[0]
            mended = mended_grasp(
                self._posture.T_object_palm, self._posture.joint_positions, self._score(self._posture), swapped
            )
        self.decisions.decide(self.key, Decision(verdict, mended))

    def _score(self, posture: Posture) -> float:
        if np.isfinite(posture.score):
            return posture.score
        poses, joints = posture.T_object_palm[None], posture.joint_positions[None]
        scored = self.hand, self.object, poses, joints, self.synthesis, self.device, self.surroundings
        score = reoptimization.ranking_scores(*scored)[0]
        if not np.isfinite(score):
            raise GraspdError("the score of this posture cannot be computed; re-optimise the grasp")
        return float(score)

    def undo(self) -> bool:
        """Take the last decision of this session back and select its grasp; False where there is none."""
        key = self.decisions.undo()
        if key is None:
            return False
        row = self.catalog.row_of(*key)
        self.list.show()
        if row is not None and (self.list.rows == row).any():
            self.select(row)
        return True
