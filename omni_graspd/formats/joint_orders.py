# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Orders in which programs list the joints of a hand."""

from __future__ import annotations

from omni_graspd.formats.hand_conventions import CONVENTIONS
from omni_graspd.hands.hand import Hand


def joint_orders(hand: Hand) -> dict[str, tuple[str, ...]]:
    """Return known orders of a hand's joints: by the tree, by the alphabet, and those of other projects.

    Args:
        hand: The hand.

    Returns:
        Joint names of the hand by the name of the order; each order once.
    """
    digits = _digits(hand)
    orders = {
        "finger by finger": tuple(name for digit in digits for name in digit),
        "finger by finger, last finger first": tuple(name for digit in digits[-1:] + digits[:-1] for name in digit),
        "finger by finger, backwards": tuple(name for digit in digits[::-1] for name in digit),
        "all first joints, then all second ones (breadth first)": _breadth_first(digits),
        "alphabetical": tuple(sorted(hand.joint_names)),
    }
    for format_name, conventions in CONVENTIONS.items():
        for convention in conventions:
            names = tuple(joint.ours for joint in convention.joints)
            if set(names) == set(hand.joint_names):
                orders[f"that of {format_name}"] = names
    unique: dict[tuple[str, ...], str] = {}
    for name, order in orders.items():
        unique.setdefault(order, name)
    return {name: order for order, name in unique.items()}


def _digits(hand: Hand) -> list[list[str]]:
    """Return the joints of each branch that leaves the palm, from the palm outward, in the order of the hand."""
    branch: dict[int, int] = {}
    digits: dict[int, list[str]] = {}
    for index, link in enumerate(hand.links):
        if link.parent < 0:
            continue
        branch[index] = branch.get(link.parent, index)
        if link.joint >= 0:
            digits.setdefault(branch[index], []).append(hand.joint_names[link.joint])
    return list(digits.values())


def _breadth_first(digits: list[list[str]]) -> tuple[str, ...]:
    longest = max((len(digit) for digit in digits), default=0)
    return tuple(digit[level] for level in range(longest) for digit in digits if level < len(digit))
