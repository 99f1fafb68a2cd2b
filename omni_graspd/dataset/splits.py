# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Training, validation and test sets by object, so that no object is seen in two of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from omni_graspd.errors import GraspdError

SPLITS = ("train", "validation", "test")


def split_objects(
    names: Iterable[str], shares: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0
) -> dict[str, tuple[str, ...]]:
    """Share objects out among the splits.

    The order in which objects are dealt comes from a hash of the seed and the name, so it does not depend on the
    machine, on the order of the names, or on the version of Python. The sizes are the shares rounded; validation and
    test get an object each if there are three or more.

    Args:
        names: Names of the objects.
        shares: Of training, validation and test; they sum to 1.
        seed: Other seeds, other splits.

    Returns:
        Names by split, in the order of the hash.

    Raises:
        GraspdError: If the shares are not three that sum to 1.
    """
    if len(shares) != len(SPLITS) or min(shares) < 0.0 or abs(sum(shares) - 1.0) > 1e-9:
        raise GraspdError(f"expected three shares that sum to 1, for {', '.join(SPLITS)}, got {list(shares)}")
    order = sorted(set(names), key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    least = 1 if len(order) >= len(SPLITS) else 0
    held_out = [max(least, round(share * len(order))) if share > 0.0 else 0 for share in shares[1:]]
    validation, test = held_out[0], min(held_out[1], len(order) - held_out[0])
    train = len(order) - validation - test
    return {
        "train": tuple(order[:train]),
        "validation": tuple(order[train : train + validation]),
        "test": tuple(order[train + validation :]),
    }


def split_by_object(names: Iterable[str]) -> dict[str, str]:
    """Return the name of the split that each object is in, by the default shares and seed."""
    return {name: split for split, members in split_objects(names).items() for name in members}
