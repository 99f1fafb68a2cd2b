# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of what overlaps: links in the open posture, colliders in the posture of the file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
import trimesh
from pxr import Sdf, Usd, UsdPhysics

from omni_graspd.geometry.winding_distance import winding_distances
from omni_graspd.hands.checks.articulation_survey import ArticulationSurvey, SurveyedLink
from omni_graspd.hands.checks.finding import Finding
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_SAMPLES = 300
_LINK_WARNING, _LINK_ERROR = 2e-3, 5e-3
"""Depth of overlap of two links that are not neighbours [m]."""
_COLLIDER_DEPTH = 1e-3
"""The same for colliders [m]; simplified shapes stand out a little."""


def check_link_overlaps(survey: ArticulationSurvey, hand: Hand | None) -> Iterator[Finding]:
    """Find links that lie in each other in the open posture, or as the file places them if there is none.

    Neighbours overlap in their hinges, and so does a link with the one beyond a small hub.
    """
    posture = "as the file places them" if hand is None else "in the open posture"
    surfaces = _placed_surfaces(survey, hand)
    for a, b in itertools.combinations(surfaces, 2):
        if _are_near_in_tree(survey, a, b):
            continue
        depth = max(overlap_depth(surfaces[a], surfaces[b]), overlap_depth(surfaces[b], surfaces[a]))
        if depth > _LINK_WARNING:
            yield Finding(
                "self-overlap",
                "error" if depth > _LINK_ERROR else "warning",
                a,
                f"expected links apart {posture}, got {1e3 * depth:.1f} mm of overlap with {_name(b)}",
                "open the hand further in [open_positions] of hand.toml, or mend the links' frames",
            )


def _placed_surfaces(survey: ArticulationSurvey, hand: Hand | None) -> dict[str, trimesh.Trimesh]:
    if hand is None:
        placed = [(link.path, link.mesh, link.T_world_link) for link in survey.links]
    else:
        poses = pose_to_matrix(link_poses(hand, IDENTITY, hand.joint_positions(hand.open_positions)))
        placed = [(link.prim_path, link.mesh, pose) for link, pose in zip(hand.links, poses, strict=True)]
    return {path: _moved(mesh, pose) for path, mesh, pose in placed if len(mesh.faces) and np.isfinite(pose).all()}


def _moved(mesh: TriangleMesh, pose: np.ndarray) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices @ pose[:3, :3].T + pose[:3, 3], mesh.faces, process=False)


def _are_near_in_tree(survey: ArticulationSurvey, a: str, b: str) -> bool:
    """Tell whether one is the other's parent or grandparent, or both are welded together; welded links are one."""
    ancestors = {path: _ancestors(survey, path) for path in (a, b)}
    body_a, body_b = _welded_to(survey, a), _welded_to(survey, b)
    return body_b in ancestors[a][:2] or body_a in ancestors[b][:2] or body_a == body_b


def _ancestors(survey: ArticulationSurvey, path: str) -> list[str]:
    """Return the links above one, nearest first; welded ones do not count as steps."""
    found = []
    parent = survey.parents.get(path)
    while parent is not None:
        if parent[1].kind != "fixed" or not found:
            found.append(_welded_to(survey, parent[0]))
        parent = survey.parents.get(parent[0])
    return found


def _welded_to(survey: ArticulationSurvey, path: str) -> str:
    parent = survey.parents.get(path)
    while parent is not None and parent[1].kind == "fixed":
        path, parent = parent[0], survey.parents.get(parent[0])
    return path


def overlap_depth(a: trimesh.Trimesh, b: trimesh.Trimesh) -> float:
    """Return how deep the surface of ``a`` goes into ``b`` at most, 0 if it does not [m]; both in the same frame."""
    if np.any(a.bounds[0] > b.bounds[1]) or np.any(b.bounds[0] > a.bounds[1]):
        return 0.0
    points = np.concatenate([a.vertices, trimesh.sample.sample_surface(a, _SAMPLES, seed=0)[0]])
    near = points[np.all((points > b.bounds[0]) & (points < b.bounds[1]), axis=1)]
    if not len(near):
        return 0.0
    mesh = TriangleMesh(np.asarray(b.vertices), np.asarray(b.faces, dtype=np.int32))
    depths = -winding_distances(mesh, near, float(np.ptp(b.bounds, axis=0).max()))
    return max(float(depths.max()), 0.0)


def check_collider_overlaps(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find colliders of different links that overlap as the file places them and are not kept from colliding.

    In a simulator such links push each other apart, and the hand trembles or bursts.
    """
    if not _collides_with_itself(survey):
        return
    filtered = _filtered_pairs(survey)
    placed = {link.path: _placed_colliders(link) for link in survey.links if np.isfinite(link.T_world_link).all()}
    for a, b in itertools.combinations(placed, 2):
        if frozenset((a, b)) in filtered:
            continue
        depth = max(
            (
                max(overlap_depth(first, second), overlap_depth(second, first))
                for first, second in itertools.product(placed[a], placed[b])
            ),
            default=0.0,
        )
        if depth > _COLLIDER_DEPTH:
            yield Finding(
                "colliders-overlap",
                "warning",
                a,
                f"expected colliders apart, got {1e3 * depth:.1f} mm of overlap with those of {_name(b)}",
                "filter the pair with PhysicsFilteredPairsAPI, or set physxArticulation:enabledSelfCollisions to false",
            )


def _placed_colliders(link: SurveyedLink) -> list[trimesh.Trimesh]:
    surfaces = [collider.surface for collider in link.colliders if len(collider.surface.faces)]
    return [_moved(surface, link.T_world_link) for surface in surfaces]


def _collides_with_itself(survey: ArticulationSurvey) -> bool:
    name = "physxArticulation:enabledSelfCollisions"
    values = [prim.GetAttribute(name).Get() for prim in Usd.PrimRange(survey.root) if prim.HasAttribute(name)]
    return False not in values


def _filtered_pairs(survey: ArticulationSurvey) -> set[frozenset[str]]:
    """Return pairs of links that do not collide: joined by a joint that says so, or named in a filter."""
    pairs = {
        frozenset(str(body) for body in joint.bodies)
        for joint in survey.joints
        if not UsdPhysics.Joint(joint.prim).GetCollisionEnabledAttr().Get()
    }
    for prim in Usd.PrimRange(survey.root, Usd.TraverseInstanceProxies()):
        if prim.HasAPI(UsdPhysics.FilteredPairsAPI):
            targets = UsdPhysics.FilteredPairsAPI(prim).GetFilteredPairsRel().GetTargets()
            for target in targets:
                pairs |= _links_between(survey, prim.GetPath(), target)
    return pairs | _filtered_by_groups(survey)


def _links_between(survey: ArticulationSurvey, a: Sdf.Path, b: Sdf.Path) -> set[frozenset[str]]:
    first, second = ([link.path for link in survey.links if _is_related(link, path)] for path in (a, b))
    return {frozenset((x, y)) for x, y in itertools.product(first, second)}


def _is_related(link: SurveyedLink, path: Sdf.Path) -> bool:
    return link.prim.GetPath().HasPrefix(path) or path.HasPrefix(link.prim.GetPath())


def _filtered_by_groups(survey: ArticulationSurvey) -> set[frozenset[str]]:
    """Return pairs of links whose collision groups do not collide."""
    members: Mapping[Sdf.Path, list[Sdf.Path]] = {}
    filters: list[tuple[Sdf.Path, Sdf.Path]] = []
    for prim in survey.stage.Traverse():
        if prim.IsA(UsdPhysics.CollisionGroup):
            group = UsdPhysics.CollisionGroup(prim)
            members[prim.GetPath()] = list(group.GetCollidersCollectionAPI().GetIncludesRel().GetTargets())
            filters += [(prim.GetPath(), target) for target in group.GetFilteredGroupsRel().GetTargets()]
    pairs: set[frozenset[str]] = set()
    for a, b in filters:
        for first, second in itertools.product(members.get(a, []), members.get(b, [])):
            pairs |= _links_between(survey, first, second)
    return pairs


def _name(path: str) -> str:
    return path.rpartition("/")[2]
