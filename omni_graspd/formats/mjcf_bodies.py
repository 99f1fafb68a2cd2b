# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hand, object and table as elements of an MJCF model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np
import trimesh

from omni_graspd.atomic import atomic_path
from omni_graspd.formats.mjcf_physics import MjcfPhysics
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.objects.resting_pieces import resting_pieces
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import compose, invert, pose_to_matrix

# Who collides with whom: hand and object, hand and table, object and table; the hand not with itself.
_HAND = {"contype": "1", "conaffinity": "4", "group": "3"}
_OBJECT = {"contype": "2", "conaffinity": "5", "group": "3"}
_TABLE = {"contype": "4", "conaffinity": "1"}
_DRAWN = {"contype": "0", "conaffinity": "0", "group": "2", "mass": "0"}
_LEAST_MASS = 1e-3  # kg
_HAND_COLOR, _OBJECT_COLOR, _TABLE_COLOR = "0.6 0.62 0.66 1", "0.8 0.55 0.3 1", "0.7 0.63 0.54 1"
_HINGE = {"damping": "0.1", "armature": "0.0002"}
_SLIDE = {"damping": "20", "armature": "0.05"}
"""Damping [N m s/rad or N s/m] and inertia of rotors [kg m2 or kg], for stability."""
_TURNING_DRIVE, _SLIDING_DRIVE = {"kp": "5", "forcerange": "-3 3"}, {"kp": "1000", "forcerange": "-30 30"}
"""Gains [N m/rad or N/m] and largest torques [N m] or forces [N] of the drives, as in DexGraspBench."""
_STIFF = {"solref": "0.005 1", "solimp": "0.99 0.999 0.001 0.5 2"}
"""Of couplings."""


def text_of(values: Sequence[float] | np.ndarray) -> str:
    """Write numbers as MJCF has them."""
    return " ".join(f"{value:.10g}" for value in np.asarray(values, dtype=np.float64).ravel())


def pose_of(pose: np.ndarray) -> dict[str, str]:
    """Write a pose, shape [7], as the attributes of a body."""
    return {"pos": text_of(pose[:3]), "quat": text_of(pose[[6, 3, 4, 5]])}


def add_hand(model: Element, hand: Hand, T_world_palm: np.ndarray, physics: MjcfPhysics, assets: Path) -> list[int]:
    """Add a hand that hangs on a body which is moved from outside, with drives for its actuated joints.

    A joint that follows one other is bound to it; one that follows several is left to its drive.

    Args:
        model: The model; it has ``asset``, ``worldbody``, ``equality`` and ``actuator``.
        hand: The hand.
        T_world_palm: Where it hangs at first, shape [7].
        physics: Its contacts.
        assets: Folder for its meshes.

    Returns:
        Numbers of the joints in the order in which MuJoCo has them, and keyframes need them.
    """
    world = _part(model, "worldbody")
    SubElement(world, "body", {"name": "palm_target", "mocap": "true", **pose_of(T_world_palm)})
    bodies: list[Element] = []
    for number, (link, pieces) in enumerate(zip(hand.links, hand_colliders(hand), strict=True)):
        if link.parent < 0:
            body = SubElement(world, "body", {"name": link.name, "gravcomp": "1", **pose_of(T_world_palm)})
            SubElement(body, "freejoint", {"name": "palm"})
        else:
            pose = compose(link.T_parent_joint, invert(link.T_link_joint))
            body = SubElement(bodies[link.parent], "body", {"name": link.name, "gravcomp": "1", **pose_of(pose)})
        bodies.append(body)
        if link.joint >= 0:
            _add_joint(body, link, hand)
        name = f"{hand.name}_link_{number:02d}"
        _add_surface(model, body, name, link.mesh, _HAND_COLOR, assets)
        _add_pieces(model, body, name, pieces, max(link.mass, _LEAST_MASS), {**_HAND, **physics.hand_surface})
    SubElement(_part(model, "equality"), "weld", {"body1": "palm_target", "body2": hand.links[0].name})
    _add_drives(model, hand)
    return _depth_first(hand)


def _add_joint(body: Element, link: Link, hand: Hand) -> None:
    slides = link.joint_type == "prismatic"
    axis = pose_to_matrix(link.T_link_joint)[:3, :3] @ link.axis
    limits = hand.joint_lower[link.joint], hand.joint_upper[link.joint]
    values = {
        "name": hand.joint_names[link.joint],
        "type": "slide" if slides else "hinge",
        "pos": text_of(link.T_link_joint[:3]),
        "axis": text_of(axis),
        **(_SLIDE if slides else _HINGE),
    }
    if np.isfinite(limits).all() and limits[0] < limits[1]:
        values["range"] = text_of(limits)
    SubElement(body, "joint", values)


def _add_drives(model: Element, hand: Hand) -> None:
    slides = {link.joint: link.joint_type == "prismatic" for link in hand.links if link.joint >= 0}
    for joint, name in enumerate(hand.joint_names):
        leaders = np.flatnonzero(hand.coupling[joint])
        if joint in hand.actuated or len(leaders) > 1:
            drive = _SLIDING_DRIVE if slides[joint] else _TURNING_DRIVE
            SubElement(_part(model, "actuator"), "position", {"name": name, "joint": name, **drive})
            continue
        bound = {"joint1": name, "polycoef": text_of([hand.coupling_offset[joint], 0.0, 0.0, 0.0, 0.0]), **_STIFF}
        if len(leaders):
            bound["joint2"] = hand.joint_names[hand.actuated[leaders[0]]]
            bound["polycoef"] = text_of([hand.coupling_offset[joint], hand.coupling[joint, leaders[0]], 0.0, 0.0, 0.0])
        SubElement(_part(model, "equality"), "joint", bound)


def driven_joints(hand: Hand) -> list[int]:
    """Return the joints that have a drive, in the order of the drives."""
    return [j for j in range(hand.joint_count) if j in hand.actuated or np.count_nonzero(hand.coupling[j]) > 1]


def _depth_first(hand: Hand) -> list[int]:
    """Return the joints in the order in which their bodies are nested."""
    order: list[int] = []

    def visit(number: int) -> None:
        if hand.links[number].joint >= 0:
            order.append(hand.links[number].joint)
        for child, link in enumerate(hand.links):
            if link.parent == number:
                visit(child)

    visit(0)
    return order


def add_object(model: Element, obj: RigidObject, pose: np.ndarray, physics: MjcfPhysics, assets: Path) -> None:
    """Add a free object with its mass, drawn by its surface, touched by its convex pieces.

    Args:
        model: The model.
        obj: The object.
        pose: Where it is, shape [7].
        physics: Its contacts, and its mass where that is not its own.
        assets: Folder for its mesh.
    """
    if physics.object_mass is not None:
        obj = replace(obj, mass=physics.object_mass, inertia=obj.inertia * (physics.object_mass / obj.mass))
    body = SubElement(_part(model, "worldbody"), "body", {"name": "object", **pose_of(pose)})
    SubElement(body, "freejoint", {"name": "object"})
    moments = [obj.inertia[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    mass = {"mass": text_of([obj.mass]), "pos": text_of(obj.center_of_mass), "fullinertia": text_of(moments)}
    SubElement(body, "inertial", mass)
    _add_surface(model, body, obj.name, obj.mesh, _OBJECT_COLOR, assets)
    pieces = obj.convex_pieces or resting_pieces(obj)
    _add_pieces(model, body, obj.name, pieces, obj.mass, {**_OBJECT, **physics.surface})


def add_table(model: Element, table: TriangleMesh, physics: MjcfPhysics) -> None:
    """Add a table: the box around its mesh, in the world."""
    low, high = table.vertices.min(axis=0), table.vertices.max(axis=0)
    box = {"type": "box", "pos": text_of(0.5 * (low + high)), "size": text_of(0.5 * (high - low))}
    _add_table(model, box, physics)


def add_table_top(model: Element, physics: MjcfPhysics) -> None:
    """Add an endless table top, the plane z = 0."""
    _add_table(model, {"type": "plane", "size": "0.5 0.5 0.1"}, physics)


def _add_table(model: Element, shape: dict[str, str], physics: MjcfPhysics) -> None:
    values = {"name": "table", "rgba": _TABLE_COLOR, **shape, **_TABLE, **physics.surface}
    SubElement(_part(model, "worldbody"), "geom", values)


def _add_surface(model: Element, body: Element, name: str, mesh: TriangleMesh, color: str, assets: Path) -> None:
    if not len(mesh.faces):
        return
    file = assets / f"{name}.obj"
    if not file.is_file():
        drawn = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
        with atomic_path(file) as temporary:
            temporary.write_text(str(drawn.export(file_type="obj", digits=9)), encoding="utf-8")
    SubElement(_part(model, "asset"), "mesh", {"name": name, "file": file.name, "inertia": "shell"})
    SubElement(body, "geom", {"type": "mesh", "mesh": name, "rgba": color, **_DRAWN})


def _add_pieces(
    model: Element, body: Element, name: str, pieces: Sequence[TriangleMesh], mass: float, values: dict[str, str]
) -> None:
    for number, piece in enumerate(pieces):
        own = f"{name}_piece_{number:02d}"
        SubElement(_part(model, "asset"), "mesh", {"name": own, "vertex": text_of(piece.vertices), "maxhullvert": "64"})
        share = {"mass": text_of([mass / len(pieces)])}
        SubElement(body, "geom", {"type": "mesh", "mesh": own, **share, **values})
    if not pieces:
        SubElement(
            body, "inertial", {"pos": "0 0 0", "mass": text_of([mass]), "diaginertia": text_of([1e-4 * mass] * 3)}
        )


def _part(model: Element, name: str) -> Element:
    found = model.find(name)
    assert found is not None, name
    return found
