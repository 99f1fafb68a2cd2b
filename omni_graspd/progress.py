# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How long work tells how far it is: one callback."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (done, total) in items of the stage; ``done`` never falls."""


def no_progress(done: int, total: int) -> None:
    """Ignore progress."""
