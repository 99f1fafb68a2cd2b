# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a physics backend is asked and what it answers: rigid bodies stepped until they rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.ranges import require_positive


@dataclass(frozen=True, kw_only=True)
class SimulateConfig:
    """How long and how finely to simulate, and what counts as rest."""

    time_step: float = 1.0 / 240.0
    """Physics time step [s]."""
    max_time: float = 8.0
    """Longest simulated time before giving up [s]."""
    rest_time: float = 0.25
    """How long bodies must stay below both speeds to be at rest [s]."""
    rest_linear_speed: float = 1e-3
    """Linear speed below which a body is at rest [m/s]."""
    rest_angular_speed: float = 0.05
    """Angular speed below which a body is at rest [rad/s]."""
    record_interval: float = 1.0 / 60.0
    """Time between recorded poses [s]; speeds are checked at the same times."""
    independent: bool = False
    """For bodies that never touch: stop once each has come to rest at some time, rather than all at the same time."""
    keep_loaded: bool = False
    """Hint that the same stage will be simulated again with other poses or speeds, so a backend may keep it loaded.
    Results are the same either way."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        times = ("time_step", "max_time", "rest_time", "record_interval")
        speeds = ("rest_linear_speed", "rest_angular_speed")
        require_positive(self, "simulation", *times, *speeds)


@dataclass(frozen=True)
class SimulateResult:
    """Motion of the dynamic rigid bodies of a stage."""

    body_paths: tuple[str, ...]
    """Prim path of each body."""
    times: np.ndarray
    """Recorded times [s], shape [record_count]; the last record is the end of the simulation."""
    poses: np.ndarray
    """T_world_body, shape [record_count, body_count, 7]."""
    linear_velocities: np.ndarray
    """Velocity of the centre of mass at the end [m/s], shape [body_count, 3]."""
    angular_velocities: np.ndarray
    """At the end [rad/s], shape [body_count, 3]."""
    at_rest: np.ndarray
    """Whether each body stayed below both rest speeds for the rest time up to the end, shape [body_count], bool."""
    rest_records: np.ndarray
    """First record at which each body had stayed below both speeds for the rest time, shape [body_count], int; -1 where
    there is none. What a body did up to there does not depend on when the others came to rest."""
