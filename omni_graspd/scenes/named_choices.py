# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Names to draw from, of which some stand for a group of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from omni_graspd.errors import GraspdError


def require_known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Check names that a user gave.

    Raises:
        GraspdError: If there is none, or one that is not known.
    """
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise GraspdError(f"expected {what} among {', '.join(known)}, got {', '.join(unknown) or 'none'}")


def draw_name(names: Sequence[str], groups: Mapping[str, Sequence[str]], random: np.random.Generator) -> str:
    """Draw one of several names, all alike; of a group, one of its members."""
    name = names[int(random.integers(len(names)))]
    members = groups.get(name, (name,))
    return members[int(random.integers(len(members)))]
