# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The commands ``graspd hands ...``: their arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""


def check(hand: str, picture: Path | None = None, validate: bool = False) -> Action:
    """Look a hand over: joints, links and frames, what is wrong with it, and how to mend each fault.

    Ends with code 1 if there are errors.

    Args:
        hand: Name of a hand, a USD file, or a glob over either, for example "*" in quotes.
        picture: Write a sheet of pictures there (PNG or JPEG): open, closed, surface points, colliders.
        validate: Check NVIDIA's asset rules and its gripper profile, too.
    """
    # Rendering and its packages are only loaded where they are needed.
    from omni_graspd.cli_hand_check import run_hand_check

    return partial(run_hand_check, hand, picture, validate)


def parse_hands(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd hands`` ask for."""
    import tyro

    check.__annotations__["hand"] = tyro.conf.Positional[str]
    return tyro.extras.subcommand_cli_from_dict(
        {"check": check}, prog="graspd hands", description="Look at hands.", args=list(arguments)
    )
