# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""All formats by name: what reads and writes them, what they carry, and how to tell them by their content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.errors import GraspdError
from omni_graspd.formats.grasp_table import read_table, write_table
from omni_graspd.formats.projects.acronym import read_acronym
from omni_graspd.formats.projects.bodex import read_bodex, read_dexgraspbench
from omni_graspd.formats.projects.dexgraspnet import read_dexgraspnet, write_dexgraspnet
from omni_graspd.formats.projects.graspgen import read_graspgen, write_graspgen
from omni_graspd.formats.projects.graspit import read_graspit
from omni_graspd.formats.projects.isaac_grasp import read_isaac_grasp, write_isaac_grasp
from omni_graspd.formats.projects.multidex import read_multidex
from omni_graspd.formats.projects.multigrippergrasp import read_multigrippergrasp, write_multigrippergrasp
from omni_graspd.formats.projects.planner_list import read_planner_list
from omni_graspd.formats.record import POSTURES, GraspRecord

DATASET = "dataset"
"""Name of our own dataset folders among the formats."""
USD = "usd"
"""Name of the stage with one hand for each grasp."""


@dataclass(frozen=True)
class Format:
    """A kind of file with grasps of one hand on one object, or of several."""

    title: str
    """What it is, for lists."""
    suffix: str
    """Suffix of its files."""
    read: Callable[[Path], list[GraspRecord]] | None = None
    """Reads a file; None where we only write."""
    write: Callable[[GraspRecord, Path], None] | None = None
    """Writes a file; None where we only read."""
    lacks: tuple[str, ...] = ()
    """Fields of a record that have no place in the files that we write."""
    rotation: str = "quaternions"
    """How rotations are kept: quaternions, matrices or angles."""


FORMATS: dict[str, Format] = {
    "isaac_grasp": Format(
        "Isaac Sim's Grasp Editor, GraspDataGen",
        ".yaml",
        read_isaac_grasp,
        write_isaac_grasp,
        lacks=("T_object_pregrasp_palm", "squeeze_joint_positions", "scores"),
    ),
    "dexgraspnet": Format(
        "DexGraspNet",
        ".npy",
        read_dexgraspnet,
        write_dexgraspnet,
        lacks=(*POSTURES, "object_file"),
        rotation="angles",
    ),
    "multigrippergrasp": Format(
        "MultiGripperGrasp",
        ".json",
        read_multigrippergrasp,
        write_multigrippergrasp,
        lacks=(*POSTURES, "object_file", "scores"),
    ),
    "graspgen": Format(
        "GraspGen", ".json", read_graspgen, write_graspgen, lacks=(*POSTURES, "scores"), rotation="matrices"
    ),
    "bodex": Format("BODex", ".npy", read_bodex),
    "dexgraspbench": Format("DexGraspBench", ".npy", read_dexgraspbench),
    "multidex": Format("MultiDex (GenDexGrasp)", ".pt", read_multidex, rotation="matrices"),
    "acronym": Format("ACRONYM", ".h5", read_acronym, rotation="matrices"),
    "graspit": Format("lists of GraspIt! grasps", ".json", read_graspit),
    "planner_list": Format("lists of another planner's grasps", ".json", read_planner_list),
    "table": Format("our table of grasps", ".parquet", read_table, write_table, lacks=("object_file",)),
}
"""Formats of single files by name."""

_JSON_KEYS = {"graspit": ("hand_in_object",), "planner_list": ("root_pos",), "graspgen": ("transforms",)}
_NPY_KEYS = {"bodex": "robot_pose", "dexgraspbench": "grasp_qpos", "dexgraspnet": "qpos"}
_PEEK = 1 << 18


def read_names() -> tuple[str, ...]:
    """Return the names of what can be read."""
    return (DATASET, *(name for name, known in FORMATS.items() if known.read))


def write_names() -> tuple[str, ...]:
    """Return the names of what can be written."""
    return (DATASET, USD, *(name for name, known in FORMATS.items() if known.write))


def guess_format(path: Path) -> tuple[str, str]:
    """Tell a format by the content of a file or folder.

    Args:
        path: The file, or the folder of one of our datasets.

    Returns:
        Its name, and what gave it away.

    Raises:
        GraspdError: If it is of no known kind.
    """
    if path.is_dir() and DatasetLayout(path).manifest.is_file():
        return DATASET, "it has a dataset.json"
    if not path.is_file():
        raise GraspdError(f"expected a file with grasps or the folder of a dataset, got {path}; check the path")
    with path.open("rb") as file:
        head = file.read(_PEEK)
        file.seek(max(0, path.stat().st_size - _PEEK))
        content = head + file.read()
    found = _by_content(head, content)
    if found is None:
        raise GraspdError(
            f"expected a file with grasps, got {path}, which looks like none of {', '.join(read_names())}; "
            "name its format with --from"
        )
    return found


def _by_content(head: bytes, content: bytes) -> tuple[str, str] | None:
    if head.startswith(b"PAR1"):
        return "table", "it is a Parquet file"
    if head.startswith(b"\x89HDF"):
        return "acronym", "it is an HDF5 file"
    if head.startswith(b"PK") and b"data.pkl" in content:
        return "multidex", "it is a PyTorch file"
    if head.startswith(b"\x93NUMPY"):
        # The longest key first: 'qpos' is part of 'grasp_qpos'.
        key = next((name for name in _NPY_KEYS if _NPY_KEYS[name].encode() in content), None)
        return None if key is None else (key, f"it is a NumPy file with {_NPY_KEYS[key]!r}")
    if head.lstrip()[:1] in (b"{", b"["):
        return _json_format(content)
    if b"isaac_grasp" in head:
        return "isaac_grasp", "it says 'format: isaac_grasp'"
    return None


def _json_format(content: bytes) -> tuple[str, str] | None:
    for name, keys in (*_JSON_KEYS.items(), ("multigrippergrasp", ("pose", "gripper"))):
        if all(f'"{key}"'.encode() in content for key in keys):
            return name, "it is JSON with " + " and ".join(repr(key) for key in keys)
    return None


def format_for_output(path: Path) -> str:
    """Tell by a path what is to be written there.

    Raises:
        GraspdError: If its suffix says nothing, or leaves a choice.
    """
    suffix = path.suffix.lower()
    if suffix in (".usd", ".usda", ".usdc"):
        return USD
    suffixes = (suffix, ".yaml" if suffix == ".yml" else suffix)
    fitting = [name for name, known in FORMATS.items() if known.write and known.suffix in suffixes]
    if len(fitting) == 1:
        return fitting[0]
    what = f"several formats for {path.name!r}: {', '.join(fitting)}" if fitting else f"{path.name!r}"
    raise GraspdError(
        f"expected a name that tells the format, got {what}; give it with --to, one of {', '.join(write_names())}"
    )
