# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Intake: planted faults get the right verdict and one clear line."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from pxr import Gf, Usd, UsdGeom, UsdPhysics

from omni_graspd.cli.commands import find_command
from omni_graspd.cli.run_command import parse_command
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.surface_repair import SurfaceRepairConfig
from omni_graspd.objects.intake import IntakeReport, check_object
from omni_graspd.objects.object_reader import ObjectReaderConfig, read_object
from omni_graspd.objects.shared_units import shared_units

BALL = trimesh.creation.icosphere(subdivisions=3, radius=0.04)
BOX = np.array([0.04, 0.06, 0.10])


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def save(path: Path, vertices: np.ndarray, faces: np.ndarray) -> Path:
    trimesh.Trimesh(vertices, faces, process=False).export(path)
    return path


def overlapping_shells(folder: Path) -> Path:
    other = BALL.copy().apply_translation([0.05, 0.0, 0.0])
    trimesh.util.concatenate([BALL, other]).export(folder / "shells.ply")
    return folder / "shells.ply"


def double_wall(folder: Path) -> Path:
    inner = BALL.copy().apply_scale(0.98)
    trimesh.util.concatenate([BALL, inner]).export(folder / "double.ply")
    return folder / "double.ply"


def floating_debris(folder: Path) -> Path:
    speck = trimesh.creation.icosphere(subdivisions=1, radius=0.0005).apply_translation([0.06, 0.0, 0.0])
    flake = trimesh.Trimesh([[0.07, 0, 0], [0.075, 0, 0], [0.07, 0.005, 0]], [[0, 1, 2]], process=False)
    trimesh.util.concatenate([BALL, speck, flake]).export(folder / "debris.ply")
    return folder / "debris.ply"


def some_flipped(folder: Path) -> Path:
    faces = np.array(BALL.faces)
    faces[::3] = faces[::3, ::-1]
    return save(folder / "flipped.ply", BALL.vertices, faces)


def inside_out(folder: Path) -> Path:
    return save(folder / "inside_out.ply", BALL.vertices, BALL.faces[:, ::-1])


def pinhole(folder: Path) -> Path:
    return save(folder / "pinhole.ply", BALL.vertices, BALL.faces[1:])


def cracked(folder: Path) -> Path:
    """Two halves that miss each other by 2 µm."""
    upper = BALL.triangles_center[:, 2] > 0.0
    vertices = np.concatenate([BALL.vertices, BALL.vertices + np.array([0.0, 0.0, 2e-6])])
    return save(
        folder / "cracked.ply", vertices, np.concatenate([BALL.faces[upper] + len(BALL.vertices), BALL.faces[~upper]])
    )


def with_fin(folder: Path) -> Path:
    """A triangle stands on one edge of the surface."""
    a, b, _ = BALL.faces[0]
    vertices = np.concatenate([BALL.vertices, 1.3 * BALL.vertices[[a]]])
    return save(folder / "fin.ply", vertices, np.concatenate([BALL.faces, [[a, b, len(BALL.vertices)]]]))


def two_boxes(folder: Path, walls: int) -> Path:
    """Two boxes side by side, welded; their common side is there once or, with other diagonals, twice."""
    one = trimesh.creation.box((0.05, 0.05, 0.05))
    other = one.copy().apply_translation([0.05, 0.0, 0.0])
    if walls == 1:
        other.update_faces(np.abs(other.triangles_center[:, 0] - 0.025) > 1e-6)
    else:
        other = trimesh.Trimesh(
            one.vertices * [-1.0, 1.0, 1.0] + np.array([0.05, 0.0, 0.0]), one.faces[:, ::-1], process=False
        )
        other.vertices[:, 1] *= -1.0
        other.faces = other.faces[:, ::-1]
    return save(folder / "boxes.stl", *_joined(one, other))


def _joined(one: trimesh.Trimesh, other: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([one.vertices, other.vertices]), np.concatenate([one.faces, other.faces + len(one.vertices)])


def with_inner_wall(folder: Path) -> Path:
    return two_boxes(folder, 1)


def with_double_inner_wall(folder: Path) -> Path:
    return two_boxes(folder, 2)


def degenerate_faces(folder: Path) -> Path:
    extra = np.array([[0, 0, 1], [5, 5, 5], [7, 9, 7]])
    return save(folder / "degenerate.ply", BALL.vertices, np.concatenate([BALL.faces, extra]))


def duplicate_faces(folder: Path) -> Path:
    return save(folder / "duplicate.ply", BALL.vertices, np.concatenate([BALL.faces, BALL.faces[:200]]))


def far_away(folder: Path) -> Path:
    path = folder / "far.obj"
    vertices = BALL.vertices + np.array([4.2e5, 5.1e6, 120.0])
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    path.write_text("\n".join([*lines, *(f"f {a} {b} {c}" for a, b, c in BALL.faces + 1)]))
    return path


def million_faces(folder: Path) -> Path:
    """A ball of 1,310,720 faces, written by hand: exporting it takes longer than reading it."""
    ball = trimesh.creation.icosphere(subdivisions=8, radius=0.04)
    path = folder / "million.stl"
    records = np.zeros(len(ball.faces), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("pad", "<u2")])
    records["corners"] = ball.vertices[ball.faces]
    path.write_bytes(bytes(80) + struct.pack("<I", len(records)) + records.tobytes())
    return path


@pytest.mark.parametrize(
    ("plant", "words", "volume"),
    [
        (overlapping_shells, "joined 2 parts that ran into each other", None),
        (double_wall, "joined 2 parts", BALL.volume),
        (floating_debris, "dropped 2 small loose parts", BALL.volume),
        (some_flipped, "faces outward", BALL.volume),
        (inside_out, f"turned {len(BALL.faces)} faces outward", BALL.volume),
        (pinhole, "filled 1 small hole", BALL.volume),
        (cracked, "sewed cracks together", BALL.volume),
        (with_fin, "dropped 1 face of inner walls or fins", BALL.volume),
        (with_inner_wall, "dropped 2 faces of inner walls", 2 * 0.05**3),
        (with_double_inner_wall, "joined 2 parts", 2 * 0.05**3),
        (degenerate_faces, "dropped 3 degenerate or repeated faces", BALL.volume),
        (duplicate_faces, "dropped 200 degenerate or repeated faces", BALL.volume),
        (far_away, "moved to the origin from 5.12e+06 m away", BALL.volume),
    ],
)
def test_a_fault_that_can_be_mended_is_mended_and_said(
    tmp_path: Path, plant: Callable[[Path], Path], words: str, volume: float | None
) -> None:
    report = check_object(plant(tmp_path))
    assert report.verdict == "repaired", report.line
    assert words in report.line
    assert "\n" not in report.line
    mended = trimesh.Trimesh(report.rigid.mesh.vertices, report.rigid.mesh.faces, process=False)
    assert mended.is_watertight and mended.is_winding_consistent
    if volume is None:
        boxes = trimesh.boolean.union([BALL, BALL.copy().apply_translation([0.05, 0.0, 0.0])], engine="manifold")
        volume = boxes.volume
    assert report.volume == pytest.approx(volume, rel=0.01)
    assert report.volume == pytest.approx(mended.volume, rel=1e-9)


@pytest.mark.slow
def test_a_million_faces_are_simplified_to_the_budget(tmp_path: Path) -> None:
    report = check_object(million_faces(tmp_path))
    assert report.verdict == "repaired", report.line
    assert "simplified from 1310720 to" in report.line
    assert 1000 < len(report.rigid.mesh.faces) <= 40_000
    radii = np.linalg.norm(report.rigid.mesh.vertices, axis=1)
    np.testing.assert_allclose(radii, 0.04, atol=1e-4)
    assert report.volume == pytest.approx(4.0 / 3.0 * np.pi * 0.04**3, rel=0.01)


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def open_bowl(folder: Path) -> Path:
    return save(folder / "bowl.ply", BALL.vertices, BALL.faces[BALL.triangles_center[:, 2] < 0.01])


def zero_area(folder: Path) -> Path:
    return save(
        folder / "line.ply", np.linspace(0.0, 0.1, 30).reshape(-1, 1) * [1.0, 0.5, 0.2], np.arange(30).reshape(-1, 3)
    )


def with_nan(folder: Path) -> Path:
    vertices = np.array(BALL.vertices)
    vertices[7] = np.nan
    return save(folder / "nan.ply", vertices, BALL.faces)


def truncated(folder: Path, suffix: str) -> Path:
    content = BALL.export(file_type=suffix)
    content = content.encode() if isinstance(content, str) else content
    return write(folder / f"half.{suffix}", content[: len(content) // 2])


def soup(folder: Path) -> Path:
    corners = np.random.default_rng(0).uniform(-0.05, 0.05, (1000, 1, 3))
    corners = corners + np.random.default_rng(1).uniform(-0.002, 0.002, (1000, 3, 3))
    return save(folder / "soup.ply", corners.reshape(-1, 3), np.arange(3000).reshape(-1, 3))


def crossing_itself(folder: Path) -> Path:
    """A closed surface without an inside: three quarters of a ball's vertices change places."""
    random = np.random.default_rng(4)
    vertices = np.array(BALL.vertices)
    some = random.permutation(len(vertices))[: 3 * len(vertices) // 4]
    vertices[some] = vertices[random.permutation(some)]
    return save(folder / "knot.ply", vertices, BALL.faces)


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (crossing_itself, ("no inside", "remesh it")),
        (open_bowl, ("open edges", "--thicken 2mm")),
        (zero_area, ("without volume", "thickness")),
        (with_nan, ("NaN", "export it again")),
        (lambda folder: write(folder / "nothing.obj", ""), ("is empty", "export it again")),
        (lambda folder: truncated(folder, "ply"), ("readable mesh", "export it again")),
        (lambda folder: truncated(folder, "stl"), ("readable mesh", "export it again")),
        (lambda folder: truncated(folder, "glb"), ("readable mesh", "export it again")),
        (lambda folder: truncated(folder, "obj"), ("expected",)),
        (lambda folder: save(folder / "a.ply", BALL.vertices, BALL.faces).rename(folder / "a.stl"), (".ply", "rename")),
        (lambda folder: write(folder / "letter.obj", "Dear all,\nthis is a letter.\n"), ("has none",)),
        (lambda folder: write(folder / "page.obj", "<?xml version='1.0'?><html/>"), (".xml", "rename")),
        (lambda folder: save(folder / "huge.ply", 1e7 * BALL.vertices, BALL.faces), ("0.005 m and 1 m", "--unit")),
        (
            lambda folder: save(folder / "unit.ply", 25.0 * BALL.vertices, BALL.faces),
            ("got 2 m", "--unit", "--scale 0.07"),
        ),
        (soup, ("at most 500 parts", "share vertices")),
    ],
)
def test_a_fault_that_cannot_be_mended_is_refused_with_a_remedy(
    tmp_path: Path, plant: Callable[[Path], Path], words: tuple[str, ...]
) -> None:
    path = plant(tmp_path)
    report = check_object(path)
    assert report.verdict == "refused", report.line
    assert "\n" not in report.line
    assert str(path) in report.line
    for word in words:
        assert word in report.line


def test_parts_without_thickness_are_refused_together(tmp_path: Path) -> None:
    two = trimesh.util.concatenate([BALL, BALL.copy().apply_translation([0.1, 0.0, 0.0])])
    report = check_object(save(tmp_path / "flat.ply", two.vertices * [1.0, 1.0, 0.0], two.faces))
    assert "without volume" in report.line


def test_millimetres_are_guessed_said_and_overridden(tmp_path: Path) -> None:
    path = save(tmp_path / "part.stl", 1000.0 * BALL.vertices, BALL.faces)
    report = check_object(path)
    assert report.verdict == "accepted"
    assert "read as millimetres, since its longest side is 80 units; give --unit if that is wrong" in report.rigid.notes
    assert report.volume == pytest.approx(BALL.volume, rel=1e-5)
    inches = check_object(path, ObjectReaderConfig(unit="in", largest_extent=3.0))
    assert np.ptp(inches.rigid.mesh.vertices, axis=0).max() == pytest.approx(80 * 0.0254, rel=1e-6)
    assert "read in inches, as asked" in inches.rigid.notes


def textured_obj(folder: Path, materials: str | None, texture: bytes | None) -> Path:
    box = trimesh.creation.box(BOX)
    lines = [
        "mtllib look.mtl",
        "usemtl m",
        *(f"v {x} {y} {z}" for x, y, z in box.vertices),
        "vt 0 0",
        "vt 1 0",
        "vt 1 1",
    ]
    lines += [f"f {a}/1 {b}/2 {c}/3" for a, b, c in box.faces + 1]
    if materials is not None:
        (folder / "look.mtl").write_text(materials)
    if texture is not None:
        (folder / "art.png").write_bytes(texture)
    return write(folder / "crate.obj", "\n".join(lines))


def a_png(folder: Path) -> bytes:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / "x.png")
    return (folder / "x.png").read_bytes()


@pytest.mark.parametrize(
    ("materials", "texture", "note"),
    [
        (None, None, "lost its materials and textures: look.mtl is not beside it"),
        ("newmtl m\nmap_Kd art.png\n", None, "lost its texture art.png: missing"),
        ("newmtl m\nmap_Kd art.png\n", b"nonsense", "lost its texture art.png: no picture"),
        ("newmtl m\nmap_Kd art.png\n", 2000, "lost its texture art.png: image file is truncated"),
    ],
)
def test_lost_textures_get_a_note_and_a_plain_colour(
    tmp_path: Path, materials: str | None, texture: bytes | int | None, note: str
) -> None:
    content = a_png(tmp_path)[:texture] if isinstance(texture, int) else texture
    report = check_object(textured_obj(tmp_path, materials, content))
    assert report.verdict == "accepted"
    assert any(note in said for said in report.rigid.notes), report.rigid.notes
    assert report.rigid.appearance.texture is None


def test_a_texture_that_is_there_is_kept_without_a_note(tmp_path: Path) -> None:
    report = check_object(textured_obj(tmp_path, "newmtl m\nmap_Kd art.png\n", a_png(tmp_path)))
    assert Path(report.rigid.appearance.texture).is_file()
    assert not any("lost" in note for note in report.rigid.notes)


@pytest.mark.slow
def test_simplification_keeps_texture_coordinates_and_seams(tmp_path: Path) -> None:
    ball = trimesh.creation.uv_sphere(radius=0.04, count=[100, 100])
    turn = np.arctan2(ball.vertices[:, 1], ball.vertices[:, 0])[ball.faces] / (2 * np.pi) + 0.5
    turn = np.where(turn.max(axis=1, keepdims=True) - turn > 0.5, turn + 1.0, turn)
    height = ball.vertices[:, 2][ball.faces] / 0.08 + 0.5
    lines = ["mtllib look.mtl", "usemtl m", *(f"v {x} {y} {z}" for x, y, z in ball.vertices)]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in zip(turn.ravel(), height.ravel(), strict=True)]
    corners = 3 * np.arange(len(ball.faces))[:, None] + np.arange(3) + 1
    lines += [
        "f " + " ".join(f"{v}/{t}" for v, t in zip(f, c, strict=True))
        for f, c in zip(ball.faces + 1, corners, strict=True)
    ]
    (tmp_path / "look.mtl").write_text("newmtl m\nmap_Kd x.png\n")
    a_png(tmp_path)
    path = write(tmp_path / "globe.obj", "\n".join(lines))
    config = ObjectReaderConfig(repair=SurfaceRepairConfig(most_faces=6000))
    report = check_object(path, config)
    assert "simplified from" in report.line
    visual = report.rigid.visual
    assert len(visual.faces) <= 6000
    np.testing.assert_allclose(visual.uvs[..., 1], visual.vertices[:, 2][visual.faces] / 0.08 + 0.5, atol=0.01)
    off_the_poles = np.abs(visual.vertices[:, 2][visual.faces]).max(axis=1) < 0.035
    assert np.ptp(visual.uvs[off_the_poles, :, 0], axis=1).max() < 0.3


def author_shape(kind: str, path: Path) -> float:
    """Write a shape of which the volume is known and return it [m3]."""
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/thing").GetPrim())
    radius, height = 3.0, 8.0
    shape = getattr(UsdGeom, kind).Define(stage, "/thing/shape")
    if kind == "Cube":
        shape.CreateSizeAttr(2.0)
        shape.AddScaleOp().Set(Gf.Vec3f(1.0, 2.0, 3.0))
    else:
        shape.CreateRadiusAttr(radius)
    if kind in ("Cylinder", "Capsule", "Cone"):
        shape.CreateHeightAttr(height)
        shape.CreateAxisAttr("X")
    stage.Save()
    ball, tube = 4.0 / 3.0 * np.pi * radius**3, np.pi * radius**2 * height
    return 1e-6 * {"Cube": 48.0, "Sphere": ball, "Cylinder": tube, "Capsule": tube + ball, "Cone": tube / 3.0}[kind]


@pytest.mark.parametrize("kind", ["Cube", "Sphere", "Cylinder", "Capsule", "Cone"])
def test_usd_shapes_are_objects(tmp_path: Path, kind: str) -> None:
    volume = author_shape(kind, tmp_path / "thing.usda")
    report = check_object(tmp_path / "thing.usda")
    assert report.verdict == "accepted", report.line
    assert report.volume == pytest.approx(volume, rel=0.01)
    sides = np.ptp(report.rigid.mesh.vertices, axis=0)
    length = {"Cube": 0.02, "Sphere": 0.06, "Cylinder": 0.08, "Capsule": 0.14, "Cone": 0.08}[kind]
    assert sides[0] == pytest.approx(length, rel=1e-3)


def test_usd_that_states_no_unit_is_guessed_and_said(tmp_path: Path) -> None:
    (tmp_path / "tin.usda").write_text(
        '#usda 1.0\n(upAxis = "Z")\ndef Cylinder "tin" {\ndouble radius = 0.03\ndouble height = 0.1\n}\n'
    )
    rigid = read_object(tmp_path / "tin.usda")
    assert any(note.startswith("read as metres") for note in rigid.notes)
    assert np.ptp(rigid.mesh.vertices, axis=0)[2] == pytest.approx(0.1)


def test_a_given_mass_goes_before_all_and_scales_the_inertia(tmp_path: Path) -> None:
    path = save(tmp_path / "ball.ply", BALL.vertices, BALL.faces)
    rigid = read_object(path, ObjectReaderConfig(mass=0.5))
    assert rigid.mass == 0.5
    np.testing.assert_allclose(rigid.inertia, np.eye(3) * 0.4 * 0.5 * 0.04**2, rtol=0.03, atol=1e-9)
    with pytest.raises(GraspdError, match="expected mass to be above 0"):
        ObjectReaderConfig(mass=0.0)


def test_a_sound_file_is_accepted_as_it_is(tmp_path: Path) -> None:
    report = check_object(save(tmp_path / "ball.ply", BALL.vertices, BALL.faces))
    assert isinstance(report, IntakeReport)
    assert (report.verdict, report.line, report.repairs) == ("accepted", "accepted", ())
    np.testing.assert_allclose(report.rigid.mesh.vertices, BALL.vertices, atol=1e-8)


def test_a_mesh_that_is_a_point_is_refused(tmp_path: Path) -> None:
    """No scale would mend it."""
    reason = check_object(save(tmp_path / "ball.ply", 0.0 * BALL.vertices, BALL.faces)).reason
    assert "got a single point" in reason


def test_a_normalised_model_is_refused_with_a_scale_that_makes_it_acceptable(tmp_path: Path) -> None:
    """1.4 m and 258 m, as found: the scale that the refusal names is taken, through the real parser."""
    for extent in (1.4, 258.0):
        path = tmp_path / "ball.glb"
        BALL.copy().apply_scale(extent / 0.08).export(path)
        reason = check_object(path).reason
        assert f"got {extent:.3g} m" in reason
        scale = re.search(r"--scale (\S+) ", reason)[1]
        report = check_object(path, ObjectReaderConfig(scale=float(scale)))
        assert report.verdict == "accepted"
        assert f"made {float(scale):g} times as large, as asked" in report.rigid.notes
        assert np.ptp(report.rigid.mesh.vertices, axis=0).max() == pytest.approx(extent * float(scale), rel=1e-4)
        command, rest = find_command(["objects", "check", str(path), "--scale", scale])
        assert parse_command(command, rest).args[1].intake.scale == float(scale)


def test_a_set_of_normalised_models_is_read_in_the_unit_in_which_the_scale_makes_sense(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{k}.ply", size * BALL.vertices / 0.08, BALL.faces) for k, size in enumerate((1.2, 1.5))]
    assert shared_units(paths)[paths[0]].unit == "cm"
    assert shared_units(paths, ObjectReaderConfig(scale=0.1))[paths[0]].unit == "m"


def test_a_stated_inertia_goes_with_the_size(tmp_path: Path) -> None:
    """At the same mass, half the size has a quarter of the inertia; a unit that the user corrects counts, too."""
    path = tmp_path / "ball.usda"
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    ball = UsdGeom.Sphere.Define(stage, "/ball")
    ball.CreateRadiusAttr(0.04)
    stage.SetDefaultPrim(ball.GetPrim())
    UsdPhysics.RigidBodyAPI.Apply(ball.GetPrim())
    mass = UsdPhysics.MassAPI.Apply(ball.GetPrim())
    mass.CreateMassAttr(0.4)
    mass.CreateDiagonalInertiaAttr((2e-4, 3e-4, 4e-4))
    stage.Save()
    whole, half = (check_object(path, ObjectReaderConfig(scale=scale)).rigid for scale in (1.0, 0.5))
    assert half.mass == whole.mass
    np.testing.assert_allclose(whole.inertia, np.diag([2e-4, 3e-4, 4e-4]), atol=1e-10)
    np.testing.assert_allclose(half.inertia, 0.25 * whole.inertia, atol=1e-10)
    inches = check_object(path, ObjectReaderConfig(unit="in", smallest_extent=0.001)).rigid
    np.testing.assert_allclose(inches.inertia, 0.0254**2 * whole.inertia, atol=1e-12)
