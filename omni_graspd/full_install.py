# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What an installation may come without: simulator and renderer in ``omni-graspd-lite``, and extras in both."""

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


def require_extra(package: str, extra: str, purpose: str) -> None:
    """Check that a package of an extra is there.

    Args:
        package: Name to import.
        extra: Extra of omni-graspd that brings it.
        purpose: What it is needed for, as the subject of a sentence, in the plural.

    Raises:
        GraspdError: If it is missing.
    """
    if find_spec(package) is None:
        raise GraspdError(f"{purpose} need {package}; install it with `pip install 'omni-graspd[{extra}]'`")
