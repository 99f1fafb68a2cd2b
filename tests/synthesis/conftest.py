# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands and objects that the synthesis tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.mass_properties import solid_properties
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import ObjectModel, SurroundingsModel, hand_model
from omni_graspd.synthesis.optimization import Shard
from omni_graspd.synthesis.starts import sample_starts
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY


@pytest.fixture(scope="session")
def hand() -> Hand:
    return load_hand("allegro")


@pytest.fixture(scope="session")
def mug() -> RigidObject:
    return load_object("mug")


@pytest.fixture(scope="session")
def solid(mug) -> Callable[[trimesh.Trimesh], RigidObject]:
    """Makes an object from a mesh, of density 300 kg/m3."""

    def make(mesh: trimesh.Trimesh, name: str = "solid") -> RigidObject:
        surface = TriangleMesh(np.array(mesh.vertices, dtype=np.float64), np.array(mesh.faces, dtype=np.int32))
        volume, center_of_mass, inertia = solid_properties(surface)
        return replace(
            mug,
            name=name,
            mesh=surface,
            visual=surface,
            closed=True,
            mass=300.0 * volume,
            center_of_mass=center_of_mass,
            inertia=300.0 * inertia,
        )

    return make


@pytest.fixture(scope="session")
def branched_hand() -> Hand:
    """A palm with a finger of two coupled revolute joints, and one with a prismatic joint."""
    no_mesh = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))

    def link(name, parent, joint, joint_type, axis, position) -> Link:
        T_parent_joint = np.concatenate([position, [0.1, 0.2, -0.3, 0.9]])
        T_parent_joint[3:] /= np.linalg.norm(T_parent_joint[3:])
        T_link_joint = np.concatenate([[0.002, -0.001, 0.003], T_parent_joint[[4, 3, 5, 6]]])
        axis = np.array(axis, float)
        return Link(name, f"/{name}", parent, joint, joint_type, axis, T_parent_joint, T_link_joint, no_mesh, 0.1)

    links = (
        Link("palm", "/palm", -1, -1, "root", np.array([1.0, 0, 0]), IDENTITY, IDENTITY, no_mesh, 0.1),
        link("proximal", 0, 0, "revolute", [0, 0, 1], [0.03, 0, 0.01]),
        link("slider", 0, 1, "prismatic", [1, 0, 0], [-0.03, 0.02, 0]),
        link("distal", 1, 2, "revolute", [0, 1, 0], [0.04, 0, 0]),
        link("tip", 3, -1, "fixed", [1, 0, 0], [0.02, 0, 0.005]),
    )
    return Hand(
        name="branched",
        source=Path("branched.usda"),
        links=links,
        joint_names=("proximal", "slider", "distal"),
        joint_lower=np.array([-1.0, 0.0, -1.0]),
        joint_upper=np.array([1.0, 0.05, 1.0]),
        actuated=np.array([0, 1]),
        coupling=np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.0]]),
        coupling_offset=np.array([0.0, 0.0, 0.1]),
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=np.array([0.1, 0.02]),
    )


@pytest.fixture(scope="session")
def started_shard() -> Callable[..., Shard]:
    """Makes a shard of grasps from sampled starts, or from given palm poses and actuated positions."""

    def make(
        hand: Hand,
        obj: RigidObject,
        config: SynthesisConfig,
        *,
        count: int = 8,
        starts: Sequence[np.ndarray] | None = None,
        fused: bool | None = None,
        surroundings: Surroundings = NOTHING,
    ) -> Shard:
        model = hand_model(hand, config.point_count, "cpu")
        target = ObjectModel(obj, config.distance, "cpu")
        if starts is None:
            options = {"points": model.points, "distance": target.distance, "seed": 0}
            starts = sample_starts(hand, obj, range(count), config.start, **options)
        index = np.zeros(len(starts[0]), dtype=int)
        around = [SurroundingsModel(surroundings, "cpu")]
        return Shard(model, [target], index, *starts, config, "cpu", fused=fused, surroundings=around)

    return make
