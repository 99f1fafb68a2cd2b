# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Keep which symbols of omni.ui that our code uses are in ovui: ``python tests/ovui/keep_seen.py`` where ovui is."""

from __future__ import annotations

import importlib.util
import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("omni_ui_seen.json")


def seen() -> dict[str, Any]:
    """Return the version of ovui, and which of the symbols that we use it has, constants and keywords included."""
    import omni.ui as ui

    spec = importlib.util.spec_from_file_location("list_kit_calls", _ROOT / "docs" / "list_kit_calls.py")
    assert spec and spec.loader
    listing = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = listing  # dataclasses look their module up
    spec.loader.exec_module(listing)
    used = sorted(symbol for module, symbol in listing.list_calls()[0] if module == "omni.ui")
    return {"ovui": metadata.version("ovui"), "symbols": [symbol for symbol in used if _has(ui, symbol)]}


def _has(owner: Any, symbol: str) -> bool:
    for name in symbol.split("."):
        if not hasattr(owner, name):
            return False
        owner = getattr(owner, name)
    return True


if __name__ == "__main__":
    FILE.write_text(json.dumps(seen(), indent=1) + "\n", encoding="utf-8")
