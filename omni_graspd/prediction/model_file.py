# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a model: ``model.json`` says what it is, ``model.safetensors`` has its numbers; no code."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.prediction.grasp_code import GraspCode
from omni_graspd.prediction.model import Model, ModelHand, require_torch
from omni_graspd.prediction.network_config import NetworkConfig, parameter_shapes
from omni_graspd.prediction.parameter_file import read_arrays, write_arrays

DESCRIPTION, NUMBERS = "model.json", "model.safetensors"
_VERSION = 2
_LARGEST_DESCRIPTION = 1 << 22
_MOST_JOINTS = 256


def write_model(model: Model, folder: Path) -> None:
    """Write a model; the same model gives the same bytes.

    Args:
        model: The model.
        folder: Where its two files go; made if missing.
    """
    write_arrays(model.parameters, folder / NUMBERS)
    content = {
        "version": _VERSION,
        "hand": asdict(model.hand),
        "network": asdict(model.network),
        "normalization": {name: getattr(model.code, name).tolist() for name in _CODE},
        "sha256": hashlib.sha256((folder / NUMBERS).read_bytes()).hexdigest(),
        "training": model.training,
    }
    with atomic_path(folder / DESCRIPTION) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


_CODE = ("position_mean", "position_scale")


def read_model(folder: Path) -> Model:
    """Read a model, from a stranger, too.

    Raises:
        GraspdError: If PyTorch is missing, or the folder is no model of this version, or damaged.
    """
    require_torch()
    path = folder / DESCRIPTION
    if not path.is_file():
        raise GraspdError(
            f"expected the folder of a model, got {folder}, which has no {DESCRIPTION}; train one with `graspd train`"
        )
    try:
        content = _read_description(path)
        hand, network, code = _hand(content["hand"]), _network(content["network"]), _code(content["normalization"])
        digest, training = str(content["sha256"]), content.get("training", {})
        if not isinstance(training, dict):
            raise ValueError("a training that is no table")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise GraspdError(
            f"{path} does not describe a model ({shortened(f'{type(error).__name__}: {error}', 200)}); copy the model "
            "again, or train it again"
        ) from error
    parameters, _ = read_arrays(folder / NUMBERS, parameter_shapes(network, len(hand.actuated)))
    if hashlib.sha256((folder / NUMBERS).read_bytes()).hexdigest() != digest:
        raise GraspdError(f"expected {NUMBERS} and {DESCRIPTION} of one model in {folder}, got those of two; copy both")
    return Model(hand, network, code, parameters, training)


def _read_description(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LARGEST_DESCRIPTION:
        raise ValueError(f"{path.stat().st_size} bytes")
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"a {type(content).__name__}")
    if content.get("version") != _VERSION:
        raise ValueError(f"version {shortened(str(content.get('version')))} where {_VERSION} is expected")
    return content


def _hand(content: Any) -> ModelHand:
    names = {name: tuple(content[name]) for name in ("joint_names", "actuated")}
    texts = [content["name"], content["hash"], *names["joint_names"], *names["actuated"]]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a hand whose names are no texts")
    known = set(names["joint_names"])
    if not 0 < len(names["actuated"]) <= _MOST_JOINTS or not set(names["actuated"]) <= known:
        raise ValueError(f"a hand with {len(names['actuated'])} actuated joints of {len(known)}")
    return ModelHand(content["name"], content["hash"], **names)


def _network(content: Any) -> NetworkConfig:
    sizes = {field.name: content[field.name] for field in fields(NetworkConfig)}
    if not all(type(value) is int for value in sizes.values()):
        raise ValueError("sizes of the network that are no whole numbers")
    try:
        return NetworkConfig(**sizes)
    except GraspdError as error:
        raise ValueError(str(error)) from error


def _code(content: Any) -> GraspCode:
    values = {}
    for name in _CODE:
        numbers = content[name]
        plain = isinstance(numbers, list) and len(numbers) == 3
        if not plain or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
            raise ValueError(f"a {name} that is not three finite numbers")
        values[name] = np.array(numbers, dtype=np.float64)
    if not (values["position_scale"] > 0.0).all():
        raise ValueError("a position_scale that is not above 0")
    return GraspCode(**values)
