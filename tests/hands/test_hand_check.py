# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The hand check is silent on good hands and finds each planted fault: the right code in the right place."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, Vt

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.surface_quality import SurfaceQuality, measure_surface
from omni_graspd.hands.checks import hand_check
from omni_graspd.hands.checks.hand_check import HandReport, check_hand
from omni_graspd.hands.importing.hand_import import add_hand
from omni_graspd.library import data_folder, list_names
from omni_graspd.usd.meshes import TriangleMesh


@pytest.fixture(scope="module", autouse=True)
def _equal_surfaces_are_measured_once() -> Iterator[None]:
    """Most faults leave most links as they are; measuring those again would take a third of the time."""
    known: dict[tuple[bytes, bytes], SurfaceQuality] = {}

    def measure_once(mesh: TriangleMesh) -> SurfaceQuality:
        key = mesh.vertices.tobytes(), mesh.faces.tobytes()
        if key not in known:
            known[key] = measure_surface(mesh)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hand_check, "measure_surface", measure_once)
        yield


@dataclass(frozen=True)
class Fault:
    """What is done to a hand and what the check has to say about it."""

    plant: Callable[[Usd.Stage], None]
    hand: str
    code: str
    where: str
    severity: str = "error"
    consequences: frozenset[str] = frozenset()


def _prim(stage: Usd.Stage, path: str) -> Usd.Prim:
    prim = stage.GetPrimAtPath(path)
    assert prim, path
    return prim


def _scale_units(factor: float) -> Callable[[Usd.Stage], None]:
    return lambda stage: UsdGeom.SetStageMetersPerUnit(stage, factor)


def _set(path: str, attribute: str, value: object) -> Callable[[Usd.Stage], None]:
    def plant(stage: Usd.Stage) -> None:
        assert _prim(stage, path).GetAttribute(attribute).Set(value), attribute

    return plant


def _points_of(stage: Usd.Stage, path: str) -> tuple[UsdGeom.Mesh, np.ndarray]:
    mesh = UsdGeom.Mesh(_prim(stage, path))
    return mesh, np.array(mesh.GetPointsAttr().Get(), dtype=np.float64)


def _scale_mesh(path: str, factor: float) -> Callable[[Usd.Stage], None]:
    def plant(stage: Usd.Stage) -> None:
        mesh, points = _points_of(stage, path)
        mesh.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy((factor * points).astype(np.float32)))

    return plant


def _scale_all_meshes(stage: Usd.Stage) -> None:
    for prim in stage.Traverse():
        if prim.IsA(UsdGeom.Mesh):
            _scale_mesh(str(prim.GetPath()), 1000.0)(stage)


def _keep_faces(stage: Usd.Stage, path: str, keep: Callable[[np.ndarray], np.ndarray]) -> None:
    """Keep the faces whose middles [face_count, 3] are told to stay."""
    mesh, points = _points_of(stage, path)
    faces = np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
    kept = keep(points[faces].mean(axis=1))
    assert 0 < kept.sum() < len(faces)
    mesh.GetFaceVertexIndicesAttr().Set(Vt.IntArray.FromNumpy(faces[kept].ravel().astype(np.int32)))
    mesh.GetFaceVertexCountsAttr().Set(Vt.IntArray.FromNumpy(np.full(kept.sum(), 3, dtype=np.int32)))


def _flip(path: str, chosen: Callable[[np.ndarray], np.ndarray]) -> Callable[[Usd.Stage], None]:
    def plant(stage: Usd.Stage) -> None:
        mesh, points = _points_of(stage, path)
        faces = np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
        turned = chosen(points[faces].mean(axis=1))
        faces[turned] = faces[turned][:, ::-1]
        mesh.GetFaceVertexIndicesAttr().Set(Vt.IntArray.FromNumpy(faces.ravel().astype(np.int32)))

    return plant


def _add_inner_wall(stage: Usd.Stage) -> None:
    mesh, points = _points_of(stage, "/barrett/finger_1_medial/visuals")
    # A small box inside the solid, turned inward.
    center, half = points.mean(axis=0), 0.0015
    corners = center + half * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    inward = np.array([t for a, b, c, d in quads for t in ((c, b, a), (d, c, a))])
    faces = np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
    faces = np.concatenate([faces, inward + len(points)]).astype(np.int32)
    mesh.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy(np.concatenate([points, corners]).astype(np.float32)))
    mesh.GetFaceVertexIndicesAttr().Set(Vt.IntArray.FromNumpy(faces.ravel()))
    mesh.GetFaceVertexCountsAttr().Set(Vt.IntArray.FromNumpy(np.full(len(faces), 3, dtype=np.int32)))


def _swap_limits(path: str) -> Callable[[Usd.Stage], None]:
    def plant(stage: Usd.Stage) -> None:
        joint = UsdPhysics.RevoluteJoint(_prim(stage, path))
        low, high = joint.GetLowerLimitAttr().Get(), joint.GetUpperLimitAttr().Get()
        joint.GetLowerLimitAttr().Set(high)
        joint.GetUpperLimitAttr().Set(low)

    return plant


def _close_range(stage: Usd.Stage) -> None:
    for limit in ("lower", "upper"):
        # A joint that hand.toml leaves at 0 in the open posture.
        _set("/shadow/joints/LFJ5", f"physics:{limit}Limit", 0.0)(stage)


def _limits_in_radians(stage: Usd.Stage) -> None:
    for prim in stage.Traverse():
        if prim.IsA(UsdPhysics.RevoluteJoint):
            joint = UsdPhysics.RevoluteJoint(prim)
            for attribute in (joint.GetLowerLimitAttr(), joint.GetUpperLimitAttr()):
                attribute.Set(math.radians(attribute.Get()))


def _remove_schemas(path: str, *prefixes: str) -> Callable[[Usd.Stage], None]:
    """Take applied schemas off a prim, with their properties."""

    def plant(stage: Usd.Stage) -> None:
        prim = _prim(stage, path)
        for schema in prim.GetPrimTypeInfo().GetAppliedAPISchemas():
            if schema.startswith(prefixes):
                prim.RemoveAppliedSchema(schema)
        roots = {
            "PhysxMimicJointAPI": "physxMimicJoint:",
            "PhysicsDriveAPI": "drive:",
            "PhysicsMassAPI": "physics:mass",
        }
        for prop in prim.GetAuthoredProperties():
            if prop.GetName().startswith(tuple(roots[prefix] for prefix in prefixes if prefix in roots)):
                prim.RemoveProperty(prop.GetName())

    return plant


def _remove_everywhere(prefix: str) -> Callable[[Usd.Stage], None]:
    def plant(stage: Usd.Stage) -> None:
        for prim in list(stage.Traverse()):
            if prim.IsA(UsdPhysics.Joint):
                _remove_schemas(str(prim.GetPath()), prefix)(stage)

    return plant


def _delete(*paths: str) -> Callable[[Usd.Stage], None]:
    def plant(stage: Usd.Stage) -> None:
        for path in paths:
            assert stage.RemovePrim(path), path

    return plant


def _shift_link(path: str, *delta: float) -> Callable[[Usd.Stage], None]:
    def plant(stage: Usd.Stage) -> None:
        attribute = _prim(stage, path).GetAttribute("xformOp:translate")
        attribute.Set(attribute.Get() + Gf.Vec3d(*delta))

    return plant


def _push_index_into_middle_finger(stage: Usd.Stage) -> None:
    """Move the finger's root and all its links, so that frames still agree."""
    delta = (0.0, -0.04, 0.0)
    for k in range(4):
        _shift_link(f"/allegro/index_link_{k}", *delta)(stage)
    joint = UsdPhysics.Joint(_prim(stage, "/allegro/joints/index_joint_0"))
    joint.GetLocalPos0Attr().Set(joint.GetLocalPos0Attr().Get() + Gf.Vec3f(*delta))


def _add_scale(stage: Usd.Stage) -> None:
    UsdGeom.Xformable(_prim(stage, "/allegro/ring_link_3")).AddScaleOp().Set(Gf.Vec3f(1.0, 1.0, 1.3))


def _rename_joint(stage: Usd.Stage) -> None:
    source, target = Sdf.Path("/allegro/joints/ring_joint_3"), Sdf.Path("/allegro/more/index_joint_3")
    UsdGeom.Scope.Define(stage, target.GetParentPath())
    layer = stage.GetRootLayer()
    assert Sdf.CopySpec(layer, source, layer, target)
    stage.RemovePrim(source)


def _make_spherical(stage: Usd.Stage) -> None:
    _prim(stage, "/allegro/joints/ring_joint_0").SetTypeName("PhysicsSphericalJoint")


def _point_mimic_at_nothing(stage: Usd.Stage) -> None:
    joint = _prim(stage, "/barrett/joints/finger_3_outer_joint")
    joint.GetRelationship("physxMimicJoint:rotZ:referenceJoint").SetTargets([Sdf.Path("/barrett/joints/gone")])


def _turn_mimic_around(stage: Usd.Stage) -> None:
    _set("/barrett/joints/finger_3_outer_joint", "physxMimicJoint:rotZ:gearing", 1.0)(stage)


def _add_tendon(stage: Usd.Stage) -> None:
    stage.DefinePrim("/barrett/tendon", "MjcTendon")


def _let_colliders_fight(stage: Usd.Stage) -> None:
    _set("/allegro", "physxArticulation:enabledSelfCollisions", True)(stage)
    # One collider is stretched into the next finger.
    _scale_mesh("/allegro/index_link_1/collisions/piece_0", 3.0)(stage)


def _add_loose_body(stage: Usd.Stage) -> None:
    prim = UsdGeom.Xform.Define(stage, "/barrett/screw").GetPrim()
    UsdPhysics.RigidBodyAPI.Apply(prim)
    UsdPhysics.MassAPI.Apply(prim).CreateMassAttr(0.001)


def _add_loose_mesh(stage: Usd.Stage) -> None:
    layer = stage.GetRootLayer()
    Sdf.CopySpec(layer, Sdf.Path("/barrett/finger_1_medial/visuals"), layer, Sdf.Path("/barrett/cover"))


def _remove_articulation_root(stage: Usd.Stage) -> None:
    stage.GetDefaultPrim().RemoveAPI(UsdPhysics.ArticulationRootAPI)


def _drop_colliders(stage: Usd.Stage) -> None:
    stage.RemovePrim("/allegro/middle_link_2/collisions")


def _spoil_point(stage: Usd.Stage) -> None:
    mesh, points = _points_of(stage, "/allegro/middle_link_2/visuals")
    points[3] = np.nan
    mesh.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy(points.astype(np.float32)))


_INDEX, _RING = "/allegro/joints/index_joint_2", "/allegro/ring_link_2"
_FAULTS = {
    "centimetres": Fault(_scale_units(0.01), "allegro", "hand-size", "/allegro"),
    "millimetres": Fault(_scale_units(0.001), "shadow", "hand-size", "/shadow"),
    "ten times too large": Fault(_scale_units(10.0), "barrett", "hand-size", "/barrett"),
    "meshes in millimetres": Fault(_scale_all_meshes, "barrett", "mesh-unit", "/barrett"),
    "one mesh in millimetres": Fault(_scale_mesh(f"{_RING}/visuals", 1000.0), "allegro", "mesh-unit", _RING),
    "inside out": Fault(
        _flip(f"{_RING}/visuals", lambda centers: centers[:, 0] > -np.inf), "allegro", "flipped-normals", _RING
    ),
    "half inside out": Fault(
        _flip(f"{_RING}/visuals", lambda centers: centers[:, 0] > 0.0), "allegro", "flipped-normals", _RING
    ),
    "open": Fault(
        lambda stage: _keep_faces(stage, f"{_RING}/visuals", lambda centers: centers[:, 0] < 0.003),
        "allegro",
        "open-mesh",
        _RING,
        "warning",
    ),
    "hollow": Fault(_add_inner_wall, "barrett", "hollow-link", "/barrett/finger_1_medial", "warning"),
    "NaN in a mesh": Fault(_spoil_point, "allegro", "broken-mesh", "/allegro/middle_link_2/visuals"),
    "no surface": Fault(
        _delete("/barrett/finger_1_distal/visuals", "/barrett/finger_1_distal/collisions"),
        "barrett",
        "no-surface",
        "/barrett/finger_1_distal",
    ),
    "no collider": Fault(_drop_colliders, "allegro", "missing-collider", "/allegro/middle_link_2"),
    "collider in millimetres": Fault(
        _scale_mesh("/barrett/finger_1_medial/collisions/piece_0", 1000.0),
        "barrett",
        "collider-misfit",
        "/barrett/finger_1_medial",
    ),
    "triangle collider": Fault(
        _set("/barrett/palm/collisions/piece_1", "physics:approximation", "none"),
        "barrett",
        "triangle-collider",
        "/barrett/palm/collisions/piece_1",
        "warning",
    ),
    "swapped limits": Fault(_swap_limits(_INDEX), "allegro", "swapped-limits", _INDEX),
    "limits in radians": Fault(_limits_in_radians, "barrett", "limits-in-radians", "/barrett"),
    "no range": Fault(_close_range, "shadow", "zero-range", "/shadow/joints/LFJ5", "warning"),
    "no limit": Fault(_set(_INDEX, "physics:upperLimit", math.inf), "allegro", "no-limits", _INDEX, "warning"),
    "NaN limit": Fault(_set(_INDEX, "physics:upperLimit", math.nan), "allegro", "not-a-number", _INDEX),
    "one mimic lost": Fault(
        _remove_schemas("/shadow/joints/FFJ1", "PhysxMimicJointAPI"), "shadow", "lost-coupling", "/shadow/joints/FFJ1"
    ),
    "mirrored mimic lost": Fault(
        _remove_schemas("/barrett/joints/finger_2_spread_joint", "PhysxMimicJointAPI"),
        "barrett",
        "lost-coupling",
        "/barrett/joints/finger_2_spread_joint",
    ),
    "all mimics lost": Fault(
        _remove_everywhere("PhysxMimicJointAPI"), "shadow", "lost-coupling", "/shadow/joints/LFJ1"
    ),
    "mimic of nothing": Fault(
        _point_mimic_at_nothing, "barrett", "broken-coupling", "/barrett/joints/finger_3_outer_joint"
    ),
    "mimic backward": Fault(
        _turn_mimic_around, "barrett", "coupling-against-limits", "/barrett/joints/finger_3_outer_joint", "warning"
    ),
    "tendon": Fault(_add_tendon, "barrett", "unread-coupling", "/barrett/tendon", "warning"),
    "drive lost": Fault(_remove_schemas(_INDEX, "PhysicsDriveAPI"), "allegro", "undriven-joint", _INDEX),
    "all drives lost": Fault(_remove_everywhere("PhysicsDriveAPI"), "barrett", "no-drives", "/barrett"),
    "drive without force": Fault(
        _set(_INDEX, "drive:angular:physics:maxForce", 0.0), "allegro", "drive-without-force", _INDEX
    ),
    "no stiffness": Fault(
        _set(_INDEX, "drive:angular:physics:stiffness", 0.0), "allegro", "drive-without-stiffness", _INDEX, "warning"
    ),
    "mass lost": Fault(
        _remove_schemas("/barrett/palm", "PhysicsMassAPI"), "barrett", "missing-mass", "/barrett/palm", "warning"
    ),
    "mass in grams": Fault(_set(_RING, "physics:mass", 35.5), "allegro", "implausible-mass", _RING),
    "frames apart": Fault(
        _set("/barrett/joints/finger_2_outer_joint", "physics:localPos0", Gf.Vec3f(0.0, 0.0, 0.01)),
        "barrett",
        "joint-frames-disagree",
        "/barrett/joints/finger_2_outer_joint",
    ),
    "zero rotation": Fault(
        _set(_INDEX, "physics:localRot0", Gf.Quatf(0.0, 0.0, 0.0, 0.0)), "allegro", "degenerate-frame", _INDEX
    ),
    "no axis": Fault(_set(_INDEX, "physics:axis", "W"), "allegro", "invalid-axis", _INDEX),
    "ball joint": Fault(_make_spherical, "allegro", "unsupported-joint", "/allegro/joints/ring_joint_0"),
    "fingers in each other": Fault(_push_index_into_middle_finger, "allegro", "self-overlap", "/allegro/index_link_1"),
    "colliders in each other": Fault(
        _let_colliders_fight,
        "allegro",
        "colliders-overlap",
        "/allegro/index_link_1",
        "warning",
        frozenset({"collider-misfit"}),
    ),
    "uneven scale": Fault(_add_scale, "allegro", "uneven-scale", "/allegro/ring_link_3"),
    "same names": Fault(_rename_joint, "allegro", "duplicate-joint-name", "/allegro/more/index_joint_3"),
    "loose body": Fault(_add_loose_body, "barrett", "link-apart", "/barrett/screw"),
    "loose mesh": Fault(_add_loose_mesh, "barrett", "mesh-without-link", "/barrett/cover", "warning"),
    "no root": Fault(_remove_articulation_root, "barrett", "articulation-root", "/barrett", "warning"),
}


def _copied(hand: str, folder: Path) -> Path:
    shutil.copytree(data_folder() / "hands" / hand, folder / hand)
    return folder / hand / f"{hand}.usda"


def _serious(report: HandReport) -> list[tuple[str, str, str]]:
    return [(f.code, f.severity, f.where) for f in report.findings if f.severity != "note"]


@pytest.mark.parametrize(
    "hand", [pytest.param(name, marks=[pytest.mark.slow] if name != "barrett" else []) for name in list_names("hands")]
)
def test_check_is_silent_on_built_in_hands(hand: str) -> None:
    report = check_hand(data_folder() / "hands" / hand / f"{hand}.usda")
    assert report.findings == ()
    assert report.hand is not None
    assert all(quality.is_closed for quality in report.qualities.values())


_QUICK = ("ten times too large",)
"""The others are slow."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in _QUICK else [pytest.mark.slow]) for name in _FAULTS]
)
def test_check_finds_a_planted_fault(name: str, tmp_path: Path) -> None:
    fault = _FAULTS[name]
    path = _copied(fault.hand, tmp_path)
    stage = Usd.Stage.Open(str(path))
    fault.plant(stage)
    stage.GetRootLayer().Save()
    found = _serious(check_hand(path))
    assert (fault.code, fault.severity, fault.where) in found, found
    assert {code for code, _, _ in found} <= {fault.code, *fault.consequences}, found


@pytest.mark.slow
def test_colliders_may_reach_into_the_link_before_them(tmp_path: Path) -> None:
    """As capsules do that round off a fingertip; to the side, the same length is a fault."""
    for axis, expected in ((2, []), (1, [("collider-misfit", "error", "/allegro/index_link_3")])):
        path = _copied("allegro", tmp_path / str(axis))
        stage = Usd.Stage.Open(str(path))
        mesh, points = _points_of(stage, "/allegro/index_link_3/collisions/piece_0")
        points[points[:, axis] <= points[:, axis].min() + 1e-3, axis] -= 0.03
        mesh.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy(points.astype(np.float32)))
        stage.GetRootLayer().Save()
        assert _serious(check_hand(path)) == expected


def test_every_finding_says_what_was_expected_and_how_to_mend_it(tmp_path: Path) -> None:
    path = _copied("allegro", tmp_path)
    stage = Usd.Stage.Open(str(path))
    for name in ("inside out", "no collider", "swapped limits", "drive lost", "mass in grams", "uneven scale"):
        _FAULTS[name].plant(stage)
    stage.GetRootLayer().Save()
    findings = check_hand(path).findings
    codes = {finding.code for finding in findings}
    assert codes >= {_FAULTS[name].code for name in ("inside out", "no collider", "swapped limits", "drive lost")}
    for finding in findings:
        assert finding.remedy and "\n" not in finding.message + finding.remedy
        assert finding.severity == "note" or finding.message.startswith("expected ")
    order = ["error", "warning", "note"]
    assert [f.severity for f in findings] == sorted((f.severity for f in findings), key=order.index)


@pytest.mark.slow
def test_approach_that_points_out_of_the_back_is_found(tmp_path: Path) -> None:
    path = _copied("allegro", tmp_path)
    settings = path.parent / "hand.toml"
    settings.write_text(settings.read_text().replace("[1.0, 0.0, 0.0]", "[-1.0, 0.0, 0.0]"))
    assert _serious(check_hand(path)) == [("approach-away", "warning", "/allegro/palm")]


@pytest.mark.slow
def test_hand_with_one_chain_has_no_palm(tmp_path: Path) -> None:
    path = _copied("allegro", tmp_path)
    (path.parent / "hand.toml").unlink()
    stage = Usd.Stage.Open(str(path))
    for digit in ("index", "middle", "ring"):
        for k in range(4):
            stage.RemovePrim(f"/allegro/joints/{digit}_joint_{k}")
            stage.RemovePrim(f"/allegro/{digit}_link_{k}")
    stage.GetRootLayer().Save()
    assert ("palm-ambiguous", "warning", "/allegro") in _serious(check_hand(path))


def test_what_the_reader_refuses_becomes_a_finding(tmp_path: Path) -> None:
    path = _copied("allegro", tmp_path)
    (path.parent / "hand.toml").write_text('palm = "hand"\n')
    report = check_hand(path)
    assert report.hand is None
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("unreadable", "error")
    assert "'hand'" in finding.message + finding.remedy


def test_file_that_is_not_usd_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hand.usda"
    path.write_text("a hand")
    with pytest.raises(GraspdError, match="readable USD"):
        check_hand(path)


@pytest.mark.slow
def test_a_gripper_may_be_larger_than_its_jaws_are_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body of 120 mm whose jaws are 20 mm apart is in one unit; attributes without a value are no NaN."""
    jaw = (
        '<link name="{0}"><collision><origin xyz="0 0 .04"/><geometry><box size=".02 .01 .08"/></geometry></collision>'
        '</link><joint name="{0}" type="prismatic"><parent link="body"/><child link="{0}"/><origin xyz="0 {1} .06"/>'
        '<axis xyz="0 {2} 0"/><limit lower="0" upper=".03"/></joint>'
    )
    (tmp_path / "gripper.urdf").write_text(
        '<robot name="gripper"><link name="body"><collision><geometry><box size=".05 .1 .12"/></geometry></collision>'
        f"</link>{jaw.format('left', 0.01, 1)}{jaw.format('right', -0.01, -1)}</robot>"
    )
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    path = add_hand("gripper", tmp_path / "gripper.urdf")
    stage = Usd.Stage.Open(str(path))
    for name, kind in (("isaac:nameOverride", Sdf.ValueTypeNames.String), ("isaac:index", Sdf.ValueTypeNames.Int)):
        stage.GetDefaultPrim().CreateAttribute(name, kind)
    stage.GetRootLayer().Save()
    assert not {"mesh-unit", "not-a-number"} & {finding.code for finding in check_hand(path).findings}
