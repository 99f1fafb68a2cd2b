# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the lift test, and those of known benchmarks by name."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_decomposition import ConvexDecompositionConfig
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive
from omni_graspd.scenes.grasp_tests.driven_hand import DrivePhysics
from omni_graspd.scenes.grasp_tests.hold_stage import HoldPhysics
from omni_graspd.scenes.grasp_tests.lift_motion import LiftPhases

LiftProtocol = Literal["dexgraspbench", "dexgraspbench_hard", "dexgraspnet2", "ours"]


@dataclass(frozen=True, kw_only=True)
class LiftNoise:
    """Errors of the hand's pose with which a grasp is tried again."""

    count: int = 0
    """How many tries a grasp; 0: none."""
    position: float = 0.005
    """Root mean square of the distance by which the palm is off [m]."""
    angle: float = math.radians(5.0)
    """Root mean square of the angle by which it is off [rad]."""
    seed: int = 0
    """Seed of the errors."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "lift.noise", 0, "count", "seed")
        require_not_negative(self, "lift.noise", "position", "angle")


def _contacts(friction: float) -> HoldPhysics:
    # Contacts from as far as a hand moves in a step. Nothing overlaps at the start, as it does in the hold test; where
    # overlap goes away slowly, drives press bodies into each other.
    return HoldPhysics(friction=friction, contact_offset=0.005, max_depenetration_speed=1.0)


@dataclass(frozen=True, kw_only=True)
class LiftConfig:
    """What the hand does, and when the object counts as lifted; by default as in DexGraspBench's tabletop test.

    What differs there: MuJoCo's soft contacts, torsional friction, a palm on a spring, and no hover on the way in.
    """

    phases: LiftPhases = field(default_factory=LiftPhases)
    """How long each part takes, how high the lift goes, and whether the hand shakes."""
    drive: DrivePhysics = field(default_factory=lambda: DrivePhysics(stiffness=5.0, damping=0.1, max_torque=3.0))
    """Gains of the joints."""
    physics: HoldPhysics = field(default_factory=lambda: _contacts(friction=0.6))
    """Gravity, friction of hand, object and table, and solver."""
    object_mass: float | None = 0.1
    """Mass of the object [kg], its inertia scaled with it; None: as the object says."""
    gravity_from: Literal["start", "squeeze"] = "start"
    """When gravity sets in."""
    time_step: float = 1.0 / 120.0
    """Length of a physics step [s]."""
    record_interval: float = 0.05
    """Time between looks at the object [s]."""
    watch: Literal["end", "lift"] = "end"
    """When the object must be where it should be: at the end, or from the beginning of the lift on."""
    largest_drift: float = 0.05
    """How far the centre of mass may be from where the palm should have brought it [m]."""
    largest_tilt: float = math.radians(15.0)
    """How far the object may have turned [rad]."""
    least_rise: float = 0.0
    """How far the centre of mass must have gone up at least [m]."""
    pregrasp_depth: float = 0.01
    """An open hand that is deeper in the object than this before anything begins has failed [m]."""
    table_depth: float = 0.001
    """A hand that is to reach deeper into the table than this, on the way in or in the grasp, has failed [m]."""
    pushed_distance: float = 0.02
    """An object that moves farther than this before the squeeze, and is not lifted, was pushed away [m]."""
    noise: LiftNoise = field(default_factory=LiftNoise)
    """Errors of the hand's pose with which each grasp is tried again."""
    decomposition: ConvexDecompositionConfig = field(default_factory=lambda: ConvexDecompositionConfig(threshold=0.05))
    """How closely convex pieces follow an object that brings none."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "lift", "time_step", "record_interval", "largest_drift", "largest_tilt")
        require_not_negative(self, "lift", "least_rise", "pregrasp_depth", "table_depth", "pushed_distance")
        if self.object_mass is not None:
            require_positive(self, "lift", "object_mass", unit=" kg", finite=True)

    @classmethod
    def of(cls, protocol: LiftProtocol, noise: LiftNoise | None = None) -> LiftConfig:
        """Return the settings of a protocol.

        * ``dexgraspbench``: lift by 0.1 m, friction 0.6; at the end within 5 cm and 15 degrees of start plus lift.
        * ``dexgraspbench_hard``: the same with half the friction, as Dexonomy uses it.
        * ``dexgraspnet2``: lift by 0.2 m, friction 1, stiff joints, gravity from the squeeze on; up by more than 3 cm.
          Pregrasp, squeeze and direction of the lift are those of the data; torques end at 1 N m.
        * ``ours``: lift by 0.2 m, then swings of 2 cm at 4 Hz along x and along y; never more than 5 cm off.

        Args:
            protocol: Its name.
            noise: Errors of the hand's pose; by default none.

        Raises:
            GraspdError: If there is no protocol of this name.

        References:
            Chen et al., "BODex" and its benchmark DexGraspBench, 2024; Chen et al., "Dexonomy", 2025; Zhang et al.,
            "DexGraspNet 2.0", 2024.
        """
        noise = noise or LiftNoise()
        if protocol == "dexgraspbench":
            return cls(noise=noise)
        if protocol == "dexgraspbench_hard":
            return cls(physics=_contacts(friction=0.3), noise=noise)
        if protocol == "dexgraspnet2":
            return cls(
                phases=LiftPhases(approach=2 / 3, closing=1 / 3, squeeze=1 / 3, lift=1.0, hold=0.0, lift_height=0.2),
                drive=DrivePhysics(stiffness=800.0, damping=20.0, max_torque=1.0),
                physics=_contacts(friction=1.0),
                gravity_from="squeeze",
                largest_drift=math.inf,
                largest_tilt=math.inf,
                least_rise=0.03,
                noise=noise,
            )
        if protocol == "ours":
            phases = LiftPhases(lift=0.6, shake=0.5, lift_height=0.2)
            return cls(phases=phases, watch="lift", largest_tilt=math.inf, noise=noise)
        raise GraspdError(f"expected lift protocol to be one of {', '.join(get_args(LiftProtocol))}, got {protocol!r}")
