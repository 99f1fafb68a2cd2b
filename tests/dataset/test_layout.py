# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What lies where in a dataset's folder."""

from __future__ import annotations

from pathlib import Path

from omni_graspd.dataset.layout import DatasetLayout


def test_eyes_with_any_channel_are_images_in_colour_or_not(tmp_path: Path) -> None:
    mono = "renders/mug/scene_0000/view_0000"
    left, right = (f"renders/mug/scene_0010/view_0001/{eye}" for eye in ("left", "right"))
    files = [f"{mono}/rgb_0000.png", f"{mono}/camera_params_0000.json"]
    files += [f"{left}/semantic_segmentation_0000.png", f"{right}/distance_to_camera_0000.npy"]
    for name in (*files, "renders/mug/scene_0000/shown_grasps.json", "renders/bowl/scene_0000/view_0000/rgb_0000.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    layout = DatasetLayout(tmp_path)
    assert layout.image_folders("mug") == [tmp_path / folder for folder in (mono, left, right)]
    assert layout.image_folders("mug", 10) == [tmp_path / left, tmp_path / right]
    assert layout.image_folders("mug", 1) == []
