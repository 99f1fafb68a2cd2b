# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where the flange of a described arm is, and what hangs on it and is left out: a gripper, a hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.source_hand import SourceLink
from omni_graspd.usd.transforms import IDENTITY, compose

_FLANGE_NAMES = ("tool0", "flange", "attachment", "tool_frame", "end_effector")
"""How flanges are called, the best name first; URDF of ROS-Industrial has tool0, whose +z points out of the arm."""
_LAST_NAMES = ("link8", "link_ee", "ee_link")
"""How they are called where nothing of the arm moves behind them."""


@dataclass(frozen=True)
class Frame:
    """A frame on a link."""

    link: str
    """Name of the link."""
    T_link_frame: np.ndarray
    """Its pose there, shape [7]."""


def find_flange(
    links: Sequence[SourceLink], name: str | None, sites: dict[str, Frame], source: Path
) -> tuple[Frame, tuple[str, ...]]:
    """Return the flange as a frame on the last link that a joint of the arm moves.

    Args:
        links: The links, parents first.
        name: Name of a link or site; None to find it by how flanges are called.
        sites: Named frames besides the links.
        source: The file, for errors.

    Returns:
        The flange, and a sentence where nothing is named like one, so that it is a guess.

    Raises:
        GraspdError: If there is no such link or site, or no joint leads to it.
    """
    by_name = {link.name: link for link in links}
    # Sites may also be on what is no part of the arm, such as a table or the world.
    sites = {site: frame for site, frame in sites.items() if frame.link in by_name}
    frames = {link.name: Frame(link.name, IDENTITY) for link in links} | sites
    if name is not None and name not in frames:
        raise GraspdError(
            f"expected --flange to be a link or site of {source}, got {name!r}; there are: {_list(frames)}"
        )
    notes: tuple[str, ...] = ()
    if name is None:
        name = _named_like_a_flange(links, frames, by_name)
    if name is None:
        chain, follower = _moved_in_turn(links)
        name = chain[-1]
        place = f"before {follower}, which follows another joint" if follower else "that moves"
        notes = (f"took {name}, the last link {place}, as the flange; name another with --flange",)
    flange = _anchored(frames[name], by_name)
    joint = by_name[flange.link].joint
    if joint is None or joint.kind == "fixed":
        raise GraspdError(
            f"expected joints between the base and the flange {name!r} of {source}, got none; name another"
        )
    return flange, notes


def without_tool(links: Sequence[SourceLink], flange: Frame, source: Path) -> tuple[list[SourceLink], list[str]]:
    """Return the links from the base to the flange, with what is welded to them, and the names of moving ones left out.

    Args:
        links: The links, parents first.
        flange: The flange, on a link that a joint moves.
        source: The file, for errors.

    Raises:
        GraspdError: If a joint on the way follows another one.
    """
    by_name = {link.name: link for link in links}
    chain = [flange.link]
    while (parent := by_name[chain[-1]].parent) is not None:
        chain.append(parent)
    kept: list[SourceLink] = []
    for link in links:
        welded = link.joint is not None and link.joint.kind == "fixed" and link.parent in {k.name for k in kept}
        if link.name in chain or (welded and not _is_tool(link, links)):
            kept.append(link)
    follows = [link.joint.name for link in kept if link.joint is not None and link.joint.leader is not None]
    if follows:
        raise GraspdError(
            f"expected joints that are driven from the base of {source} to its flange, got {follows[0]!r}, "
            "which follows another; make it a joint of its own"
        )
    names = {link.name for link in kept}
    return kept, [link.name for link in links if link.name not in names and (link.visuals or link.colliders)]


def _is_tool(link: SourceLink, links: Sequence[SourceLink]) -> bool:
    """Tell whether something moves on a link: what is welded to an arm is part of it, a gripper is not."""
    below = {link.name}
    for other in links:
        if other.parent in below:
            below.add(other.name)
            if other.joint is not None and other.joint.kind != "fixed":
                return True
    return False


def _named_like_a_flange(
    links: Sequence[SourceLink], frames: dict[str, Frame], by_name: dict[str, SourceLink]
) -> str | None:
    """Return what is called as flanges are, the farthest from the base; None if nothing is."""
    chain, _ = _moved_in_turn(links)
    for words, on in ((_FLANGE_NAMES, chain), (_LAST_NAMES, chain[-1:])):
        near = {each: _anchored(frames[each], by_name).link for each in frames}
        for word in words:
            found = [each for each, link in near.items() if word in each.lower() and link in on]
            if found:
                return max(found, key=lambda each: on.index(near[each]))
    return None


def _moved_in_turn(links: Sequence[SourceLink]) -> tuple[list[str], str | None]:
    """Return the links that joints move one after the other from the root on, until several move, or one follows.

    The joint that follows another one, if that is where they end, comes second.
    """
    current = links[0]
    chain = [current.name]
    while True:
        below = [link for link in links if link.parent == current.name and _moves(link, links)]
        if len(below) != 1:
            return chain, None
        current = below[0]
        if current.joint is not None and current.joint.kind != "fixed":
            if current.joint.leader is not None:
                return chain, current.joint.name
            chain.append(current.name)


def _moves(link: SourceLink, links: Sequence[SourceLink]) -> bool:
    return (link.joint is not None and link.joint.kind != "fixed") or _is_tool(link, links)


def _anchored(frame: Frame, by_name: dict[str, SourceLink]) -> Frame:
    """Return a frame as one on the link above it that a joint moves, or on the root."""
    link, pose = by_name[frame.link], frame.T_link_frame
    while link.joint is not None and link.joint.kind == "fixed" and link.parent is not None:
        pose = compose(link.T_parent_link, pose)
        link = by_name[link.parent]
    return Frame(link.name, pose)


def _list(names: dict[str, Frame]) -> str:
    shown = list(names)
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "")
