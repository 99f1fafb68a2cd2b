# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One USD file out of many."""

from __future__ import annotations

from pathlib import Path

import pytest
from pxr import UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.usd.looks import read_appearance
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.self_contained import write_self_contained
from omni_graspd.usd.stage import create_stage, open_stage, save_stage


@pytest.fixture
def assembly(tmp_path):
    """A file that references a textured part in another folder."""
    part = tmp_path / "source" / "parts" / "part.usda"
    part.parent.mkdir(parents=True)
    (part.parent / "wood.png").write_bytes(b"wood")
    stage = create_stage("Part", part)
    mesh = author_mesh(stage, "/Part/mesh", TriangleMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]))
    bind_material(mesh.GetPrim(), author_material(stage, "/Part/look", Appearance(texture="./wood.png")))
    save_stage(stage, part)
    whole = tmp_path / "source" / "whole.usda"
    stage = create_stage("Whole", whole)
    UsdGeom.Xform.Define(stage, "/Whole/part").GetPrim().GetReferences().AddReference("./parts/part.usda")
    save_stage(stage, whole)
    return whole


def test_the_copy_needs_nothing_of_the_source(assembly, tmp_path):
    path = tmp_path / "out" / "whole.usd"
    write_self_contained(assembly, path)
    assembly.parent.rename(tmp_path / "gone")
    stage = open_stage(path)
    mesh = stage.GetPrimAtPath("/Whole/part/mesh")
    assert len(UsdGeom.Mesh(mesh).GetPointsAttr().Get()) == 3
    assert read_appearance(mesh).texture == str(tmp_path / "out" / "textures" / "wood.png")
    assert (tmp_path / "out" / "textures" / "wood.png").read_bytes() == b"wood"
    assert stage.GetDefaultPrim().GetName() == "Whole"
    assert len(stage.GetUsedLayers()) <= 2  # the root layer and the session layer


def test_the_copy_names_no_folder_of_this_machine(assembly, tmp_path):
    write_self_contained(assembly, tmp_path / "whole.usda")
    assert str(tmp_path) not in (tmp_path / "whole.usda").read_text()


def test_textures_of_one_name_and_other_content_are_kept_apart(assembly, tmp_path):
    folder = tmp_path / "out"
    (folder / "textures").mkdir(parents=True)
    (folder / "textures" / "wood.png").write_bytes(b"other")
    write_self_contained(assembly, folder / "whole.usd")
    assert (folder / "textures" / "wood.png").read_bytes() == b"other"
    stage = open_stage(folder / "whole.usd")
    texture = read_appearance(stage.GetPrimAtPath("/Whole/part/mesh")).texture
    assert texture.startswith(str(folder / "textures" / "wood_"))


def test_the_same_source_makes_the_same_bytes(assembly, tmp_path):
    for name in ("a", "b"):
        write_self_contained(assembly, tmp_path / name / "whole.usd")
    assert (tmp_path / "a" / "whole.usd").read_bytes() == (tmp_path / "b" / "whole.usd").read_bytes()


def _retexture(assembly, texture: str) -> None:
    part = assembly.parent / "parts" / "part.usda"
    part.write_text(part.read_text().replace("./wood.png", texture))


@pytest.mark.parametrize("texture", ["./wood.<UDIM>.png", "wood.<UDIM>.png"])
def test_tiles_of_a_udim_texture_are_copied(assembly, tmp_path, texture):
    _retexture(assembly, texture)
    for tile in (1001, 1002, 1011):
        (assembly.parent / "parts" / f"wood.{tile}.png").write_bytes(f"wood {tile}".encode())
    path = tmp_path / "out" / "whole.usda"
    write_self_contained(assembly, path)
    assert "@./textures/wood.<UDIM>.png@" in path.read_text()
    assert str(tmp_path) not in path.read_text()
    copies = {file.name: file.read_bytes() for file in (path.parent / "textures").iterdir()}
    assert copies == {f"wood.{tile}.png": f"wood {tile}".encode() for tile in (1001, 1002, 1011)}


def test_udim_tiles_of_one_name_and_other_content_are_kept_apart(assembly, tmp_path):
    _retexture(assembly, "./wood.<UDIM>.png")
    for tile in (1001, 1002):
        (assembly.parent / "parts" / f"wood.{tile}.png").write_bytes(f"wood {tile}".encode())
    textures = tmp_path / "out" / "textures"
    textures.mkdir(parents=True)
    (textures / "wood.1002.png").write_bytes(b"other")
    write_self_contained(assembly, tmp_path / "out" / "whole.usda")
    assert (textures / "wood.1002.png").read_bytes() == b"other"
    own = sorted(file for file in textures.iterdir() if file.name != "wood.1002.png")
    assert [file.read_bytes() for file in own] == [b"wood 1001", b"wood 1002"]
    assert own[0].name.replace("1001", "<UDIM>") == own[1].name.replace("1002", "<UDIM>")
    assert own[0].name.replace("1001", "<UDIM>") in (tmp_path / "out" / "whole.usda").read_text()


@pytest.mark.parametrize("texture", ["./gone.png", "./gone.<UDIM>.png"])
def test_a_missing_texture_is_refused_by_name(assembly, tmp_path, texture):
    _retexture(assembly, texture)
    with pytest.raises(GraspdError, match=r"whole\.usda.*parts/gone.*png") as caught:
        write_self_contained(assembly, tmp_path / "out" / "whole.usda")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "whole.usda").exists()


def test_names_on_a_search_path_stay_as_they_are(assembly, tmp_path):
    _retexture(assembly, "OmniPBR.mdl")
    write_self_contained(assembly, tmp_path / "whole.usda")
    assert "@OmniPBR.mdl@" in (tmp_path / "whole.usda").read_text()


def test_unknown_metadata_warns_of_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hand.usda").write_text(
        '#usda 1.0\n(\n    defaultPrim = "hand"\n)\ndef Xform "hand" (\n    hide_in_stage_window = true\n)\n{\n}\n'
    )
    (tmp_path / "top.usda").write_text(
        '#usda 1.0\n(\n    defaultPrim = "top"\n)\ndef Xform "top" (\n    references = @hand.usda@\n)\n{\n}\n'
    )
    write_self_contained(tmp_path / "top.usda", tmp_path / "flat.usda")
    assert 'def Xform "top"' in (tmp_path / "flat.usda").read_text()
    assert capfd.readouterr().err == ""
