# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One USD file out of many."""

from __future__ import annotations

import pytest
from pxr import UsdGeom

from omni_graspd.usd.materials import Appearance, author_material, bind_material, read_appearance
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
