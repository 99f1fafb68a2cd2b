# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM where a library has a handler of its own."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import pytest

from omni_graspd.interrupts import own_sigterm, sigterm_like_ctrl_c


def exit_by_number(number: int, frame: FrameType | None) -> None:
    sys.exit(number)


def test_a_sigterm_that_a_library_takes_ends_a_run_as_any_other():
    ended: list[int] = []
    with pytest.raises(KeyboardInterrupt), sigterm_like_ctrl_c(ended), own_sigterm():
        signal.signal(signal.SIGTERM, exit_by_number)
        signal.raise_signal(signal.SIGTERM)
    assert ended == [signal.SIGTERM]


def test_the_own_handler_is_back_after_the_library_has_begun():
    ended: list[int] = []
    with pytest.raises(KeyboardInterrupt), sigterm_like_ctrl_c(ended):
        with own_sigterm():
            signal.signal(signal.SIGTERM, exit_by_number)
        signal.raise_signal(signal.SIGTERM)
    assert ended == [signal.SIGTERM]


def test_other_exits_pass():
    with pytest.raises(SystemExit) as ended, own_sigterm():
        sys.exit(3)
    assert ended.value.code == 3
