# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One version, said in three places."""

from __future__ import annotations

import tomllib
from pathlib import Path

import omni_graspd

_ROOT = Path(__file__).resolve().parents[1]


def test_package_project_and_extension_have_the_same_version():
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extension = tomllib.loads((_ROOT / "extension.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == omni_graspd.__version__
    assert extension["package"]["version"] == omni_graspd.__version__
