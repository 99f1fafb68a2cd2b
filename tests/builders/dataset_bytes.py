# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What two datasets that are the same have in common: every byte."""

from __future__ import annotations

import hashlib
from pathlib import Path


def dataset_digests(root: Path) -> dict[str, str]:
    """Return the hashes of all files but the one that says how long things took."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != "shards.jsonl")
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
