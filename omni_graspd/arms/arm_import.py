# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Users' own arms: URDF, MJCF and USD written into the user's library as USD articulations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from omni_graspd.arms.arm_drive import with_arm_drives
from omni_graspd.arms.arm_reader import read_arm, read_arm_settings
from omni_graspd.arms.source_flange import Frame, find_flange, without_tool
from omni_graspd.arms.usd_arm import keep_arm
from omni_graspd.atomic import replaced_folder, writing_to
from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.description_file import USD_SUFFIXES, source_kind
from omni_graspd.hands.importing.hand_folder import check_own_name, copy_files
from omni_graspd.hands.importing.hand_source import (
    check_commercial_use,
    find_description,
    find_licenses,
    opened_source,
)
from omni_graspd.hands.importing.mjcf_reader import read_mjcf, read_sites
from omni_graspd.hands.importing.source_to_design import design_robot, rest_posture
from omni_graspd.hands.importing.urdf_reader import read_urdf
from omni_graspd.hands.importing.usd_source import write_whole
from omni_graspd.hands.usd.hand_writer import write_hand
from omni_graspd.library import list_user_names, resolve
from omni_graspd.progress import Progress, no_progress
from omni_graspd.user_folders import user_folder

_NOT_STATED = "not stated"


@dataclass(frozen=True)
class ArmEntry:
    """An arm in the library."""

    name: str
    """Its name."""
    joint_count: int
    """Joints from the base to the flange."""
    reach: float
    """Greatest distance of the flange from the first joint, by the lengths of the links [m]."""
    source: str
    """Where it comes from."""
    license: str
    """Its licence."""


def add_arm(
    name: str,
    source: str | Path,
    *,
    flange: str | None = None,
    license_text: str = "",
    scale: float = 1.0,
    replace: bool = False,
    accept_licence: bool = False,
    progress: Progress = no_progress,
) -> tuple[Path, tuple[str, ...]]:
    """Write an arm into the user's library.

    Args:
        name: Its name from now on.
        source: URDF, MJCF (``.xml``) or USD file, or a folder or archive (zip, wheel, tar) that holds only
            one of these.
        flange: Link or site whose +z points out of the arm; None to find it by its name.
        license_text: Licence of the source, where no licence file beside it says it.
        scale: Metres per unit of length of a URDF or MJCF file.
        replace: Take the place of an arm of that name.
        accept_licence: Take an arm whose licence forbids commercial use.
        progress: Told after each link.

    Returns:
        The written USD file, and what importing left out, a sentence each.

    Raises:
        GraspdError: If the name is taken or unusable, or the source is missing, no arm, or not to be used
            commercially.
    """
    check_own_name(name, replace, "arms")
    if not 0.0 < scale < np.inf:
        raise GraspdError(f"expected --scale above 0, got {scale:g}; give metres per unit, for example 0.001")
    folder = user_folder() / "arms" / name
    given = Path(source).expanduser()
    with opened_source(given) as place:
        file = find_description(place, archive=given if place != given else None)
        licenses = find_licenses(file, place)
        check_commercial_use(licenses, license_text, name, is_accepted=accept_licence, kind="an arm")
        with writing_to(folder, resumes=False, setting="GRASPD_HOME"), replaced_folder(folder) as staged:
            written = staged / f"{name}.usda"
            with _naming(file, written):
                frame, notes = _convert(name, file, flange, scale, written, progress)
                copy_files(licenses, staged)
                stated = license_text or (f"see {', '.join(licenses)}" if licenses else _NOT_STATED)
                (staged / "arm.toml").write_text(_settings(file, frame, stated, scale, notes), encoding="utf-8")
                read_arm(written)
    return folder / f"{name}.usda", tuple(notes)


def list_arms() -> list[ArmEntry]:
    """Return the arms of the user's library."""
    return [arm_entry(name) for name in list_user_names("arms")]


def arm_entry(name: str) -> ArmEntry:
    """Return what the library says about one of its arms.

    Raises:
        GraspdError: If there is no such arm.
    """
    path = resolve("arms", name)[0]
    arm = read_arm(path)
    lengths = np.linalg.norm(arm.chain().frames[1:, :3, 3], axis=1)
    source = read_arm_settings(path).get("source", {})
    file = source.get("file", path) if isinstance(source, dict) else path
    return ArmEntry(name, arm.joint_count, float(lengths.sum()), str(file), arm.license)


@contextmanager
def _naming(file: Path, written: Path) -> Iterator[None]:
    """Have errors name the user's file: what is written from it is gone when they are read."""
    try:
        yield
    except GraspdError as error:
        raise GraspdError(str(error).replace(str(written), str(file)), error.listing) from error


def _convert(
    name: str, file: Path, flange: str | None, scale: float, written: Path, progress: Progress
) -> tuple[Frame, list[str]]:
    """Write an arm's USD; return its flange, and what was left out, a sentence each."""
    if file.suffix.lower() in USD_SUFFIXES:
        notes = write_whole(file, scale, written)
        frame, more = keep_arm(written, flange, file)
        return frame, [*notes, *more]
    if source_kind(file) == "robot":
        links, sites = read_urdf(file), {}
    else:
        links, sites = read_mjcf(file, is_hand=False), {k: Frame(*v) for k, v in read_sites(file).items()}
    frame, guessed = find_flange(links, flange, sites, file)
    kept, left_out = without_tool(links, frame, file)
    design, names = design_robot(name, kept, scale, progress)
    write_hand(with_arm_drives(design), written, rest_posture(design))
    pose = frame.T_link_frame.copy()
    pose[:3] *= scale
    notes = [*guessed, *(note for link in kept for note in link.notes)]
    notes += [f"left out, since it is moved by the flange: {', '.join(left_out)}"] if left_out else []
    return Frame(names[frame.link], pose), notes


def _settings(file: Path, frame: Frame, license_text: str, scale: float, notes: list[str]) -> str:
    """Return arm.toml: where the flange is, and where the arm comes from."""
    rows: dict[str, object] = {
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "license": license_text,
        "imported": date.today().isoformat(),
        "scale": scale,
        "notes": notes,
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in rows.items()]
    pose = ", ".join(f"{value:.12g}" for value in frame.T_link_frame)
    return (
        "# Written by graspd arms add. Hands are mounted on the flange and point along its +z.\n\n"
        f"flange_link = {json.dumps(frame.link)}\n"
        f"T_link_flange = [{pose}]  # position [m], quaternion xyzw\n\n[source]\n" + "\n".join(lines) + "\n"
    )
