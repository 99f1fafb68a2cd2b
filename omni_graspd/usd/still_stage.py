# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Foreign stages held at their start: what has time samples only has no value for readers that ask for no time."""

from __future__ import annotations

from pathlib import Path

from pxr import Sdf, Usd

from omni_graspd.usd.stage import open_stage
from omni_graspd.usd.stage_time import first_time


def open_still(path: Path) -> Usd.Stage:
    """Open a USD file as it is at the start of its animation, if it has one.

    Raises:
        GraspdError: If the file is missing or is not USD.
    """
    stage = open_stage(path)
    hold_at_start(stage)
    return stage


def hold_at_start(stage: Usd.Stage) -> int:
    """Give every attribute with time samples its value at the start, for all times, in the session layer.

    Instances that hold such attributes become prims of their own: nothing can be written below an instance.

    Returns:
        How many of these attributes change over time.
    """
    session, time, moving = stage.GetSessionLayer(), first_time(stage), 0
    with Usd.EditContext(stage, session):
        while _split_animated_instances(stage):
            pass
        held = [
            (attribute, attribute.Get(time), attribute.ValueMightBeTimeVarying())
            for prim in Usd.PrimRange.Stage(stage, Usd.PrimAllPrimsPredicate)
            for attribute in prim.GetAuthoredAttributes()
            if attribute.GetNumTimeSamples()
        ]
        with Sdf.ChangeBlock():
            for attribute, value, varies in held:
                moving += varies
                if value is not None:
                    _hold(session, attribute, value)
    return moving


def _split_animated_instances(stage: Usd.Stage) -> bool:
    """Turn instances whose prototype has time samples into prims of their own; tell whether there was any."""
    animated = [prototype for prototype in stage.GetPrototypes() if _is_animated(prototype)]
    instances = [instance for prototype in animated for instance in prototype.GetInstances()]
    # Instances within a prototype are split once those that hold them are.
    outer = [instance for instance in instances if not instance.IsInPrototype()]
    for instance in outer:
        instance.SetInstanceable(False)
    return bool(outer)


def _is_animated(prototype: Usd.Prim) -> bool:
    prims = Usd.PrimRange(prototype, Usd.PrimAllPrimsPredicate)
    own = any(attribute.GetNumTimeSamples() for prim in prims for attribute in prim.GetAuthoredAttributes())
    nested = Usd.PrimRange(prototype, Usd.PrimAllPrimsPredicate)
    return own or any(prim.IsInstance() and _is_animated(prim.GetPrototype()) for prim in nested)


def _hold(layer: Sdf.Layer, attribute: Usd.Attribute, value: object) -> None:
    prim = Sdf.CreatePrimInLayer(layer, attribute.GetPrim().GetPath())
    spec = layer.GetAttributeAtPath(attribute.GetPath()) or Sdf.AttributeSpec(
        prim, attribute.GetName(), attribute.GetTypeName(), attribute.GetVariability()
    )
    spec.default = value
