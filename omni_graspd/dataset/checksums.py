# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Checksums of the files of a dataset: what was written is told from what lies there years later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from omni_graspd.atomic import PARTIAL_PREFIX, atomic_path
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import CHECKSUMS
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened

CHECKSUM_FILE = "checksums.parquet"
_FOLDERS = ("arms", "grasps", "hands", "objects", "reach", "renders", "scenes")
_BLOCK_SIZE = 1 << 20
_LONGEST_NAME = 255
"""Most bytes in the name of a file or folder."""


def update_checksums(root: Path) -> None:
    """Write the checksums of the files of a dataset; files that are listed already are not read again.

    ``dataset.json`` changes with every stage and is always read. Pictures and reports made for people are not listed.

    Args:
        root: The dataset folder.
    """
    known = read_checksums(root) if (root / CHECKSUM_FILE).is_file() else {}
    listed = {}
    for name in sorted([*dataset_files(root), "dataset.json"]):
        present = known.get(name)
        listed[name] = file_checksum(root / name) if present is None or name == "dataset.json" else present
    if listed != known:
        _write(root, listed)


def forget_checksums(root: Path, names: set[str]) -> None:
    """Take files from the list before they are written anew; :func:`update_checksums` lists them again.

    Args:
        root: The dataset folder.
        names: Files relative to the folder, with ``/``; those that are not listed do not matter.
    """
    if (root / CHECKSUM_FILE).is_file():
        known = read_checksums(root)
        if known.keys() & names:
            _write(root, {name: digest for name, digest in known.items() if name not in names})


def dataset_files(root: Path) -> Iterator[str]:
    """Yield the files that make up a dataset but for ``dataset.json``, relative to its folder, with ``/``."""
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            unfinished = any(
                part.startswith(PARTIAL_PREFIX) or part.endswith((".parts", ".evaluation")) for part in parts
            )
            if path.is_file() and not unfinished:
                yield "/".join(parts)


def read_checksums(root: Path) -> dict[str, str]:
    """Read the list: SHA-256 in hexadecimal digits by file.

    Raises:
        GraspdError: If there is none, or it is damaged.
    """
    path = root / CHECKSUM_FILE
    if not path.is_file():
        raise GraspdError(
            f"the checksums {path} are missing; they are written at the end of each stage, so run `graspd generate` "
            "with the same options again"
        )
    columns = open_table(path, CHECKSUMS).arrays()
    listed = dict(zip(columns["file"].tolist(), columns["sha256"].tolist(), strict=True))
    if len(listed) < len(columns["file"]):
        raise GraspdError(f"expected each file once in {path}, got some twice; delete it and make it again")
    for name in listed:
        _check_name(name, root, path)
    return listed


def _check_name(name: str, root: Path, path: Path) -> None:
    """Refuse names of files that cannot be, or that lie elsewhere."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts:
        raise GraspdError(
            f"expected file names below {root} in {path}, got {shortened(name)!r}, which leads elsewhere; do not use "
            "this dataset"
        )
    if not name.isprintable() or not all(0 < len(part.encode(errors="replace")) <= _LONGEST_NAME for part in parts):
        raise GraspdError(
            f"expected file names in {path}, got {shortened(name)!r}; delete the file and run `graspd generate` with "
            "the same options again"
        )


def file_checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_SIZE):
            digest.update(block)
    return digest.hexdigest()


def _write(root: Path, listed: dict[str, str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"file": pa.array(listed.keys(), pa.string()), "sha256": pa.array(listed.values(), pa.string())})
    with atomic_path(root / CHECKSUM_FILE) as temporary:
        pq.write_table(table, temporary, compression="zstd")
