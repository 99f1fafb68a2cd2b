# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What kind of file describes a robot."""

from __future__ import annotations

from pathlib import Path

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.xml_file import parse_xml

USD_SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")
"""How names of USD files end."""


def source_kind(file: Path) -> str:
    """Return ``robot`` for URDF, ``mujoco`` for MJCF.

    Raises:
        GraspdError: If it is neither.
    """
    tag = parse_xml(file).tag
    if file.suffix.lower() == ".xacro":
        raise GraspdError(
            f"expected URDF, got the macro file {file}; expand it first: xacro {file.name} > {file.stem}.urdf"
        )
    if tag not in ("robot", "mujoco"):
        raise GraspdError(f"expected URDF (<robot>), MJCF (<mujoco>) or USD, got {tag} in {file}; export it again")
    return tag
