# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What stands around the object pushes back: the table as a half space, obstacles as a mesh.

Unlike the object, which is felt from nearby only, the table is felt by every hand point at any distance. Positions are
in the object's axes with the origin at its centre of mass.
"""

import warp as wp

from omni_graspd.synthesis.model_structs import GraspArrays, HandArrays, ObjectArrays, Settings

wp.set_module_options({"enable_backward": False})

# Obstacles are looked for within this distance of a hand point [m]; a point deeper inside one feels nothing.
OBSTACLE_REACH = wp.constant(0.03)


@wp.func
def plane_height(plane: wp.vec4, center_of_mass: wp.vec3, position: wp.vec3):
    """Height of a point over the table top [m]; ``plane`` is in the object frame: unit normal and offset."""
    normal = wp.vec3(plane[0], plane[1], plane[2])
    return wp.dot(normal, position + center_of_mass) - plane[3]


@wp.func
def obstacle_distance(mesh: wp.uint64, point: wp.vec3, reach: float):
    """Signed distance to closed obstacles and the direction away from them; ``reach`` and zero where none is near."""
    distance = reach
    direction = wp.vec3(0.0, 0.0, 0.0)
    query = wp.mesh_query_point_sign_winding_number(mesh, point, reach)
    if query.result:
        away = point - wp.mesh_eval_position(mesh, query.face, query.u, query.v)
        length = wp.length(away)
        distance = query.sign * length
        direction = wp.mesh_eval_face_normal(mesh, query.face)
        if length > 1.0e-5:
            direction = away / distance
    return distance, direction


@wp.func
def push_from_surroundings(grasp: int, hand: HandArrays, obj: ObjectArrays, state: GraspArrays, settings: Settings):
    """Add the gradient of w/2N sum of max(0, margin - h)^2 over all hand points, h their clearance.

    Leaves the least clearance from the table and from obstacles; links whose points are all clear are left out, so
    that it is no less than the margin where nothing is near.
    """
    kind = obj.index[grasp]
    plane = obj.plane[kind]
    center_of_mass = obj.center_of_mass[kind]
    normal = wp.vec3(plane[0], plane[1], plane[2])
    has_plane = wp.dot(normal, normal) > 0.0
    obstacles = obj.obstacles[kind]
    margin = settings.loss.surroundings_margin
    lowest = OBSTACLE_REACH
    nearest = OBSTACLE_REACH
    if has_plane or obstacles != wp.uint64(0):
        for link in range(hand.parent.shape[0]):
            pose = state.link_poses[grasp, link]
            middle = wp.transform_point(pose, hand.reach_center[link])
            by_plane = has_plane and plane_height(plane, center_of_mass, middle) < margin + hand.reach_radius[link]
            by_obstacles = obstacles != wp.uint64(0)
            if by_obstacles:
                # As far as its points are felt: a link that is wholly inside is far from the surface, too.
                radius = hand.reach_radius[link]
                distance, direction = obstacle_distance(obstacles, middle + center_of_mass, OBSTACLE_REACH + radius)
                by_obstacles = distance < margin + radius
            if by_plane or by_obstacles:
                rotation = wp.quat_to_matrix(wp.transform_get_rotation(pose))
                origin = wp.transform_get_translation(pose)
                force = wp.vec3(0.0, 0.0, 0.0)
                torque = wp.vec3(0.0, 0.0, 0.0)
                for point in range(hand.point_start[link], hand.point_start[link + 1]):
                    position = rotation * hand.point_positions[point] + origin
                    if by_plane:
                        height = plane_height(plane, center_of_mass, position)
                        lowest = wp.min(lowest, height)
                        if height < margin:
                            gradient = normal * (-settings.loss.surroundings_weight * (margin - height))
                            force += gradient
                            torque += wp.cross(position, gradient)
                    if by_obstacles:
                        distance, direction = obstacle_distance(obstacles, position + center_of_mass, OBSTACLE_REACH)
                        nearest = wp.min(nearest, distance)
                        if distance < margin:
                            gradient = direction * (-settings.loss.surroundings_weight * (margin - distance))
                            force += gradient
                            torque += wp.cross(position, gradient)
                state.forces[grasp, link] = state.forces[grasp, link] + force
                state.torques[grasp, link] = state.torques[grasp, link] + torque
    state.table_clearance[grasp] = lowest
    state.obstacle_clearance[grasp] = nearest


@wp.func
def rise_from_table(grasp: int, iteration: int, obj: ObjectArrays, state: GraspArrays, settings: Settings):
    """Lift the palm off the table by what the lowest point lacks to half the margin, a step at most."""
    plane = obj.plane[obj.index[grasp]]
    normal = wp.vec3(plane[0], plane[1], plane[2])
    lacking = 0.5 * settings.loss.surroundings_margin - state.table_clearance[grasp]
    if lacking > 0.0 and wp.dot(normal, normal) > 0.0:
        rise = wp.min(lacking, settings.rise_rate * settings.rate_scale[iteration])
        pose = state.T_object_palm[grasp]
        state.T_object_palm[grasp] = wp.transform(
            wp.transform_get_translation(pose) + normal * rise, wp.transform_get_rotation(pose)
        )
