# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects as packages for Isaac Sim: NVIDIA's profile for props passes, and object and grasps in them are the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pxr import Gf, Usd, UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.library import list_names
from omni_graspd.objects.grasp_vectors import GraspVector, read_grasp_vectors
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.simready_object import write_simready_object
from omni_graspd.usd.simready_package import Provenance
from omni_graspd.usd.transforms import pose_to_matrix

_PROVENANCE = Provenance(author="The omni_graspd authors", license="Apache-2.0", date="2026-11-23")
_TURN = np.sqrt(0.5)


@pytest.fixture(scope="module")
def thumbnail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("thumbnail") / "grey.png"
    Image.new("RGB", (256, 256), (128, 128, 128)).save(path)
    return path


def grasp_of(index: int) -> GraspVector:
    return GraspVector(
        line=np.array([[0.06, 0.0, 0.04], [-0.06, 0.001 * index, 0.04]]),
        hand="barrett",
        T_object_palm=np.array([0.1, 0.02, 0.04, 0.0, _TURN, 0.0, _TURN]),
        joint_names=("spread", "finger_1"),
        joint_positions=np.array([0.1, 1.2 + index]),
        squeeze_joint_positions=np.array([0.1, 1.3 + index]),
        measures={"epsilon": 0.25, "force_closure": 1.0},
    )


@pytest.fixture(scope="module")
def mug_package(tmp_path_factory: pytest.TempPathFactory, thumbnail: Path) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    return write_simready_object(load_object("mug"), folder, _PROVENANCE, thumbnail, [grasp_of(0), grasp_of(1)])


def passed_features(path: Path, report: Path) -> set[str]:
    """Run NVIDIA's profile for props; it must pass as a whole."""
    validate = Path(sys.executable).parent / "simready-validate"
    if not validate.exists():
        pytest.skip("needs simready-validate (pip install simready-validate simready-foundation-tier-core)")
    command = [str(validate), "--profile", "Robotics-Prop", "--output", str(report), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "[PASSED] Robotics-Prop" in done.stdout, done.stdout
    (found,) = json.loads(report.read_text()).values()
    return {name for name, feature in found["features_summary"].items() if feature["passed"]}


@pytest.mark.slow
def test_nvidias_prop_profile_passes_with_grasps_and_isaac_composition(mug_package: Path, tmp_path: Path) -> None:
    passed = passed_features(mug_package, tmp_path / "report.json")
    # Grasp contract, preview materials, labels, display colour, rigid bodies for PhysX, layers as Isaac Sim has them.
    wanted = {"FET_005_STANDARD", "FET_006_STANDARD", "FET_011_RTX", "FET_010_STANDARD", "FET_003_PHYSX"}
    assert wanted | {"FET_100_ISAAC"} <= passed


@pytest.mark.slow
def test_without_grasps_the_profile_passes_all_the_same(tmp_path: Path, thumbnail: Path) -> None:
    name = next(name for name in list_names("objects") if name != "mug")
    package = write_simready_object(load_object(name), tmp_path, _PROVENANCE, thumbnail)
    assert "FET_005_STANDARD" not in passed_features(package, tmp_path / "report.json")


def test_usd_validators_find_nothing_in_a_package(mug_package: Path, usd_findings: Callable[[Path], list[str]]) -> None:
    assert usd_findings(mug_package) == []


@pytest.mark.slow
def test_a_scan_with_a_leading_digit_in_its_name_passes(
    shared_folder: Path,
    tmp_path: Path,
    thumbnail: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rigid = read_object(shared_folder / "objects/ycb/035_power_drill/textured.obj")
    rigid = replace(rigid, convex_pieces=(convex_hull(rigid.mesh.vertices),))
    package = write_simready_object(rigid, tmp_path, _PROVENANCE, thumbnail, [grasp_of(0)])
    assert package == tmp_path / "035_power_drill" / "simready" / "035_power_drill.usda"
    passed_features(package, tmp_path / "report.json")


def assert_same_object(one: RigidObject, other: RigidObject) -> None:
    assert (one.name, one.label, one.closed) == (other.name, other.label, other.closed)
    np.testing.assert_array_equal(one.mesh.vertices, other.mesh.vertices)
    np.testing.assert_array_equal(one.mesh.faces, other.mesh.faces)
    np.testing.assert_array_equal(one.visual.uvs, other.visual.uvs)
    assert one.mass == other.mass
    np.testing.assert_allclose(one.inertia, other.inertia, rtol=1e-6, atol=1e-12)
    assert len(one.convex_pieces) == len(other.convex_pieces)


def test_object_in_the_package_is_the_same_even_when_moved(mug_package: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    mug_package.parents[1].rename(moved)
    copy = read_object(moved / "simready" / "mug.usda")
    assert_same_object(load_object("mug"), copy)
    assert Path(copy.appearance.texture).is_relative_to(moved)
    moved.rename(mug_package.parents[1])


def test_grasps_read_back_as_they_were_written(mug_package: Path) -> None:
    grasps = read_grasp_vectors(Usd.Stage.Open(str(mug_package)))
    assert len(grasps) == 2
    for index, grasp in enumerate(grasps):
        wanted = grasp_of(index)
        np.testing.assert_allclose(grasp.line, wanted.line, atol=1e-8)
        np.testing.assert_allclose(grasp.T_object_palm, wanted.T_object_palm, atol=1e-12)
        np.testing.assert_array_equal(grasp.joint_positions, wanted.joint_positions)
        np.testing.assert_array_equal(grasp.squeeze_joint_positions, wanted.squeeze_joint_positions)
        assert (grasp.hand, grasp.joint_names, grasp.measures) == ("barrett", wanted.joint_names, wanted.measures)


def test_grasp_prims_stand_where_others_look_for_them(mug_package: Path) -> None:
    """The Xform is the palm's frame; its line, in world coordinates, is that of the grasp."""
    stage = Usd.Stage.Open(str(mug_package))
    prim = stage.GetPrimAtPath("/mug/grasp_identifier_000")
    matrix = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim)).T
    np.testing.assert_allclose(matrix, pose_to_matrix(grasp_of(0).T_object_palm), atol=1e-12)
    (curve,) = prim.GetChildren()
    assert curve.IsA(UsdGeom.BasisCurves)
    to_world = UsdGeom.XformCache().GetLocalToWorldTransform(curve)
    ends = [to_world.Transform(Gf.Vec3d(point)) for point in curve.GetAttribute("points").Get()]
    np.testing.assert_allclose(ends, grasp_of(0).line, atol=1e-8)
    assert UsdGeom.Imageable(curve).ComputePurpose() == UsdGeom.Tokens.guide


def test_package_says_where_it_comes_from(mug_package: Path) -> None:
    stage = Usd.Stage.Open(str(mug_package))
    metadata = stage.GetRootLayer().customLayerData["SimReady_Metadata"]
    assert metadata["author"] == "The omni_graspd authors"
    assert metadata["asset_license"] == "Apache-2.0"
    assert (metadata["category"], metadata["asset_type"], metadata["source_file"]) == ("mug", "prop", "mug.usda")
    assert metadata["mass"] == pytest.approx(load_object("mug").mass)
    text = "".join(path.read_text() for path in mug_package.parent.rglob("*.usda"))
    assert str(mug_package.parents[2]) not in text and "/tmp" not in text


def test_package_is_not_written_over_another(mug_package: Path, thumbnail: Path) -> None:
    with pytest.raises(GraspdError, match="expected no package yet"):
        write_simready_object(load_object("mug"), mug_package.parents[2], _PROVENANCE, thumbnail)
