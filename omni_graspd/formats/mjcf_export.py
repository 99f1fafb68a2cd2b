# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A MuJoCo model of hand, object and table, with keyframes for each grasp."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format
from omni_graspd.formats.grasp_reading import ReadGrasps
from omni_graspd.formats.mjcf_bodies import (
    add_hand,
    add_object,
    add_table,
    add_table_top,
    driven_joints,
    text_of,
)
from omni_graspd.formats.mjcf_keyframes import KeyframeWriter
from omni_graspd.formats.mjcf_physics import lift_physics, still_physics
from omni_graspd.formats.object_files import load_scaled_object, scaled_name
from omni_graspd.formats.record import GraspRecord
from omni_graspd.formats.world_ways import world_ways
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.usd.transforms import IDENTITY, compose

_FRICTION = 0.5
"""Coulomb friction of objects for themselves; in a scene it is the table's."""
_PARTS = ("asset", "custom", "worldbody", "equality", "actuator", "keyframe")


def write_mjcf(record: GraspRecord, hand: Hand, obj: RigidObject, path: Path, assets: Path) -> None:
    """Write a model with one hand, one object and, for grasps in a scene or on a table, the table.

    Grasps with a way have the keyframes ``pregrasp_0000``, ``hover_0000``, ``grasp_0000``, ``squeeze_0000`` and
    ``lift_0000``, each with the time at which it is due in the lift test. Played from one to the next, the hand lifts
    the object as there: the model then has that test's physics, the mass of the object included; its own mass is the
    number ``object_mass``. The others have ``grasp_0000``, its drives at the squeeze where it is known, and
    ``pregrasp_0000``. The palm hangs on the body ``palm_target``, which is moved from outside.

    In a scene all is in the world. Otherwise objects of grasps with a way stand on the table top z = 0, and for grasps
    without one it stays where the first of those has it; where there are none, the object is at the origin and
    weightless.

    Args:
        record: Grasps of our hand, in the order of its joints.
        hand: The hand.
        obj: The object at its scale.
        path: XML file to write, all or nothing.
        assets: Folder for the meshes; those that are there are kept.
    """
    placement = record.placement
    ways = world_ways(record, obj.center_of_mass)
    played = [way for way in ways if way is not None]
    physics = lift_physics() if played else still_physics(_FRICTION if placement is None else placement.friction)
    unplayed = IDENTITY if placement is None else placement.T_world_object
    start = played[0].T_world_object if played else unplayed
    model = Element("mujoco", {"model": f"{obj.name} by {hand.name}"})
    folder = Path(os.path.relpath(assets.absolute(), path.absolute().parent)).as_posix()
    SubElement(model, "compiler", {"angle": "radian", "autolimits": "true", "meshdir": folder})
    gravity = "0 0 -9.81" if played or placement is not None else "0 0 0"
    SubElement(model, "option", {"gravity": gravity, **physics.option})
    parts = {name: SubElement(model, name) for name in _PARTS}
    SubElement(parts["worldbody"], "light", {"pos": "0.5 -0.5 1.5", "dir": "-0.3 0.3 -1"})
    SubElement(parts["custom"], "numeric", {"name": "object_mass", "data": text_of([obj.mass])})
    if placement is not None:
        add_table(model, placement.table, physics)
    elif played:
        add_table_top(model, physics)
    add_object(model, obj, start, physics, assets)
    palms = compose(start, record.T_object_palm)
    first = played[0].T_world_palm[2] if played else palms[0] if len(palms) else IDENTITY
    order = add_hand(model, hand, first, physics, assets)
    writer = KeyframeWriter(parts["keyframe"], order, driven_joints(hand))
    for index, way in enumerate(ways):
        if way is None:
            writer.add_still(record, index, start)
        else:
            writer.add_way(way, LiftConfig.of("dexgraspbench").phases, index)
    ElementTree.indent(model)
    with atomic_path(path) as temporary:
        temporary.write_text(ElementTree.tostring(model, encoding="unicode") + "\n", encoding="utf-8")


def _write(entry: ReadGrasps, record: GraspRecord, path: Path, assets: Path) -> tuple[str, ...]:
    if entry.hand is None:
        raise GraspdError(f"expected one of our hands for an MJCF model, got {record.hand!r}; name one with --hand")
    if entry.object_path is None:
        raise GraspdError(f"expected the mesh of {record.object or 'the object'!r}, got none; give it with --object")
    obj = load_scaled_object(entry.object_path, scaled_name(record), record.object_scale)
    write_mjcf(record, entry.hand, obj, path, assets)
    return ()


FORMAT = Format(
    name="mjcf",
    title="a MuJoCo model with keyframes for each grasp",
    place=16,
    suffixes=(".xml",),
    write_with_assets=_write,
    needs_our_hand=True,
    has_placement=True,
    has_way=True,
    lacks=("scores",),
)
