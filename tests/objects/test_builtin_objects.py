# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The built-in objects: their files come from the generator, and they are what they claim to be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from omni_graspd.errors import GraspdError
from omni_graspd.objects.object_library import default_objects, load_object
from omni_graspd.objects.signed_distance import SignedDistance, SignedDistanceConfig

_OBJECTS = Path(__file__).resolve().parents[2] / "data" / "objects"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    script = _OBJECTS / "generate_objects.py"
    subprocess.run([sys.executable, script, folder], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("name", default_objects())
def test_generator_writes_the_committed_files(generated: Path, name: str) -> None:
    committed = _OBJECTS / name
    assert (generated / name / f"{name}.usda").read_bytes() == (committed / f"{name}.usda").read_bytes()
    # By pixels: another release of Pillow may pack or hint letters differently.
    new, old = (np.array(Image.open(f / f"textures/{name}.png").convert("RGB")) for f in (generated / name, committed))
    assert np.abs(new.astype(float) - old).mean() < 1.0


@pytest.mark.parametrize(
    ("name", "label", "mass", "volume"),
    [
        ("soup_can", "can", 0.35, np.pi * 0.033**2 * 0.101),
        ("mug", "mug", 0.26, 0.000108),
        ("card_box", "box", 0.17, 0.16 * 0.09 * 0.022),
    ],
)
def test_builtin_object_is_a_closed_textured_solid(name: str, label: str, mass: float, volume: float) -> None:
    rigid = load_object(name)
    solid = trimesh.Trimesh(rigid.mesh.vertices, rigid.mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert 500 <= len(rigid.mesh.faces) <= 6000
    assert solid.volume == pytest.approx(volume, rel=0.04)
    assert solid.bounds[0, 2] == 0.0
    assert (rigid.label, rigid.closed, rigid.notes) == (label, True, ())
    assert rigid.mass == pytest.approx(mass)
    np.testing.assert_allclose(rigid.center_of_mass, solid.center_mass, atol=1e-5)
    np.testing.assert_allclose(rigid.inertia, solid.moment_inertia * mass / solid.volume, rtol=1e-3, atol=2e-9)
    assert rigid.visual.uvs is not None
    assert Path(rigid.appearance.texture).is_file()


@pytest.mark.parametrize("name", default_objects())
def test_collision_pieces_follow_the_surface_within_two_millimetres(name: str) -> None:
    rigid = load_object(name)
    assert all(len(piece.vertices) <= 64 for piece in rigid.convex_pieces)
    config = SignedDistanceConfig(phong_alpha=0.0)
    distance = SignedDistance.build(rigid.mesh, closed=True, device="cpu", config=config)
    vertices = np.concatenate([piece.vertices for piece in rigid.convex_pieces])
    assert distance.query(vertices, 1.0)[0].max() < 1e-3
    samples = trimesh.sample.sample_surface(trimesh.Trimesh(rigid.mesh.vertices, rigid.mesh.faces), 2000, seed=0)[0]
    nearest = np.full(len(samples), np.inf)
    for piece in rigid.convex_pieces:
        solid = trimesh.Trimesh(piece.vertices, piece.faces, process=False)
        offsets = np.einsum("fk,fk->f", solid.face_normals, solid.triangles[:, 0])
        nearest = np.minimum(nearest, (samples @ solid.face_normals.T - offsets).max(axis=1))
    assert nearest.max() < 2e-3


def test_loading_more_than_one_object_names_them() -> None:
    with pytest.raises(GraspdError, match=r"card_box, mug, soup_can"):
        load_object("*")


def test_unknown_object_lists_the_valid_names() -> None:
    with pytest.raises(GraspdError, match=r"did you mean 'mug'.*card_box, mug, soup_can"):
        load_object("mugg")


@pytest.mark.parametrize("name", default_objects())
def test_builtin_object_passes_all_validators(name: str, usd_findings: Callable[[Path], list[str]]) -> None:
    findings = usd_findings(_OBJECTS / name / f"{name}.usda")
    # Text, not crate: the files lie in git, where changes should be readable.
    assert [finding for finding in findings if "UsdAsciiPerformanceChecker" not in finding] == []
