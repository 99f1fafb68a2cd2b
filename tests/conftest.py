# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Folder with scanned objects and other planners' grasps; set GRASPD_SHARED or put it beside the checkout."""
    folder = Path(os.environ.get("GRASPD_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (folder / "objects").is_dir():
        pytest.skip("needs a folder with scanned objects (set GRASPD_SHARED)")
    return folder
