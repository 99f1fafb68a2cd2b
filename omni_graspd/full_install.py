# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What only the whole installation has: ``omni-graspd-lite`` comes without simulator and renderer."""

from __future__ import annotations

from importlib.util import find_spec

from omni_graspd.errors import GraspdError


def require_installed(package: str, purpose: str) -> None:
    """Check that a package of the whole installation is there.

    Args:
        package: Name to import.
        purpose: What it is needed for, as the subject of a sentence.

    Raises:
        GraspdError: If it is missing.
    """
    if find_spec(package) is None:
        raise GraspdError(
            f"{purpose} needs {package}, which omni-graspd-lite does not include; for everything, run `pip install "
            "omni-graspd`, or `pip install .` in a clone"
        )
