# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that look like rendered ones, without a renderer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from omni_graspd.rendering.annotator_data import BOX_2D_DTYPE, AnnotatorData
from omni_graspd.rendering.boxes import mask_box
from omni_graspd.rendering.frame import Frame

CLASSES = {2: "mug", 3: "banana", 4: "mug", 5: "never_seen"}


@pytest.fixture
def make_frame() -> Callable[..., Frame]:
    """Return a function that makes a frame of noise: colours, instances of three classes, and their boxes."""

    def make(seed: int, height: int = 24, width: int = 32, camera_path: str = "/World/Camera") -> Frame:
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 5, (height // 4, width // 4))
        ids = np.kron(coarse, np.ones((4, 4), int)).astype(np.uint32)
        ids[rng.random(ids.shape) < 0.05] = 0
        paths = {"0": "BACKGROUND", "1": "UNLABELLED"} | {str(key): f"/World/Thing_{key}" for key in CLASSES}
        labels = {"0": "BACKGROUND", "1": "UNLABELLED"} | {str(key): name for key, name in CLASSES.items()}
        semantics = {key: {"class": label} for key, label in labels.items()}
        boxes = {key: mask_box(ids == key) for key in CLASSES}
        seen = [key for key, box in boxes.items() if box is not None]
        rows = np.array([(key, *boxes[key], 0.0) for key in seen], BOX_2D_DTYPE)
        box_info = {
            "idToLabels": {str(key): semantics[str(key)] for key in seen},
            "primPaths": [paths[str(key)] for key in seen],
        }
        channels = {
            "rgb": AnnotatorData(rng.integers(0, 256, (height, width, 4), dtype=np.uint8), {}),
            "distance_to_camera": AnnotatorData(rng.random((height, width), dtype=np.float32), {}),
            "instance_segmentation": AnnotatorData(ids, {"idToLabels": paths, "idToSemantics": semantics}),
            "bounding_box_2d_tight": AnnotatorData(rows, box_info),
        }
        return Frame(camera_path, channels)

    return make
