# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A MuJoCo model of hand, object and table, with a keyframe for each grasp."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format
from omni_graspd.formats.grasp_reading import ReadGrasps
from omni_graspd.formats.mjcf_bodies import add_hand, add_object, add_table, driven_joints, text_of
from omni_graspd.formats.object_files import load_scaled_object, scaled_name
from omni_graspd.formats.record import GraspRecord
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.transforms import IDENTITY, compose

_FRICTION = 0.5
"""Coulomb friction of objects for themselves; in a scene it is the table's."""
_WXYZ = [0, 1, 2, 6, 3, 4, 5]
_PARTS = ("asset", "worldbody", "equality", "actuator", "keyframe")


def write_mjcf(record: GraspRecord, hand: Hand, obj: RigidObject, path: Path, assets: Path) -> None:
    """Write a model with one hand, one object and, for grasps in a scene, the table.

    Keyframe ``grasp_0000`` has hand and object as in the first grasp, its drives at the squeeze where it is known;
    ``pregrasp_0000`` has the open hand. The palm hangs on the body ``palm_target``, which is moved from outside. In a
    scene all is in the world, with gravity; otherwise the object is at the origin and weightless.

    Args:
        record: Grasps of our hand, in the order of its joints.
        hand: The hand.
        obj: The object at its scale.
        path: XML file to write, all or nothing.
        assets: Folder for the meshes; those that are there are kept.
    """
    placement = record.placement
    T_world_object = IDENTITY if placement is None else placement.T_world_object
    palms = compose(T_world_object, record.T_object_palm)
    model = Element("mujoco", {"model": f"{obj.name} by {hand.name}"})
    folder = Path(os.path.relpath(assets.absolute(), path.absolute().parent)).as_posix()
    SubElement(model, "compiler", {"angle": "radian", "autolimits": "true", "meshdir": folder})
    gravity = "0 0 0" if placement is None else "0 0 -9.81"
    SubElement(model, "option", {"gravity": gravity, "timestep": "0.002", "cone": "elliptic", "impratio": "10"})
    for name in _PARTS:
        SubElement(model, name)
    world = model.find("worldbody")
    assert world is not None
    SubElement(world, "light", {"pos": "0.5 -0.5 1.5", "dir": "-0.3 0.3 -1"})
    if placement is not None:
        add_table(model, placement.table, placement.friction)
    add_object(model, obj, T_world_object, _FRICTION if placement is None else placement.friction, assets)
    order = add_hand(model, hand, palms[0] if len(palms) else IDENTITY, assets)
    _add_keyframes(model, record, hand, T_world_object, palms, order)
    ElementTree.indent(model)
    with atomic_path(path) as temporary:
        temporary.write_text(ElementTree.tostring(model, encoding="unicode") + "\n", encoding="utf-8")


def _add_keyframes(
    model: Element, record: GraspRecord, hand: Hand, T_world_object: np.ndarray, palms: np.ndarray, order: list[int]
) -> None:
    driven = driven_joints(hand)
    keyframe = model.find("keyframe")
    assert keyframe is not None

    def add(name: str, palm: np.ndarray, joints: np.ndarray, targets: np.ndarray) -> None:
        positions = np.concatenate([T_world_object[_WXYZ], palm[_WXYZ], joints[order]])
        values = {"name": name, "qpos": text_of(positions), "ctrl": text_of(targets[driven])}
        SubElement(keyframe, "key", {**values, "mpos": text_of(palm[:3]), "mquat": text_of(palm[[6, 3, 4, 5]])})

    squeezes, opened = record.squeeze_joint_positions, record.pregrasp_joint_positions
    before = record.T_object_pregrasp_palm
    for index, palm in enumerate(palms):
        joints = record.joint_positions[index]
        if before is not None and opened is not None and np.isfinite(before[index]).all():
            add(f"pregrasp_{index:04d}", compose(T_world_object, before[index]), opened[index], opened[index])
        add(f"grasp_{index:04d}", palm, joints, joints if squeezes is None else squeezes[index])


def _write(entry: ReadGrasps, record: GraspRecord, path: Path, assets: Path) -> None:
    if entry.hand is None:
        raise GraspdError(f"expected one of our hands for an MJCF model, got {record.hand!r}; name one with --hand")
    if entry.object_path is None:
        raise GraspdError(f"expected the mesh of {record.object or 'the object'!r}, got none; give it with --object")
    obj = load_scaled_object(entry.object_path, scaled_name(record), record.object_scale)
    write_mjcf(record, entry.hand, obj, path, assets)


FORMAT = Format(
    name="mjcf",
    title="a MuJoCo model with a keyframe for each grasp",
    place=16,
    suffixes=(".xml",),
    write_with_assets=_write,
    needs_our_hand=True,
    has_placement=True,
    lacks=("scores",),
)
