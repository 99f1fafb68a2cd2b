# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands, objects and settings as the kernels see them, on one device."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import warp as wp

from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.hands.collision_spheres import CollisionSpheres, self_collision_spheres
from omni_graspd.hands.filling_spheres import NO_SPHERES, FillingSpheres, filling_spheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import KinematicTree
from omni_graspd.hands.link_bounds import link_bounds
from omni_graspd.hands.surface_points import HandPoints, sample_surface_points
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.losses import LOSS_TERMS
from omni_graspd.synthesis.model_structs import HandArrays, ObjectArrays, Settings
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings
from omni_graspd.synthesis.thin_walls import thin_walled
from omni_graspd.usd.meshes import TriangleMesh

# How far smoothing may move the surface [m]; beyond that it is looked for again within full reach.
_SEARCH_MARGIN = 1e-3
# A reused distance was right if it erred by less than this [m] plus this share of the distance.
_REUSE_ERROR = (2e-5, 0.02)


@functools.lru_cache(maxsize=8)
def hand_model(hand: Hand, point_count: int, device: str) -> HandModel:
    """Return a hand's model; the same hand is prepared once, which takes half a second.

    Args:
        hand: The hand.
        point_count: Points on its surface.
        device: Warp device.
    """
    points = sample_surface_points(hand, point_count)
    return HandModel(hand, points, self_collision_spheres(hand), device, filling_spheres(hand))


class HandModel:
    """A hand with its surface points and collision spheres on a device; shared by all shards."""

    def __init__(
        self,
        hand: Hand,
        points: HandPoints,
        spheres: CollisionSpheres,
        device: str,
        filling: FillingSpheres | None = None,
    ) -> None:
        self.points = points
        self.link_count = len(hand.links)
        self.joint_count = hand.joint_count
        self.actuated_count = hand.actuated_count
        self.point_count = len(points.link_index)
        self.sphere_count = len(spheres.link_index)
        filling = filling or NO_SPHERES
        self.filling_count = len(filling.radii)
        self.arrays = HandArrays()
        tree = KinematicTree.from_hand(hand, device)
        for name in ("parent", "joint", "joint_type", "axis", "T_parent_joint", "T_joint_link"):
            setattr(self.arrays, name, getattr(tree, name))
        bounds = link_bounds(spheres.link_index, spheres.centers, self.link_count, spheres.radii)
        reaches = link_bounds(points.link_index, points.positions, self.link_count)
        columns = {
            "coupling": (hand.coupling, float),
            "coupling_offset": (hand.coupling_offset, float),
            "lower": (hand.joint_lower, float),
            "upper": (hand.joint_upper, float),
            "actuated_lower": (hand.joint_lower[hand.actuated], float),
            "actuated_upper": (hand.joint_upper[hand.actuated], float),
            "point_start": (_starts(points.link_index, self.link_count), int),
            "point_link": (points.link_index.astype(np.int32), int),
            "point_positions": (points.positions, wp.vec3),
            "sphere_start": (_starts(spheres.link_index, self.link_count), int),
            "sphere_center": (spheres.centers, wp.vec3),
            "sphere_radius": (spheres.radii, float),
            "filling_start": (_starts(filling.link_index, self.link_count), int),
            "filling_center": (filling.centers, wp.vec3),
            "filling_radius": (filling.radii, float),
            "bound_center": (bounds[:, :3], wp.vec3),
            "bound_radius": (bounds[:, 3], float),
            "reach_center": (reaches[:, :3], wp.vec3),
            "reach_radius": (reaches[:, 3], float),
            "link_pairs": (_link_pairs(spheres), wp.vec2i),
        }
        for name, (values, dtype) in columns.items():
            setattr(self.arrays, name, wp.array(values, dtype=dtype, device=device))


def _starts(link_index: np.ndarray, link_count: int) -> np.ndarray:
    return np.searchsorted(link_index, np.arange(link_count + 1)).astype(np.int32)


def _link_pairs(spheres: CollisionSpheres) -> np.ndarray:
    a, b = np.triu_indices(len(spheres.ignored_link_pairs), k=1)
    filled = np.isin(np.arange(len(spheres.ignored_link_pairs)), spheres.link_index)
    keep = ~spheres.ignored_link_pairs[a, b] & filled[a] & filled[b]
    return np.stack([a[keep], b[keep]], axis=-1).astype(np.int32).reshape(-1, 2)


@functools.lru_cache(maxsize=4)
def object_model(obj: RigidObject, config: SignedDistanceConfig, device: str) -> ObjectModel:
    """Return an object's model; the same object is prepared once."""
    return ObjectModel(obj, config, device)


class ObjectModel:
    """An object on a device; shared by all shards."""

    def __init__(self, obj: RigidObject, config: SignedDistanceConfig, device: str) -> None:
        self.distance = SignedDistance.build(obj.mesh, closed=obj.closed, device=device, config=config)
        self.thin_walled = thin_walled(self.distance)
        self.center_of_mass = np.asarray(obj.center_of_mass, dtype=np.float32)
        unit_inertia = obj.inertia / obj.mass
        self.inverse_inertia = np.linalg.inv(unit_inertia).astype(np.float32)
        self.gyration_radius = float(np.sqrt(np.trace(unit_inertia) / 3.0))


class SurroundingsModel:
    """What stands around an object, on a device."""

    def __init__(self, surroundings: Surroundings = NOTHING, device: str = "cpu") -> None:
        plane = surroundings.plane
        self.plane = None if plane is None else np.asarray(plane, dtype=np.float64)
        self.obstacles: SignedDistance | None = None
        if surroundings.obstacles:
            # Winding numbers, since the meshes may overlap one another.
            exact = SignedDistanceConfig(phong_alpha=0.0)
            mesh = _joined(surroundings.obstacles)
            self.obstacles = SignedDistance.build(mesh, closed=False, device=device, config=exact)


def _joined(meshes: Sequence[TriangleMesh]) -> TriangleMesh:
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
    return TriangleMesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces).astype(np.int32))


def object_arrays(
    models: Sequence[ObjectModel],
    index: np.ndarray,
    device: str,
    *,
    rotation_length: float | None = None,
    surroundings: Sequence[SurroundingsModel] | None = None,
) -> Any:
    """Put several objects into one batch, as the kernels' ``ObjectArrays``.

    Args:
        models: The objects, on ``device``.
        index: Object of each grasp, shape [grasp_count].
        device: Warp device.
        rotation_length: By which rotations count in the loss [m]; by default each object's radius of gyration.
        surroundings: What stands around each object; by default nothing.
    """
    around = surroundings or [SurroundingsModel()] * len(models)
    arrays = ObjectArrays()
    normals = [model.distance.corner_normals for model in models]
    starts = np.concatenate([[0], np.cumsum([len(part) for part in normals])[:-1]])
    joined = normals[0] if len(normals) == 1 else np.concatenate([part.numpy() for part in normals])
    columns = {
        "index": (index.astype(np.int32), int),
        "mesh": (np.array([model.distance.mesh.id for model in models], dtype=np.uint64), wp.uint64),
        "first_normal": (starts.astype(np.int32), int),
        "sign_mode": (np.array([model.distance.sign_mode for model in models], dtype=np.int32), int),
        "thin_walled": (np.array([model.thin_walled for model in models], dtype=np.int32), int),
        "center_of_mass": (np.array([model.center_of_mass for model in models]), wp.vec3),
        "inverse_inertia": (np.array([model.inverse_inertia for model in models]), wp.mat33),
        "rotation_length": (np.array([rotation_length or model.gyration_radius for model in models]), float),
        "plane": (np.array([np.zeros(4) if part.plane is None else part.plane for part in around]), wp.vec4),
        "obstacles": (
            np.array([part.obstacles.mesh.id if part.obstacles else 0 for part in around], dtype=np.uint64),
            wp.uint64,
        ),
    }
    for name, (values, dtype) in columns.items():
        setattr(arrays, name, wp.array(values, dtype=dtype, device=device))
    arrays.corner_normals = joined if isinstance(joined, wp.array) else wp.array(joined, dtype=wp.vec3, device=device)
    return arrays


@functools.lru_cache(maxsize=16)  # the same for every batch and try of a run
def settings_of(config: SynthesisConfig, point_count: int, filling_count: int, device: str) -> Any:
    """Return the numbers and schedules of a configuration as the kernels' ``Settings``; not to be changed."""
    settings = Settings()
    iterations = np.arange(config.iterations)
    scale = np.array([config.rate_scale(int(i)) for i in iterations])
    radius = np.array([config.dilation_radius(int(i)) for i in iterations])
    shrunk = 1.0 - radius / config.dilation if config.dilation > 0.0 else np.ones(config.iterations)
    closing = config.closing_weight / point_count * shrunk
    columns = {
        "radius": radius,
        "closing": closing,
        "within": np.maximum(radius + 1.01 * config.probe, np.where(closing > 0.0, config.closing_distance, 0.0)),
        "leak": config.leak * config.leak_stride * scale,
        "rate_scale": scale,
        "bias_1": 1.0 - config.beta_1 ** (iterations + 1.0),
        "bias_2": 1.0 - config.beta_2 ** (iterations + 1.0),
    }
    for name, values in columns.items():
        setattr(settings, name, wp.array(values, dtype=float, device=device))
    settings.weights = wp.array(config.probe_weights(), dtype=float, device=device)
    settings.motions = wp.array(config.probe_motions(), dtype=wp.vec3, device=device)
    for name in (
        *("probe", "time_step", "friction", "reach", "reuse_distance", "reuse_share", "reuse_trust", "leak_stride"),
        *("rise_rate", "beta_1", "beta_2", "translation_rate", "rotation_rate", "joint_rate"),
    ):
        setattr(settings, name, getattr(config, name))
    counts = {"hand": 1, "point": point_count, "filling sphere": max(filling_count, 1)}
    for term in LOSS_TERMS.values():
        if term.weight is not None:
            setattr(settings.loss, term.weight, getattr(config, term.weight) / counts[term.per])
        for name in term.settings:
            setattr(settings.loss, name, getattr(config, name))
    settings.search_margin = _SEARCH_MARGIN
    settings.reuse_error, settings.reuse_error_share = _REUSE_ERROR
    settings.smoothing = 0.1 * config.probe
    settings.phong_alpha = config.distance.phong_alpha
    settings.adam = int(config.optimizer == "adam")
    settings.one_sided = int(config.leak_mode == "one_sided")
    return settings
