# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Contact-rich dexterous grasps by differentiable simulation, with scenes and annotated images.

    import omni_graspd as gd

    grasps = gd.synthesize("allegro", "mug", count=8)
    grasps.evaluate()
    grasps.best(3).show("grasps.png")

Names are imported when they are first used. Everything here waits for its result, in scripts and in notebooks; in Kit
use the functions of the same names in ``gd.aio``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from omni_graspd.version import __version__ as __version__

if TYPE_CHECKING:
    from omni_graspd.api import aio as aio
    from omni_graspd.api.assets import add_hand as add_hand
    from omni_graspd.api.assets import list_hands as list_hands
    from omni_graspd.api.assets import list_objects as list_objects
    from omni_graspd.api.assets import load_hand as load_hand
    from omni_graspd.api.assets import load_object as load_object
    from omni_graspd.api.calls import convert as convert
    from omni_graspd.api.calls import draw as draw
    from omni_graspd.api.calls import evaluate as evaluate
    from omni_graspd.api.calls import evaluate_dataset as evaluate_dataset
    from omni_graspd.api.calls import generate as generate
    from omni_graspd.api.calls import inspect as inspect
    from omni_graspd.api.calls import measure_hold as measure_hold
    from omni_graspd.api.calls import measure_lift as measure_lift
    from omni_graspd.api.calls import reach as reach
    from omni_graspd.api.calls import read_grasps as read_grasps
    from omni_graspd.api.calls import render as render
    from omni_graspd.api.calls import rest_poses as rest_poses
    from omni_graspd.api.calls import settle as settle
    from omni_graspd.api.calls import synthesize as synthesize
    from omni_graspd.api.grasps import Grasps as Grasps
    from omni_graspd.api.predict import predict as predict
    from omni_graspd.api.predict import train as train
    from omni_graspd.dataset.config import GenerateConfig as GenerateConfig
    from omni_graspd.dataset.loader import open as open
    from omni_graspd.errors import GraspdError as GraspdError
    from omni_graspd.hands.hand import Hand as Hand
    from omni_graspd.metrics.evaluate import MetricsConfig as MetricsConfig
    from omni_graspd.objects.rigid_object import RigidObject as RigidObject
    from omni_graspd.scenes.grasp_tests.hold import HoldConfig as HoldConfig
    from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig as LiftConfig
    from omni_graspd.synthesis.config import SynthesisConfig as SynthesisConfig
    from omni_graspd.synthesis.surroundings import Surroundings as Surroundings

_HOMES = {
    "GenerateConfig": "dataset.config",
    "GraspdError": "errors",
    "Grasps": "api.grasps",
    "Hand": "hands.hand",
    "HoldConfig": "scenes.grasp_tests.hold",
    "LiftConfig": "scenes.grasp_tests.lift_config",
    "MetricsConfig": "metrics.evaluate",
    "RigidObject": "objects.rigid_object",
    "Surroundings": "synthesis.surroundings",
    "SynthesisConfig": "synthesis.config",
    "add_hand": "api.assets",
    "aio": "api",
    "convert": "api.calls",
    "draw": "api.calls",
    "evaluate": "api.calls",
    "evaluate_dataset": "api.calls",
    "generate": "api.calls",
    "inspect": "api.calls",
    "list_hands": "api.assets",
    "list_objects": "api.assets",
    "load_hand": "api.assets",
    "load_object": "api.assets",
    "measure_hold": "api.calls",
    "measure_lift": "api.calls",
    "open": "dataset.loader",
    "predict": "api.predict",
    "reach": "api.calls",
    "read_grasps": "api.calls",
    "render": "api.calls",
    "rest_poses": "api.calls",
    "settle": "api.calls",
    "synthesize": "api.calls",
    "train": "api.predict",
}
"""Where each name is defined, below this package."""

__all__ = [
    "GenerateConfig",
    "GraspdError",
    "Grasps",
    "Hand",
    "HoldConfig",
    "LiftConfig",
    "MetricsConfig",
    "RigidObject",
    "Surroundings",
    "SynthesisConfig",
    "add_hand",
    "aio",
    "convert",
    "draw",
    "evaluate",
    "evaluate_dataset",
    "generate",
    "inspect",
    "list_hands",
    "list_objects",
    "load_hand",
    "load_object",
    "measure_hold",
    "measure_lift",
    "open",
    "predict",
    "reach",
    "read_grasps",
    "render",
    "rest_poses",
    "settle",
    "synthesize",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'omni_graspd' has no attribute {name!r}; there are: {', '.join(__all__)}")
    home = importlib.import_module(f"omni_graspd.{_HOMES[name]}")
    value = importlib.import_module("omni_graspd.api.aio") if name == "aio" else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
