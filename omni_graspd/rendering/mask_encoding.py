# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Masks as COCO's compressed run lengths.

A mask is read column by column as runs of pixels outside and inside, in turn, the first one outside. From the fourth on
runs are stored as differences from the one before the last. Each number is cut into groups of five bits, low ones
first, until the rest follows from the sign; a group is a character from "0" on, plus 32 if more follow.

References:
    Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the format that its tools read.
"""

from __future__ import annotations

import numpy as np

_MOST_GROUPS = 13  # of a 64-bit number


def encode_instances(ids: np.ndarray) -> dict[int, str]:
    """Encode the mask of each id of an image.

    Args:
        ids: Ids, shape [height, width].

    Returns:
        Run lengths by id, for ids in the image, in rising order.
    """
    pixels = ids.T.ravel()
    starts = np.concatenate([[0], np.flatnonzero(pixels[1:] != pixels[:-1]) + 1])
    ends = np.append(starts[1:], len(pixels))
    shown = pixels[starts]
    masks = {}
    for value in np.unique(shown):
        is_inside = shown == value
        borders = np.column_stack([starts[is_inside], ends[is_inside]]).ravel()
        counts = np.diff(borders, prepend=0, append=len(pixels))
        masks[int(value)] = compress_counts(counts if counts[-1] else counts[:-1])
    return masks


def compress_counts(counts: np.ndarray) -> str:
    """Return run lengths, shape [count], as text."""
    rest = counts.astype(np.int64)
    rest[3:] -= counts[1:-2]
    characters = np.zeros((len(counts), _MOST_GROUPS), dtype=np.uint8)
    is_used = np.zeros(characters.shape, dtype=bool)
    more = np.ones(len(counts), dtype=bool)
    for group in range(_MOST_GROUPS):
        if not more.any():
            break
        bits, rest = rest & 31, rest >> 5
        is_used[:, group] = more
        more = more & (rest != np.where(bits & 16, -1, 0))
        characters[:, group] = 48 + bits + np.where(more, 32, 0)
    return characters[is_used].tobytes().decode("ascii")
