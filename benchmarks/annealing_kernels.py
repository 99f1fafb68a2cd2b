# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated annealing over palm pose and two postures of a hand, a thread for each chain."""

import warp as wp

from omni_graspd.hands.kinematics_kernels import joint_transform

wp.set_module_options({"enable_backward": False})


@wp.struct
class Chain:
    """What all chains of a launch share."""

    parent: wp.array(dtype=int)  # [link]
    joint: wp.array(dtype=int)  # [link]
    joint_type: wp.array(dtype=int)  # [link]
    axis: wp.array(dtype=wp.vec3)  # [link]
    T_parent_joint: wp.array(dtype=wp.transform)  # [link]
    T_joint_link: wp.array(dtype=wp.transform)  # [link]
    posture: wp.array(dtype=float, ndim=2)  # [joint, amplitude]
    offset: wp.array(dtype=float)  # [joint]
    upper: wp.array(dtype=float)  # [joint]
    amplitude_upper: wp.array(dtype=float)  # [amplitude], the lower limits are 0
    contact_link: wp.array(dtype=int)  # [contact]
    contact_position: wp.array(dtype=wp.vec3)  # [contact]
    contact_normal: wp.array(dtype=wp.vec3)  # [contact]
    sphere_link: wp.array(dtype=int)  # [sphere]
    sphere_center: wp.array(dtype=wp.vec3)  # [sphere]
    sphere_radius: wp.array(dtype=float)  # [sphere]
    distances: wp.array(dtype=float, ndim=3)  # signed distances on a grid [m]
    origin: wp.vec3  # of the grid
    spacing: float
    plane: wp.vec4  # table top; zero without one
    low: wp.vec3  # where palms may be
    high: wp.vec3
    alpha: float  # [m]
    tolerance: float  # spheres may be so deep in the object [m]


@wp.func
def field(chain: Chain, point: wp.vec3):
    """Signed distance [m] and its gradient at a point, (gradient, distance); beyond the grid by its border."""
    counts = wp.vec3(
        float(chain.distances.shape[0]) - 1.001,
        float(chain.distances.shape[1]) - 1.001,
        float(chain.distances.shape[2]) - 1.001,
    )
    at = (point - chain.origin) / chain.spacing
    inside = wp.vec3(wp.clamp(at[0], 0.0, counts[0]), wp.clamp(at[1], 0.0, counts[1]), wp.clamp(at[2], 0.0, counts[2]))
    beyond = wp.length(at - inside) * chain.spacing
    i = int(inside[0])
    j = int(inside[1])
    k = int(inside[2])
    x = inside[0] - float(i)
    y = inside[1] - float(j)
    z = inside[2] - float(k)
    d000 = chain.distances[i, j, k]
    d001 = chain.distances[i, j, k + 1]
    d010 = chain.distances[i, j + 1, k]
    d011 = chain.distances[i, j + 1, k + 1]
    d100 = chain.distances[i + 1, j, k]
    d101 = chain.distances[i + 1, j, k + 1]
    d110 = chain.distances[i + 1, j + 1, k]
    d111 = chain.distances[i + 1, j + 1, k + 1]
    d00 = d000 + z * (d001 - d000)
    d01 = d010 + z * (d011 - d010)
    d10 = d100 + z * (d101 - d100)
    d11 = d110 + z * (d111 - d110)
    d0 = d00 + y * (d01 - d00)
    d1 = d10 + y * (d11 - d10)
    along_y = d01 - d00 + x * (d11 - d10 - d01 + d00)
    low_z = d001 - d000 + y * (d011 - d010 - d001 + d000)
    high_z = d101 - d100 + y * (d111 - d110 - d101 + d100)
    gradient = wp.normalize(wp.vec3(d1 - d0, along_y, low_z + x * (high_z - low_z)))
    return wp.vec4(gradient[0], gradient[1], gradient[2], d0 + x * (d1 - d0) + beyond)


@wp.func
def place(
    chain: Chain, palm: wp.transform, spread: float, bend: float, row: int, links: wp.array(dtype=wp.transform, ndim=2)
):
    """Place the links of a hand."""
    for link in range(chain.parent.shape[0]):
        if chain.parent[link] < 0:
            links[row, link] = palm
            continue
        motion = wp.transform_identity()
        joint = chain.joint[link]
        if joint >= 0:
            position = chain.offset[joint] + chain.posture[joint, 0] * spread + chain.posture[joint, 1] * bend
            motion = joint_transform(chain.joint_type[link], chain.axis[link], wp.min(position, chain.upper[joint]))
        moved = wp.transform_multiply(
            wp.transform_multiply(links[row, chain.parent[link]], chain.T_parent_joint[link]), motion
        )
        links[row, link] = wp.transform_multiply(moved, chain.T_joint_link[link])


@wp.func
def energy(chain: Chain, row: int, links: wp.array(dtype=wp.transform, ndim=2)):
    """Mean over the desired contacts of their distance, over alpha, and of how far they look elsewhere."""
    total = float(0.0)
    for contact in range(chain.contact_link.shape[0]):
        pose = links[row, chain.contact_link[contact]]
        found = field(chain, wp.transform_point(pose, chain.contact_position[contact]))
        normal = wp.transform_vector(pose, chain.contact_normal[contact])
        facing = -wp.dot(normal, wp.vec3(found[0], found[1], found[2]))
        total += wp.abs(found[3]) / chain.alpha + 1.0 - facing
    return total / float(chain.contact_link.shape[0])


@wp.func
def is_legal(chain: Chain, row: int, links: wp.array(dtype=wp.transform, ndim=2)):
    """Tell whether the hand is clear of object and table."""
    legal = int(1)
    up = wp.vec3(chain.plane[0], chain.plane[1], chain.plane[2])
    table = wp.dot(up, up) > 0.0
    for sphere in range(chain.sphere_link.shape[0]):
        center = wp.transform_point(links[row, chain.sphere_link[sphere]], chain.sphere_center[sphere])
        radius = chain.sphere_radius[sphere]
        if table and wp.dot(up, center) - chain.plane[3] < radius:
            legal = 0
            break
        if field(chain, center)[3] < radius - chain.tolerance:
            legal = 0
            break
    return legal


@wp.func
def step(temperature: float, u: float):
    """Return Ingber's neighbour, from -1 to 1, near 0 where it is cold; ``u`` is drawn from 0 to 1."""
    return wp.sign(u - 0.5) * temperature * (wp.pow(1.0 + 1.0 / temperature, wp.abs(2.0 * u - 1.0)) - 1.0)


@wp.kernel
def anneal_kernel(
    chain: Chain,
    seed: int,
    steps: int,
    dimension: float,
    cooling: float,
    accepting: float,
    # outputs
    palms: wp.array(dtype=wp.transform),  # [chain], at first where they begin
    amplitudes: wp.array(dtype=wp.vec2),  # [chain], likewise
    best: wp.array(dtype=float),  # [chain], infinite where no state was legal
    links: wp.array(dtype=wp.transform, ndim=2),  # [chain, link], scratch
):
    """Anneal: T_k = exp(-cooling k^(1/dimension)) scales both the steps and, times ``accepting``, what is accepted.

    Threads: (chain).
    """
    row = wp.tid()
    state = wp.rand_init(seed, row)
    palm = palms[row]
    amplitude = amplitudes[row]
    size = chain.high - chain.low
    now = float(1.0e6)
    least = float(wp.inf)
    for k in range(steps):
        temperature = wp.exp(-cooling * wp.pow(float(k), 1.0 / dimension))
        shift = wp.vec3(
            step(temperature, wp.randf(state)), step(temperature, wp.randf(state)), step(temperature, wp.randf(state))
        )
        turn = wp.vec3(
            step(temperature, wp.randf(state)), step(temperature, wp.randf(state)), step(temperature, wp.randf(state))
        )
        spread = amplitude[0] + step(temperature, wp.randf(state)) * chain.amplitude_upper[0]
        bend = amplitude[1] + step(temperature, wp.randf(state)) * chain.amplitude_upper[1]
        place_new = wp.transform_get_translation(palm) + 0.5 * wp.cw_mul(shift, size)
        for axis in range(3):
            place_new[axis] = wp.clamp(place_new[axis], chain.low[axis], chain.high[axis])
        angle = wp.length(turn) * wp.pi
        turned = wp.quat_from_axis_angle(wp.normalize(turn), angle) * wp.transform_get_rotation(palm)
        palm_new = wp.transform(place_new, wp.normalize(turned))
        spread = wp.clamp(spread, 0.0, chain.amplitude_upper[0])
        bend = wp.clamp(bend, 0.0, chain.amplitude_upper[1])
        place(chain, palm_new, spread, bend, row, links)
        found = energy(chain, row, links)
        warmth = wp.max(temperature * accepting, 1.0e-9)
        accepted = int(0)
        if found < now or wp.randf(state) < wp.exp((now - found) / warmth):
            accepted = is_legal(chain, row, links)
        if accepted == 1:
            palm = palm_new
            amplitude = wp.vec2(spread, bend)
            now = found
            if found < least:
                least = found
                palms[row] = palm
                amplitudes[row] = amplitude
    best[row] = least
