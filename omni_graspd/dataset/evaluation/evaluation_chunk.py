# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics of some rows of a table of base grasps: a pure function of the dataset's files, for worker processes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.backend import load_backend
from omni_graspd.blocking import run_to_end
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_decomposition import convex_pieces
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.surface_points import HandPoints, sample_surface_points
from omni_graspd.metrics.columns import columns_by, measure_single, metrics_at_thresholds, threshold_column
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps, evaluate_thresholds
from omni_graspd.metrics.intersection_volume import IntersectionVolumeConfig
from omni_graspd.metrics.metric import GraspsToMeasure
from omni_graspd.metrics.self_penetration import SelfPenetrationConfig
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_at_least, require_positive
from omni_graspd.scenes.grasp_tests.hold import LARGEST_DISPLACEMENT, HoldConfig, measure_hold
from omni_graspd.scenes.grasp_tests.lift import measure_lift
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig, LiftNoise, LiftProtocol
from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How grasps are measured; the same for all rows of a dataset, and kept in its manifest."""

    thresholds: tuple[float, ...] = (0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009)
    """Contact thresholds at which contact area, epsilon and volume are measured [m], as in the paper's Fig. 3."""
    hold_test: bool = True
    """Test in PhysX whether the object stays in the hand (on by default); only the thresholds take longer."""
    lift_test: bool = False
    """Test in PhysX whether the hand reaches the object and lifts it off its table."""
    lift_protocol: LiftProtocol = "dexgraspbench"
    """Protocol of the lift test: DexGraspBench's, the same with half the friction, DexGraspNet 2.0's, or ours, with
    shaking."""
    lift_noise: int = 0
    """Additional lifts per grasp with a random palm error of 5 mm and 5 degrees; the score is the fraction that
    succeed."""
    largest_displacement: float = LARGEST_DISPLACEMENT
    """Displacement at which an object counts as fallen [m]; larger ones are clipped before averaging."""
    intersection: IntersectionVolumeConfig = field(default_factory=IntersectionVolumeConfig)
    """Intersection volume."""
    self_penetration: SelfPenetrationConfig = field(default_factory=SelfPenetrationConfig)
    """Self-penetration."""
    hold: HoldConfig = field(default_factory=HoldConfig)
    """The hold test."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "evaluation", "largest_displacement", unit=" m", finite=True)
        require_at_least(self, "evaluation", 0, "lift_noise")
        if self.lift_noise and not self.lift_test:
            raise GraspdError(f"{self.lift_noise} noisy lifts need the lift test; add --lift")
        wrong = [value for value in self.thresholds if not 0.0 < value <= 0.05]
        if wrong:
            raise GraspdError(
                f"expected thresholds above 0 and up to 0.05 m, got {wrong[0]}; give metres, for example 0.005"
            )


@dataclass(frozen=True)
class EvaluationChunk:
    """Some rows of a table, and which metrics they lack."""

    root: Path
    """The dataset folder."""
    hand: str
    """Name of the hand."""
    object: str
    """Name of the object."""
    start: int
    """First row."""
    stop: int
    """Row after the last."""
    columns: tuple[str, ...]
    """Columns that are to be measured."""
    part: Path
    """Where they are kept until all rows of the table are measured (NumPy's npz)."""
    metrics: MetricsConfig
    """Friction, cones and sampling, as the dataset was made with."""
    settings: EvaluationSettings
    """All other settings."""
    device: str
    """Warp device of the distances."""


def evaluation_columns(settings: EvaluationSettings) -> tuple[str, ...]:
    """Return the names of all columns that an evaluated table has, in order."""
    thresholds = [threshold_column(metric, at) for metric in metrics_at_thresholds() for at in settings.thresholds]
    hold = columns_by("hold") if settings.hold_test else ()
    return (*columns_by("generate", "evaluate"), *hold, *lift_columns(settings), *thresholds)


def lift_columns(settings: EvaluationSettings) -> tuple[str, ...]:
    """Return the names of the columns of the lift test; none where it is not asked for."""
    if not settings.lift_test:
        return ()
    return columns_by("lift", "lift noise") if settings.lift_noise else columns_by("lift")


def measure_chunk(chunk: EvaluationChunk) -> None:
    """Measure the rows of a chunk that are not marked as failed, and write the columns to its part file.

    Raises:
        GraspdError: If hand, object or table cannot be read.
    """
    path = DatasetLayout(chunk.root).grasps(chunk.hand, chunk.object)
    table = _load_table(path, path.stat().st_mtime_ns if path.is_file() else 0).rows(chunk.start, chunk.stop)
    poses, joints = table.grasps.T_object_palm, table.grasps.joint_positions
    ok = table.grasps.ok
    ok &= np.isfinite(poses).all(axis=1) & np.isfinite(joints).all(axis=1)
    known = {name: values[ok] for name, values in table.metrics.items()}
    measured = _measure(chunk, poses[ok], joints[ok], known)
    columns: dict[str, Any] = {name: _spread(values, ok) for name, values in measured.items()}
    if set(chunk.columns) & set(lift_columns(chunk.settings)):
        columns |= _lift(chunk, table, ok)
    with atomic_path(chunk.part) as temporary, temporary.open("wb") as file:
        np.savez(file, **columns)


def _spread(values: np.ndarray, ok: np.ndarray) -> np.ndarray:
    """Put values into the rows that were measured; the others get NaN, 0 or False."""
    blank = {"f": np.nan, "i": 0, "b": False}[values.dtype.kind]
    column = np.full(len(ok), blank, dtype=values.dtype)
    column[ok] = values
    return column


def _measure(
    chunk: EvaluationChunk, poses: np.ndarray, joints: np.ndarray, known: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    layout, settings = DatasetLayout(chunk.root), chunk.settings
    hand, points = _load_hand(layout.hand(chunk.hand), chunk.metrics.point_count)
    obj = _load_object(layout.object(chunk.object))
    grasps = (hand, obj, poses, joints)
    lacks = set(chunk.columns)
    columns: dict[str, np.ndarray] = {}
    if lacks & set(columns_by("generate")):
        columns |= evaluate_grasps(*grasps, replace(chunk.metrics, volume=True), points=points, device=chunk.device)
    at_thresholds = metrics_at_thresholds()
    thresholds = [at for at in settings.thresholds if lacks & {threshold_column(m, at) for m in at_thresholds}]
    if thresholds:
        base = {name: (columns | known)[name] for name in ("epsilon", "volume")}
        columns |= evaluate_thresholds(
            *grasps, thresholds, chunk.metrics, points=points, known=base, device=chunk.device
        )
    to_measure = GraspsToMeasure(
        *grasps,
        surface_points=lambda count: _load_hand(layout.hand(chunk.hand), count)[1],
        device=chunk.device,
        intersection=settings.intersection,
        self_penetration=settings.self_penetration,
    )
    columns |= measure_single(to_measure, "evaluate", lacks)
    if lacks & set(columns_by("hold")):
        columns |= _hold(hand, obj, poses, joints, settings)
    return {name: columns[name] for name in chunk.columns if name in columns}


def _lift(chunk: EvaluationChunk, table: GraspTable, ok: np.ndarray) -> dict[str, np.ndarray]:
    """Lift the object with each grasp; those marked as failed are not usable."""
    layout, settings = DatasetLayout(chunk.root), chunk.settings
    obj = _load_object(layout.object(chunk.object))
    hand, _ = _load_hand(layout.hand(chunk.hand), chunk.metrics.point_count)
    batch = replace(table.grasps, T_object_palm=np.where(ok[:, None], table.grasps.T_object_palm, np.nan))
    config = LiftConfig.of(settings.lift_protocol, LiftNoise(count=settings.lift_noise, seed=table.seed))
    simulate = load_backend("standalone").simulate
    indices = table.indices.tolist()
    result = run_to_end(
        measure_lift(simulate, hand, obj, batch, config, indices=indices, object_pieces=obj.convex_pieces)
    )
    return {name: values for name, values in result.columns.items() if name in chunk.columns}


def _hold(
    hand: Hand, obj: RigidObject, poses: np.ndarray, joints: np.ndarray, settings: EvaluationSettings
) -> dict[str, np.ndarray]:
    pieces = obj.convex_pieces or _pieces(obj.source, settings.hold)
    simulate = load_backend("standalone").simulate
    result = run_to_end(measure_hold(simulate, hand, obj, poses, joints, settings.hold, object_pieces=pieces))
    return result.columns(settings.largest_displacement)


@lru_cache(maxsize=1)
def _load_table(path: Path, written: int) -> GraspTable:
    """Read a table once for all of its chunks that a process measures, and again when it was written since."""
    return read_grasps(path)


@lru_cache(maxsize=2)
def _load_hand(path: Path, point_count: int) -> tuple[Hand, HandPoints]:
    hand = load_hand(str(path))
    return hand, sample_surface_points(hand, point_count)


@lru_cache(maxsize=2)
def _load_object(path: Path) -> RigidObject:
    return load_object(str(path))


@lru_cache(maxsize=2)
def _pieces(path: Path, config: HoldConfig) -> tuple[TriangleMesh, ...]:
    return tuple(convex_pieces(_load_object(path).mesh, config.decomposition))


def settings_content(settings: EvaluationSettings) -> dict[str, Any]:
    """Return the settings on which single columns depend, as JSON: not which columns there are, nor those of none."""
    content = json.loads(json.dumps(asdict(settings)))
    left_out = {"thresholds", "hold_test", "lift_test"}
    if not settings.lift_test:
        left_out.add("lift_protocol")
    if not (settings.lift_test and settings.lift_noise):
        left_out.add("lift_noise")
    return {name: value for name, value in content.items() if name not in left_out}
