# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""graspd objects: a mesh goes in, is found by name, is listed, exported with grasps, and removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from pxr import Usd

from omni_graspd.cli.main import main
from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.objects.grasp_vectors import read_grasp_vectors
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.object_reader import ObjectReaderConfig
from omni_graspd.objects.rigid_object import RigidObject


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "library"))
    return tmp_path / "library"


@pytest.fixture
def plain_thumbnails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare rendering where thumbnails do not matter."""

    def draw(rigid: RigidObject, folder: Path) -> Path:
        Image.new("RGB", (256, 256)).save(folder / "thumbnail.png")
        return folder / "thumbnail.png"

    monkeypatch.setattr("omni_graspd.cli.objects._draw", draw)


@pytest.fixture
def brick(tmp_path: Path) -> Path:
    """A box in millimetres, of which a tenth of the faces is inside out."""
    box = trimesh.creation.box((50.0, 60.0, 100.0)).subdivide().subdivide()
    faces = np.array(box.faces)
    faces[::10] = faces[::10, ::-1]
    trimesh.Trimesh(box.vertices, faces, process=False).export(tmp_path / "my_brick.stl")
    return tmp_path / "my_brick.stl"


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    try:
        main(["objects", *arguments])
        left = 0
    except SystemExit as stop:
        left = int(stop.code or 0)
    output = capsys.readouterr()
    assert left == code, output.out + output.err
    return output.out + output.err


def test_check_reports_each_file_and_ends_with_1_if_one_is_refused(
    brick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.obj").write_text("Dear all")
    text = run(capsys, "check", str(brick), "mug", str(tmp_path / "letter.obj"), code=1)
    assert "my_brick.stl: repaired: turned" in text
    assert "50 x 60 x 100 mm, 300 cm3, 0.09 kg" in text
    assert "read as millimetres" in text
    assert "mug.usda: accepted" in text
    assert "letter.obj: refused: expected" in text
    assert "1 accepted, 1 repaired, 1 refused" in text
    assert "0.45 kg" in run(capsys, "check", str(brick), "--mass", "0.45")
    assert "refused" in run(capsys, "check", str(brick), "--unit", "m", code=1)
    # Objects in the library are complete: what is said about files is not about them.
    assert "mug.usda: accepted" in run(capsys, "check", "mug", "--unit", "mm", "--mass", "9")
    assert load_object("mug", ObjectReaderConfig(unit="mm", mass=9.0)).mass < 1.0


@pytest.mark.slow
def test_an_added_object_has_a_picture_of_itself(
    brick: Path, own_library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "add", str(brick))
    path = own_library / "objects" / "my_brick" / "simready" / ".thumbs" / "256x256" / "my_brick.usda.png"
    picture = np.asarray(Image.open(path).convert("L"), dtype=float)
    assert picture.shape == (256, 256)
    # The brick is darker than the background, stands in the middle and fills the height.
    dark = picture < 225.0
    assert dark[128, 128] and not dark[:3].any() and dark[8:-8].any(axis=1).mean() > 0.9


@pytest.mark.usefixtures("plain_thumbnails")
@pytest.mark.slow
def test_an_added_object_is_found_by_name_listed_and_removed(
    brick: Path, own_library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = run(capsys, "add", str(brick), "--name", "brick_7", "--label", "brick", "--license", "CC0-1.0")
    target = own_library / "objects" / "brick_7" / "simready" / "brick_7.usda"
    assert str(target) in text
    rigid = load_object("brick_7")
    assert (rigid.name, rigid.label, rigid.source, rigid.notes) == ("brick_7", "brick", target, ())
    assert rigid.mass == pytest.approx(0.09, rel=1e-4)
    listed = run(capsys, "list")
    assert "built in" in listed and "brick_7" in listed and "50 x 60 x 100" in listed
    assert "give --replace" in run(capsys, "add", str(brick), "--name", "brick_7", code=2)
    run(capsys, "add", str(brick), "--name", "brick_7", "--replace", "--mass", "0.2")
    assert load_object("brick_7").mass == pytest.approx(0.2)
    assert "yours: brick_7" in run(capsys, "export", "brick_8", "--out", "nowhere", code=2)
    run(capsys, "remove", "brick_7")
    assert not (own_library / "objects" / "brick_7").exists()
    assert "yours: none" in run(capsys, "remove", "brick_7", code=2)


def test_a_built_in_name_is_not_taken(brick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "built-in objects'" in run(capsys, "add", str(brick), "--name", "mug", code=2)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset") / "out"
    arguments = ["--object", "mug", "--hand", "barrett", "--grasps", "3", "--preset", "fast", "--out", str(folder)]
    main(["synthesize", *arguments])
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("plain_thumbnails")
def test_exported_grasps_are_those_of_the_dataset_and_their_lines_cross_the_object(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], usd_findings: Callable[[Path], list[str]]
) -> None:
    run(capsys, "export", "mug", "--grasps", str(dataset), "--out", str(tmp_path), "--most", "3")
    package = tmp_path / "mug" / "simready" / "mug.usda"
    grasps = read_grasp_vectors(Usd.Stage.Open(str(package)))
    assert 1 <= len(grasps) <= 3
    ranks = [grasp.measures["loss_drop"] for grasp in grasps]
    assert ranks == sorted(ranks)
    rigid = load_object("mug")
    config = SignedDistanceConfig(phong_alpha=0.0)
    distance = SignedDistance.build(rigid.mesh, closed=True, device="cpu", config=config)
    for grasp in grasps:
        assert (grasp.hand, len(grasp.joint_names)) == ("barrett", len(grasp.joint_positions))
        along = np.linspace(0.0, 1.0, 400)[:, None]
        depths, _ = distance.query(grasp.line[0] + along * (grasp.line[1] - grasp.line[0]), 1.0)
        assert depths.min() < 0.0 < min(depths[0], depths[-1])
    assert usd_findings(package) == []
    assert "it has grasps of: mug" in run(capsys, "export", "card_box", "--grasps", str(dataset), "--out", "x", code=2)
