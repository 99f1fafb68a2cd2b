# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What Replicator hands to a writer, as frames, whichever of its three data structures it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omni_graspd.errors import GraspdError
from omni_graspd.kit.channels import replicator_channel
from omni_graspd.kit.stereo import ordered_eyes, with_disparity
from omni_graspd.rendering.annotators import ANNOTATORS, STEREO_ANNOTATORS
from omni_graspd.rendering.frame import Frame

_PRODUCT = "rp_"
_SIDE = ("camera", "resolution")


@dataclass(frozen=True)
class _Product:
    """What one render product delivered."""

    camera_path: str
    """Prim path of its camera; empty where the payload does not tell."""
    values: dict[str, Any]
    """What each annotator delivered."""


def payload_frames(data: Mapping[str, Any]) -> list[Frame]:
    """Turn the payload of a writer into one frame per render product, in its order.

    The structure shows by itself: ``renderProducts`` and ``annotators`` are keys of the newer ones; else annotators are
    keys themselves, with ``-<render product>`` behind if there are several products.

    Args:
        data: What ``Writer.write`` got; annotators that are no channels of ours are left out.

    Raises:
        GraspdError: If no annotator of ours is in it, or one is not as documented.
    """
    if "renderProducts" in data:
        products = {name: _by_product(item) for name, item in data["renderProducts"].items()}
    elif "annotators" in data:
        products = _by_annotator(data)
    else:
        products = _legacy(data)
    frames = [
        Frame(product.camera_path, {name: replicator_channel(name, value) for name, value in product.values.items()})
        for product in products.values()
        if product.values
    ]
    if not frames:
        raise GraspdError(f"expected annotators among {', '.join(ANNOTATORS)} in the payload, got {', '.join(data)}")
    return frames


def view_frames(frames: Sequence[Frame], wanted: Sequence[str]) -> list[Frame]:
    """Return the frames of one view as they are written: left before right, the wanted channels in their order.

    Args:
        frames: One camera's frame, or those of a stereo pair in any order.
        wanted: Channels to keep; those that only pairs have are left out for a single camera.

    Raises:
        GraspdError: If two frames are not those of a stereo pair.
    """
    eyes = ordered_eyes(frames)
    if len(eyes) == 2 and set(wanted) & set(STEREO_ANNOTATORS):
        eyes = with_disparity(eyes)
    names = [name for name in ANNOTATORS if name in wanted]
    return [
        Frame(eye.camera_path, {name: eye.channels[name] for name in names if name in eye.channels}) for eye in eyes
    ]


def _by_product(item: Mapping[str, Any]) -> _Product:
    values = {name: value for name, value in item.items() if name in ANNOTATORS and name not in _SIDE}
    return _Product(str(item.get("camera", "")), values)


def _by_annotator(data: Mapping[str, Any]) -> dict[str, _Product]:
    values: dict[str, dict[str, Any]] = {}
    for name, by_product in data["annotators"].items():
        for product, value in by_product.items():
            if name in ANNOTATORS:
                values.setdefault(product, {})[name] = value
    return {product: _Product(_camera(data, product), found) for product, found in values.items()}


def _legacy(data: Mapping[str, Any]) -> dict[str, _Product]:
    names = [key.removeprefix(_PRODUCT) for key in data if key.startswith(_PRODUCT)]
    values: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in data.items():
        annotator, dash, product = key.partition("-")
        if annotator in ANNOTATORS:
            values.setdefault(product if dash else names[0] if len(names) == 1 else "", {})[annotator] = value
    return {product: _Product(_camera(data, product), found) for product, found in values.items()}


def _camera(data: Mapping[str, Any], product: str) -> str:
    side = data.get(f"{_PRODUCT}{product}", data.get(product, {}))
    return str(side.get("camera", "")) if isinstance(side, Mapping) else ""
