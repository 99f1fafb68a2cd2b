# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How large a network is, and the shapes of its parameters, which follow from that."""

from __future__ import annotations

from dataclasses import dataclass

from omni_graspd.prediction.completion import convolution_shapes
from omni_graspd.ranges import require_within

TIME_FEATURES = 32
POSE_SIZE = 9
"""Numbers of a palm pose in a network: position, and the first two columns of its rotation."""
CAMERA_SIZE, TABLE_SIZE, OFFSET_SIZE = 3, 4, 3


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Sizes of a network."""

    width: int = 256
    """Numbers in each hidden layer."""
    blocks: int = 4
    """Residual blocks of the flow; the head that looks from the palm has half as many."""
    basis: int = 384
    """Basis points around the object."""
    near_basis: int = 128
    """Basis points in front of the palm."""
    channels: int = 8
    """Channels of the finest convolutions."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_within(self, "network", 8, 4096, "width", "basis", "near_basis")
        require_within(self, "network", 1, 32, "blocks")
        require_within(self, "network", 1, 64, "channels")


def near_sizes(joint_count: int) -> dict[str, int]:
    """Return what the head says of a grasp, in order, and in how many numbers.

    Args:
        joint_count: Number of actuated joints.
    """
    return {
        "opened": joint_count,
        "squeezed": joint_count,
        "hover": OFFSET_SIZE,
        "pregrasp": OFFSET_SIZE,
        "shift": OFFSET_SIZE,
        "turn": OFFSET_SIZE,
        "bend": joint_count,
        "score": 1,
    }


def parameter_shapes(config: NetworkConfig, joint_count: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each parameter by name; those of layers end in ``weight`` and ``bias``.

    Args:
        config: The network's sizes.
        joint_count: Number of actuated joints.
    """
    width, grasp_size = config.width, POSE_SIZE + joint_count
    near_input = 2 * config.near_basis + joint_count + TABLE_SIZE + CAMERA_SIZE
    layers = {
        "encoder.0": (2 * config.basis + CAMERA_SIZE, width),
        "encoder.1": (width, width),
        "flow.time": (TIME_FEATURES, width),
        "flow.input": (grasp_size, width),
        **_blocks("flow", config.blocks, width, condition=True),
        "flow.output": (width, grasp_size),
        "near.input": (near_input, width),
        **_blocks("near", max(config.blocks // 2, 1), width, condition=False),
        "near.output": (width, sum(near_sizes(joint_count).values())),
    }
    shapes: dict[str, tuple[int, ...]] = {"basis": (config.basis, 3), "near_basis": (config.near_basis, 3)}
    for name, (inputs, outputs) in layers.items():
        shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
    for name, shape in convolution_shapes(config.channels).items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def _blocks(part: str, count: int, width: int, *, condition: bool) -> dict[str, tuple[int, int]]:
    names = ("condition", "first", "second") if condition else ("first", "second")
    return {f"{part}.{number}.{name}": (width, width) for number in range(count) for name in names}
