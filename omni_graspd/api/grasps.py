# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A batch of grasps that knows its hand, its object and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.blocking import wait_for
from omni_graspd.errors import GraspdError
from omni_graspd.full_install import require_extra
from omni_graspd.hands.hand import Hand
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.grasp import GraspBatch

if TYPE_CHECKING:
    import pandas
    from PIL import Image

    from omni_graspd.scenes.grasp_tests.hold import HoldConfig
    from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig


@dataclass(frozen=True, eq=False, repr=False)
class Grasps:
    """Grasps of one object by one hand. Slices and masks give grasps again: ``grasps[:3]``, ``grasps[grasps.usable]``.

    Positions are in metres, angles in radians, quaternions xyzw; poses are in the object's frame.
    """

    hand: Hand
    """The hand."""
    object: RigidObject
    """The object."""
    batch: GraspBatch
    """Palm poses, joint positions, losses, pregrasps and ways."""
    indices: np.ndarray
    """Number of each grasp, from which, with the seed, all that is random in it follows, shape [grasp_count]."""
    seed: int = 0
    """Seed with which they were made."""
    metrics: dict[str, np.ndarray] = field(default_factory=dict)
    """What was measured, by column, each [grasp_count]."""

    def __len__(self) -> int:
        """Return how many grasps there are, failed ones included."""
        return len(self.batch.status)

    def __getitem__(self, rows: int | slice | Sequence[int] | np.ndarray) -> Grasps:
        """Return some of the grasps: a number, a slice, a list of numbers or a mask."""
        chosen = np.atleast_1d(np.arange(len(self))[rows])
        metrics = {name: values[chosen] for name, values in self.metrics.items()}
        return replace(self, batch=self.batch.take(chosen), indices=self.indices[chosen], metrics=metrics)

    def __repr__(self) -> str:
        """Say in one line what they are."""
        usable = "" if self.batch.way is None else f", {int(self.usable.sum())} usable on the table"
        count = f"{len(self)} grasp{'' if len(self) == 1 else 's'}"
        return f"<{count} of {self.object.name} by {self.hand.name}, {int(self.ok.sum())} ok{usable}>"

    @property
    def T_object_palm(self) -> np.ndarray:
        """Palm poses in the object's frame, shape [grasp_count, 7]: position [m], quaternion xyzw."""
        return self.batch.T_object_palm

    @property
    def joint_positions(self) -> np.ndarray:
        """All joints, in the order of ``hand.joint_names`` [rad or m], shape [grasp_count, joint_count]."""
        return self.batch.joint_positions

    @property
    def status(self) -> tuple[str, ...]:
        """``"ok"`` or why the grasp failed, one per grasp."""
        return self.batch.status

    @property
    def ok(self) -> np.ndarray:
        """Which grasps did not fail, shape [grasp_count], bool."""
        return self.batch.ok

    @property
    def usable(self) -> np.ndarray:
        """Which grasps can be carried out past table and obstacles; without any, those that are ok; bool."""
        return self.batch.ok if self.batch.way is None else self.batch.usable

    def evaluate(self, config: MetricsConfig | None = None) -> Grasps:
        """Measure contact area, epsilon quality, force closure, penetration and the rest; keep them in ``metrics``.

        Args:
            config: Contact threshold, friction, sampling.

        Returns:
            These grasps.
        """
        measured = evaluate_grasps(
            self.hand, self.object, self.T_object_palm, self.joint_positions, config or MetricsConfig()
        )
        self.metrics.update(measured)
        return self

    def measure_hold(self, config: HoldConfig | None = None) -> Grasps:
        """Try in PhysX whether each hand keeps the object, gravity pulling from six sides; adds ``held``, a share.

        Args:
            config: Duration, friction, threshold.

        Returns:
            These grasps.
        """
        from omni_graspd.api import aio

        return wait_for(aio.measure_hold(self, config))

    def measure_lift(self, config: LiftConfig | None = None) -> Grasps:
        """Try in PhysX whether each hand lifts the object off its table; adds ``lifted`` and ``lift_reason``.

        Args:
            config: The protocol.

        Returns:
            These grasps.

        Raises:
            GraspdError: If the grasps were not made on a table.
        """
        from omni_graspd.api import aio

        return wait_for(aio.measure_lift(self, config))

    def where(self, condition: str) -> Grasps:
        """Return the grasps that meet a condition, for example ``grasps.where("usable and epsilon > 0.2")``.

        Args:
            condition: Columns of metrics, losses and clearances, compared, with ``and``, ``or``, ``not`` and ``in``.

        Raises:
            GraspdError: If the condition cannot be read, or there is no such column.
        """
        from omni_graspd.api.grasp_files import as_table
        from omni_graspd.dataset.selection import Selection, selected_rows

        return self[selected_rows(as_table(self), Selection(condition))]

    def best(self, count: int = 1, by: str = "") -> Grasps:
        """Return the best grasps, usable ones first.

        Args:
            count: How many, at most.
            by: Column of ``metrics`` of which more is better; by default the score by which grasps rank, which tells
                how far a pushed object gets, and on a table whether a lift drops it.

        Raises:
            GraspdError: If there is no such column.
        """
        if by and by not in self.metrics:
            there = ", ".join(self.metrics) or "none yet; call evaluate() first"
            raise GraspdError(f"expected a metric of these grasps, got {by!r}; available: {there}")
        score = -np.asarray(self.metrics[by], dtype=np.float64) if by else self._ranking()
        order = np.lexsort((np.nan_to_num(score, nan=np.inf), ~self.usable))
        return self[order[:count]]

    def _ranking(self) -> np.ndarray:
        own = self.batch.ranking
        if own is not None:
            return own
        return -self.metrics["epsilon"] if "epsilon" in self.metrics else np.arange(len(self), dtype=np.float64)

    def to_pandas(self) -> pandas.DataFrame:
        """Return one row per grasp: number, status, metrics, palm pose, and one column per joint.

        Raises:
            GraspdError: If pandas is not installed.
        """
        require_extra("pandas", "pandas", "data frames")
        import pandas

        columns: dict[str, Any] = {"index": self.indices, "status": self.status, "usable": self.usable, **self.metrics}
        columns |= dict(zip(("x", "y", "z", "qx", "qy", "qz", "qw"), self.T_object_palm.T, strict=True))
        columns |= dict(zip(self.hand.joint_names, self.joint_positions.T, strict=True))
        return pandas.DataFrame(columns)

    def save(self, path: str | Path) -> Path:
        """Write the grasps to a file; its suffix tells the format.

        ``.parquet`` keeps everything and is what :func:`omni_graspd.read_grasps` takes back. Any other that
        :func:`omni_graspd.convert` writes loses what the format has no place for.

        Args:
            path: File to write.

        Returns:
            The file.

        Raises:
            GraspdError: If it cannot be written, or no format has this suffix.
        """
        from omni_graspd.api.grasp_files import write_grasp_file

        return write_grasp_file(self, Path(path))

    def show(self, path: str | Path | None = None, *, most: int = 6, size: int = 298) -> Image.Image:
        """Draw the grasps, each from both sides of the palm: a picture that a notebook shows.

        Args:
            path: File to write the picture to, too.
            most: How many grasps are drawn, the first ones.
            size: Edge of each picture [pixel].

        Returns:
            The picture.
        """
        from omni_graspd.api import aio

        picture = wait_for(aio.show(self, most=most, size=size))
        if path is not None:
            picture.save(path)
        return picture
