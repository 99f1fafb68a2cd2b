# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""omni-graspd-lite is made of the settings of omni-graspd: one list of packages, one list of dependencies."""

import os
import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = {"ovphysx", "physx-usd-schemas", "mitsuba", "mitsuba-oidn", "karellen-llvm-core", "coacd"}
"""PhysX, Mitsuba, convex pieces for PhysX, and what serves nothing else."""
EXTRAS = {"import", "convert", "inspect", "pandas", "ray"}

settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
project, packaging = settings["project"], settings["tool"]["setuptools"]
folders = packaging["package-dir"]


def _folder(package: str) -> str:
    """Return where a package lies, from here."""
    return os.path.relpath(ROOT / folders.get(package, package.replace(".", "/")), Path(__file__).parent)


setup(
    version=project["version"],
    python_requires=project["requires-python"],
    license=project["license"],
    keywords=project["keywords"],
    install_requires=[need for need in project["dependencies"] if re.split(r"[<>=!]", need)[0] not in LEFT_OUT],
    extras_require={name: needs for name, needs in project["optional-dependencies"].items() if name in EXTRAS},
    entry_points={"console_scripts": [f"{name} = {target}" for name, target in project["scripts"].items()]},
    packages=packaging["packages"],
    package_dir={package: _folder(package) for package in packaging["packages"]},
    package_data=packaging["package-data"],
    include_package_data=False,
)
