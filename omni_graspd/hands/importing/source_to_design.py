# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From a described hand to one that can be written: valid names, closed colliders, plausible masses, metres."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import trimesh

from omni_graspd.geometry.winding_distance import winding_distances
from omni_graspd.hands.checks.links import POSSIBLE_DENSITY
from omni_graspd.hands.importing.link_shape import design_shape, together, triangles
from omni_graspd.hands.importing.source_hand import SourceLink, SourceShape
from omni_graspd.hands.importing.source_palm import check_one_hand, find_palm, links_above_palm
from omni_graspd.hands.importing.source_size import check_size
from omni_graspd.hands.inference.surface_samples import surface_samples
from omni_graspd.hands.usd.hand_design import (
    HandDesign,
    JointDesign,
    LinkDesign,
    LinkShape,
    MassDistribution,
    with_followers,
)
from omni_graspd.progress import Progress, no_progress
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.stage import prim_name

_RESERVED = ("joints", "Looks")
_DENSITY = 1000.0
_SMALLEST_MASS = 1e-3
_SMALLEST_INERTIA = 1e-7
_ALIKE = 1e-7
"""Meshes of which no vertex differs by more are the same mesh, exported twice [m]."""
_AWAY, _MARKER_SAMPLES = 0.1, 200
"""What is drawn so far from what collides, as a share of its longest side, is no part of a link."""


def design_hand(
    name: str,
    links: Sequence[SourceLink],
    scale: float,
    source: Path,
    palm: str | None = None,
    progress: Progress = no_progress,
) -> HandDesign:
    """Turn a described hand into one to be written.

    Empty links that are welded at the root or at the end of a chain are left out.

    Args:
        name: Name of the hand.
        links: Its links, parents first.
        scale: Metres per unit of length of the source.
        source: The file, for errors.
        palm: Name of the palm; None to infer it.
        progress: Told after each link; there is one step more than links, for what comes after.

    Raises:
        GraspdError: If the hand is implausibly large or small, or there are two.
    """
    links = _scaled_links(_without_empty_ends(links), scale)
    if palm is None:
        check_one_hand(links, source)
    check_size(_below(links, palm), scale, source)
    links = _without_empty_ends(_without_markers(links))
    # An arm takes no part in grasps: a hull for each of its links will do.
    above = {link.name for link in links} - {link.name for link in _below(links, palm)}
    return _design(name, "hand", links, above, progress)[0]


def design_robot(
    name: str, links: Sequence[SourceLink], scale: float, progress: Progress = no_progress
) -> tuple[HandDesign, dict[str, str]]:
    """Turn the description of any robot into one to be written, without asking how large it is or what it grasps with.

    Args:
        name: Name of the robot.
        links: Its links, parents first; empty ones that are welded at the root or at the end of a chain are left out.
        scale: Metres per unit of length of the source.
        progress: Told after each link.

    Returns:
        The design, and the names of its links by those in the source.
    """
    return _design(name, "robot", _scaled_links(_without_empty_ends(links), scale), set(), progress)


def _scaled_links(links: Sequence[SourceLink], scale: float) -> list[SourceLink]:
    kinds = {link.joint.name: link.joint.kind for link in links if link.joint is not None}
    return [_scaled(link, scale, kinds) for link in links]


def _design(
    name: str, label: str, links: Sequence[SourceLink], hulls: Collection[str], progress: Progress
) -> tuple[HandDesign, dict[str, str]]:
    link_names = _unique_names([link.name for link in links], _RESERVED)
    joint_names = _unique_names([link.joint.name for link in links if link.joint is not None], ())
    looks: dict[Appearance, str] = {}
    shapes: list[tuple[SourceLink, LinkShape | None]] = []
    designs = []
    for number, link in enumerate(links):
        roughly = link.name in hulls
        # Fingers share meshes, often but for the last digits of their numbers.
        found = None if roughly else next((known for known in shapes if _are_alike(known[0], link)), None)
        shape = found[1] if found is not None else design_shape(link, looks, roughly)
        if found is None and not roughly:
            shapes.append((link, shape))
        designs.append(_design_link(link, shape, link_names, joint_names))
        progress(number + 1, len(links) + 1)
    pairs = [(link.name, other) for link in links for other in link.never_hits]
    design = HandDesign(
        name=prim_name(name),
        label=label,
        links=tuple(designs),
        looks={key: look for look, key in looks.items()},
        filtered_pairs=tuple((link_names[a], link_names[b]) for a, b in pairs if a in link_names and b in link_names),
    )
    return design, link_names


def rest_posture(design: HandDesign) -> dict[str, float]:
    """Return joint positions next to 0 within the limits; joints that follow are where their leaders put them."""
    joints = [link.joint for link in design.links if link.joint is not None]
    leading = {j.name: float(np.clip(0.0, j.lower, j.upper)) for j in joints if j.leader is None}
    return with_followers(design, leading)


def _without_empty_ends(links: Sequence[SourceLink]) -> list[SourceLink]:
    kept = list(links)
    while True:
        parents = [link.parent for link in kept]
        root = kept[0]
        child = kept[1].joint
        if _is_empty(root) and parents.count(root.name) == 1 and child is not None and child.kind == "fixed":
            kept = [replace(kept[1], parent=None, joint=None), *kept[2:]]
            continue
        ends = [k for k in kept if k.joint and k.joint.kind == "fixed" and k.name not in parents and _is_empty(k)]
        if not ends:
            return kept
        kept = [link for link in kept if link not in ends]


def _below(links: Sequence[SourceLink], palm: str | None) -> list[SourceLink]:
    """Return the palm and what hangs on it; all links if there is none of that name."""
    names = [link.name for link in links]
    if palm is not None and palm not in names:
        return list(links)
    index = find_palm(links) if palm is None else names.index(palm)
    above = links_above_palm(links, index)
    return [link for link in links if link.name not in above or link.name == names[index]]


def _without_markers(links: Sequence[SourceLink]) -> list[SourceLink]:
    kept = []
    for link in links:
        drawn = [] if is_marker(link, links) else drawn_axes(link)
        visuals = [] if is_marker(link, links) else [s for s in link.visuals if not any(s is one for one in drawn)]
        kept.append(replace(link, visuals=visuals))
    return kept


def drawn_axes(link: SourceLink) -> list[SourceShape]:
    """Return what is drawn beside a link to show its frame: simple shapes that are only seen, away from what collides.

    Args:
        link: The link, in any unit of length.
    """
    simple = [shape for shape in link.visuals if shape.is_simple]
    if not simple or not link.colliders or len(simple) == len(link.visuals):
        return []
    solid = together([shape.mesh for shape in link.colliders])
    size = float(np.ptp(solid.vertices, axis=0).max())
    found = []
    for shape in simple:
        points, _ = surface_samples(triangles(shape.mesh), _MARKER_SAMPLES, link.name)
        # In the solid's own size: single precision, any unit.
        away = winding_distances(TriangleMesh(solid.vertices / size, solid.faces), points / size, 10.0) > _AWAY
        if away.mean() > 0.5:
            found.append(shape)
    return found


def is_marker(link: SourceLink, links: Sequence[SourceLink]) -> bool:
    """Tell whether a link at the end of a chain is only seen, where others say what collides: it is not solid."""
    if link.colliders or not link.visuals or link.joint is None or link.joint.kind != "fixed":
        return False
    return any(other.colliders for other in links) and not any(other.parent == link.name for other in links)


def _is_empty(link: SourceLink) -> bool:
    return not link.visuals and not link.colliders


def _scaled(link: SourceLink, scale: float, kinds: Mapping[str, str]) -> SourceLink:
    pose = link.T_parent_link.copy()
    pose[:3] *= scale
    joint, spread = link.joint, link.distribution
    if joint is not None:
        reach = scale if joint.kind == "prismatic" else 1.0
        leads = scale if joint.leader is not None and kinds[joint.leader] == "prismatic" else 1.0
        joint = replace(
            joint,
            anchor=scale * joint.anchor,
            lower=reach * joint.lower,
            upper=reach * joint.upper,
            multiplier=joint.multiplier * reach / leads,
            offset=joint.offset * reach,
        )
    if spread is not None:
        spread = MassDistribution(scale * spread.center_of_mass, scale**2 * spread.inertia)
    shapes = [
        [replace(shape, mesh=shape.mesh.copy().apply_scale(scale)) for shape in some]
        for some in (link.visuals, link.colliders)
    ]
    return replace(link, T_parent_link=pose, joint=joint, distribution=spread, visuals=shapes[0], colliders=shapes[1])


def _unique_names(names: Sequence[str], reserved: Sequence[str]) -> dict[str, str]:
    unique: dict[str, str] = {}
    for name in names:
        valid, number = prim_name(name), 1
        while valid in reserved or valid in unique.values():
            number += 1
            valid = f"{prim_name(name)}_{number}"
        unique[name] = valid
    return unique


def _are_alike(a: SourceLink, b: SourceLink) -> bool:
    """Tell whether two links have the same shapes, in their own frames."""
    return _are_same_shapes(a.visuals, b.visuals) and _are_same_shapes(a.colliders, b.colliders)


def _are_same_shapes(some: Sequence[SourceShape], others: Sequence[SourceShape]) -> bool:
    return len(some) == len(others) and all(
        a.look == b.look
        and np.array_equal(a.mesh.faces, b.mesh.faces)
        and a.mesh.vertices.shape == b.mesh.vertices.shape
        and bool(np.abs(a.mesh.vertices - b.mesh.vertices).max(initial=0.0) < _ALIKE)
        for a, b in zip(some, others, strict=True)
    )


def _design_link(
    link: SourceLink, shape: LinkShape | None, link_names: dict[str, str], joint_names: dict[str, str]
) -> LinkDesign:
    mass, spread = _mass(link, shape)
    joint = link.joint
    design = None
    if joint is not None:
        x, y, z = (float(value) for value in np.round(joint.axis, 12) + 0.0)
        a, b, c = (float(value) for value in joint.anchor)
        design = JointDesign(
            joint_names[joint.name],
            link.T_parent_link,
            (x, y, z),
            joint.lower,
            joint.upper,
            leader=joint_names.get(joint.leader or ""),
            multiplier=joint.multiplier,
            # A follower may meet its own limit before its leader does.
            coupling_frequency=50.0 if joint.leader else 0.0,
            offset=joint.offset,
            joint_type=joint.kind,
            anchor=(a, b, c),
        )
    parent = link_names[link.parent] if link.parent else None
    return LinkDesign(link_names[link.name], parent, design, shape, mass, spread)


def _mass(link: SourceLink, shape: LinkShape | None) -> tuple[float, MassDistribution]:
    """Return the source's mass and its distribution where plausible, else what the colliders' volume makes likely."""
    spread = link.distribution
    if shape is None or not shape.convex_pieces:
        if link.mass > 0.0 and spread is not None and _is_inertia(spread.inertia, link.mass, 0.2):
            return link.mass, spread
        return max(link.mass, _SMALLEST_MASS), MassDistribution(np.zeros(3), _SMALLEST_INERTIA * np.eye(3))
    body = trimesh.convex.convex_hull(np.concatenate([piece.vertices for piece in shape.convex_pieces]))
    low, high = (density * float(body.volume) for density in POSSIBLE_DENSITY)
    is_possible = low <= link.mass <= high
    mass = link.mass if is_possible else max(_DENSITY * float(body.volume), _SMALLEST_MASS)
    size = float(np.linalg.norm(body.extents))
    if is_possible and spread is not None:
        margin = 0.1 * body.extents
        inside = np.all(np.abs(spread.center_of_mass - body.bounds.mean(axis=0)) <= 0.5 * body.extents + margin)
        if inside and _is_inertia(spread.inertia, mass, size):
            return mass, spread
    body.density = mass / float(body.volume)
    return mass, MassDistribution(np.asarray(body.center_mass), np.asarray(body.moment_inertia))


def _is_inertia(inertia: np.ndarray, mass: float, size: float) -> bool:
    """Tell whether a body of this mass and size can have an inertia: triangle inequality, radii of gyration within."""
    moments = np.linalg.eigvalsh(inertia)
    if not (moments[0] > 1e-11 and moments[2] <= 1.001 * (moments[0] + moments[1])):
        return False
    return bool(moments[2] <= mass * size**2 and moments[0] >= mass * (0.01 * size) ** 2)
