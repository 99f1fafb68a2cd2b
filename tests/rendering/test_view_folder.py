# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A view's folder: which files make it whole, and what writing it again leaves alone."""

from __future__ import annotations

import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.frame import CameraRig
from omni_graspd.rendering.view_folder import eye_names, is_whole, write_view

ANNOTATORS = ("rgb", "distance_to_camera", "instance_segmentation", "bounding_box_2d_tight", "stereo_disparity")
MONO = CameraRig("view_0000", ("/World/Camera",), 32, 24)


@pytest.mark.parametrize(
    "missing",
    ["rgb_0000.png", "instance_segmentation_mapping_0000.json", "bounding_box_2d_tight_prim_paths_0000.json"],
)
def test_a_view_is_whole_only_with_all_its_files(tmp_path, make_frame, missing):
    folder = tmp_path / "view"
    assert not is_whole(folder, MONO, ANNOTATORS)
    write_view([make_frame(0)], folder)
    assert is_whole(folder, MONO, ANNOTATORS)
    (folder / missing).unlink()
    assert not is_whole(folder, MONO, ANNOTATORS)


def test_a_stereo_view_is_whole_only_with_both_eyes_and_their_disparity(tmp_path, make_frame):
    rig, folder = CameraRig("view", ("/World/left", "/World/right"), 32, 24), tmp_path / "view"
    write_view([make_frame(0), make_frame(1)], folder)
    assert sorted(path.name for path in folder.iterdir()) == ["left", "right"]
    assert not is_whole(folder, rig, ANNOTATORS)
    for eye in ("left", "right"):
        (folder / eye / "stereo_disparity_0000.npy").touch()
    assert is_whole(folder, rig, ANNOTATORS)
    (folder / "right" / "rgb_0000.png").unlink()
    assert not is_whole(folder, rig, ANNOTATORS)


def test_a_view_written_again_keeps_what_is_not_its_own(tmp_path, make_frame):
    folder = tmp_path / "view"
    write_view([make_frame(0)], folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "rgb_0000.png").unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_view([make_frame(0)], folder)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert before.items() < after.items()
    assert set(after) - set(before) == {"rgb_0000.png"}


def test_a_view_that_cannot_be_written_leaves_nothing(tmp_path, make_frame):
    frames = [make_frame(0), make_frame(1)]
    frames[1].channels["depth"] = frames[1].channels["rgb"]
    with pytest.raises(ValueError, match="depth"):
        write_view(frames, tmp_path / "view")
    assert list(tmp_path.iterdir()) == []


def test_four_cameras_in_one_view_are_refused():
    with pytest.raises(GraspdError, match="got 4 cameras"):
        eye_names(4)
