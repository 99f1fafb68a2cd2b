# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""JSON files, read with their faults in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        GraspdError: If it is none.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise GraspdError(
            f"expected JSON in {path}, got: {shortened(str(error), 160)}; fetch or write it again"
        ) from error


def write_json(content: Any, path: Path) -> None:
    """Write JSON with all digits of its numbers, all or nothing."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")
