# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What the kernels of the optimisation read and write, as Warp structs."""

import warp as wp

from omni_graspd.synthesis.losses import LOSS_SETTINGS

LossSettings = wp.struct(type("LossSettings", (), {"__annotations__": dict.fromkeys(LOSS_SETTINGS, float)}))
"""Weights of the terms of the loss, and what else they need, by the names of a SynthesisConfig."""


@wp.struct
class HandArrays:
    """A hand; shared by all shards."""

    parent: wp.array(dtype=int)  # (link), -1 for the palm
    joint: wp.array(dtype=int)  # (link), -1 where welded
    joint_type: wp.array(dtype=int)  # (link): 0 fixed, 1 revolute, 2 prismatic
    axis: wp.array(dtype=wp.vec3)  # (link), in the joint frame
    T_parent_joint: wp.array(dtype=wp.transform)  # (link)
    T_joint_link: wp.array(dtype=wp.transform)  # (link)
    coupling: wp.array(dtype=float, ndim=2)  # (joint, actuated)
    coupling_offset: wp.array(dtype=float)  # (joint)
    lower: wp.array(dtype=float)  # (joint)
    upper: wp.array(dtype=float)  # (joint)
    actuated_lower: wp.array(dtype=float)  # (actuated)
    actuated_upper: wp.array(dtype=float)  # (actuated)
    point_start: wp.array(dtype=int)  # (link + 1), points are sorted by link
    point_link: wp.array(dtype=int)  # (point)
    point_positions: wp.array(dtype=wp.vec3)  # (point), in the link's frame
    sphere_start: wp.array(dtype=int)  # (link + 1), spheres are sorted by link
    sphere_center: wp.array(dtype=wp.vec3)  # (sphere), in the link's frame
    sphere_radius: wp.array(dtype=float)  # (sphere)
    bound_center: wp.array(dtype=wp.vec3)  # (link), centre of a sphere about the link's spheres
    bound_radius: wp.array(dtype=float)  # (link)
    filling_start: wp.array(dtype=int)  # (link + 1), filling spheres are sorted by link
    filling_center: wp.array(dtype=wp.vec3)  # (filling sphere), in the link's frame
    filling_radius: wp.array(dtype=float)  # (filling sphere)
    reach_center: wp.array(dtype=wp.vec3)  # (link), centre of a sphere about the link's points
    reach_radius: wp.array(dtype=float)  # (link)
    link_pairs: wp.array(dtype=wp.vec2i)  # (pair), links that must not overlap


@wp.struct
class ObjectArrays:
    """The objects of a batch, and which grasp is of which."""

    index: wp.array(dtype=int)  # (grasp), object of each grasp
    mesh: wp.array(dtype=wp.uint64)  # (object)
    first_normal: wp.array(dtype=int)  # (object), where its corner normals start
    corner_normals: wp.array(dtype=wp.vec3)  # of all objects, one after another
    sign_mode: wp.array(dtype=int)  # (object)
    thin_walled: wp.array(dtype=int)  # (object), 1 where it has thin walls
    center_of_mass: wp.array(dtype=wp.vec3)  # (object)
    inverse_inertia: wp.array(dtype=wp.mat33)  # (object), for unit mass
    rotation_length: wp.array(dtype=float)  # (object), by which rotations count in the loss
    plane: wp.array(dtype=wp.vec4)  # (object), table top: unit normal and offset; zero without a table
    obstacles: wp.array(dtype=wp.uint64)  # (object), mesh of what else stands around it; 0 for none


@wp.struct
class Settings:
    """Numbers of a SynthesisConfig, and its schedules."""

    motions: wp.array(dtype=wp.vec3)  # (simulation), what the object would do without the hand
    weights: wp.array(dtype=float)  # (simulation), sum to 1
    radius: wp.array(dtype=float)  # (iteration), padding of the object
    leak: wp.array(dtype=float)  # (iteration)
    closing: wp.array(dtype=float)  # (iteration), pull on each near point
    within: wp.array(dtype=float)  # (iteration), distance up to which points matter
    rate_scale: wp.array(dtype=float)  # (iteration)
    bias_1: wp.array(dtype=float)  # (iteration)
    bias_2: wp.array(dtype=float)  # (iteration)
    probe: float
    time_step: float
    adam: int
    friction: float
    smoothing: float
    reach: float
    search_margin: float
    reuse_error: float
    reuse_error_share: float
    reuse_trust: float
    phong_alpha: float
    reuse_distance: float
    reuse_share: float
    leak_stride: int
    one_sided: int
    loss: LossSettings
    rise_rate: float
    beta_1: float
    beta_2: float
    translation_rate: float
    rotation_rate: float
    joint_rate: float


@wp.struct
class GraspArrays:
    """State and scratch of the grasps of one shard. Positions are from the object's centre of mass."""

    T_object_palm: wp.array(dtype=wp.transform)  # (grasp)
    actuated: wp.array(dtype=float, ndim=2)  # (grasp, actuated)
    joint_positions: wp.array(dtype=float, ndim=2)  # (grasp, joint)
    link_poses: wp.array(dtype=wp.transform, ndim=2)  # (grasp, link)
    joint_axis: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, link)
    joint_anchor: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, link)
    measured_points: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, point), where the surface was last looked for
    measured_distances: wp.array(dtype=float, ndim=2)  # (grasp, point)
    measured_normals: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, point)
    trust: wp.array(dtype=float, ndim=2)  # (grasp, point), by how much reuse may go farther
    query_count: wp.array(dtype=int)  # (grasp)
    listed_link: wp.array(dtype=int, ndim=2)  # (grasp, point)
    listed_leaks: wp.array(dtype=int, ndim=2)  # (grasp, point)
    listed_points: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, point)
    listed_normals: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, point)
    listed_distances: wp.array(dtype=float, ndim=2)  # (grasp, point)
    listed_mobility: wp.array(dtype=float, ndim=2)  # (grasp, point), fused path only
    listed_stopping: wp.array(dtype=float, ndim=3)  # (grasp, point, axis), fused path only
    point_gradients: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, point), split path only
    stable_losses: wp.array(dtype=float, ndim=2)  # (grasp, simulation)
    adjoint_linear: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, simulation)
    adjoint_angular: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, simulation)
    forces: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, link)
    torques: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, link)
    sphere_centers: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, sphere)
    filling_measured: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, filling sphere), as of points
    filling_distances: wp.array(dtype=float, ndim=2)  # (grasp, filling sphere)
    filling_normals: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, filling sphere)
    filling_depth: wp.array(dtype=float)  # (grasp), of the object in the spheres, at most
    bound_centers: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, link)
    joint_gradients: wp.array(dtype=float, ndim=2)  # (grasp, joint)
    palm_forces: wp.array(dtype=wp.vec3)  # (grasp)
    palm_torques: wp.array(dtype=wp.vec3)  # (grasp)
    actuated_gradients: wp.array(dtype=float, ndim=2)  # (grasp, actuated)
    losses: wp.array(dtype=float, ndim=2)  # (grasp, term), in the order of KEPT_TERMS
    table_clearance: wp.array(dtype=float)  # (grasp), of the lowest hand point; 3 cm where that is higher
    obstacle_clearance: wp.array(dtype=float)  # (grasp), of the nearest hand point; 3 cm where that is farther
    palm_moments: wp.array(dtype=wp.vec3, ndim=2)  # (grasp, 2)
    palm_squares: wp.array(dtype=float, ndim=2)  # (grasp, 2)
    joint_moments: wp.array(dtype=float, ndim=2)  # (grasp, actuated)
    joint_squares: wp.array(dtype=float, ndim=2)  # (grasp, actuated)
    failed: wp.array(dtype=int)  # (grasp)
