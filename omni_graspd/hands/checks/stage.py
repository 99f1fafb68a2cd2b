# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a hand's file as a whole: units and size, numbers, names, scale, and the tree of links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from pxr import Sdf, UsdGeom, UsdPhysics

from omni_graspd.hands.checks.articulation_survey import ArticulationSurvey, SurveyedLink, is_rotation, is_sound
from omni_graspd.hands.checks.finding import Finding
from omni_graspd.hands.inference.palm_inference import infer_palm
from omni_graspd.hands.usd.link_reader import owning_body
from omni_graspd.usd.meshes import TriangleMesh, mesh_prims

_SMALLEST, _LARGEST = 0.04, 1.5
"""Extent of a hand [m]: of the palm and what hangs on it."""
_TYPICAL = 0.22
_FACTORS = {1e-3: "0.001 (mm)", 1e-2: "0.01 (cm)", 0.0254: "0.0254 (inch)", 1.0: "1 (m)"}
_MESH_TOO_LARGE, _MESH_TOO_SMALL = 20.0, 2e-3
"""Extent of a link's surface against that of all joints. Grippers are several times as large as their jaws' joints are
apart; a wrong unit is a factor of 25 or more."""


def check_size(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find a hand that is far too large or small, and link surfaces whose unit is not that of the joints."""
    joints = _extent(_joint_origins(survey))
    extents = {link.path: _extent(link.mesh.vertices) for link in survey.links if len(link.mesh.vertices)}
    if joints > 0.0 and extents:
        ratios = {path: extent / joints for path, extent in extents.items()}
        wrong = [path for path, ratio in ratios.items() if not _MESH_TOO_SMALL < ratio < _MESH_TOO_LARGE]
        if len(wrong) > len(ratios) // 2:
            yield _mesh_unit(str(survey.root.GetPath()), float(np.median(list(ratios.values()))))
            return
        yield from (_mesh_unit(path, ratios[path]) for path in wrong)
        if wrong:
            return
    size = _hand_extent(survey)
    if size > 0.0 and not _SMALLEST <= size <= _LARGEST:
        unit = survey.metres_per_unit
        better = min(_FACTORS, key=lambda factor: abs(np.log(size / unit * factor / _TYPICAL)))
        yield Finding(
            "hand-size",
            "error",
            str(survey.root.GetPath()),
            f"expected a hand of {_SMALLEST:g} to {_LARGEST:g} m, got {size:.3g} m with metersPerUnit = {unit:g}",
            f"set metersPerUnit to {_FACTORS[better]} in the layer's metadata, which makes it "
            f"{size / unit * better:.2g} m, or export again with that unit",
        )


def _hand_extent(survey: ArticulationSurvey) -> float:
    """Return the extent of the palm and what hangs on it [m]; of all there is where there is no tree."""
    paths = list(survey.parents)
    whole = _extent(np.concatenate([_joint_origins(survey), *(_placed(link) for link in survey.links)]))
    if not paths:
        return whole
    above = [survey.parents[path] for path in paths]
    parents = [-1 if parent is None else paths.index(parent[0]) for parent in above]
    movable = [parent is not None and parent[1].is_movable and parent[1].lower < parent[1].upper for parent in above]
    meshed = {link.path for link in survey.links if len(link.mesh.faces)}
    names = [path.rpartition("/")[2] for path in paths]
    named = survey.settings.palm
    palm = names.index(named) if named in names else infer_palm(parents, movable, [path in meshed for path in paths])
    below = {palm}
    for k in range(len(paths)):
        if parents[k] in below:
            below.add(k)
    kept = {paths[k] for k in below}
    return _extent(np.concatenate([np.zeros((0, 3)), *(_placed(link) for link in survey.links if link.path in kept)]))


def _mesh_unit(where: str, ratio: float) -> Finding:
    return Finding(
        "mesh-unit",
        "error",
        where,
        f"expected surfaces about as large as the distances between joints, got {ratio:.2g} times all of them",
        "scale the mesh to the joints' unit (0.001 for a mesh in mm on joints in m), or export it again",
    )


def _joint_origins(survey: ArticulationSurvey) -> np.ndarray:
    frames = [joint.T_world_joint[0][:3, 3] for joint in survey.joints if joint.T_world_joint is not None]
    return np.array(frames).reshape(-1, 3)


def _placed(link: SurveyedLink) -> np.ndarray:
    return link.mesh.vertices @ link.T_world_link[:3, :3].T + link.T_world_link[:3, 3]


def _extent(points: np.ndarray) -> float:
    finite = points[np.isfinite(points).all(axis=1)]
    return float(np.ptp(finite, axis=0).max()) if len(finite) else 0.0


def check_unit_is_stated(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find a file that leaves its unit to USD's default, centimetres."""
    if not UsdGeom.StageHasAuthoredMetersPerUnit(survey.stage):
        yield Finding(
            "unit-not-stated",
            "warning",
            str(survey.root.GetPath()),
            "expected metersPerUnit in the file, got none, which means centimetres",
            "write metersPerUnit into the layer's metadata",
        )


def check_numbers(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find numbers that are not finite, mesh indices without a vertex, and rotations that are none."""
    for prim in (survey.root, *(p.prim for p in (*survey.links, *survey.joints))):
        for attribute in prim.GetAuthoredAttributes():
            if attribute.GetName() not in _LIMIT_NAMES and not _is_finite(attribute.Get()):
                yield _not_finite(f"{prim.GetPath()}.{attribute.GetName()}")
    for joint in survey.joints:
        if np.isnan([joint.lower, joint.upper]).any():
            yield _not_finite(joint.path)
        for name, rotation in (("localRot0", 0), ("localRot1", 1)):
            value = joint.prim.GetAttribute(f"physics:{name}").Get()
            if not is_rotation(value):
                yield Finding(
                    "degenerate-frame",
                    "error",
                    joint.path,
                    f"expected a unit quaternion in physics:{name}, got {value}",
                    f"write the joint frame's rotation in body {rotation}, or export the joint again",
                )
    for prim in mesh_prims(survey.root, ("default", "render", "proxy", "guide")):
        if not is_sound(_plain_mesh(prim)):
            yield Finding(
                "broken-mesh",
                "error",
                str(prim.GetPath()),
                "expected finite points and faces that use them, got NaN or indices beyond the points",
                "export the mesh again",
            )


_LIMIT_NAMES = ("physics:lowerLimit", "physics:upperLimit", "physics:breakForce", "physics:breakTorque")


def _plain_mesh(prim) -> TriangleMesh:
    mesh = UsdGeom.Mesh(prim)
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get() or [], dtype=np.int64)
    indices = np.array(mesh.GetFaceVertexIndicesAttr().Get() or [], dtype=np.int64)
    vertices = np.array(mesh.GetPointsAttr().Get() or [], dtype=np.float64).reshape(-1, 3)
    if counts.sum() != len(indices):
        vertices = np.full((1, 3), np.nan)
    return TriangleMesh(vertices, indices.reshape(-1, 1))


def _is_finite(value: object) -> bool:
    if value is None:  # Importers author attributes without a value.
        return True
    try:
        numbers = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        return True
    # Infinity stands for no limit in several attributes.
    return not bool(np.isnan(numbers).any())


def _not_finite(where: str) -> Finding:
    return Finding("not-a-number", "error", where, "expected a number, got NaN", "write the number, or export again")


def check_names(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find names that several joints or several links share: postures and settings go by name."""
    movable = [joint for joint in survey.joints if joint.is_movable]
    for kind, things in (("joint", movable), ("link", survey.links)):
        counts = Counter(thing.name for thing in things)
        for thing in things:
            if counts[thing.name] > 1:
                yield Finding(
                    f"duplicate-{kind}-name",
                    "error" if kind == "joint" else "warning",
                    thing.path,
                    f"expected a name of its own for every {kind}, got {thing.name!r} {counts[thing.name]} times",
                    f"rename the {kind}: grasps are stored by name",
                )


def check_scale(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find links that are scaled, which physics engines take differently."""
    for link in survey.links:
        smallest, largest = float(link.scale.min()), float(link.scale.max())
        if not smallest > 0.0 or largest > 1.001 * smallest:
            yield Finding(
                "uneven-scale",
                "error",
                link.path,
                f"expected no scale on a rigid body, got {', '.join(f'{s:g}' for s in link.scale)}, uneven",
                "apply the scale to the meshes below and set it to 1",
            )
        elif abs(largest - 1.0) > 1e-3:
            yield Finding(
                "scaled-link",
                "note",
                link.path,
                f"expected no scale on a rigid body, got {largest:g}",
                "apply the scale to the meshes and joint frames and set it to 1; the hand reads right as it is",
            )


def check_instances(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find rigid bodies and joints inside instances, where no simulator lets them move."""
    for thing in (*survey.links, *survey.joints):
        if thing.prim.IsInstanceProxy():
            yield Finding(
                "instanced-body",
                "error",
                thing.path,
                "expected bodies and joints outside instances, got one in a prototype that is shared and cannot move",
                "make the prim above it not instanceable; instances are for the meshes below a link",
            )


def check_root(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find a missing or repeated articulation root, and an anchor to the world."""
    roots = [p for p in survey.stage.Traverse() if p.HasAPI(UsdPhysics.ArticulationRootAPI)]
    if len(roots) != 1:
        yield Finding(
            "articulation-root",
            "warning",
            str(survey.root.GetPath()),
            f"expected one PhysicsArticulationRootAPI, got {len(roots)}",
            "apply it to the hand's top prim only; without one the links are loose bodies in a simulator",
        )
    for joint in survey.joints:
        if None in joint.bodies and joint.bodies != (None, None):
            yield Finding(
                "world-anchor",
                "note",
                joint.path,
                "holds the hand to the world; left out, since a hand floats while it grasps",
                "nothing to do",
            )


def check_tree(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find links that no joint connects to the palm, joints that hold nothing, and joints of unknown kind."""
    for link in survey.links:
        if link.path not in survey.parents:
            yield Finding(
                "link-apart",
                "error",
                link.path,
                "expected a chain of joints from the root, got a rigid body apart from the tree; it is left out",
                "add the joint, or take PhysicsRigidBodyAPI off the prim so that it belongs to the link above",
            )
    for joint in survey.joints:
        if joint.kind == "other":
            yield Finding(
                "unsupported-joint",
                "error",
                joint.path,
                f"expected a fixed, revolute or prismatic joint, got {joint.prim.GetTypeName()}",
                "replace it by revolute joints in a row with small links between, or by a fixed joint",
            )
        if joint.bodies == (None, None) or joint.bodies[0] == joint.bodies[1]:
            targets = [str(t) for name in ("body0", "body1") for t in _targets(joint.prim, name)]
            yield Finding(
                "joint-without-bodies",
                "error",
                joint.path,
                f"expected a joint between two rigid bodies, got {' and '.join(targets) or 'none'}",
                "point physics:body0 at the parent link and physics:body1 at the child link",
            )


def _targets(prim, name: str) -> list[Sdf.Path]:
    return list(prim.GetRelationship(f"physics:{name}").GetTargets())


def check_loose_meshes(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find visible meshes that belong to no link, so that neither grasps nor physics know them."""
    for prim in mesh_prims(survey.root):
        if owning_body(prim).IsPseudoRoot():
            yield Finding(
                "mesh-without-link",
                "warning",
                str(prim.GetPath()),
                "expected every mesh below a rigid body, got one that belongs to no link",
                "move it below the link it is part of, or give it PhysicsRigidBodyAPI and a joint",
            )
