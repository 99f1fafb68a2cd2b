# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Annotations drawn into pictures."""

from __future__ import annotations

import numpy as np
import pytest

from omni_graspd.inspection.annotations import PALETTE, color_distances, draw_annotations
from omni_graspd.rendering.annotator_data import BOX_2D_DTYPE, BOX_3D_DTYPE, AnnotatorData
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.pinhole_camera import PinholeCamera

_WIDTH, _HEIGHT = 80, 60


@pytest.fixture
def frame():
    """A cube of 0.2 m, 1 m before a camera, that fills the pixels 30..49 x 20..39; black everywhere."""
    camera = PinholeCamera("/c", np.eye(4), _WIDTH, _HEIGHT, 20.0, (16.0, 12.0), (0, 0), (0.01, 10.0), 0.0, 0.0, 1.0)
    matrix = np.eye(4, dtype=np.float32)
    matrix[3, :3] = (0.0, 0.0, -1.1)
    instances = np.zeros((_HEIGHT, _WIDTH), dtype=np.uint32)
    instances[20:40, 30:50] = 2
    instances[50:, :] = 3
    tight = np.array([(2, 30, 20, 49, 39, 0.0), (3, 0, 50, 79, 59, 0.0)], BOX_2D_DTYPE)
    solid = np.array([(2, -0.1, -0.1, -0.1, 0.1, 0.1, 0.1, matrix, 0.0)], BOX_3D_DTYPE)
    labels = {"2": {"class": "cube"}, "3": {"class": "table"}}
    return Frame(
        "/c",
        {
            "rgb": AnnotatorData(np.zeros((_HEIGHT, _WIDTH, 4), dtype=np.uint8), {}),
            "instance_segmentation": AnnotatorData(instances, {"idToLabels": {"2": "/w/cube", "3": "/w/table"}}),
            "bounding_box_2d_tight": AnnotatorData(tight, {"idToLabels": labels, "primPaths": ["/w/cube", "/w/table"]}),
            "bounding_box_3d": AnnotatorData(solid, {"idToLabels": labels, "primPaths": ["/w/cube"]}),
            "camera_params": AnnotatorData(np.zeros(0), camera.camera_params()),
        },
    )


def test_the_mask_is_tinted_and_the_background_is_not(frame):
    picture = draw_annotations(frame, {"cube"})
    np.testing.assert_allclose(picture[30, 40], 0.3 * np.array(PALETTE[0]), atol=3)
    assert not picture[:15].any()


def test_labels_that_are_not_asked_for_are_left_out(frame):
    assert not draw_annotations(frame, {"cube"})[45:].any()
    assert draw_annotations(frame, {"cube", "table"})[55].any()


def test_the_2d_box_goes_around_the_mask(frame):
    picture = draw_annotations(frame, {"cube"}).astype(int)
    for row, column in ((20, 40), (39, 40), (30, 30), (30, 49)):
        assert picture[row, column].sum() > 250
    assert picture[16, 40].sum() < 30
    assert picture[43, 40].sum() < 30


def test_the_near_face_of_the_3d_box_meets_the_2d_box(frame):
    # Half the edge over the distance of the near face, 0.1 m / 1.0 m, at 100 pixels focal length: 10 pixels.
    tight = frame.channels["bounding_box_2d_tight"]
    outside = tight.data.copy()
    outside[["x_min", "y_min", "x_max", "y_max"]] = (-9, -9, 99, 99)
    boxes = {"bounding_box_2d_tight": AnnotatorData(outside, tight.info)}
    picture = draw_annotations(Frame("/c", frame.channels | boxes), {"cube"})
    bright = picture.astype(int).sum(axis=-1) > 400
    rows, columns = np.nonzero(bright)
    assert (rows.min(), rows.max()) in {(19, 39), (19, 40), (20, 39), (20, 40)}
    assert (columns.min(), columns.max()) in {(29, 49), (29, 50), (30, 49), (30, 50)}


def test_near_is_red_and_far_is_blue_and_nothing_is_grey():
    picture = color_distances(np.array([[0.5, 0.6, 1.5, np.inf]]), limits=(0.5, 1.6)).astype(int)
    assert picture[0, 0, 0] > picture[0, 0, 2]
    assert picture[0, 2, 2] > picture[0, 2, 0]
    assert np.ptp(picture[0, 3]) < 10


def test_an_empty_picture_has_no_distances():
    assert color_distances(np.full((2, 2), np.inf)).shape == (2, 2, 3)
