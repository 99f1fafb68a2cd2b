# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The built-in objects: their files come from the generator, and they are what they claim to be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.library import list_names
from omni_graspd.objects.object_library import default_objects, load_object

_OBJECTS = Path(__file__).resolve().parents[2] / "data" / "objects"


_ONE_QUICK = [name if name == "mug" else pytest.param(name, marks=pytest.mark.slow) for name in list_names("objects")]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    script = _OBJECTS / "generate_objects.py"
    subprocess.run([sys.executable, script, folder], check=True, timeout=120)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", list_names("objects"))
def test_generator_writes_the_committed_files(generated: Path, name: str) -> None:
    committed = _OBJECTS / name
    assert (generated / name / f"{name}.usda").read_bytes() == (committed / f"{name}.usda").read_bytes()
    # By pixels: another release of Pillow may pack or hint letters differently.
    new, old = (np.array(Image.open(f / f"textures/{name}.png").convert("RGB")) for f in (generated / name, committed))
    assert np.abs(new.astype(float) - old).mean() < 1.0


@dataclass(frozen=True)
class Thing:
    """What an object of everyday life measures: that of the YCB set, or the three first ones of our own."""

    label: str
    mass: float
    size: tuple[float, float, float]
    """Bounds along x, y, z [mm]."""
    volume: float
    """Volume of its solid [cm3]; from its shape's formula where that is simple, else measured once."""


_PI = np.pi
_THINGS = {
    "apple": Thing("apple", 0.068, (75, 75, 77), 4 / 3 * _PI * 3.73**2 * 3.7 * 1.08),
    "banana": Thing("banana", 0.066, (82, 180, 37), 133.3),
    "baseball": Thing("ball", 0.148, (74, 74, 74), 4 / 3 * _PI * 3.68**3),
    "bowl": Thing("bowl", 0.147, (159, 159, 53), 130.0),
    "card_box": Thing("box", 0.17, (160, 22, 90), 16.0 * 9.0 * 2.2),
    "low_can": Thing("can", 0.171, (85, 85, 33), _PI * 4.21**2 * 3.16),
    "mug": Thing("mug", 0.26, (112, 82, 82), 108.0),
    "power_drill": Thing("drill", 0.895, (184, 57, 188), 622.0),
    "screwdriver": Thing("screwdriver", 0.097, (215, 29, 31), 62.8),
    "soup_can": Thing("can", 0.35, (66, 66, 101), _PI * 3.3**2 * 10.1),
    "squeeze_bottle": Thing("bottle", 0.603, (96, 60, 191), 700.0),
    "wood_block": Thing("block", 0.729, (85, 85, 200), 8.5 * 8.5 * 20.0),
}


def test_there_are_twelve_and_the_default_run_takes_three_of_them() -> None:
    assert list_names("objects") == sorted(_THINGS)
    assert set(default_objects()) == {"soup_can", "mug", "card_box"}


@pytest.mark.parametrize("name", _THINGS)
def test_builtin_object_is_a_closed_textured_solid(name: str) -> None:
    rigid, thing = load_object(name), _THINGS[name]
    solid = trimesh.Trimesh(rigid.mesh.vertices, rigid.mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert solid.body_count == 1
    assert 500 <= len(rigid.mesh.faces) <= 6000
    np.testing.assert_allclose(1e3 * np.ptp(solid.bounds, axis=0), thing.size, atol=0.7)
    assert 1e6 * solid.volume == pytest.approx(thing.volume, rel=0.04)
    assert solid.bounds[0, 2] == 0.0
    assert (rigid.label, rigid.closed, rigid.notes) == (thing.label, True, ())
    assert rigid.mass == pytest.approx(thing.mass)
    np.testing.assert_allclose(rigid.center_of_mass, solid.center_mass, atol=1e-5)
    inertia = solid.moment_inertia * thing.mass / solid.volume
    np.testing.assert_allclose(rigid.inertia, inertia, rtol=1e-3, atol=2e-9)


@pytest.mark.parametrize("name", _THINGS)
def test_texture_lies_on_the_object_without_torn_seams(name: str) -> None:
    rigid = load_object(name)
    uvs = rigid.visual.uvs
    assert uvs is not None
    assert Path(rigid.appearance.texture).is_file()
    # A face around a seam would squeeze the whole texture into itself.
    assert np.ptp(uvs[..., 0], axis=1).max() < 0.3
    assert uvs.min() >= 0.0
    assert uvs[..., 1].max() <= 1.0
    assert uvs[..., 0].max() <= 1.2


@pytest.mark.parametrize("name", _THINGS)
def test_edges_are_long_enough_for_any_reader(name: str) -> None:
    rigid = load_object(name)
    corners = rigid.mesh.vertices[rigid.mesh.faces]
    assert np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1).min() > 5e-5


@pytest.mark.parametrize("name", _ONE_QUICK)
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
    with pytest.raises(GraspdError, match=r"apple, banana, .*, soup_can"):
        load_object("*")


def test_unknown_object_lists_the_valid_names() -> None:
    with pytest.raises(GraspdError, match=r"did you mean 'mug'.*card_box, low_can, mug"):
        load_object("mugg")


@pytest.mark.parametrize("name", _ONE_QUICK)
def test_builtin_object_passes_all_validators(name: str, usd_findings: Callable[[Path], list[str]]) -> None:
    findings = usd_findings(_OBJECTS / name / f"{name}.usda")
    # Text, not crate: the files lie in git, where changes should be readable.
    assert [finding for finding in findings if "UsdAsciiPerformanceChecker" not in finding] == []
