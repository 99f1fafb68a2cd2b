# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Isaac Sim started from a script: coroutines are run to their end, and closing notes the exit code."""

from __future__ import annotations

import asyncio
from typing import Any


def behaviours(kit: Any) -> dict[str, dict[str, Any]]:
    """Return functions and classes by module and name."""

    class SimulationApp:
        def __init__(self, launch_config: dict | None = None, experience: str = "") -> None:
            assert (launch_config or {}).get("headless", True), "a test has no display"
            kit.is_script = True

        def update(self) -> None:
            kit.updates += 1
            kit.usd.loading = max(kit.usd.loading - 1, 0)

        def run_coroutine(self, coroutine: Any, run_until_complete: bool = True) -> Any:
            assert run_until_complete, "the fake has no loop that goes on"
            with asyncio.Runner() as runner:
                return runner.run(coroutine)

        def close(self, wait_for_replicator: bool = True, skip_cleanup: bool = False, exit_code: int = 0) -> None:
            kit.exit_code = kit.exit_code or exit_code

    return {"isaacsim": {"SimulationApp": SimulationApp}}
