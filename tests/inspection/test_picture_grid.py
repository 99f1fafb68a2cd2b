# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures in columns."""

from __future__ import annotations

import numpy as np

from omni_graspd.inspection.picture_grid import Column, Tile, compose_columns


def _column(color):
    picture = np.full((30, 40, 3), color, dtype=np.uint8)
    return Column("name", "figures", ((Tile(picture, "one"),), (Tile(picture, "two"), Tile(picture, "three"))))


def test_three_columns_are_2000_pixels_wide():
    assert compose_columns("title", "subtitle", [_column(9)] * 3).shape[1] == 2000


def test_a_fourth_column_goes_below():
    three, four = (compose_columns("t", "s", [_column(9)] * count) for count in (3, 4))
    assert four.shape[1] == three.shape[1]
    assert four.shape[0] > 1.5 * three.shape[0]


def test_every_picture_is_there_in_its_shape():
    page = compose_columns("", "", [_column(9)])
    painted = (page == 9).all(axis=-1)
    large, half = 608 * 456, 298 * 224
    assert abs(int(painted.sum()) - (large + 2 * half)) < 2000  # corners are rounded


def test_rows_without_pictures_take_no_room():
    column = _column(9)
    gap = Column(column.heading, column.subheading, (column.rows[0], (), column.rows[1]))
    np.testing.assert_array_equal(compose_columns("", "", [gap]), compose_columns("", "", [column]))
