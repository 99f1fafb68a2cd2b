# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""MJCF as MuJoCo compiles it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.git_lfs import check_no_lfs_pointer
from omni_graspd.hands.importing.source_hand import check_numbers
from omni_graspd.named_file import is_file
from omni_graspd.usd.mesh_soundness import FARTHEST

_PLACES = {
    "body": ("body_pos", "body_quat", "body_ipos", "body_iquat"),
    "jnt": ("jnt_pos", "jnt_axis"),
    "geom": ("geom_pos", "geom_quat", "geom_size"),
    "site": ("site_pos", "site_quat"),
}
"""Coordinates of a compiled model by what has them."""
_WORDS = {"jnt": "joint"}


def compile_mjcf(path: Path) -> Any:
    """Return the ``mujoco.MjModel`` of a file; its coordinates are finite.

    Raises:
        GraspdError: If MuJoCo is missing or refuses the file, or a coordinate is infinite.
    """
    try:
        import mujoco
    except ImportError as error:
        raise GraspdError(
            f"expected the package mujoco to read {path}, got none; pip install 'omni-graspd[import]'"
        ) from error
    try:
        model = mujoco.MjModel.from_xml_path(str(path))
    except ValueError as error:
        reason = " ".join(str(error).split())
        for file in [*filter(is_file, re.findall("'([^']+)'", reason)), *_named_files(path)]:
            check_no_lfs_pointer(Path(file))
        raise GraspdError(f"expected {path} to be MJCF that MuJoCo can read, got: {reason}; mend it") from error
    _check_places(model, path)
    return model


def _check_places(model: Any, path: Path) -> None:
    """Refuse infinite coordinates, which MuJoCo takes."""
    for kind, fields in _PLACES.items():
        rows = np.column_stack([getattr(model, field) for field in fields])
        for index in np.flatnonzero(~(np.abs(rows) <= FARTHEST).all(axis=1))[:1]:
            check_numbers(rows[index].tolist(), f"{_WORDS.get(kind, kind)} {name_of(model, kind, int(index))!r}", path)
    check_numbers([*model.qpos0, *model.qpos_spring], "the joints' references and springs", path)


def _named_files(path: Path) -> list[Path]:
    """Return the files that MJCF names, as far as they are there; MuJoCo's errors name no OBJ file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    folders = [path.parent / folder for folder in ("", *re.findall(r'(?:mesh|texture|asset)dir="([^"]*)"', text))]
    files = [folder / name for name in re.findall(r'\bfile="([^"]+)"', text) for folder in folders]
    return [file for file in files if is_file(str(file))]


def name_of(model: Any, kind: str, index: int) -> str:
    """Return the name of one of a model's parts, or one made of its kind and number.

    Args:
        model: The model.
        kind: As MuJoCo has it: ``body``, ``jnt``, ``geom``, ``site``.
        index: Which of its kind.
    """
    return getattr(model, kind)(index).name or f"{kind}_{index}"
