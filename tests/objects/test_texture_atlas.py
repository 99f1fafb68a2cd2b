# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects of several materials keep all their colours and textures, in one texture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from pxr import Gf, Usd, UsdGeom, UsdShade

from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.materials import Appearance, author_material, bind_material


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def drawn_colors(rigid: RigidObject) -> np.ndarray:
    """Colour of the texture at the middle of each face, sRGB, shape [face_count, 3]."""
    picture = np.asarray(Image.open(rigid.appearance.texture).convert("RGB"))
    u, v = rigid.visual.uvs.mean(axis=1).T
    rows = ((1.0 - v) * picture.shape[0]).astype(int)
    return picture[rows, (u * picture.shape[1]).astype(int)]


def quadrants() -> Image.Image:
    """Red and green above, blue and white below."""
    picture = np.zeros((64, 64, 3), dtype=np.uint8)
    picture[:32, :32, 0] = picture[:32, 32:, 1] = picture[32:, :32, 2] = 255
    picture[32:, 32:] = 255
    return Image.fromarray(picture)


def test_a_textured_and_a_plain_part_of_a_glb_keep_their_looks(tmp_path: Path) -> None:
    lower = trimesh.creation.box((0.05, 0.05, 0.05))
    upper = trimesh.creation.box((0.05, 0.05, 0.05)).apply_translation([0.0, 0.051, 0.0])
    top = lower.vertices[:, 2] > 0
    uv = np.stack([0.25 + 0.5 * (lower.vertices[:, 0] > 0), 0.25 + 0.5 * top], axis=-1)
    pbr = trimesh.visual.material.PBRMaterial
    material = pbr(baseColorTexture=quadrants(), roughnessFactor=0.2, metallicFactor=0.0)
    lower.visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    upper.visual = trimesh.visual.TextureVisuals(
        uv=None, material=pbr(baseColorFactor=[255, 128, 0, 255], roughnessFactor=0.6, metallicFactor=1.0)
    )
    trimesh.Scene([lower, upper]).export(tmp_path / "two.glb")
    rigid = read_object(tmp_path / "two.glb")
    assert "painted its 2 materials into one texture" in rigid.notes
    assert rigid.appearance.roughness == pytest.approx(0.4)
    assert rigid.appearance.metallic == pytest.approx(0.5)
    middle = rigid.visual.vertices[rigid.visual.faces].mean(axis=1)
    colors = drawn_colors(rigid)
    plain = middle[:, 2] > 0.026
    # glTF colours are linear: half is 188 in sRGB.
    np.testing.assert_allclose(colors[plain], np.tile([255, 188, 0], (12, 1)), atol=2)
    right_above = (middle[:, 0] > 0.024) & ~plain
    assert right_above.sum() == 2
    # On the right side u is 0.75; the middles of its two triangles are at v 5/12 and 7/12: white below, green above.
    assert {tuple(color) for color in colors[right_above].tolist()} == {(255, 255, 255), (0, 255, 0)}


def test_subsets_of_a_usd_mesh_keep_their_colours(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "dice.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/dice").GetPrim())
    mesh = UsdGeom.Mesh.Define(stage, "/dice/mesh")
    corners = [Gf.Vec3f(x, y, z) for x in (-0.02, 0.02) for y in (-0.02, 0.02) for z in (-0.02, 0.02)]
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh.CreatePointsAttr(corners)
    mesh.CreateFaceVertexCountsAttr([4] * 6)
    mesh.CreateFaceVertexIndicesAttr([index for quad in quads for index in quad])
    colors = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}
    for index, (name, color) in enumerate(colors.items()):
        faces = [2 * index, 2 * index + 1]
        subset = UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).CreateMaterialBindSubset(name, faces)
        bind_material(subset.GetPrim(), author_material(stage, f"/dice/{name}_look", Appearance(color=color)))
    stage.Save()
    rigid = read_object(tmp_path / "dice.usda")
    middle = rigid.visual.vertices[rigid.visual.faces].mean(axis=1)
    axis = np.abs(middle).argmax(axis=1)
    np.testing.assert_array_equal(drawn_colors(rigid), 255 * np.eye(3, dtype=int)[axis])
    assert rigid.mesh.faces.shape == (12, 3)


def test_a_texture_that_repeats_cannot_be_painted_and_that_is_said(tmp_path: Path) -> None:
    parts = [trimesh.creation.box((0.05, 0.05, 0.05 - 0.01 * i)).apply_translation([0.06 * i, 0, 0]) for i in range(2)]
    for part, span in zip(parts, (3.0, 1.0), strict=True):
        material = trimesh.visual.material.PBRMaterial(
            baseColorTexture=Image.new("RGB", (8, 8), (int(60 * span), 0, 0)), metallicFactor=0.0
        )
        uv = span * (part.vertices[:, :2] > part.vertices[:, :2].mean(axis=0))
        part.visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    trimesh.Scene(parts).export(tmp_path / "tiled.glb")
    rigid = read_object(tmp_path / "tiled.glb")
    assert any("one of its 2 materials" in note for note in rigid.notes)
    assert np.asarray(Image.open(rigid.appearance.texture))[0, 0].tolist() == [180, 0, 0]
