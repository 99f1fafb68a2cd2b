# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Users' own hands: URDF, MJCF and USD written into the user's library as USD articulations."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.description_file import USD_SUFFIXES, source_kind
from omni_graspd.hands.importing.hand_folder import (
    check_own_name,
    copy_files,
    new_hand_folder,
    source_table,
    user_hand_file,
)
from omni_graspd.hands.importing.hand_source import (
    check_commercial_use,
    find_description,
    find_licenses,
    opened_source,
)
from omni_graspd.hands.importing.known_hands import KNOWN_HANDS, WHEEL, known_hand
from omni_graspd.hands.importing.mjcf_reader import read_mjcf
from omni_graspd.hands.importing.source_hand import SourceLink
from omni_graspd.hands.importing.source_palm import find_palm, links_above_palm
from omni_graspd.hands.importing.source_to_design import design_hand, drawn_axes, is_marker, rest_posture
from omni_graspd.hands.importing.urdf_reader import read_urdf
from omni_graspd.hands.importing.usd_source import write_whole
from omni_graspd.hands.usd.hand_reader import read_articulation, read_hand
from omni_graspd.hands.usd.hand_settings import HandSettings, hand_settings_path, read_hand_settings, read_hand_source
from omni_graspd.hands.usd.hand_writer import write_hand
from omni_graspd.library import list_all_names, list_names, resolve
from omni_graspd.progress import Progress, no_progress

_HEADING = "# Written by graspd hands add. Any key of hand.toml may be added above [source]; see docs/hands.md."


@dataclass(frozen=True)
class HandEntry:
    """A hand in the library."""

    name: str
    """Its name."""
    joint_count: int
    """Movable joints."""
    actuated_count: int
    """Joints with a drive of their own."""
    source: str
    """Where it comes from."""
    license: str
    """Its licence."""


def add_hand(
    name: str,
    source: str | Path | None = None,
    *,
    scale: float = 1.0,
    replace: bool = False,
    accept_licence: bool = False,
    progress: Progress = no_progress,
) -> Path:
    """Write a hand into the user's library.

    Args:
        name: Its name from now on.
        source: URDF, MJCF (``.xml``) or USD file, or a folder or archive (zip, wheel, tar) with only one of
            these or with the one that is known by the name; None for a hand of the wheel.
        scale: Metres per unit of length of a URDF or MJCF file.
        replace: Take the place of a hand of that name.
        accept_licence: Take a hand whose licence forbids commercial use.
        progress: Told after each step: one for each link, and one for how the hand approaches and opens.

    Returns:
        The written USD file.

    Raises:
        GraspdError: If the name is taken or unusable, or the source is missing, not a hand, implausibly sized, or not
            to be used commercially.
    """
    check_own_name(name, replace)
    if not scale > 0.0:
        raise GraspdError(f"expected --scale above 0, got {scale:g}; give metres per unit, for example 0.001")
    known = KNOWN_HANDS.get(name)
    given = known_hand(name) if source is None else Path(source).expanduser()
    with opened_source(given) as place:
        file = find_description(place, known.path if known else "", given if place != given else None)
        is_known = known is not None and f"/{file.resolve().as_posix()}".endswith(f"/{known.path}")
        licenses = find_licenses(file, place)
        license_text = known.license if known and is_known else "not stated"
        check_commercial_use(licenses, license_text, name, is_accepted=accept_licence)
        with new_hand_folder(name) as folder:
            written, beside = folder / f"{name}.usda", hand_settings_path(file)
            notes, link_count = _convert(name, file, scale, written, read_hand_settings(beside), progress)
            copy_files(licenses, folder)
            rows = _source_rows(file, WHEEL if source is None else None, license_text, scale, notes)
            text = f"{_HEADING}\n\n{_own_settings(beside)}{source_table(rows)}"
            (folder / "hand.toml").write_text(text, encoding="utf-8")
            read_hand(written)
            progress(link_count + 1, link_count + 1)
    return user_hand_file(name)


def _own_settings(beside: Path) -> str:
    """Return the settings that lie beside a source, without the table that an import writes."""
    if not beside.is_file():
        return ""
    text = re.sub(r"(?ms)^\[source\].*?(?=^\[|\Z)", "", beside.read_text(encoding="utf-8"))
    return text.strip() + "\n\n"


def import_notes(path: Path) -> tuple[str, ...]:
    """Return what importing a hand changed or left out, a sentence each.

    Args:
        path: The hand's USD file.
    """
    notes = read_hand_source(hand_settings_path(path)).get("notes", ())
    return tuple(str(note) for note in notes) if isinstance(notes, list) else ()


def list_hands() -> list[HandEntry]:
    """Return all hands of the library: the built-in ones, then the user's."""
    return [hand_entry(name) for name in list_all_names("hands")]


def hand_entry(name: str) -> HandEntry:
    """Return what the library says about one of its hands.

    Raises:
        GraspdError: If there is no such hand.
    """
    is_built_in = name in list_names("hands")
    path = resolve("hands", name)[0]
    hand = read_articulation(path)
    source = read_hand_source(path.parent / "hand.toml")
    origin = "built in" if is_built_in else str(source.get("file", "not stated"))
    license_text = "Apache-2.0" if is_built_in else str(source.get("license", "not stated"))
    return HandEntry(name, hand.joint_count, hand.actuated_count, origin, license_text)


def _convert(
    name: str, file: Path, scale: float, written: Path, settings: HandSettings, progress: Progress
) -> tuple[list[str], int]:
    """Write a hand's USD; return what was changed or left out, a sentence each, and how many links it took."""
    if file.suffix.lower() in USD_SUFFIXES:
        return list(write_whole(file, scale, written)), 0
    kind = source_kind(file)
    links = read_urdf(file) if kind == "robot" else read_mjcf(file, scale=scale)
    design = design_hand(name, links, scale, file, settings.palm, progress)
    write_hand(design, written, rest_posture(design))
    notes = [note for link in links for note in link.notes] + _left_out(links, settings.palm)
    return notes, len(design.links)


def _left_out(links: Sequence[SourceLink], palm: str | None) -> list[str]:
    """Say which links with shapes are above the palm, and which are only seen."""
    names = [link.name for link in links]
    index = find_palm(links) if palm is None or palm not in names else names.index(palm)
    above = links_above_palm(links, index) - {names[index]}
    shown = [link.name for link in links if link.name in above and (link.visuals or link.colliders)]
    notes = []
    if shown:
        notes.append(f"left out of grasps, since they do not hang on the palm {names[index]}: {', '.join(shown)}")
    markers = [link.name for link in links if is_marker(link, links)]
    if markers:
        notes.append(f"left out, since they are seen but have no <collision> where others have: {', '.join(markers)}")
    axes = [link.name for link in links if not is_marker(link, links) and drawn_axes(link)]
    if axes:
        notes.append(
            f"left out simple shapes that are drawn away from what collides, as axes are, of {', '.join(axes)}"
        )
    return notes


def _source_rows(
    file: Path, package: str | None, license_text: str, scale: float, notes: Sequence[str]
) -> dict[str, object]:
    """Return where the hand comes from; all else is inferred when it is read."""
    rows: dict[str, object] = {
        "file": file.name if package is None else f"{file.name} of {package}",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "license": license_text,
        "imported": date.today().isoformat(),
        "scale": scale,
        "drives": "gains and largest torques are omni_graspd's defaults, not the source's",
    }
    if file.suffix.lower() in USD_SUFFIXES:
        del rows["scale"], rows["drives"]
    if notes:
        rows["notes"] = list(notes)
    return rows
