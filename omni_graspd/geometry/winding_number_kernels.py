# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How often a surface goes around a point."""

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.func
def solid_angle(a: wp.vec3, b: wp.vec3, c: wp.vec3) -> float:
    """Return the signed solid angle of a triangle seen from the origin, positive from behind [sr].

    Van Oosterom and Strackee, "The solid angle of a plane triangle", IEEE Transactions on Biomedical Engineering, 1983.
    """
    la, lb, lc = wp.length(a), wp.length(b), wp.length(c)
    volume = wp.dot(a, wp.cross(b, c))
    return 2.0 * wp.atan2(volume, la * lb * lc + wp.dot(a, b) * lc + wp.dot(b, c) * la + wp.dot(c, a) * lb)


@wp.kernel
def winding_number_kernel(
    vertices: wp.array(dtype=wp.vec3),  # (vertex)
    faces: wp.array(dtype=int, ndim=2),  # (face, 3)
    points: wp.array(dtype=wp.vec3),  # (point)
    # outputs
    numbers: wp.array(dtype=float),  # (point)
):
    """Sum the solid angles of all faces over 4 pi. One thread per point."""
    point = wp.tid()
    origin = points[point]
    total = float(0.0)
    for face in range(faces.shape[0]):
        a, b, c = vertices[faces[face, 0]], vertices[faces[face, 1]], vertices[faces[face, 2]]
        total += solid_angle(a - origin, b - origin, c - origin)
    numbers[point] = total / (4.0 * wp.pi)
