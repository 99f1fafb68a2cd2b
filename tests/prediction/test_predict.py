# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From an image to a table that everything downstream takes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import omni_graspd as gd
from omni_graspd.cli import main as cli
from omni_graspd.prediction.predict_grasps import predict_grasps
from omni_graspd.prediction.predictor import Predictor
from omni_graspd.prediction.refinement import refine
from omni_graspd.prediction.seen_object import guessed_object
from omni_graspd.prediction.training import TrainRun, train_model
from omni_graspd.prediction.view_input import read_view

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[predict]'")


@pytest.fixture(scope="module")
def model(hand, sets, config, tmp_path_factory):
    out = tmp_path_factory.mktemp("model")
    train_model(hand, sets, config, TrainRun(out=out, threads=1))
    return out


def test_an_array_gives_grasps_before_its_camera(model, image, tmp_path):
    options = {"intrinsics": image.intrinsics, "mask": image.mask, "T_world_camera": image.T_world_camera}
    grasps = gd.predict(model, image.depth, 6, **options)
    assert (len(grasps), grasps.hand.name, grasps.object.name) == (6, "barrett", "seen")
    # The table of the world, z = 0, before the camera.
    normal = image.T_world_camera[2, :3]
    np.testing.assert_allclose(
        grasps.batch.way.table_plane, np.tile([*normal, -image.T_world_camera[2, 3]], (6, 1)), atol=1e-6
    )
    usable = grasps.usable
    assert (np.diff(usable.astype(int)) <= 0).all(), "those clear of the table come first"
    for part in (grasps[usable], grasps[~usable]):
        assert (np.diff(part.metrics["predicted_score"]) <= 0.0).all()
    grasps.evaluate().save(tmp_path / "grasps.parquet")
    (back,) = gd.read_grasps(tmp_path / "grasps.parquet", obj=grasps.object)
    np.testing.assert_array_equal(back.T_object_palm, grasps.T_object_palm)
    assert {"predicted_score", "epsilon"} <= set(back.metrics)
    assert back.batch.way is not None and back.batch.postures is not None


def test_a_pose_that_is_found_gives_nearly_the_same_grasps(model, image):
    known = gd.predict(
        model, image.depth, 4, intrinsics=image.intrinsics, mask=image.mask, T_world_camera=image.T_world_camera
    )
    found = gd.predict(model, image.depth, 4, intrinsics=image.intrinsics, mask=image.mask)
    np.testing.assert_allclose(found.T_object_palm, known.T_object_palm, atol=1e-3)


@pytest.mark.slow
def test_lifts_are_tried_as_of_any_grasps(model, image):
    grasps = gd.predict(model, image.depth, 2, intrinsics=image.intrinsics, mask=image.mask)
    assert grasps.measure_lift().metrics["lifted"].shape == (2,)


def test_the_command_predicts_from_a_view_and_writes_a_table(model, dataset, tmp_path, capsys):
    view = dataset / "renders" / "block" / "scene_0000" / "view_0000"
    out = tmp_path / "block.parquet"
    cli.main(["predict", str(model), str(view), "--count", "5", "--out", str(out)])
    assert "5 grasps of block by barrett" in capsys.readouterr().out
    assert not out.with_suffix(".ply").exists()
    again = gd.predict(model, view, 5)
    (back,) = gd.read_grasps(out, obj=dataset / "objects" / "block.usd")
    np.testing.assert_array_equal(back.T_object_palm, again.T_object_palm)
    plane = back.batch.way.table_plane[0]
    lowest = (back.object.mesh.vertices @ plane[:3]).min() - plane[3]
    assert abs(lowest) < 1e-3, "the object rests on the table of its grasps"


def test_the_command_predicts_from_files(model, image, tmp_path, capsys):
    np.save(tmp_path / "depth.npy", image.depth)
    Image.fromarray(np.rint(1e3 * image.depth).astype(np.uint16)).save(tmp_path / "depth.png")
    Image.fromarray(255 * image.mask.astype(np.uint8)).save(tmp_path / "mask.png")
    camera = ["--intrinsics", "220", "220", "80", "60"]
    palms = {}
    for name in ("depth.npy", "depth.png"):
        out = tmp_path / f"{name[-3:]}.parquet"
        mask = ["--mask", str(tmp_path / "mask.png")]
        cli.main(["predict", str(model), str(tmp_path / name), *camera, *mask, "--count", "3", "--out", str(out)])
        assert out.with_suffix(".ply").is_file()
        (grasps,) = gd.read_grasps(out, obj=out.with_suffix(".ply"))
        palms[name] = grasps.T_object_palm
    np.testing.assert_allclose(palms["depth.png"], palms["depth.npy"], atol=5e-3)
    cli.main(["convert", str(out), str(tmp_path / "set"), "--to", "dataset", "--object", str(out.with_suffix(".ply"))])
    assert gd.open(tmp_path / "set").grasps("barrett").num_rows <= 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["depth.npy"], "does not say what its camera is"),
        (["nowhere.npy", "--intrinsics", "1", "1", "1", "1"], "expected a view of a dataset"),
        (["text.npy", "--intrinsics", "1", "1", "1", "1"], "cannot read the image"),
        (["text.png", "--intrinsics", "1", "1", "1", "1"], "cannot read the image"),
        (["grey.png", "--intrinsics", "1", "1", "1", "1"], "expected a 16-bit grey image"),
        (["depth.npy", "--intrinsics", "0", "1", "1", "1"], "expected a camera matrix"),
        (["depth.npy", "--intrinsics", "9", "9", "4", "4", "--mask", "small.npy"], "expected a mask as large"),
        (
            ["depth.npy", "--intrinsics", "9", "9", "4", "4", "--camera-pose", *"1234567"],
            "unit quaternion",
        ),
        (["depth.npy", "--intrinsics", "9", "9", "4", "4", "--out", "x.csv"], "expected a .parquet file"),
        (["depth.npy", "--intrinsics", "9", "9", "4", "4", "--count", "0"], "expected count from 1"),
    ],
)
def test_wrong_input_is_told_in_a_line(arguments, message, model, image, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("depth.npy", image.depth)
    np.save("small.npy", np.ones((3, 3)))
    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save("grey.png")
    for name in ("text.npy", "text.png"):
        (tmp_path / name).write_text("no image")
    with pytest.raises(SystemExit) as stop:
        cli.main(["predict", str(model), *arguments])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_training_from_the_command_line(dataset, tmp_path, capsys):
    out = tmp_path / "model"
    call = [
        "train",
        str(dataset),
        "--preset",
        "tiny",
        "--steps",
        "2",
        "--threads",
        "1",
        "--no-picture",
        "--out",
        str(out),
    ]
    cli.main(call)
    printed = capsys.readouterr().out
    assert "train: 8 images, 32 grasps before them of block" in printed
    assert "no held-out objects" in printed
    grasps = gd.predict(out, dataset / "renders" / "block" / "scene_0000" / "view_0001", 2)
    assert grasps.object.name == "block"
    same = gd.train(dataset, out, preset="tiny", steps=2, threads=1)
    assert same.model.hand.name == "barrett"


@pytest.mark.slow
def test_refined_grasps_touch_the_object(model, dataset):
    """The network is hardly trained: what it says is anywhere near the block."""
    view = dataset / "renders" / "block" / "scene_0000" / "view_0000"
    rough, refined = (gd.predict(model, view, 6, refine=each) for each in (False, True))
    touching = [grasps.evaluate().metrics["contact_area"] > 1e-4 for grasps in (rough, refined)]
    assert touching[1].sum() > touching[0].sum()
    assert refined.batch.postures is not None and len(refined.status) == 6
    depths = refined.metrics["penetration_depth"]
    assert (depths[refined.usable] < 0.006).all()


def test_what_is_only_guessed_is_refined_3_mm_outside_and_known_objects_on_their_mesh(
    model, hand, image, dataset, monkeypatch
):
    asked = []

    def stop(hand, wanted, *args):
        asked.append(wanted[0].request.obj)
        raise InterruptedError

    monkeypatch.setattr("omni_graspd.prediction.refinement.run_passes", stop)
    predictor = Predictor.load(model)
    view = read_view(dataset / "renders" / "block" / "scene_0000" / "view_0000")
    for source in (image, view):
        found = predict_grasps(predictor, source, 2, hand=hand)
        with pytest.raises(InterruptedError):
            refine(found)
        wider = guessed_object(found.guess, found.T_object_crop, grown=0.003)
        expected = found.obj if source is view else wider
        np.testing.assert_array_equal(asked[-1].mesh.vertices, expected.mesh.vertices)
        assert not np.array_equal(found.obj.mesh.vertices, wider.mesh.vertices)


@pytest.mark.slow
def test_a_picture_of_predictions(model, dataset, tmp_path):
    view = dataset / "renders" / "block" / "scene_0000" / "view_0000"
    cli.main(["predict", str(model), str(view), "--count", "2", "--picture", str(tmp_path / "grasps.png")])
    assert np.asarray(Image.open(tmp_path / "grasps.png")).std() > 10.0
