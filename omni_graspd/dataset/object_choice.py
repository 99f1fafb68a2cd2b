# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which objects of a dataset a reader asks for, by split and by name; what is not there is answered in one line."""

from __future__ import annotations

from collections.abc import Sequence

from omni_graspd.dataset.splits import SPLITS, split_objects
from omni_graspd.errors import GraspdError


def chosen_objects(names: Sequence[str], split: str | None, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Return the objects of a split that are wanted.

    Args:
        names: All objects of the dataset.
        split: ``train``, ``validation`` or ``test``; None: all.
        wanted: Only these objects; None: all.

    Raises:
        GraspdError: If there is no such object or split, or nothing is left.
    """
    if wanted is not None:
        require_known("object", wanted, names)
    if split is not None:
        require_known("split", [split], SPLITS)
    splits = split_objects(names)
    found = tuple(name for name in (names if split is None else splits[split]) if wanted is None or name in wanted)
    if not found and names:
        sizes = ", ".join(f"{name} {len(members)}" for name, members in splits.items())
        raise GraspdError(
            f"there is no object in {choice_title(split, wanted)}; the {len(names)} of this dataset are shared out as "
            f"{sizes}; take another split, or all of them with split=None"
        )
    return found


def choice_title(split: str | None, wanted: Sequence[str] | None) -> str:
    """Return what messages call a choice of objects."""
    parts = [] if split is None else [f"the split {split!r}"]
    parts += [] if wanted is None else [f"[{', '.join(wanted)}]"]
    return " and ".join(parts) or "any object"


def require_known(kind: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    """Check names.

    Args:
        kind: What they are names of, for the message.
        wanted: The names.
        known: Those that there are.

    Raises:
        GraspdError: If one is not among them; all are listed.
    """
    for name in wanted:
        if name not in known:
            raise GraspdError(f"expected {kind} to be one of {', '.join(known)}, got {name!r}")
