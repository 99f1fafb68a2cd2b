# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand as its URDF or MJCF file describes it, before it is written as USD."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.usd.hand_design import MassDistribution
from omni_graspd.plain_text import shortened
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.mesh_soundness import FARTHEST
from omni_graspd.usd.transforms import compose


@dataclass(frozen=True)
class SourceShape:
    """One shape of a link."""

    mesh: trimesh.Trimesh
    """Its surface in the link's frame [m]."""
    look: Appearance | None = None
    """What it looks like, where the source says so."""
    is_simple: bool = False
    """Whether it is a box, ball, cylinder or capsule, not a mesh."""
    T_link_gltf: np.ndarray | None = None
    """Frame of the glTF file that it is from, scaled as the file is, in the link's frame, shape [4, 4]; None for other
    kinds of files."""


@dataclass
class SourceJoint:
    """The joint between a link and its parent."""

    name: str
    """Its name in the source."""
    kind: Literal["fixed", "revolute", "prismatic"]
    """How the link moves."""
    axis: np.ndarray
    """Unit axis in the link's frame, shape [3]."""
    anchor: np.ndarray
    """A point of the axis in the link's frame [m], shape [3]."""
    lower: float = 0.0
    """Lower limit [rad or m]."""
    upper: float = 0.0
    """Upper limit [rad or m]."""
    leader: str | None = None
    """Name of the joint that it follows: position = multiplier * leader's + offset."""
    multiplier: float = 1.0
    """Factor on the leader's position."""
    offset: float = 0.0
    """Position while the leader is at 0 [rad or m]."""


@dataclass
class SourceLink:
    """A link."""

    name: str
    """Its name in the source."""
    parent: str | None
    """Name of its parent; None for the root."""
    T_parent_link: np.ndarray
    """Pose in the parent at joint position 0, shape [7]."""
    joint: SourceJoint | None
    """Joint to the parent; None for the root."""
    mass: float = 0.0
    """Mass [kg]; 0 where the source has none."""
    distribution: MassDistribution | None = None
    """How the mass is spread, where the source says so."""
    visuals: list[SourceShape] = field(default_factory=list)
    """What is seen."""
    colliders: list[SourceShape] = field(default_factory=list)
    """What collides."""
    never_hits: list[str] = field(default_factory=list)
    """Names of links that it does not collide with."""
    notes: list[str] = field(default_factory=list)
    """What reading changed or left out, a sentence each."""


def displaced(pose: np.ndarray, joint: SourceJoint, position: float) -> np.ndarray:
    """Return where a joint puts its link.

    Args:
        pose: Pose of the link in its parent while the joint is at 0, shape [7].
        joint: The joint.
        position: Its position [rad or m].
    """
    if joint.kind == "prismatic":
        return compose(pose, np.array([*(position * joint.axis), 0.0, 0.0, 0.0, 1.0]))
    turn = np.array([0.0, 0.0, 0.0, *(np.sin(0.5 * position) * joint.axis), np.cos(0.5 * position)])
    there, back = (np.array([*(sign * joint.anchor), 0.0, 0.0, 0.0, 1.0]) for sign in (1.0, -1.0))
    return compose(pose, compose(compose(there, turn), back))


def check_numbers(numbers: Sequence[float], what: str, source: Path) -> None:
    """Refuse what no hand has, and what overflows when it is reckoned with.

    Args:
        numbers: Coordinates in any unit.
        what: What they belong to.
        source: Its file.

    Raises:
        GraspdError: If one is not finite or beyond :data:`FARTHEST`.
    """
    wrong = [number for number in numbers if not abs(number) <= FARTHEST]
    if wrong:
        raise GraspdError(f"expected finite numbers for {what} of {source}, got {wrong[0]:g}; mend its description")


def _check_names(names: Sequence[str], what: str, source: Path) -> None:
    wrong = next((name for name, count in Counter(names).items() if count > 1 or not name), None)
    if wrong is not None:
        got = f"several named {shortened(wrong)!r}" if wrong else "one without"
        raise GraspdError(f"expected each {what} of {source} to have a name of its own, got {got}; rename them")


def _check_joints(links: Sequence[SourceLink], source: Path) -> None:
    joints = {link.joint.name: link.joint for link in links if link.joint is not None}
    for joint in joints.values():
        numbers = [
            *joint.axis,
            *joint.anchor,
            *(limit for limit in (joint.lower, joint.upper) if not math.isinf(limit)),
        ]
        check_numbers(numbers, f"joint {joint.name!r}", source)
        if joint.lower > joint.upper:
            raise GraspdError(
                f"expected the lower limit of {joint.name!r} in {source} below the upper one, got "
                f"{joint.lower:.4g} and {joint.upper:.4g}; swap them"
            )
        chain = [joint.name]
        while (leader := joints[chain[-1]].leader) is not None:
            if leader not in joints:
                raise GraspdError(
                    f"expected {chain[-1]!r} of {source} to follow a joint, got {leader!r}; mend the name"
                )
            if leader in chain:
                circle = " -> ".join([*chain, leader])
                raise GraspdError(f"expected joints of {source} that follow one that leads, got {circle}; free one")
            chain.append(leader)


def parents_first(links: Sequence[SourceLink], source: Path) -> list[SourceLink]:
    """Order links depth first from the only root.

    Raises:
        GraspdError: If there are several roots or none, if a link has two parents, if two links or joints have one
            name, if no joint moves, if limits are swapped, or if joints follow each other in a circle or one that is
            not there.
    """
    _check_names([link.name for link in links], "link", source)
    _check_names([link.joint.name for link in links if link.joint is not None], "joint", source)
    roots = [link for link in links if link.parent is None]
    if len(roots) != 1:
        names = ", ".join(link.name for link in roots) or "none"
        raise GraspdError(f"expected one root link in {source}, got {names}; join them by a fixed joint")
    children: dict[str, list[SourceLink]] = {}
    for link in links:
        check_numbers([*link.T_parent_link, link.mass], f"link {link.name!r}", source)
        if link.parent is not None:
            children.setdefault(link.parent, []).append(link)
    ordered, stack = [], [roots[0]]
    while stack:
        ordered.append(stack.pop())
        stack.extend(reversed(children.get(ordered[-1].name, [])))
    if len(ordered) != len(links):
        lost = ", ".join(sorted({link.name for link in links} - {link.name for link in ordered}))
        raise GraspdError(f"expected a tree of links in {source}, got {lost} cut off from it; mend their joints")
    _check_joints(links, source)
    if not any(link.joint is not None and link.joint.kind != "fixed" for link in links):
        raise GraspdError(f"expected movable joints in {source}, got none; give an articulated model")
    return ordered
