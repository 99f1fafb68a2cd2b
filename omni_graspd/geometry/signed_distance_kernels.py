# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Signed distance to a triangle mesh on the device, flat or smoothed by Phong interpolation."""

import warp as wp

wp.set_module_options({"enable_backward": False})

SIGN_FROM_NORMALS = wp.constant(0)
"""Inside and outside from angle-weighted pseudo-normals: fast, right on closed, consistently oriented surfaces."""
SIGN_FROM_WINDING_NUMBER = wp.constant(1)
"""Inside and outside from winding numbers: slower, right on surfaces with holes and flipped faces too."""

# Closer than this [m] the direction to the surface is rounding noise in single precision.
TOUCHING = wp.constant(1.0e-5)
# A barycentric coordinate below this can mean that the point lies on the opposite edge: rounding leaves that much.
ON_EDGE = wp.constant(1.0e-4)
# Sine of the angle between the direction to the surface and the face normal above which the closest point is no inner
# point of the face.
OFF_NORMAL = wp.constant(1.0e-3)
NORMALS_PER_FACE = wp.constant(9)


@wp.func
def pseudo_normal_index(u: float, v: float) -> int:
    """Find which of a face's normals tells inside from outside at barycentric coordinates (u, v, 1 - u - v).

    Returns:
        3, 4, 5 for the vertices, 6, 7, 8 for the edges ij, jk, ki, and -1 for the inside of the face.
    """
    on_jk = u < ON_EDGE
    on_ki = v < ON_EDGE
    on_ij = 1.0 - u - v < ON_EDGE
    if on_ij and on_ki:
        return 3
    if on_ij and on_jk:
        return 4
    if on_jk and on_ki:
        return 5
    if on_ij:
        return 6
    if on_jk:
        return 7
    if on_ki:
        return 8
    return -1


@wp.func
def query_closest_point(
    mesh_id: wp.uint64,
    normals: wp.array(dtype=wp.vec3),  # [9 * face_count], of several meshes one after another
    first_normal: int,
    point: wp.vec3,
    max_distance: float,
    sign_mode: int,
):
    """Find the closest surface point; the sign comes from the method named by ``sign_mode``.

    Pseudo-normals are looked up instead of summed over nearly equidistant faces, as Warp's own query does: that mixes
    both sides of a thin wall and gives wrong signs at its middle. Where a face has none, the winding number decides.
    """
    if sign_mode == SIGN_FROM_WINDING_NUMBER:
        return wp.mesh_query_point_sign_winding_number(mesh_id, point, max_distance)
    query = wp.mesh_query_point_no_sign(mesh_id, point, max_distance)
    query.sign = 1.0
    if query.result:
        first = first_normal + NORMALS_PER_FACE * query.face
        vertex_normal = normals[first + 3]
        if wp.dot(vertex_normal, vertex_normal) == 0.0:
            return wp.mesh_query_point_sign_winding_number(mesh_id, point, max_distance)
        index = pseudo_normal_index(query.u, query.v)
        normal = wp.mesh_eval_face_normal(mesh_id, query.face)
        away = point - wp.mesh_eval_position(mesh_id, query.face, query.u, query.v)
        if index >= 0 and wp.length(wp.cross(away, normal)) > OFF_NORMAL * wp.length(away):
            normal = normals[first + index]
        if wp.dot(away, normal) < 0.0:
            query.sign = -1.0
    return query


@wp.func
def tangent_plane_offset(surface_point: wp.vec3, vertex: wp.vec3, normal: wp.vec3) -> wp.vec3:
    """Compute the vector from a surface point to its projection on a vertex's tangent plane, psi(r*) - r*."""
    return -wp.dot(surface_point - vertex, normal) * normal


@wp.func
def edge_curvature(edge: wp.vec3, normal_change: wp.vec3) -> float:
    """Compute the normal curvature along an edge [1/m], positive where the surface is convex."""
    return wp.dot(edge, normal_change) / wp.max(wp.dot(edge, edge), 1.0e-18)


@wp.func
def smooth_direction(
    flat_gradient: wp.vec3, interpolated_normal: wp.vec3, bend: float, curvature: float, distance: float
) -> wp.vec3:
    """Blend the flat gradient g and the interpolated normal m into a direction that is continuous over edges.

    On a sphere of radius R a point at distance t from the mesh is r* + t g with r* = R m, so the radial direction is
    that of m + (t / R) g. Where g is farther from m than the triangle's own bend explains, the closest feature is a
    hard edge, and g is right.

    Args:
        flat_gradient: Unit gradient of the distance to the flat triangles.
        interpolated_normal: Unit normal interpolated from the triangle's corners.
        bend: Largest difference between a corner normal and the face normal.
        curvature: Mean normal curvature of the triangle [1/m].
        distance: Signed distance to the flat triangles [m].
    """
    hardness = wp.length(flat_gradient - interpolated_normal) / (bend + 1.0e-6)
    smoothness = wp.clamp(2.0 - hardness, 0.0, 1.0)
    radial = wp.normalize(interpolated_normal + wp.max(curvature * distance, -0.5) * flat_gradient)
    return wp.normalize(smoothness * radial + (1.0 - smoothness) * flat_gradient)


@wp.func
def signed_distance(
    mesh_id: wp.uint64,
    corner_normals: wp.array(dtype=wp.vec3),  # [9 * face_count], of several meshes one after another
    first_normal: int,
    point: wp.vec3,
    max_distance: float,
    sign_mode: int,
    phong_alpha: float,
):
    """Compute the Phong-smoothed signed distance of one point, negative inside, and its gradient.

    The closest point r* = u v_i + v v_j + w v_k of the flat triangle moves by the Phong offset
    o = alpha (u, v, w) · (psi_i(r*) - r*, psi_j(r*) - r*, psi_k(r*) - r*), section III-B of the paper. The distance to
    the moved point is measured along the flat gradient g: phi = t - o · g with t the flat signed distance. To second
    order in o / t that is the paper's s |r - r* - o|; unlike it, phi changes its sign on the smoothed surface, not on
    the flat one, and neither phi nor the gradient breaks down where a point touches the smoothed surface.

    Args:
        mesh_id: Mesh in the object frame.
        corner_normals: Nine normals per face: smooth unit normals of its corners, pseudo-normals of its vertices and of
            its edges, as in :func:`~omni_graspd.geometry.corner_normals.surface_normals`.
        first_normal: Where those of this mesh start.
        point: Query point in the object frame [m].
        max_distance: Surface farther than this is not looked for [m].
        sign_mode: ``SIGN_FROM_NORMALS`` or ``SIGN_FROM_WINDING_NUMBER``.
        phong_alpha: 0 for the flat triangles, 0.5 to match a curved surface to second order.

    Returns:
        Signed distance [m] (``max_distance`` where nothing was found), unit gradient pointing out of the object
        (zero where nothing was found), and whether the surface was found.
    """
    query = query_closest_point(mesh_id, corner_normals, first_normal, point, max_distance, sign_mode)
    if not query.result:
        return max_distance, wp.vec3(0.0, 0.0, 0.0), False
    surface_point = wp.mesh_eval_position(mesh_id, query.face, query.u, query.v)
    face_normal = wp.mesh_eval_face_normal(mesh_id, query.face)
    away = point - surface_point
    distance = query.sign * wp.length(away)
    gradient = face_normal
    if wp.abs(distance) > TOUCHING:
        gradient = away / distance
    if phong_alpha == 0.0:
        return distance, gradient, True

    corner = 3 * query.face
    first = first_normal + NORMALS_PER_FACE * query.face
    v_i = wp.mesh_get_point(mesh_id, corner)
    v_j = wp.mesh_get_point(mesh_id, corner + 1)
    v_k = wp.mesh_get_point(mesh_id, corner + 2)
    n_i = corner_normals[first]
    n_j = corner_normals[first + 1]
    n_k = corner_normals[first + 2]
    w = 1.0 - query.u - query.v

    offset = query.u * tangent_plane_offset(surface_point, v_i, n_i)
    offset += query.v * tangent_plane_offset(surface_point, v_j, n_j)
    offset += w * tangent_plane_offset(surface_point, v_k, n_k)
    normal = wp.normalize(query.u * n_i + query.v * n_j + w * n_k)
    bend = wp.max(wp.max(wp.length(n_i - face_normal), wp.length(n_j - face_normal)), wp.length(n_k - face_normal))
    curvature = edge_curvature(v_j - v_i, n_j - n_i)
    curvature += edge_curvature(v_k - v_j, n_k - n_j)
    curvature += edge_curvature(v_i - v_k, n_i - n_k)
    direction = smooth_direction(gradient, normal, bend, curvature / 3.0, distance)
    return distance - phong_alpha * wp.dot(offset, gradient), direction, True


@wp.kernel
def query_kernel(
    mesh_id: wp.uint64,
    corner_normals: wp.array(dtype=wp.vec3),  # [9 * face_count]
    points: wp.array(dtype=wp.vec3),  # [point_count]
    max_distance: float,
    sign_mode: int,
    phong_alpha: float,
    # outputs
    distances: wp.array(dtype=float),  # [point_count]
    normals: wp.array(dtype=wp.vec3),  # [point_count]
):
    """Compute signed distance and gradient of one point; thread layout ``(point,)``."""
    i = wp.tid()
    phi, normal, _found = signed_distance(mesh_id, corner_normals, 0, points[i], max_distance, sign_mode, phong_alpha)
    distances[i] = phi
    normals[i] = normal
