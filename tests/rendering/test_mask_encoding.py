# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from omni_graspd.rendering.mask_encoding import compress_counts, encode_instances


def test_small_masks_have_the_run_lengths_counted_by_hand():
    ids = np.array([[0, 7, 7], [0, 0, 7]])
    # Column by column 0 0 7 0 7 7: for 7 the runs are 2 1 1 2, for 0 they are 0 2 1 1 2. From the fourth on they are
    # differences from the one before the last: 2 - 1 = 1, respectively 1 - 2 = -1 (31 in five bits: "O") and 2 - 1 = 1.
    assert encode_instances(ids) == {0: "021O1", 7: "2111"}


def test_long_runs_take_several_characters():
    # 100 is 3 * 32 + 4: the low five bits with the mark "more follows", then 3.
    assert compress_counts(np.array([100])) == "T3"
    # The fourth number is a difference from the second: 5 - 105 = -100 is -4 * 32 + 28.
    assert compress_counts(np.array([0, 105, 0, 5]))[-2:] == chr(48 + 32 + 28) + chr(48 + 28)


def test_an_image_of_one_id_is_one_run():
    assert encode_instances(np.full((3, 4), 5)) == {5: "0<"}


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (37, 23), (480, 640)])
@pytest.mark.parametrize("block", [1, 7])
def test_masks_have_the_bytes_that_pycocotools_makes(shape, block):
    mask = pytest.importorskip("pycocotools.mask", reason="needs pycocotools (pip install '.[dev]')")
    rng = np.random.default_rng(0)
    for largest in (1, 2, 6):
        ids = np.kron(rng.integers(0, largest, shape), np.ones((block, block), int))[: shape[0], : shape[1]]
        encoded = encode_instances(ids)
        assert list(encoded) == np.unique(ids).tolist()
        for value, counts in encoded.items():
            expected = mask.encode(np.asfortranarray((ids == value).astype(np.uint8)))
            assert counts == expected["counts"].decode()
