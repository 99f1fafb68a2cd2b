# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The network: parameters by name, and functions of them. PyTorch's tensors only, no modules to be pickled.

Grasps of V views, G each, are arrays [V, G, ...] in the crop frame of their view.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.prediction.network_config import TIME_FEATURES, NetworkConfig, near_sizes, parameter_shapes
from omni_graspd.prediction.shape_grid import ShapeGrids
from omni_graspd.seeding import random_generator

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]

Parameters = dict[str, "Tensor"]
BASES = ("basis", "near_basis")
"""Parameters that are not trained."""
_REACH = 0.1
"""Distances of basis points from what is seen are told up to here [m]."""
_INNER_REACH = 0.03
"""Signed distances of basis points from the guessed object are told up to here [m]."""
_BASIS_LOW, _BASIS_HIGH = (-0.15, -0.15, -0.02), (0.15, 0.15, 0.24)
_NEAR_RADIUS, _NEAR_AHEAD = 0.11, 0.06
_AT_ONCE = 2048
"""Basis points whose distances from all seen points are in memory at once."""
_HEIGHT_UNIT = 0.1


def initial_parameters(config: NetworkConfig, hand: Hand, seed: int) -> dict[str, np.ndarray]:
    """Draw a network to begin with.

    Args:
        config: Its sizes.
        hand: The hand; basis points of the head are spread in front of its palm.
        seed: Seed of everything drawn.

    Returns:
        Parameters by name, float32.
    """
    parameters = {}
    for name, shape in parameter_shapes(config, hand.actuated_count).items():
        random = random_generator(seed, "network", name)
        if name == "basis":
            parameters[name] = random.uniform(_BASIS_LOW, _BASIS_HIGH, shape)
        elif name == "near_basis":
            middle = hand.approach_point + _NEAR_AHEAD * hand.approach_direction
            directions = random.standard_normal(shape)
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
            parameters[name] = middle + _NEAR_RADIUS * np.cbrt(random.random((shape[0], 1))) * directions
        elif name.endswith("bias") or name in ("flow.output.weight", "near.output.weight"):
            parameters[name] = np.zeros(shape)
        else:
            bound = math.sqrt(3.0 / math.prod(shape[1:]))
            parameters[name] = random.uniform(-bound, bound, shape)
    return {name: values.astype(np.float32) for name, values in parameters.items()}


def encode(parameters: Parameters, points: Tensor, camera: Tensor, shapes: ShapeGrids) -> Tensor:
    """Describe objects: how far basis points are from what is seen and from the guessed object, through two layers.

    Args:
        parameters: The network.
        points: Points of each crop [m], shape [V, point_count, 3].
        camera: Unit directions to the cameras, shape [V, 3].
        shapes: What the objects are guessed to be.

    Returns:
        Shape [V, width].

    References:
        Prokudin, Lassner and Romero, "Efficient learning on point clouds with basis point sets", ICCV 2019.
    """
    import torch  # pyright: ignore[reportMissingImports]

    basis = parameters["basis"].expand(len(points), -1, -1)
    values = torch.cat([_nearness(basis, points), _depth_in(shapes, basis), camera], dim=-1)
    values = torch.nn.functional.silu(_layer(parameters, "encoder.0", values))
    return torch.nn.functional.silu(_layer(parameters, "encoder.1", values))


def velocity(parameters: Parameters, seen: Tensor, grasps: Tensor, time: Tensor) -> Tensor:
    """Return where grasps on the way from noise to data move.

    Args:
        parameters: The network.
        seen: What :func:`encode` says of their views, shape [V, width].
        grasps: Coded grasps, shape [V, G, POSE_SIZE + joint_count].
        time: 0 noise, 1 data, shape [V, G], or [V, 1] where it is the same for all.

    References:
        Liu, Gong and Liu, "Flow straight and fast: learning to generate and transfer data with rectified flow", 2022.
    """
    import torch  # pyright: ignore[reportMissingImports]

    turns = torch.exp(torch.linspace(0.0, math.log(64.0), TIME_FEATURES // 2, device=time.device)) * time[..., None]
    known = seen[:, None] + _layer(parameters, "flow.time", torch.cat([turns.sin(), turns.cos()], dim=-1))
    return _residual(parameters, "flow", grasps, known)


def look_from_palm(
    parameters: Parameters,
    points: Tensor,
    camera: Tensor,
    shapes: ShapeGrids,
    positions: Tensor,
    rotations: Tensor,
    joints: Tensor,
) -> dict[str, Tensor]:
    """Judge grasps by what lies before the palm, whatever else the view shows.

    Args:
        parameters: The network.
        points: Points of each crop [m], shape [V, point_count, 3].
        camera: Unit directions to the cameras, shape [V, 3].
        shapes: What the objects are guessed to be.
        positions: Palms [m], shape [V, G, 3].
        rotations: Palms, shape [V, G, 3, 3].
        joints: Actuated joints from -1 to 1, shape [V, G, joint_count].

    Returns:
        By the names of :func:`~omni_graspd.prediction.network_config.near_sizes`, shape [V, G, size] each, in the
        units of :mod:`~omni_graspd.prediction.near_units`: the postures before and after the grasp, what would make it
        better (a shift and a turn of the palm in its own frame, a change of the joints), and a logit of how good it is.
    """
    import torch  # pyright: ignore[reportMissingImports]

    views, count = positions.shape[:2]
    basis = torch.einsum("vgij,kj->vgki", rotations, parameters["near_basis"]) + positions[:, :, None]
    basis = basis.reshape(views, -1, 3)
    both = _nearness(basis, points), _depth_in(shapes, basis)
    near = torch.cat([part.reshape(views, count, -1) for part in both], dim=-1)
    table = torch.cat([rotations[..., 2, :], positions[..., 2:] / _HEIGHT_UNIT], dim=-1)
    side = torch.einsum("vgij,vi->vgj", rotations, camera)
    said = _residual(parameters, "near", torch.cat([near, joints, table, side], dim=-1), None)
    sizes = near_sizes(joints.shape[-1])
    return dict(zip(sizes, said.split(list(sizes.values()), dim=-1), strict=True))


def _nearness(basis: Tensor, points: Tensor) -> Tensor:
    """Return 1 for basis points on the surface, falling to 0 at ``_REACH``, shape [V, basis_count]."""
    import torch  # pyright: ignore[reportMissingImports]

    # |b - p|² = |b|² + |p|² - 2 b·p, of which the first part waits until the nearest point is known: half the time. So
    # does taking few basis points at once: memory for more is asked of the system anew each time.
    squares, across = points.square().sum(dim=-1)[:, None], points.transpose(1, 2)
    parts = [torch.baddbmm(squares, part, across, alpha=-2.0).amin(dim=-1) for part in basis.split(_AT_ONCE, dim=1)]
    nearest = torch.cat(parts, dim=1)
    distances = (nearest + basis.square().sum(dim=-1)).clamp(min=0.0).sqrt()
    return 1.0 - distances.clamp(max=_REACH) / _REACH


def _depth_in(shapes: ShapeGrids, basis: Tensor) -> Tensor:
    """Return 1 for basis points deep in the guessed object, 0 on its surface, -1 far out, shape [V, basis_count]."""
    return (shapes.distances(basis) / -_INNER_REACH).clamp(-1.0, 1.0)


def _residual(parameters: Parameters, name: str, values: Tensor, known: Tensor | None) -> Tensor:
    """Send values through an input layer, residual blocks, as many as there are, and an output layer."""
    values = _layer(parameters, f"{name}.input", values)
    number = 0
    while f"{name}.{number}.first.weight" in parameters:
        values = values + _block(parameters, f"{name}.{number}", values, known)
        number += 1
    return _layer(parameters, f"{name}.output", _normalized(values))


def _block(parameters: Parameters, name: str, values: Tensor, known: Tensor | None) -> Tensor:
    import torch  # pyright: ignore[reportMissingImports]

    inner = _layer(parameters, f"{name}.first", _normalized(values))
    if known is not None:
        inner = inner + _layer(parameters, f"{name}.condition", known)
    return _layer(parameters, f"{name}.second", torch.nn.functional.silu(inner))


def _layer(parameters: Parameters, name: str, values: Tensor) -> Tensor:
    import torch  # pyright: ignore[reportMissingImports]

    return torch.nn.functional.linear(values, parameters[f"{name}.weight"], parameters[f"{name}.bias"])


def _normalized(values: Tensor) -> Tensor:
    import torch  # pyright: ignore[reportMissingImports]

    return torch.nn.functional.layer_norm(values, values.shape[-1:])
