# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Kit's stubs as a fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kit_stubs import VERSIONS, Kit, installed_stubs

# The same tests a second time, as in the older version: not needed at every run.
_OLDER = [pytest.param(version, marks=[pytest.mark.slow, pytest.mark.older_kit]) for version in VERSIONS[:-1]]


@pytest.fixture(params=[*_OLDER, VERSIONS[-1]])
def kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    """The pretended Kit, once as in Isaac Sim 5.1 and once as in 6.0."""
    with installed_stubs(request.param) as installed:
        yield installed
