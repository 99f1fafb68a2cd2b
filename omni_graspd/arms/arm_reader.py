# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Arms from a USD articulation, with what ``arm.toml`` beside it says of the flange; by name or by file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.errors import GraspdError
from omni_graspd.hands.usd.hand_reader import read_whole_articulation
from omni_graspd.library import resolve
from omni_graspd.plain_text import shortened


def load_arm(name_or_path: str) -> Arm:
    """Read one arm.

    Args:
        name_or_path: Name of one of the user's arms, or a USD file with an ``arm.toml`` beside it.

    Raises:
        GraspdError: If there is no such arm, or it cannot be read.
    """
    files = resolve("arms", name_or_path)
    if len(files) > 1:
        raise GraspdError(f"expected one arm, got {name_or_path!r}, which fits {', '.join(p.stem for p in files)}")
    return read_arm(files[0])


def read_arm(path: Path) -> Arm:
    """Read an arm from a USD file.

    Raises:
        GraspdError: If the file is no articulation, has joints that do not lead to the flange, or ``arm.toml`` is
            missing or wrong.
    """
    table = read_arm_settings(path)
    articulation = read_whole_articulation(path)
    names = [link.name for link in articulation.links]
    name, pose = table.get("flange_link"), table.get("T_link_flange")
    if name not in names:
        raise GraspdError(
            f"expected flange_link in {arm_settings_path(path)} to be a link, got {shortened(repr(name))}; links: "
            f"{', '.join(names)}"
        )
    if not _is_pose(pose):
        raise GraspdError(
            f"expected T_link_flange in {arm_settings_path(path)} to be a position [m] and a unit quaternion xyzw, got "
            f"{shortened(repr(pose))}; write seven numbers"
        )
    source = table.get("source", {})
    license_text = str(source.get("license", "not stated")) if isinstance(source, dict) else "not stated"
    arm = Arm(path.stem, path, articulation, names.index(name), np.array(pose, dtype=np.float64), license_text)
    if arm.chain().joint_count != arm.joint_count or len(articulation.actuated) != arm.joint_count:
        raise GraspdError(
            f"expected all joints of {path} to lead from its base to the flange, each with a drive of its own, got "
            f"others; add the arm again with another --flange"
        )
    return arm


def arm_settings_path(usd_path: Path) -> Path:
    """Return where an arm's settings lie: ``<name>.toml`` beside ``<name>.usd`` if there is one, else ``arm.toml``."""
    own = usd_path.with_suffix(".toml")
    return own if own.is_file() else usd_path.parent / "arm.toml"


def read_arm_settings(usd_path: Path) -> dict[str, Any]:
    """Return what the ``arm.toml`` beside a USD file says.

    Raises:
        GraspdError: If there is none, or it is not TOML.
    """
    path = arm_settings_path(usd_path)
    if not path.is_file():
        raise GraspdError(
            f"expected {path} beside the arm, got none; import the arm with `graspd arms add NAME {usd_path}`"
        )
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise GraspdError(f"expected {path} to be TOML, got: {shortened(str(error), 160)}; mend the line") from error


def _is_pose(value: Any) -> bool:
    if not (isinstance(value, list) and len(value) == 7 and all(type(v) in (int, float) for v in value)):
        return False
    pose = np.array([float(v) if abs(v) < 1e9 else np.nan for v in value])
    return bool(np.isfinite(pose).all() and abs(np.linalg.norm(pose[3:]) - 1.0) < 1e-6)
