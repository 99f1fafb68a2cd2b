# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Random streams that depend on names and indices only, never on order, batch size or worker count."""

from __future__ import annotations

import zlib

import numpy as np


def random_generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Return the random stream of one item of work.

    Args:
        seed: The run's seed.
        *keys: What the stream is for, for example ``("drop", "mug", 3)``. Strings and non-negative integers.

    Returns:
        A generator that is the same for the same seed and keys, and independent of those with other keys. Streams for
        the same thing must have the same number of keys: trailing zeros do not tell streams apart.
    """
    words = [key if isinstance(key, int) else zlib.crc32(key.encode()) for key in keys]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))
