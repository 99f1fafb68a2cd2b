# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""URDF: the links, joints, mimic relations and shapes of a robot description."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
import trimesh
from pxr import Gf

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.gltf_axes import turn_gltf_up
from omni_graspd.hands.importing.joint_relations import JointRelations
from omni_graspd.hands.importing.mesh_files import find_mesh_file, linear_color, read_mesh_file
from omni_graspd.hands.importing.source_hand import SourceJoint, SourceLink, SourceShape, parents_first
from omni_graspd.hands.importing.xml_file import parse_xml
from omni_graspd.hands.usd.hand_design import MassDistribution
from omni_graspd.plain_text import shortened
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.mesh_soundness import FARTHEST
from omni_graspd.usd.transforms import IDENTITY, matrix_to_pose, pose_to_matrix

_KINDS: dict[str, Literal["fixed", "revolute", "prismatic"]] = {
    "fixed": "fixed",
    "revolute": "revolute",
    "continuous": "revolute",
    "prismatic": "prismatic",
}


def read_urdf(path: Path) -> list[SourceLink]:
    """Read a URDF file's links, parents first.

    Raises:
        GraspdError: If the file is not URDF, has a joint that a hand cannot have, or names a mesh that is missing.
    """
    root = parse_xml(path)
    looks = {node.get("name", ""): look for node in root.findall("material") if (look := _read_look(node, {}, path))}
    joints = {_child(node, "child", "link", path): node for node in root.findall("joint")}
    if len(joints) < len(root.findall("joint")):
        raise GraspdError(f"expected one parent per link in {path}, got a link that two joints move; remove one")
    links = parents_first([_read_link(node, joints, looks, path) for node in root.findall("link")], path)
    turn_gltf_up(links)
    substitutes = _substitutes(root, path)
    if substitutes:
        links[0].notes.append(
            f"took meshes of other formats for missing ones, scaled as those would be: {', '.join(substitutes)}; "
            "check their size"
        )
    return _coupled(root, links, path)


def _substitutes(root: ElementTree.Element, path: Path) -> list[str]:
    """Say which meshes were found in another format than the one that is named."""
    meshes = (*root.iterfind("link/visual/geometry/mesh"), *root.iterfind("link/collision/geometry/mesh"))
    names = dict.fromkeys(mesh.get("filename", "") for mesh in meshes)
    found = [(Path(name), find_mesh_file(name, path)) for name in names]
    return [f"{b.name} for {a.name}" for a, b in found if a.suffix.lower() != b.suffix.lower()]


def _coupled(root: ElementTree.Element, links: list[SourceLink], path: Path) -> list[SourceLink]:
    """Apply <mimic> and Gazebo's mimic plugins; a repeat of the same is no conflict."""
    kinds = {link.joint.name: link.joint.kind for link in links if link.joint is not None}
    relations = JointRelations(list(kinds), path)
    for follower, leader, node in _mimics(root):
        name = f"the mimic of {follower!r}"
        if kinds.get(follower) == "fixed":
            continue
        if leader not in kinds or follower not in kinds:
            missing = leader if follower in kinds else follower
            raise GraspdError(f"expected {name} in {path} to name joints of the file, got {missing!r}; mend the name")
        if leader == follower:
            raise GraspdError(f"expected {follower!r} of {path} to follow another joint, got itself; free it")
        multiplier = _number(node, "multiplier", 1.0, path)
        offset = _number(node, "offset", 0.0, path)
        if kinds[leader] == "fixed":
            relations.add({follower: 1.0}, offset, name)
        else:
            relations.add({follower: 1.0, leader: -multiplier}, offset, name)
    return relations.applied(links)


def _mimics(root: ElementTree.Element) -> Iterator[tuple[str, str, ElementTree.Element]]:
    """Yield follower, leader and the element with the numbers, of each coupling."""
    for joint in root.findall("joint"):
        for mimic in joint.findall("mimic"):
            yield joint.get("name", ""), mimic.get("joint", ""), mimic
    for plugin in root.iter("plugin"):
        follower, leader = (plugin.findtext(tag) for tag in ("joint", "mimicJoint"))
        if follower and leader:
            yield follower.strip(), leader.strip(), plugin


def _number(node: ElementTree.Element, key: str, default: float, path: Path) -> float:
    """Read a number of a coupling: <mimic> has attributes, plugins have elements."""
    text = node.get(key) if node.tag == "mimic" else node.findtext(key)
    element = ElementTree.Element("number", {} if text is None else {key: text})
    return float(_numbers(element, key, (default,), path)[0])


def _read_link(
    node: ElementTree.Element, joints: dict[str, ElementTree.Element], looks: dict[str, Appearance], path: Path
) -> SourceLink:
    name = node.get("name", "")
    joint = joints.get(name)
    link = SourceLink(
        name,
        None if joint is None else _child(joint, "parent", "link", path),
        IDENTITY if joint is None else matrix_to_pose(_origin(joint, path)),
        None if joint is None else _read_joint(joint, path),
    )
    link.mass, link.distribution = _read_inertial(node, path)
    for shape in node.findall("visual"):
        link.visuals += _read_shapes(shape, looks, path)
    for shape in node.findall("collision"):
        link.colliders += _read_shapes(shape, {}, path)
    return link


def _read_joint(node: ElementTree.Element, path: Path) -> SourceJoint:
    name, kind = node.get("name", ""), _KINDS.get(node.get("type", ""))
    if kind is None:
        raise GraspdError(
            f"expected fixed, revolute, continuous or prismatic joints in {path}, "
            f"got {name!r} of type {node.get('type')!r}; replace it by one of these"
        )
    axis = _numbers(node.find("axis"), "xyz", (1.0, 0.0, 0.0), path)
    length = float(np.linalg.norm(axis))
    if kind != "fixed" and not length > 0.0:
        raise GraspdError(f"expected joint {name!r} of {path} to have an axis with a length, got 0 0 0; mend it")
    joint = SourceJoint(name, kind, axis / (length or 1.0), np.zeros(3))
    if kind == "fixed":
        return joint
    limit = node.find("limit")
    if node.get("type") == "continuous":
        joint.lower, joint.upper = -math.pi, math.pi
    elif limit is None:
        raise GraspdError(f"expected joint {name!r} of {path} to have limits, got none; add <limit lower= upper=>")
    else:
        joint.lower, joint.upper = (float(_numbers(limit, key, (0.0,), path)[0]) for key in ("lower", "upper"))
    return joint


def _read_inertial(node: ElementTree.Element, path: Path) -> tuple[float, MassDistribution | None]:
    inertial = node.find("inertial")
    if inertial is None:
        return 0.0, None
    mass = float(_numbers(inertial.find("mass"), "value", (0.0,), path)[0])
    tensor = inertial.find("inertia")
    if tensor is None:
        return mass, None
    xx, xy, xz, yy, yz, zz = (
        float(_numbers(tensor, f"i{key}", (0.0,), path)[0]) for key in ("xx", "xy", "xz", "yy", "yz", "zz")
    )
    origin = _origin(inertial, path)
    turn = origin[:3, :3]
    inertia = turn @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ turn.T
    return mass, MassDistribution(origin[:3, 3], inertia)


def _read_shapes(node: ElementTree.Element, looks: dict[str, Appearance], path: Path) -> list[SourceShape]:
    geometry = node.find("geometry")
    kind = next(iter(geometry), None) if geometry is not None else None
    if kind is None:
        return []
    file, scale = None, np.ones(3)
    if kind.tag == "mesh":
        file = find_mesh_file(kind.get("filename", ""), path)
        scale = _numbers(kind, "scale", (1.0, 1.0, 1.0), path)
    shapes = _read_simple(kind, path) if file is None else read_mesh_file(file, scale)
    look = _read_look(node.find("material"), looks, path)
    origin = _origin(node, path)
    for shape in shapes:
        shape.mesh.apply_transform(origin)
    is_gltf = file is not None and file.suffix.lower() in (".gltf", ".glb") and scale.all()
    gltf = origin @ np.diag([*scale, 1.0]) if is_gltf else None
    return [replace(shape, look=look or shape.look, T_link_gltf=gltf) for shape in shapes]


def _read_simple(node: ElementTree.Element, path: Path) -> list[SourceShape]:
    if node.tag == "box":
        size = _sizes(node, "size", 3, path)
        return [SourceShape(trimesh.creation.box(size), is_simple=True)] if size.all() else []
    if node.tag not in ("sphere", "cylinder", "capsule"):
        raise GraspdError(
            f"expected mesh, box, sphere, cylinder or capsule in {path}, got {shortened(node.tag)!r}; replace it"
        )
    radius = float(_sizes(node, "radius", 1, path)[0])
    if not radius:
        return []
    if node.tag == "sphere":
        return [SourceShape(trimesh.creation.icosphere(subdivisions=2, radius=radius), is_simple=True)]
    length = float(_sizes(node, "length", 1, path)[0])
    if not length:
        return []
    if node.tag == "cylinder":
        return [SourceShape(trimesh.creation.cylinder(radius=radius, height=length, sections=24), is_simple=True)]
    capsule = trimesh.creation.capsule(height=length, radius=radius, count=[12, 12])
    capsule.apply_translation(-capsule.bounds.mean(axis=0))
    return [SourceShape(capsule, is_simple=True)]


def _sizes(node: ElementTree.Element, key: str, count: int, path: Path) -> np.ndarray:
    """Return the sizes of a shape; one with a size of 0 stands for nothing in some files."""
    sizes = _numbers(node, key, (0.0,) * count, path)
    if sizes.min() < 0.0:
        raise GraspdError(
            f"expected {key}= of a {node.tag} in {path} not below 0, got {shortened(node.get(key, ''))!r}"
        )
    return sizes


def _read_look(node: ElementTree.Element | None, looks: dict[str, Appearance], path: Path) -> Appearance | None:
    if node is None:
        return None
    color = node.find("color")
    if color is None:
        return looks.get(node.get("name", ""))
    without_alpha = len(color.get("rgba", "").split()) == 3
    red, green, blue = _numbers(color, "rgba", (0.5, 0.5, 0.5, 1.0)[: 3 if without_alpha else 4], path)[:3].tolist()
    return Appearance(color=linear_color(red, green, blue))


def _origin(node: ElementTree.Element, path: Path) -> np.ndarray:
    """Return the matrix of a node's <origin>: roll, pitch and yaw are about the fixed axes x, y and z."""
    origin = node.find("origin")
    roll, pitch, yaw = _numbers(origin, "rpy", (0.0, 0.0, 0.0), path)
    turn = Gf.Quatd(1.0)
    for axis, angle in (((0, 0, 1), yaw), ((0, 1, 0), pitch), ((1, 0, 0), roll)):
        turn *= Gf.Quatd(math.cos(0.5 * angle), math.sin(0.5 * angle) * Gf.Vec3d(*axis))
    position = _numbers(origin, "xyz", (0.0, 0.0, 0.0), path)
    return pose_to_matrix(np.array([*position, *turn.GetImaginary(), turn.GetReal()]))


def _child(node: ElementTree.Element, tag: str, attribute: str, path: Path) -> str:
    child = node.find(tag)
    value = None if child is None else child.get(attribute)
    if value is None:
        raise GraspdError(f"expected joint {node.get('name')!r} of {path} to name its {tag}, got none; add it")
    return value


def _numbers(node: ElementTree.Element | None, key: str, default: tuple[float, ...], path: Path) -> np.ndarray:
    text = None if node is None else node.get(key)
    if text is None:
        return np.array(default)
    try:
        values = np.array([float(word) for word in text.split()])
    except ValueError:
        values = np.zeros(0)
    if len(values) != len(default) or not (np.abs(values) <= FARTHEST).all():
        raise GraspdError(
            f"expected {len(default)} finite numbers in {key}= of {path}, got {shortened(text)!r}; mend it"
        )
    return values
