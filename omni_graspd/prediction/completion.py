# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The part of the network that says what the camera does not see: signed distances to the whole object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni_graspd.prediction.shape_grid import DEEP, SIDE

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports]

SEEN_CHANNELS = 3
"""How far before what is seen, whether on the object, height over the table."""


def convolution_shapes(channels: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the convolutions' weights by name, output and input channels first.

    Args:
        channels: At the finest of three levels; each coarser one has twice as many.
    """
    one, two, four = channels, 2 * channels, 4 * channels
    pairs = {
        "shape.fine": (one, SEEN_CHANNELS),
        "shape.half": (two, one),
        "shape.half_again": (two, two),
        "shape.quarter": (four, two),
        "shape.quarter_again": (four, four),
        "shape.to_half": (two, four),
        "shape.half_back": (two, two),
        "shape.to_fine": (one, two),
        "shape.fine_back": (one, one),
    }
    shapes = {name: (*pair, 3, 3, 3) for name, pair in pairs.items()}
    return shapes | {"shape.distance": (1, one, 1, 1, 1)}


def complete(parameters: dict[str, Tensor], seen: Tensor) -> Tensor:
    """Guess signed distances to the whole object.

    Three levels of convolutions, each with half the voxels per edge; what is fine is added again on the way back.

    Args:
        parameters: The network.
        seen: What :func:`~omni_graspd.prediction.shape_grid.seen_grid` says of the views, shape
            [V, 2, SIDE, SIDE, SIDE].

    Returns:
        In voxels, negative inside, shape [V, SIDE, SIDE, SIDE].

    References:
        Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015; Dai, Qi and Niessner, "Shape completion using
        3D-encoder-predictor CNNs", CVPR 2017.
    """
    import torch  # pyright: ignore[reportMissingImports]

    def layer(name: str, values: Tensor, stride: int = 1) -> Tensor:
        return _convolved(values, parameters[f"{name}.weight"], parameters[f"{name}.bias"], stride)

    def active(name: str, values: Tensor, stride: int = 1) -> Tensor:
        return torch.nn.functional.silu(layer(name, values, stride))

    def doubled(values: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(values, scale_factor=2.0, mode="nearest")

    height = torch.linspace(0.0, 1.0, SIDE, device=seen.device, dtype=seen.dtype).expand(len(seen), 1, SIDE, SIDE, SIDE)
    values = torch.cat([seen[:, :1] / DEEP, seen[:, 1:], height], dim=1)
    # Channels last: on the CPU that is faster.
    fine = active("shape.fine", values.contiguous(memory_format=torch.channels_last_3d))
    half = active("shape.half_again", active("shape.half", fine, 2))
    quarter = active("shape.quarter", half, 2)
    quarter = quarter + active("shape.quarter_again", quarter)
    half = active("shape.half_back", half + doubled(layer("shape.to_half", quarter)))
    fine = active("shape.fine_back", fine + doubled(layer("shape.to_fine", half)))
    return DEEP * layer("shape.distance", fine)[:, 0]


def _convolved(values: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    import torch  # pyright: ignore[reportMissingImports]

    padding = weight.shape[-1] // 2
    if len(values) == 1 and values.device.type == "cpu" and values.dtype == torch.float32 and _has_onednn():
        # For one view on one thread conv3d passes over oneDNN, which takes a quarter of the time.
        return torch.mkldnn_convolution(values, weight, bias, [padding] * 3, [stride] * 3, [1] * 3, 1)
    return torch.nn.functional.conv3d(values, weight, bias, stride=stride, padding=padding)


def _has_onednn() -> bool:
    import torch  # pyright: ignore[reportMissingImports]

    return torch.backends.mkldnn.is_available()
