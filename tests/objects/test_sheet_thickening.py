# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Sheets made solid: volumes in closed form, closed by trimesh's word, and offered where a sheet is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.cli.arguments import prepare, read_values
from omni_graspd.cli.commands import find_command
from omni_graspd.cli.options import command_options
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.sheet_thickening import thicken_sheets
from omni_graspd.geometry.surface_repair import SurfaceRepairConfig
from omni_graspd.objects.intake import check_object
from omni_graspd.objects.object_reader import ObjectReaderConfig, read_object
from omni_graspd.usd.meshes import TriangleMesh

_T = 0.002


def _grid(nx: int, ny: int, size: float) -> trimesh.Trimesh:
    x, y = np.meshgrid(np.linspace(0, size, nx + 1), np.linspace(0, size, ny + 1), indexing="ij")
    at = np.arange((nx + 1) * (ny + 1)).reshape(nx + 1, ny + 1)
    a, b, c, d = at[:-1, :-1].ravel(), at[1:, :-1].ravel(), at[1:, 1:].ravel(), at[:-1, 1:].ravel()
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return trimesh.Trimesh(np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1), faces, process=False)


def _half_sphere(radius: float) -> trimesh.Trimesh:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=radius)
    return trimesh.Trimesh(ball.vertices, ball.faces[ball.triangles_center[:, 2] < 0.0])


def _thickened(sheet: trimesh.Trimesh) -> tuple[trimesh.Trimesh, int]:
    mesh = TriangleMesh(np.asarray(sheet.vertices), np.asarray(sheet.faces, dtype=np.int32))
    solid, count = thicken_sheets(mesh, _T)
    return trimesh.Trimesh(solid.vertices, solid.faces, process=False), count


def test_a_square_sheet_becomes_a_slab():
    solid, count = _thickened(_grid(3, 2, 0.1))
    assert count == 1
    assert solid.is_watertight and solid.is_winding_consistent
    assert solid.volume == pytest.approx(0.1 * 0.1 * _T, rel=1e-12)
    np.testing.assert_allclose(solid.bounds, [[0, 0, -_T / 2], [0.1, 0.1, _T / 2]], atol=1e-15)


def test_a_half_sphere_becomes_a_bowl_of_even_thickness():
    sheet = _half_sphere(0.05)
    solid, _ = _thickened(sheet)
    assert solid.is_watertight and solid.is_winding_consistent
    # Between spheres of radius r +- t/2 lies area times t, and t^3 / 12 times 2 pi for the half.
    assert solid.volume == pytest.approx(sheet.area * _T + 2 * np.pi * _T**3 / 12, rel=2e-3)
    radii = np.linalg.norm(solid.vertices, axis=1)
    np.testing.assert_allclose(np.abs(radii - 0.05), _T / 2, rtol=2e-3)


def test_walls_at_a_right_angle_keep_their_thickness():
    sheet = _grid(2, 1, 0.1)
    sheet.vertices[:, 2] = np.maximum(sheet.vertices[:, 0] - 0.05, 0.0)
    sheet.vertices[:, 0] = np.minimum(sheet.vertices[:, 0], 0.05)
    solid, _ = _thickened(sheet)
    assert solid.is_watertight
    # Mitred: two slabs of 5 cm, measured along the middle of the sheet.
    assert solid.volume == pytest.approx(0.1 * 0.1 * _T, rel=1e-9)
    assert solid.bounds[1, 0] == pytest.approx(0.05 + _T / 2, abs=1e-12)


def test_sheets_that_meet_at_an_edge_and_one_sided_ones_are_closed_piece_by_piece():
    tee = _grid(2, 1, 0.1)
    top = len(tee.vertices)
    vertices = np.concatenate([tee.vertices, [[0.05, 0.0, 0.04], [0.05, 0.1, 0.04]]])
    faces = np.concatenate([tee.faces, [[2, 3, top], [3, top + 1, top]]])
    solid, count = _thickened(trimesh.Trimesh(vertices, faces, process=False))
    assert count == 1
    assert solid.is_watertight
    assert solid.volume == pytest.approx((0.1 * 0.1 + 0.04 * 0.1) * _T, rel=1e-9)
    turns = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    out = np.stack([np.cos(turns), np.sin(turns), 0 * turns], 1)
    along = 0.02 * (np.cos(turns / 2)[:, None] * out + np.sin(turns / 2)[:, None] * [[0.0, 0.0, 1.0]])
    vertices = np.concatenate([0.1 * out - along, 0.1 * out + along])
    a, b = np.arange(24), np.roll(np.arange(24), -1)
    c, d = a + 24, b + 24
    c, d, b = c.copy(), d.copy(), b.copy()
    b[-1], d[-1] = 24, 0  # the Moebius strip turns over where it meets itself
    moebius = trimesh.Trimesh(vertices, np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)]), process=False)
    assert _thickened(moebius)[0].is_watertight


def test_closed_parts_stay_and_both_sides_are_textured(tmp_path: Path):
    box = trimesh.creation.box([0.02, 0.02, 0.02])
    sheet = _grid(1, 1, 0.1)
    both = trimesh.util.concatenate([box, sheet.apply_translation([0, 0, 0.05])])
    uvs = np.random.default_rng(0).random((len(both.faces), 3, 2))
    mesh = TriangleMesh(np.asarray(both.vertices), np.asarray(both.faces, dtype=np.int32), uvs)
    solid, count = thicken_sheets(mesh, _T)
    assert count == 1 and solid.uvs is not None
    np.testing.assert_array_equal(solid.vertices[solid.faces[:12]], both.vertices[both.faces[:12]])
    np.testing.assert_array_equal(solid.uvs[:14], uvs)
    np.testing.assert_array_equal(solid.uvs[14:16], uvs[12:, ::-1])
    assert solid.uvs.shape == (len(solid.faces), 3, 2)


def test_a_bowl_of_a_sheet_is_refused_with_its_remedy_and_taken_with_it(tmp_path: Path):
    path = tmp_path / "bowl.stl"
    _half_sphere(0.05).export(path)
    report = check_object(path)
    assert report.verdict == "refused"
    assert "--thicken 2mm" in report.reason
    report = check_object(path, ObjectReaderConfig(unit="m", repair=SurfaceRepairConfig(thicken=_T)))
    assert report.repairs == ("gave 1 open sheet a thickness of 2 mm",)
    assert report.volume == pytest.approx(_half_sphere(0.05).area * _T, rel=2e-3)


def test_sound_files_are_left_as_they_are(tmp_path: Path):
    path = tmp_path / "ball.stl"
    trimesh.creation.icosphere(subdivisions=2, radius=0.05).export(path)
    config = ObjectReaderConfig(unit="m", repair=SurfaceRepairConfig(thicken=_T))
    assert check_object(path, config).verdict == "accepted"


def test_a_thickness_that_cannot_be_meant_is_refused(tmp_path: Path):
    path = tmp_path / "bowl.stl"
    _half_sphere(0.05).export(path)
    with pytest.raises(GraspdError, match="2mm"):
        read_object(path, ObjectReaderConfig(unit="m", repair=SurfaceRepairConfig(thicken=2.0)))
    with pytest.raises(GraspdError, match="thicken"):
        SurfaceRepairConfig(thicken=-1.0)


@pytest.mark.parametrize("text", ["2mm", "0.2cm", "2 mm", "0.002", "2e-3m"])
def test_lengths_have_units(text: str):
    command, rest = find_command(["objects", "check", "a.stl", "--thicken", text])
    function = command.load()
    arguments = prepare(rest, command_options(function), "graspd objects check", ())
    repair = read_values(function, arguments, "graspd objects check").args[1].intake.repair
    assert repair.thicken == 0.002
    assert prepare(["a.stl", f"--thicken={text}"], command_options(function), "", ())[1].endswith("=0.002")


def test_units_belong_to_lengths_only():
    command, _ = find_command(["objects", "check"])
    arguments = ["5mm", "--unit", "mm", "--density=5m"]
    assert prepare(arguments, command_options(command.load()), "", ())[-1] == "--intake.density=5m"
