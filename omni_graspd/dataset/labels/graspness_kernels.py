# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How many grasps touch an object near a point, and which one touches it nearest."""

import warp as wp


@wp.kernel
def graspness_kernel(
    points: wp.array(dtype=wp.vec3),  # (point), on the object
    contacts: wp.array(dtype=wp.vec3),  # (contact)
    grasp: wp.array(dtype=int),  # (contact), ascending
    radius: float,
    count: wp.array(dtype=int),  # (point), grasps with a contact within the radius
    nearest: wp.array(dtype=int),  # (point), the grasp with the nearest contact, -1 without any
):
    """Look through all contacts: there are few, and they are sorted by grasp."""
    point = wp.tid()
    position = points[point]
    counted = int(-1)
    found = int(0)
    best = int(-1)
    least = float(0.0)
    for contact in range(contacts.shape[0]):
        offset = contacts[contact] - position
        squared = wp.dot(offset, offset)
        if squared <= radius * radius and grasp[contact] != counted:
            counted = grasp[contact]
            found += 1
        if best < 0 or squared < least:
            best = grasp[contact]
            least = squared
    count[point] = found
    nearest[point] = best
