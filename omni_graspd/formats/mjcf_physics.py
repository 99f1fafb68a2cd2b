# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How an MJCF model is simulated: as grasps are looked at, or as the lift test of DexGraspBench has it."""

from __future__ import annotations

from dataclasses import dataclass, field

from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig


@dataclass(frozen=True, kw_only=True)
class MjcfPhysics:
    """Numbers of a model, as attributes of its elements."""

    option: dict[str, str]
    """Solver and time step."""
    surface: dict[str, str]
    """Contacts of object and table."""
    hand_surface: dict[str, str] = field(default_factory=dict)
    """Contacts of the hand."""
    object_mass: float | None = None
    """Mass of the object [kg], its inertia scaled with it; None: as the object says."""


def still_physics(friction: float) -> MjcfPhysics:
    """Return the physics of grasps that have no way.

    Args:
        friction: Coulomb friction.
    """
    return MjcfPhysics(
        option={"timestep": "0.002", "cone": "elliptic", "impratio": "10"},
        surface={"friction": f"{friction:.10g} 0.005 0.0001"},
    )


def lift_physics() -> MjcfPhysics:
    """Return the physics of grasps that are played: those of the lift test, of which MuJoCo has some in its own way.

    References:
        Chen et al., "BODex" and its benchmark DexGraspBench, 2024.
    """
    config = LiftConfig.of("dexgraspbench")
    surface = {"friction": f"{config.physics.friction:.10g} 0.02 0.0001", "condim": "4"}
    return MjcfPhysics(
        option={
            "timestep": "0.004",
            "integrator": "implicitfast",
            "cone": "elliptic",
            "impratio": "10",
            "noslip_iterations": "2",
        },
        surface=surface,
        hand_surface={**surface, "solimp": "0.5 0.99 0.0001 0.5 2", "solref": "0.005 1"},
        object_mass=config.object_mass,
    )
