# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The Replicator writer against the standalone one: same arrays, same bytes, in all of Replicator's structures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit_fakes.replicator import synthetic_channels
from pxr import UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.annotator_data import AnnotatorData
from omni_graspd.rendering.annotators import ANNOTATORS
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
from omni_graspd.rendering.view_folder import write_view

WIDTH, HEIGHT, BASELINE = 8, 6, 0.06
STRUCTURES = ("legacy", "annotator", "renderProduct")
ALL = tuple(ANNOTATORS)


def _put_cameras(stage) -> list[str]:
    rig = UsdGeom.Xform.Define(stage, "/Rig")
    rig.AddTranslateOp().Set((0.3, -0.5, 0.8))
    rig.AddRotateXYZOp().Set((50.0, 0.0, 20.0))
    for name, side in (("left", -0.5), ("right", 0.5)):
        camera = UsdGeom.Camera.Define(stage, f"/Rig/{name}")
        camera.AddTranslateOp().Set((side * BASELINE, 0.0, 0.0))
    return ["/Rig/left", "/Rig/right"]


def _channels(stage, path: str, resolution: tuple[int, int]) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """Synthetic arrays with the true parameters of the camera."""
    made = synthetic_channels(stage, path, resolution)
    params = read_pinhole_camera(stage, path, *resolution).camera_params()
    made["camera_params"] = (made["camera_params"][0], {k: _array(v) for k, v in params.items()})
    made["distance_to_image_plane"][0][0] = np.inf
    return made


def _array(value: Any) -> Any:
    return np.array(value) if isinstance(value, list) else value


def _standalone(stage, path: str, is_stereo: bool) -> Frame:
    """The frame that the standalone renderer would give for the same arrays."""
    channels = {}
    made = _channels(stage, path, (WIDTH, HEIGHT))
    for name, (data, side) in made.items():
        tables = {k: {str(i): v for i, v in side[k].items()} for k in side if k.startswith("idTo")}
        channels[name] = AnnotatorData(data, side | tables)
    camera = read_pinhole_camera(stage, path, WIDTH, HEIGHT)
    channels["camera_params"] = AnnotatorData(np.zeros(0, np.float32), camera.camera_params())
    if is_stereo:
        depth = made["distance_to_image_plane"][0].astype(np.float64)
        disparity = np.where(np.isfinite(depth), camera.focal_pixels * BASELINE / depth, 0.0)
        channels["stereo_disparity"] = AnnotatorData(disparity.astype(np.float32), {})
    return Frame(path, {name: channels[name] for name in ANNOTATORS if name in channels})


def _capture(kit, writer, cameras: list[str], frames: int = 1) -> None:
    import omni.replicator.core as rep

    kit.replicator.renderer = _channels
    products = [rep.create.render_product(camera, (WIDTH, HEIGHT), name="Eye") for camera in cameras]
    writer.attach(products)

    async def run() -> None:
        for _ in range(frames):
            await rep.orchestrator.step_async(delta_time=0.0)

    kit.run(run())
    writer.on_final_frame()
    writer.detach()
    for product in products:
        product.destroy()


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _writer(folder: Path, **arguments: Any):
    import omni.replicator.core as rep

    from omni_graspd.kit.writer import register_writer

    register_writer()
    writer = rep.WriterRegistry.get("GraspdWriter")
    writer.initialize(output_dir=None if folder is None else str(folder), **arguments)
    return writer


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("eyes", [1, 2])
def test_files_have_the_bytes_of_the_standalone_writer(kit, tmp_path, structure, eyes):
    stage = kit.usd.stage
    cameras = _put_cameras(stage)[:eyes]
    _capture(kit, _writer(tmp_path / "kit", annotators=ALL, data_structure=structure), cameras)
    write_view([_standalone(stage, path, eyes == 2) for path in cameras], tmp_path / "standalone" / "view_0000")
    written, expected = _bytes(tmp_path / "kit"), _bytes(tmp_path / "standalone")
    assert sorted(written) == sorted(expected)
    assert len(expected) == eyes * (25 + (eyes == 2))
    assert [name for name in expected if written[name] != expected[name]] == []


def test_the_left_eye_is_found_by_where_the_cameras_stand(kit, tmp_path):
    cameras = _put_cameras(kit.usd.stage)
    _capture(kit, _writer(tmp_path / "ordered"), cameras)
    _capture(kit, _writer(tmp_path / "swapped"), cameras[::-1])
    assert _bytes(tmp_path / "ordered") == _bytes(tmp_path / "swapped")
    left = json.loads((tmp_path / "ordered/view_0000/left/camera_params_0000.json").read_text())
    expected = read_pinhole_camera(kit.usd.stage, "/Rig/left", WIDTH, HEIGHT).view_matrix()
    np.testing.assert_allclose(np.reshape(left["cameraViewTransform"], (4, 4)), expected)


def test_two_cameras_that_look_elsewhere_are_no_pair(kit, tmp_path):
    cameras = _put_cameras(kit.usd.stage)
    UsdGeom.Camera(kit.usd.stage.GetPrimAtPath(cameras[1])).AddRotateYOp().Set(30.0)
    with pytest.raises(GraspdError, match=r"stereo pair.*one writer to each"):
        _capture(kit, _writer(tmp_path), cameras)


def test_each_capture_is_a_view(kit, tmp_path):
    cameras = _put_cameras(kit.usd.stage)
    _capture(kit, _writer(tmp_path, annotators=("rgb",), first_view=3), cameras[:1], frames=5)
    assert sorted(_bytes(tmp_path)) == [f"view_{view:04d}/rgb_0000.png" for view in range(3, 8)]


def test_disparity_alone_needs_no_other_file(kit, tmp_path):
    _capture(kit, _writer(tmp_path, annotators=("stereo_disparity",)), _put_cameras(kit.usd.stage))
    assert sorted(_bytes(tmp_path)) == [f"view_0000/{eye}/stereo_disparity_0000.npy" for eye in ("left", "right")]


def test_ids_without_a_label_are_unlabelled(kit, tmp_path):
    from omni_graspd.kit.channels import replicator_channel

    image = np.array([[0, 2], [7, 1]], dtype=np.int32)
    channel = replicator_channel(
        "semantic_segmentation", {"data": image, "info": {"idToLabels": {"2": {"class": "a"}}}}
    )
    assert channel.data.dtype == np.uint32
    assert list(channel.info["idToLabels"]) == ["0", "1", "2", "7"]
    assert channel.info["idToLabels"]["2"] == {"class": "a"}


def test_colours_instead_of_ids_are_refused(kit):
    from omni_graspd.kit.channels import replicator_channel

    colours = np.zeros((2, 2, 4), dtype=np.uint8)
    with pytest.raises(GraspdError, match="colorize"):
        replicator_channel("semantic_segmentation", {"data": colours, "info": {"idToLabels": {}}})


def test_unknown_annotators_and_structures_are_refused(kit, tmp_path):
    with pytest.raises(GraspdError, match="got depth"):
        _writer(tmp_path, annotators=("depth",))
    with pytest.raises(GraspdError, match="got 'modern'"):
        _writer(tmp_path, data_structure="modern")


@pytest.mark.parametrize("count", [1, 2], ids=["mono", "stereo"])
def test_a_backend_gets_the_same_bytes_as_the_disk(kit, tmp_path, count):
    cameras, store = _put_cameras(kit.usd.stage)[:count], kit.instance("BaseBackend")
    _capture(kit, _writer(tmp_path, annotators=ALL), cameras, frames=2)
    _capture(kit, _writer(None, annotators=ALL, backend=store), cameras, frames=2)
    assert store.fake_files == _bytes(tmp_path) and len(store.fake_files) > 20


def test_neither_folder_nor_backend_is_refused(kit):
    with pytest.raises(GraspdError, match="expected output_dir or backend, got neither"):
        _writer(None)


def test_a_view_that_cannot_be_written_is_reported(kit, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        _capture(kit, _writer(tmp_path / "file"), _put_cameras(kit.usd.stage)[:1])
