# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The parts that make grasps fit a table, left out one at a time."""

from __future__ import annotations

from dataclasses import replace

from omni_graspd.synthesis.config import SynthesisConfig

OBJECTS = ("soup_can", "mug", "card_box", "banana", "screwdriver")
"""Objects of the comparison: round, hollow, flat, lying, thin."""


def variants(config: SynthesisConfig) -> dict[str, SynthesisConfig]:
    """Return the settings to compare by name, all parts first.

    Starts cannot be those of floating objects. *Plain* ones are the nearest to them: before the hull in any turn, drawn
    once, and lifted no more than until the hand is level with the table top. Low objects keep some opposed starts all
    the same, the lowest have no others.
    """
    plain = replace(config.table_start, opposed=0.0, clearance=0.0, attempts=1)
    no_term = {"surroundings_weight": 0.0, "rise_rate": 0.0}
    return {
        "all parts": config,
        "table term only (plain starts)": replace(config, table_start=plain),
        "starts only (no table term)": replace(config, **no_term),
        "neither": replace(config, table_start=plain, **no_term),
        "no retries": replace(config, tries=1),
        "no opposed starts (of high objects)": replace(config, table_start=replace(config.table_start, opposed=0.0)),
    }
