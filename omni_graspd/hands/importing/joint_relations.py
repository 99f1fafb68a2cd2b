# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Linear relations between joints, solved for what follows what: repeats are no conflict, contradictions are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.source_hand import SourceJoint, SourceLink, displaced

_SAME = 1e-4
"""Relations that differ by less than this part say the same."""


class JointRelations:
    """Relations that are gathered one by one; each joint is free, held, or follows one that is free."""

    def __init__(self, names: Sequence[str], source: Path) -> None:
        """Begin with joints that are all free.

        Args:
            names: Names of the joints.
            source: The file, for errors.
        """
        self._source = source
        self._expressions: dict[str, tuple[str | None, float, float]] = {name: (name, 1.0, 0.0) for name in names}

    def leader(self, name: str) -> str | None:
        """Return the free joint that a joint follows, itself if it is free, None if it is held."""
        return self._expressions[name][0]

    def add(self, terms: Mapping[str, float], constant: float, where: str) -> None:
        """Demand that the sum of factor times position [rad or m] over some joints is a constant.

        Where two joints are left free, the first of them becomes the one that follows.

        Args:
            terms: Factor of each joint.
            constant: What the sum is.
            where: What in the file says so, for errors.

        Raises:
            GraspdError: If it contradicts what was said before, or ties more than two free joints together.
        """
        factors: dict[str, float] = {}
        rest = constant
        leaders = [self._expressions[name][0] for name in terms]
        for name, factor in terms.items():
            leader, multiplier, offset = self._expressions[name]
            rest -= factor * offset
            if leader is not None:
                factors[leader] = factors.get(leader, 0.0) + factor * multiplier
        largest = max((abs(factor) for factor in terms.values()), default=0.0)
        factors = {name: factor for name, factor in factors.items() if abs(factor) > _SAME * largest}
        are_tied = len(terms) > 1 and len(set(leaders)) == 1
        if (factors and are_tied) or (not factors and abs(rest) > _SAME * max(largest, abs(constant))):
            raise GraspdError(
                f"expected couplings of {self._source} that agree, got {where} against what couples "
                f"{' and '.join(terms)} already; remove one"
            )
        if not factors:
            return
        if len(factors) > 2:
            raise GraspdError(
                f"expected couplings of one joint to another in {self._source}, got {where}, which ties "
                f"{', '.join(factors)} together; couple them in pairs"
            )
        follower, *others = factors
        leader = others[0] if others else None
        multiplier = 0.0 if leader is None else -factors[leader] / factors[follower]
        self._follow(follower, leader, multiplier, rest / factors[follower])

    def _follow(self, follower: str, leader: str | None, multiplier: float, offset: float) -> None:
        for name, (free, factor, constant) in self._expressions.items():
            if free == follower:
                self._expressions[name] = (leader, factor * multiplier, factor * offset + constant)

    def applied(self, links: Sequence[SourceLink]) -> list[SourceLink]:
        """Return links whose joints follow or are held as the relations say."""
        return [link if link.joint is None else self._applied(link, link.joint) for link in links]

    def _applied(self, link: SourceLink, joint: SourceJoint) -> SourceLink:
        leader, multiplier, offset = self._expressions.get(joint.name, (joint.name, 1.0, 0.0))
        if leader == joint.name or joint.kind == "fixed":
            return link
        if leader is None:
            weld = SourceJoint(joint.name, "fixed", joint.axis, np.zeros(3))
            return replace(link, T_parent_link=displaced(link.T_parent_link, joint, offset), joint=weld)
        return replace(link, joint=replace(joint, leader=leader, multiplier=multiplier, offset=offset))
