# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp labels of views: closed forms on a ball and a wall, ray casts, and the files of a small dataset."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

import omni_graspd.dataset as graspd_dataset
from omni_graspd.dataset.labels.graspness import graspness
from omni_graspd.dataset.labels.label_dataset import label_dataset
from omni_graspd.dataset.labels.label_file import read_labels, write_labels
from omni_graspd.dataset.labels.touched_points import TouchedPoints
from omni_graspd.dataset.labels.view_labels import LabelSettings, SceneGrasps, label_eye
from omni_graspd.dataset.tables import read_scene_grasps, write_scene_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.usd.meshes import TriangleMesh

_RADIUS, _AWAY = 0.05, 0.4
_INTRINSICS = np.array([[300.0, 0.0, 80.0], [0.0, 300.0, 60.0], [0.0, 0.0, 1.0]])
_FEW = LabelSettings(points=64)


def _touched(positions, grasp):
    return TouchedPoints(np.asarray(positions, dtype=np.float64), np.asarray(grasp, dtype=np.int32))


def test_graspness_is_the_share_of_grasps_with_a_contact_nearby():
    touched = _touched([[0, 0, 0], [0, 0, 0.001], [0.1, 0, 0], [0.03, 0, 0]], [0, 0, 1, 2])
    points = np.array([[0.0, 0.0, 0.0], [0.095, 0.0, 0.0], [0.06, 0.0, 0.0], [0.02, 0.0, 0.0]])
    share, nearest = graspness(points, touched, 4, radius=0.0201)
    assert share.tolist() == [0.25, 0.25, 0.0, 0.5]
    assert nearest.tolist() == [0, 1, 2, 2]


def test_without_contacts_nothing_is_good_to_touch():
    share, nearest = graspness(np.zeros((3, 3)), _touched(np.zeros((0, 3)), []), 0, radius=0.01)
    assert share.tolist() == [0.0] * 3
    assert nearest.tolist() == [-1] * 3


@pytest.fixture(scope="module")
def ball():
    """A ball before a wall, its depth image from ray casts, and contacts all around it."""
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=_RADIUS)
    placed = mesh.copy().apply_translation((0.0, 0.0, _AWAY))
    depth = _rays(placed).reshape(120, 160)
    depth = np.where(np.isfinite(depth), depth, 0.8)
    distance = SignedDistance.build(
        TriangleMesh(np.asarray(mesh.vertices), np.asarray(mesh.faces)),
        closed=True,
        device="cpu",
        config=SignedDistanceConfig(phong_alpha=0.0),
    )
    positions = trimesh.creation.icosphere(subdivisions=2, radius=_RADIUS).vertices
    grasps = SceneGrasps(np.array([7, 9]), _touched(positions, np.arange(len(positions)) >= 81), distance)
    T_camera_object = np.array([0.0, 0.0, _AWAY, 0.0, 0.0, 0.0, 1.0])
    labels = label_eye(
        {"depth": depth, "intrinsics": _INTRINSICS}, T_camera_object, grasps, _FEW, np.random.default_rng(0)
    )
    return placed, labels


def _rays(mesh: trimesh.Trimesh) -> np.ndarray:
    """Cast a ray through each pixel; distance along the axis, infinite where nothing is hit."""
    rows, columns = np.indices((120, 160))
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(rows.shape)], axis=-1).reshape(-1, 3)
    directions = pixels @ np.linalg.inv(_INTRINSICS).T
    hits, rays, _ = mesh.ray.intersects_location(np.zeros_like(directions), directions, multiple_hits=False)
    depth = np.full(len(directions), np.inf)
    depth[rays] = hits[:, 2]
    return depth


def test_pixels_of_the_ball_are_labelled_and_no_others(ball):
    mesh, labels = ball
    on_ball = np.isfinite(_rays(mesh)).reshape(120, 160)
    # A cone of asin(r / d) around the axis covers an area in pixels that is known.
    covered = np.pi * (300.0 * np.tan(np.arcsin(_RADIUS / _AWAY))) ** 2
    assert on_ball.sum() == pytest.approx(covered, rel=0.01)
    assert ((labels.nearest_grasp >= 0) == on_ball).all()
    assert set(np.unique(labels.nearest_grasp)) == {-1, 7, 9}
    assert (labels.graspness[~on_ball] == 0.0).all()


def test_points_lie_on_the_ball_at_their_pixels(ball):
    _, labels = ball
    assert labels.points.shape == (64, 3)
    assert np.linalg.norm(labels.points - [0.0, 0.0, _AWAY], axis=1) == pytest.approx(_RADIUS, abs=1e-3)
    projected = labels.points @ _INTRINSICS.T
    assert projected[:, :2] / projected[:, 2:] == pytest.approx(labels.point_pixels + 0.5, abs=1e-3)
    columns, rows = labels.point_pixels.T
    assert (labels.graspness[rows, columns] == labels.point_graspness).all()
    assert (labels.nearest_grasp[rows, columns] == labels.point_nearest_grasp).all()


def test_contacts_behind_the_ball_are_hidden_as_rays_say(ball):
    mesh, labels = ball
    contacts = labels.contacts.astype(np.float64)
    far = np.linalg.norm(contacts, axis=1)
    hits, rays, _ = mesh.ray.intersects_location(np.zeros_like(contacts), contacts, multiple_hits=False)
    first = np.full(len(contacts), np.inf)
    first[rays] = np.linalg.norm(hits, axis=1)
    seen = first > far - 1e-3
    # Within 15 degrees of the horizon, the surface falls off by more than the tolerance between two pixels.
    facing = ((contacts - [0.0, 0.0, _AWAY]) * -contacts).sum(axis=1) / (_RADIUS * far)
    clear = np.abs(facing) > np.sin(np.radians(15.0))
    assert 40 < seen[clear].sum() < clear.sum() - 40
    assert (labels.contact_visible == seen)[clear].all()
    for row, number in enumerate((7, 9)):
        mine = labels.contact_grasp == number
        assert labels.visibility[row] == pytest.approx(labels.contact_visible[mine].mean())


@pytest.fixture(scope="module")
def labelled(block_dataset, tmp_path_factory):
    root = tmp_path_factory.mktemp("labelled") / "set"
    shutil.copytree(block_dataset, root)
    for path in root.glob("scenes/block/*.grasps.parquet"):
        table = read_scene_grasps(path)  # hands of the floating block are in the table
        clear = replace(table.grasps, collides=np.arange(len(table.grasp_indices)) == 0)
        write_scene_grasps(replace(table, grasps=clear), path)
    return root, label_dataset(root, _FEW, workers=1)


def test_every_eye_has_a_file_of_the_grasps_that_are_clear(labelled):
    root, counts = labelled
    files = sorted(root.rglob("grasp_labels_barrett_0000.npz"))
    assert [file.parent.name for file in files] == ["left", "right"] * 2
    assert (counts.written, counts.kept, counts.without_grasps) == (4, 0, ())
    assert [read_labels(file)["grasp_index"].tolist() for file in files] == [[1, 2]] * 4


def test_a_dataset_with_labels_is_sound_and_scenes_without_grasps_are_named(block_dataset, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(block_dataset, root)
    assert label_dataset(root, _FEW, workers=1).without_grasps == ("block/scene_0000 (barrett)",)
    assert not verify_dataset(root).faults


def test_palms_in_a_label_file_are_where_the_images_camera_sees_them(labelled):
    root, _ = labelled
    table = read_scene_grasps(next(root.glob("scenes/block/*.grasps.parquet")))
    for file in root.rglob("grasp_labels_*"):
        labels = read_labels(file)
        camera = json.loads((file.parent / "camera_params_0000.json").read_text())
        # Replicator's matrices are for row vectors.
        view, projection = (np.reshape(camera[key], (4, 4)) for key in ("cameraViewTransform", "cameraProjection"))
        rows = [table.grasp_indices.tolist().index(number) for number in labels["grasp_index"]]
        palms = np.c_[table.grasps.T_world_palm[rows, :3], np.ones(len(rows))] @ view
        assert labels["T_camera_palm"][:, :3] == pytest.approx(palms[:, :3] * [1.0, -1.0, -1.0], abs=1e-9)
        clip = palms @ projection
        ahead = labels["T_camera_palm"][:, :3] / labels["T_camera_palm"][:, 2:3]
        width, height = camera["renderProductResolution"]
        focal = camera["cameraFocalLength"] / np.array(camera["cameraAperture"]) * [width, height]
        pixels = (clip[:, :2] / clip[:, 3:]) * [0.5 * width, -0.5 * height]
        assert ahead[:, :2] * focal == pytest.approx(pixels, abs=0.01)


def test_true_files_are_kept_and_others_written_anew(labelled):
    root, _ = labelled
    file = next(root.rglob("grasp_labels_*"))
    before = file.read_bytes()
    assert label_dataset(root, _FEW, workers=1).kept == 4
    write_labels(read_labels(file) | {"grasp_index": np.array([99])}, file)
    assert label_dataset(root, _FEW, workers=1).written == 1
    assert file.read_bytes() == before


def test_samples_have_the_labels_of_their_eye(labelled):
    root, _ = labelled
    sample = graspd_dataset.open(root).samples(labels=True, grasp_slots=8)[0]
    file = read_labels(root / "renders/block/scene_0000/view_0000/right/grasp_labels_barrett_0000.npz")
    assert (sample["right/graspness"] == file["graspness"]).all()
    assert sample["left/nearest_grasp"].shape == (36, 48)
    assert sample["right/visibility"].shape == (8,)
    by_number = dict(zip(file["grasp_index"].tolist(), file["visibility"].tolist(), strict=True))
    known = zip(sample["grasp_index"].tolist(), sample["right/visibility"].tolist(), strict=True)
    assert all(
        seen == by_number.get(number, 0.0)
        for (number, seen), there in zip(known, sample["grasp_mask"], strict=True)
        if there
    )


def test_the_command_and_the_open_dataset_write_the_same(labelled, tmp_path, capsys):
    from omni_graspd.cli.main import main

    root = tmp_path / "set"
    shutil.copytree(labelled[0], root)
    for file in root.rglob("grasp_labels_*"):
        file.unlink()
    main(["label", str(root), "--settings.points", "64", "--workers", "1"])
    assert "4 label files written" in capsys.readouterr().out
    assert graspd_dataset.open(root).write_labels(_FEW) == 0
    with pytest.raises(GraspdError, match="no hand 'shadow'; choose from barrett"):
        graspd_dataset.open(root).write_labels(hands=["shadow"])


def test_labels_that_are_not_there_are_asked_for_in_one_line(block_dataset):
    with pytest.raises(GraspdError, match=r"there are no grasp labels in .*; run `graspd label`"):
        graspd_dataset.open(block_dataset).samples(labels=True)[0]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_damaged_files_are_one_line(content: bytes, tmp_path: Path):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(GraspdError, match=r"cannot read the grasp labels .*a\.npz: .*; delete the file"):
        read_labels(tmp_path / "a.npz")


def test_damaged_compression_is_one_line(tmp_path: Path):
    file = tmp_path / "a.npz"
    write_labels({"points": np.arange(4000)}, file)
    content = bytearray(file.read_bytes())
    for place in range(60, len(content) - 100, 7):
        content[place] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(GraspdError, match="cannot read the grasp labels"):
        read_labels(file)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"graspness": None}, "no array graspness"),
        ({"points": np.zeros((2, 2), dtype=np.float32)}, r"an array points of float32 and shape \(2, 2\)"),
        ({"visibility": np.zeros(9, dtype=np.float32)}, "an array visibility"),
        ({"nearest_grasp": np.array([["a"]])}, "an array nearest_grasp of <U1"),
    ],
)
def test_arrays_that_samples_take_are_there_and_of_their_kind(change: dict, named: str, labelled, tmp_path: Path):
    file = next(labelled[0].rglob("grasp_labels_*"))
    arrays = {name: values for name, values in (read_labels(file) | change).items() if values is not None}
    write_labels(arrays, tmp_path / "a.npz")
    with pytest.raises(GraspdError, match=rf"cannot read the grasp labels .*a\.npz: {named}"):
        read_labels(tmp_path / "a.npz")


def test_a_file_that_declares_more_than_it_has_is_refused(tmp_path: Path):
    import zipfile

    file = tmp_path / "a.npz"
    header = b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("points.npy", header.ljust(79) + b"\n")
    with pytest.raises(GraspdError, match="not as large as it says"):
        read_labels(file)
