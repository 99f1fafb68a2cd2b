# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects written as USD rigid bodies: what is in the file, what comes back, and what the validators say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from pxr import UsdGeom, UsdPhysics, UsdShade

from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.semantics import read_label
from omni_graspd.usd.stage import open_stage


@pytest.fixture
def block(tmp_path: Path) -> RigidObject:
    box = trimesh.creation.box((0.04, 0.06, 0.10))
    mesh = TriangleMesh(np.array(box.vertices), np.array(box.faces, dtype=np.int32))
    uvs = np.random.default_rng(0).uniform(size=(12, 3, 2)).round(3)
    texture = tmp_path / "source" / "paint.png"
    texture.parent.mkdir()
    Image.new("RGB", (8, 8), (10, 200, 30)).save(texture)
    return RigidObject(
        name="36_block",
        source=tmp_path / "block.obj",
        mesh=mesh,
        visual=TriangleMesh(mesh.vertices, mesh.faces, uvs),
        appearance=Appearance(texture=str(texture), roughness=0.25),
        closed=True,
        mass=0.2,
        center_of_mass=np.array([0.001, 0.002, 0.003]),
        inertia=np.array([[3e-4, 2e-5, 0.0], [2e-5, 2e-4, 1e-5], [0.0, 1e-5, 1e-4]]),
        label="block",
    )


def test_written_object_reads_back_the_same(block: RigidObject, tmp_path: Path) -> None:
    path = tmp_path / "out" / "36_block.usd"
    write_object(block, path)
    back = read_object(path)
    assert (back.name, back.label, back.closed) == ("36_block", "block", True)
    assert back.mass == pytest.approx(0.2)
    np.testing.assert_allclose(back.center_of_mass, block.center_of_mass, atol=1e-9)
    np.testing.assert_allclose(back.inertia, block.inertia, atol=1e-10)
    np.testing.assert_allclose(back.mesh.vertices[back.mesh.faces], block.mesh.vertices[block.mesh.faces], atol=1e-8)
    np.testing.assert_allclose(back.visual.uvs, block.visual.uvs, atol=1e-7)
    assert back.appearance == Appearance((0.18, 0.18, 0.18), str(path.parent / "textures/36_block.png"), 0.25, 0.0)
    assert len(back.convex_pieces) == 1
    assert sorted(p.name for p in path.parent.rglob("*")) == ["36_block.png", "36_block.usd", "textures"]


def test_written_object_is_one_rigid_body_with_guide_colliders(block: RigidObject, tmp_path: Path) -> None:
    path = tmp_path / "block.usd"
    write_object(block, path)
    stage = open_stage(path)
    root = stage.GetDefaultPrim()
    assert root.HasAPI(UsdPhysics.RigidBodyAPI)
    assert read_label(root) == "block"
    piece = stage.GetPrimAtPath(f"{root.GetPath()}/collisions/piece_00")
    assert UsdGeom.Imageable(piece).ComputePurpose() == UsdGeom.Tokens.guide
    assert UsdPhysics.MeshCollisionAPI(piece).GetApproximationAttr().Get() == UsdPhysics.Tokens.convexHull
    material, _ = UsdShade.MaterialBindingAPI(piece).ComputeBoundMaterial("physics")
    assert UsdPhysics.MaterialAPI(material.GetPrim()).GetStaticFrictionAttr().Get() == pytest.approx(0.5)
    visual = stage.GetPrimAtPath(f"{root.GetPath()}/visual")
    assert not visual.HasAPI(UsdPhysics.CollisionAPI)


def test_writing_beside_its_own_texture_keeps_it(block: RigidObject, tmp_path: Path) -> None:
    path = tmp_path / "block.usda"
    write_object(block, path)
    write_object(read_object(path), path)
    assert np.array(Image.open(read_object(path).appearance.texture))[0, 0].tolist() == [10, 200, 30]


def test_the_same_object_gives_the_same_bytes(block: RigidObject, tmp_path: Path) -> None:
    paths = [tmp_path / folder / "block.usd" for folder in ("a", "b")]
    for path in paths:
        write_object(block, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_written_object_passes_all_validators(
    block: RigidObject, tmp_path: Path, usd_findings: Callable[[Path], list[str]]
) -> None:
    write_object(block, tmp_path / "block.usd")
    assert usd_findings(tmp_path / "block.usd") == []


@pytest.mark.slow
def test_a_converted_scan_passes_all_validators(
    shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usd_findings: Callable[[Path], list[str]]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rigid = read_object(shared_folder / "objects/ycb/025_mug/textured.obj")
    hull = convex_hull(rigid.mesh.vertices)
    write_object(replace(rigid, convex_pieces=(hull,)), tmp_path / "025_mug.usd")
    assert usd_findings(tmp_path / "025_mug.usd") == []
    assert (tmp_path / "textures/025_mug.png").is_file()
