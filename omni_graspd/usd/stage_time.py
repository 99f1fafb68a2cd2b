# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""At which time a stage is read."""

from __future__ import annotations

from pxr import Usd


def first_time(stage: Usd.Stage) -> Usd.TimeCode:
    """Return the start of an animated stage; without a time range, the first sample of each attribute.

    Attributes that are not animated have the same value at any time.
    """
    if stage.HasAuthoredTimeCodeRange():
        return Usd.TimeCode(stage.GetStartTimeCode())
    return Usd.TimeCode.EarliestTime()
