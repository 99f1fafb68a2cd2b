# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a hand's links: surfaces, colliders, masses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import trimesh
from pxr import UsdPhysics

from omni_graspd.geometry.surface_quality import SurfaceQuality
from omni_graspd.hands.checks.articulation_survey import ArticulationSurvey, SurveyedLink
from omni_graspd.hands.checks.finding import Finding

_INWARD, _INWARD_ERROR, _LEAKING, _HIDDEN = 0.02, 0.3, 0.05, 0.35
POSSIBLE_DENSITY = (10.0, 40000.0)
"""Mass by volume of the convex hull that a link can have [kg/m3]."""
_DENSITY_WARNING = (50.0, 20000.0)
"""Mass over the volume of the convex hull [kg/m3]; brass is 8500, a thin shell may be 100."""
_MISFIT = 0.5
"""Largest distance between surface and colliders, as a share of the link's extent."""


def check_surfaces(survey: ArticulationSurvey, qualities: Mapping[str, SurfaceQuality]) -> Iterator[Finding]:
    """Find links without a surface, open, hollow or inside out.

    Args:
        survey: The hand.
        qualities: Figures of each link that has a surface, by path.
    """
    for link in survey.links:
        if link.path in qualities:
            yield from _check_surface(link, qualities[link.path])
        elif link.path in survey.tips:
            parent = survey.parents[link.path]
            welded = parent is not None and parent[1].kind == "fixed"
            yield Finding(
                "no-surface",
                "note" if welded else "error",
                link.path,
                "expected a mesh on the last link of a digit, got none" + (": a mere frame" if welded else ""),
                "nothing to do" if welded else "add a mesh below the link; shapes like balls have to be made meshes",
            )


def _check_surface(link: SurveyedLink, quality: SurfaceQuality) -> Iterator[Finding]:
    if quality.inward > _INWARD:
        yield Finding(
            "flipped-normals",
            # Near a hole, inside and outside blur.
            "error" if quality.is_closed or quality.inward > _INWARD_ERROR else "warning",
            link.path,
            f"expected faces that are counter-clockwise seen from outside, got {100 * quality.inward:.0f} % inside out",
            "flip the faces (recalculate normals outside in the modeller), or set the mesh's orientation to leftHanded",
        )
    if not quality.is_closed:
        leaks = quality.leaking > _LEAKING
        seen = f", seen from {100 * quality.leaking:.0f} % of the surface" if leaks else ", all small"
        yield Finding(
            "open-mesh",
            "warning" if leaks else "note",
            link.path,
            f"expected a closed surface, got {quality.open_edges} open edges{seen}",
            "fill the holes; until then depths near them are estimates",
        )
    if quality.cavities:
        yield Finding(
            "hollow-link",
            "warning",
            link.path,
            f"expected a solid link, got {quality.cavities} hollow space{'s' if quality.cavities > 1 else ''} inside",
            "delete the inner walls: nothing can touch them, and surface points are spent on them",
        )
    if quality.hidden > _HIDDEN:
        yield Finding(
            "hidden-surface",
            "warning",
            link.path,
            f"expected one outer surface, got {100 * quality.hidden:.0f} % of it inside other shells of the link",
            "unite the shells, or delete inner parts (screws, motors): surface points are spent on them",
        )


def check_colliders(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find links that collide with nothing, far from their surface, or as a shape that cannot move."""
    for link in survey.links:
        shapes = [collider for collider in link.colliders if len(collider.surface.faces)]
        if not shapes:
            if len(link.mesh.faces):
                yield Finding(
                    "missing-collider",
                    "error",
                    link.path,
                    "expected a collider, got none: objects pass through the link in a simulator",
                    "apply PhysicsCollisionAPI and PhysicsMeshCollisionAPI (convexHull or convexDecomposition) to a "
                    "mesh below the link",
                )
            continue
        for collider in shapes:
            if collider.approximation in ("none", "meshSimplification"):
                yield Finding(
                    "triangle-collider",
                    "warning",
                    collider.path,
                    f"expected a convex approximation on a moving link, got {collider.approximation!r}",
                    "set physics:approximation to convexHull or convexDecomposition; PhysX moves no triangle meshes",
                )
        misfit, what = _misfit(survey, link)
        if misfit > _MISFIT:
            yield Finding(
                "collider-misfit",
                "error",
                link.path,
                f"expected colliders where the surface is, got {what}, by {100 * misfit:.0f} % of the link's extent",
                "check the collider's transform and unit",
            )


def _joined_surfaces(survey: ArticulationSurvey, link: SurveyedLink) -> np.ndarray:
    """Return the vertices of the links it is joined to, as the file places them, in its frame [m], shape [n, 3]."""
    vertices = [np.zeros((0, 3))]
    for joint in survey.joints:
        other = next((path for path in joint.bodies if path is not None and path != link.path), None)
        if link.path in joint.bodies and other in survey.link_by_path:
            neighbour = survey.link_by_path[other]
            T_link_neighbour = np.linalg.inv(link.T_world_link) @ neighbour.T_world_link
            vertices.append(neighbour.mesh.vertices @ T_link_neighbour[:3, :3].T + T_link_neighbour[:3, 3])
    return np.concatenate(vertices)


def _misfit(survey: ArticulationSurvey, link: SurveyedLink) -> tuple[float, str]:
    """Return how far colliders and surface are apart at most, over the extent, and which one stands out.

    Colliders may reach into the links next to theirs, as capsules do that round off a fingertip.
    """
    vertices = link.mesh.vertices
    if len(link.mesh.faces) == 0:
        return 0.0, ""
    hulls = np.concatenate([collider.surface.vertices for collider in link.colliders])
    extent = float(np.ptp(vertices, axis=0).max())
    around = np.concatenate([vertices, _joined_surfaces(survey, link)])
    out = np.maximum(hulls.max(axis=0) - around.max(axis=0), around.min(axis=0) - hulls.min(axis=0)).max() / extent
    inward = np.maximum(vertices.max(axis=0) - hulls.max(axis=0), hulls.min(axis=0) - vertices.min(axis=0)).max()
    return max((float(out), "colliders that stand out"), (float(inward) / extent, "a surface that stands out"))


def check_masses(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find links without a mass, and masses that no material explains."""
    for link in survey.links:
        has_mass, has_density = bool(link.mass), bool(link.density)
        if link.mass is not None and link.mass < 0.0:
            yield _implausible(link, "error", f"a mass of {link.mass:g} kg")
        elif not has_mass and not has_density:
            yield Finding(
                "missing-mass",
                "warning",
                link.path,
                "expected a mass, got none: a simulator takes 1000 kg/m3 of the colliders",
                "apply PhysicsMassAPI and set physics:mass",
            )
        elif has_mass and link.mass is not None:
            density = link.mass / _hull_volume(link) if _hull_volume(link) > 0.0 else None
            if density is not None and not _DENSITY_WARNING[0] <= density <= _DENSITY_WARNING[1]:
                severity = "warning" if POSSIBLE_DENSITY[0] <= density <= POSSIBLE_DENSITY[1] else "error"
                yield _implausible(link, severity, f"{link.mass:.3g} kg, or {density:.3g} kg/m3 of the convex hull")
        yield from _check_inertia(link)


def _implausible(link: SurveyedLink, severity, got: str) -> Finding:
    low, high = _DENSITY_WARNING
    return Finding(
        "implausible-mass",
        severity,
        link.path,
        f"expected a mass between {low:g} and {high:g} kg/m3 times the volume, got {got}",
        "set physics:mass in kilograms (see kilogramsPerUnit); grams are 1000 times too many",
    )


def _hull_volume(link: SurveyedLink) -> float:
    vertices = link.mesh.vertices
    if len(vertices) < 4 or np.linalg.matrix_rank(vertices - vertices[0], tol=1e-6) < 3:
        return 0.0
    return float(trimesh.Trimesh(vertices, link.mesh.faces, process=False).convex_hull.volume)


def _check_inertia(link: SurveyedLink) -> Iterator[Finding]:
    value = UsdPhysics.MassAPI(link.prim).GetDiagonalInertiaAttr().Get() if link.mass else None
    moments = np.sort(np.array(value if value is not None else (0.0, 0.0, 0.0), dtype=np.float64))
    if moments[2] > 0.0 and (moments[0] <= 0.0 or moments[0] + moments[1] < 0.999 * moments[2]):
        yield Finding(
            "implausible-inertia",
            "note",
            link.path,
            f"expected principal moments that a body can have, got {', '.join(f'{m:.3g}' for m in moments)}",
            "no moment may exceed the sum of the others; leave physics:diagonalInertia out to have it computed",
        )
